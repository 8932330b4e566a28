using DemucsPS.Engine.Audio.Resampling;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>
/// Decodes FLAC by RFC 9639: every number of channels, 4 to 32 bits, fixed and variable block sizes. The checksums of every
/// frame are verified, and the digest of the whole stream while it is read. Integers of b bits are scaled by 2^-(b-1). Where frames are
/// damaged, silence is given in their place; several streams of one form, one after another, are read as one track.
/// </summary>
/// <remarks>
/// A stream may change its form at any frame. This one is given in the form that STREAMINFO declares anyway, since whoever reads it needs
/// one rate and one number of channels: frames of other depths are scaled by their own, frames of other channels put to the declared ones
/// by <see cref="FlacChannelMap"/>, and every run of frames at another rate is resampled as if it were its own file, so n of them become
/// ⌊n·declared/own⌋. Nothing of this looks ahead, and all of it is the same at every reading.
/// </remarks>
internal sealed class FlacReader : AudioReader
{
    private const int Margin = FlacSubframeDecoder.Margin;

    // Each change of rate needs its own filter. No stream of music has so many, and a hostile one can have one for every 16 samples.
    private const int MaxRateChanges = 100;

    // 768,000 to 24,000 Hz; the length of a filter grows with it.
    private const int MaxRateRatio = 32;

    // Files of a few bytes, put one after another, must not take forever.
    private const int MaxStreams = 1000;

    // The fewest bytes of a frame: header, one channel that is constant, checksum.
    private const int MinFrameBytes = 10;

    // Music of some seconds; decoding that much takes no longer than looking for a nearer frame.
    private const int NearBytes = 1 << 17;

    private readonly FlacBitReader _bits;
    private readonly FlacFrameDecoder _decoder;
    private readonly FlacResync _resync;
    private readonly bool _mustBeginWhole;

    // The stream that is read, of which there may be several one after another, and how many samples there were before it.
    private FlacStreamInfo _info;
    private FlacSignature? _signature;
    private int _streams = 1;
    private int? _joinedWarning;
    private long _before;

    // The decoded frame: its form, how many samples it has and how many of them were handed out. _decoded counts those of the stream.
    private FlacForm _form;
    private float _scale;
    private int _blockSize;
    private int _blockTaken;
    private long _decoded;
    private bool _ended;

    // Silence that stands in for lost frames and was not given yet; the last whole frame of the stream; whole frames in all streams.
    private long _silence;
    private FlacFrameHeader? _lastWhole;
    private long _framePosition;
    private long _goodFrames;
    private bool _isDamaged;
    private bool _toldJunk;

    // Where in the warnings is that there are more frames than STREAMINFO declares, and whether those that it declares have the digest.
    private int? _moreWarning;
    private bool _declaredMatch;
    private bool _toldBlock;
    private bool _toldFrame;
    private bool _disposed;

    // Only for streams that change their form: where the channels come from, the seconds before frame number _formStart, and the run of
    // frames at another rate that is being given.
    private FlacFormChanges? _changes;
    private int _changesWarning;
    private (int First, int Second)[] _map = [];
    private double _secondsBefore;
    private long _formStart;
    private ChannelResampler? _run;
    private float[] _runBlock = [];

    /// <summary>Opens a file.</summary>
    /// <param name="source">The file from its first byte; ID3v2 tags may come before the stream. It is closed with this reader.</param>
    /// <param name="onDamage">What happens where sound is lost.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: the file is damaged, or has no audio frames.
    /// <see cref="DemucsError.AudioFormatUnsupported"/>: the stream is valid FLAC but not supported, for example without a sample rate.
    /// </exception>
    public FlacReader(ByteSource source, DamageHandling onDamage = DamageHandling.Warn)
        : this(FlacMetadata.Read(source), onDamage) { }

    /// <summary>Opens a file whose metadata was read, as <see cref="FlacReader(ByteSource, DamageHandling)"/> does.</summary>
    internal FlacReader(FlacMetadata metadata, DamageHandling onDamage)
        : base(metadata.Bits.Source.Path, onDamage)
    {
        _mustBeginWhole = metadata.IsFragment;
        _bits = metadata.Bits;
        _info = metadata.Info;
        Tags = metadata.Tags.Build();
        Picture = PictureOf(metadata.Tags);
        WarnAbout(metadata.Tags);
        foreach (string fault in metadata.Faults)
            AddWarning(fault);
        _decoder = new FlacFrameDecoder(_bits);
        _resync = new FlacResync(_bits, _decoder);
        TakeForm(_info.Form);
        _signature = FlacSignature.Create(_info.Md5);
        try
        {
            if (!DecodeFrame())
                throw FlacDamage.Lasting(SourcePath, "contains no audio frames");
        }
        catch
        {
            _signature?.Dispose();
            throw;
        }
    }

    /// <summary>Samples of each channel before the one that comes next, in all streams.</summary>
    private long Given => _before + _decoded;

    /// <inheritdoc/>
    public override int SampleRate => _info.Form.SampleRate;

    /// <inheritdoc/>
    public override int Channels => _info.Form.Channels;

    /// <summary>
    /// The number of frames that STREAMINFO declares; null when it declares none, and once frames of another rate, more than it declares,
    /// or those of another stream have come: then it says nothing about how many are given.
    /// </summary>
    public override long? FrameCount =>
        _changes is { RateChanges: > 0 } || _moreWarning is not null || _streams > 1 ? null : _info.FrameCount;

    /// <inheritdoc/>
    public override string Codec => $"FLAC {_info.Form.BitsPerSample} bit";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags { get; }

    /// <inheritdoc/>
    internal override string? Picture { get; }

    /// <summary>Whether another frame begins after the one that was decoded, or the file ends there.</summary>
    internal bool IsFollowedByFrame => _bits.Peek(FlacFrameHeader.MaxBytes) is var next && (next.IsEmpty || FlacFrameHeader.HasSync(next));

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int wanted = FramesIn(interleaved);
        int done = 0;
        while (done < wanted)
        {
            Span<float> rest = interleaved[(done * Channels)..(wanted * Channels)];
            if (_run is not null)
            {
                done += ReadRun(_run, rest);
                continue;
            }

            if (_blockTaken == _blockSize && !DecodeFrame())
                break;
            if (_form.SampleRate != SampleRate)
            {
                _run = new ChannelResampler(_form.SampleRate, SampleRate, Channels);
                continue;
            }

            int frames = Math.Min(wanted - done, _blockSize - _blockTaken);
            Interleave(rest[..(frames * Channels)]);
            _blockTaken += frames;
            done += frames;
        }

        return done;
    }

    /// <summary>
    /// Whether the stream is one whole, undamaged one that can be gone through at will. Frames that are numbered wrongly are noticed by
    /// <see cref="Jump"/>.
    /// </summary>
    internal override bool CanJump => _ended && Warnings.Count == 0 && FrameCount == _decoded && _bits.Source.Seekable is not null;

    /// <inheritdoc/>
    internal override long Jump(long frames)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long start = _decoded - _blockSize + _blockTaken,
            target = start + frames;
        // The frame that is decoded, from which it continues where none is found that is nearer.
        long near = _framePosition,
            nearSample = _decoded - _blockSize,
            far = _bits.Source.Position + (_bits.Source.Remaining ?? 0);
        // Programs that cut a stream leave the numbers of its frames as they were.
        long shift = _lastWhole is { } current ? SampleOf(current) - nearSample : 0;
        if (far - near > NearBytes && LastSample(far) - shift == FrameCount)
        {
            while (far - near > NearBytes)
            {
                long middle = near + ((far - near) / 2);
                if (_resync.Next(middle, _form, _goodFrames) is { } header && SampleOf(header) - shift <= target)
                    (near, nearSample) = (_bits.BytePosition, SampleOf(header) - shift);
                else
                    far = middle;
            }
        }

        _bits.MoveTo(near);
        _decoded = nearSample;
        _blockSize = _blockTaken = 0;
        // What was left out is not in the digest.
        _signature?.Dispose();
        _signature = null;
        return nearSample - start + Skip(start + frames - nearSample);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _signature?.Dispose();
        _bits.Dispose();
    }

    /// <summary>Reads frames of a run at another rate; 0 when all of it was given, and then it is over.</summary>
    private int ReadRun(ChannelResampler run, Span<float> interleaved)
    {
        while (true)
        {
            int frames = run.Read(interleaved);
            if (frames > 0)
                return frames;
            if (run.IsAtEnd)
            {
                _run = null;
                return 0;
            }

            if ((_blockTaken == _blockSize && !DecodeFrame()) || _form.SampleRate != run.SourceRate)
            {
                // A block of the next run waits until this one is given.
                run.Complete();
                continue;
            }

            int wanted = Math.Min(ChannelResampler.BlockFrames, _blockSize - _blockTaken) * Channels;
            if (_runBlock.Length < wanted)
                _runBlock = new float[ChannelResampler.BlockFrames * Channels];
            Interleave(_runBlock.AsSpan(0, wanted));
            _blockTaken += run.Write(_runBlock.AsSpan(0, wanted));
        }
    }

    /// <summary>Decodes the next frame, or makes silence in place of one that is lost; false at the end of the track.</summary>
    private bool DecodeFrame()
    {
        while (!_ended)
        {
            if (_silence > 0)
            {
                MakeSilence();
                return true;
            }

            if (TryDecodeFrame())
                return true;
        }

        return false;
    }

    /// <summary>
    /// Decodes a frame; false if there was none: then the track has ended, there is silence to give, or the file stands at the next frame.
    /// </summary>
    private bool TryDecodeFrame()
    {
        ReadOnlySpan<byte> bytes = _bits.Peek(FlacFrameHeader.MaxBytes);
        long position = _bits.BytePosition;
        if (bytes.IsEmpty)
            return End(cutShort: false);
        bool isHeader = FlacFrameHeader.TryRead(bytes, out FlacFrameHeader header, out string? defect);
        // After the last frame other programs put tags of their own, and people other files.
        if (
            !isHeader
            && (
                IsComplete()
                || bytes.StartsWith("TAG"u8)
                || bytes.StartsWith("APETAGEX"u8)
                || bytes.StartsWith("ID3"u8)
                || bytes.StartsWith("fLaC"u8)
            )
        )
            return End(cutShort: false);
        try
        {
            if (isHeader)
            {
                FlacForm form = header.FormIn(_info.Form);
                defect = _decoder.Decode(header, form.BitsPerSample);
                if (defect is null)
                {
                    Take(header, form, position);
                    return true;
                }
            }
        }
        catch (EndOfStreamException)
        {
            // Where the file continues with another frame anyway, this one is damaged.
        }

        PassOver(position, isHeader ? header : null, defect);
        return false;
    }

    private void Take(in FlacFrameHeader header, FlacForm form, long position)
    {
        if (form != _form)
            ChangeForm(form);
        CheckBlock(header, position);
        if (_decoded == _info.FrameCount)
            _declaredMatch = MatchesSoFar();
        if (_bits.BytePosition - position > _info.MaxFrameBytes && _changes is null && !_toldFrame)
        {
            _toldFrame = true;
            AddWarning(FlacFault.LongFrame(SourcePath, position, _bits.BytePosition - position, _info.MaxFrameBytes.Value));
        }

        _lastWhole = header;
        _framePosition = position;
        _goodFrames++;
        Add(header.BlockSize);
        _signature?.Add(_decoder.Samples[..form.Channels], Margin, _blockSize, form.BitsPerSample);
    }

    /// <summary>Counts samples that are ready.</summary>
    private void Add(int samples)
    {
        if (_decoded + samples > _info.FrameCount)
            _moreWarning ??= AddWarning(FlacFault.MoreThanDeclared(SourcePath, _info.FrameCount.Value, _decoded + samples, isAll: false));
        _blockSize = samples;
        _blockTaken = 0;
        _decoded += samples;
    }

    private void MakeSilence()
    {
        int samples = (int)Math.Min(_silence, FlacFrameHeader.MaxBlockSize);
        _silence -= samples;
        _decoder.Silence(_form.Channels, samples);
        Add(samples);
    }

    /// <summary>Whether all samples that the stream declares have come, and are the right ones.</summary>
    private bool IsComplete() => _decoded == _info.FrameCount && MatchesSoFar();

    private bool MatchesSoFar() => !_isDamaged && (_signature?.MatchesSoFar() ?? false);

    /// <summary>Goes to the next whole frame, and notes what is lost on the way.</summary>
    /// <param name="position">Where the file cannot be read on.</param>
    /// <param name="damaged">The header of the frame there, if it is one.</param>
    /// <param name="defect">What is wrong; null if the file ends before that can be told.</param>
    private void PassOver(long position, FlacFrameHeader? damaged, string? defect)
    {
        FlacFrameHeader? next = _mustBeginWhole && _goodFrames == 0 ? null : _resync.Next(position + 1, _form, _goodFrames);
        if (next is null)
        {
            if (_goodFrames == 0 && defect is not null)
                throw FlacDamage.Lasting(SourcePath, Damage(position, defect));
            LoseLast(position, damaged, defect);
            return;
        }

        long bytes = _bits.BytePosition - position;
        long? between = Between(next.Value, damaged is null, MostFrames(bytes, next.Value));
        long lost = damaged is { } frame ? Math.Max(between ?? 0, frame.BlockSize) : between ?? 0;
        if (lost > 0)
            Lose(lost, position, defect ?? "another frame begins before its end");
        else if (between is null)
            LoseSomething(FlacFault.Unknown(SourcePath, position, bytes));
        else if (!_toldJunk)
            AddWarning(FlacFault.Junk(SourcePath, position, bytes));
        _toldJunk |= lost == 0 && between is not null;
    }

    /// <summary>Notes what is lost where no whole frame comes any more.</summary>
    private void LoseLast(long position, FlacFrameHeader? damaged, string? defect)
    {
        if (_goodFrames == 0)
        {
            End(cutShort: true);
            return;
        }

        long end = _bits.BytePosition;
        long? missing = _info.FrameCount - _decoded;
        // A frame that is there in part is the last one if its own length says so.
        if (damaged is { } last && (missing == last.BlockSize || (defect is not null && !(missing < last.BlockSize))))
            Lose(last.BlockSize, position, defect ?? "it is cut off");
        else if (defect is not null && missing > 0 && missing <= MostFrames(end - position, damaged ?? _lastWhole))
            Lose(missing.Value, position, defect);
        else if (defect is not null && missing is null && _goodFrames > 0)
            LoseSomething(FlacFault.Unknown(SourcePath, position, end - position));
        else
            End(cutShort: defect is null);
    }

    private void Lose(long samples, long position, string defect)
    {
        _isDamaged = true;
        _silence = samples;
        double seconds = _secondsBefore + ((double)(Given - _formStart) / _form.SampleRate);
        long start = _form.SampleRate == SampleRate && _secondsBefore == 0 ? Given : (long)Math.Round(seconds * SampleRate);
        long frames = _form.SampleRate == SampleRate ? samples : Math.Max(1, (long)((double)samples * SampleRate / _form.SampleRate));
        FillGap(start, frames, $"the FLAC frame at byte {position} does not continue the frame before it: {defect}");
    }

    /// <summary>
    /// The samples between the last whole frame and another, by their numbers; null if those make no sense. It is asked only where
    /// something is damaged: numbers that leave some out are
    /// not missed otherwise, since programs that cut FLAC files without encoding them again leave the numbers as they were.
    /// </summary>
    /// <param name="next">The other frame.</param>
    /// <param name="mayBeNone">Whether there need not be any.</param>
    /// <param name="most">More cannot be.</param>
    private long? Between(in FlacFrameHeader next, bool mayBeNone, long most)
    {
        int block = _lastWhole?.BlockSize ?? (_info.MinBlockSize == _info.MaxBlockSize ? _info.MaxBlockSize : null) ?? next.BlockSize;
        long between =
            _lastWhole is not { } last ? (next.IsVariable ? next.Number : next.Number * block)
            : last.IsVariable != next.IsVariable ? -1
            : next.IsVariable ? next.Number - last.Number - last.BlockSize
            : (next.Number - last.Number - 1) * block;
        return between >= (mayBeNone ? 0 : 1) && between <= most ? between : null;
    }

    /// <summary>The number of a frame's first sample, of a stream whose frames have one size or the numbers of their samples.</summary>
    private long SampleOf(in FlacFrameHeader header) =>
        header.IsVariable ? header.Number : header.Number * (_info.MaxBlockSize ?? header.BlockSize);

    /// <summary>The number after the last sample that is in a frame; null if no frame is near the end.</summary>
    private long? LastSample(long end)
    {
        long? last = null;
        for (long from = end - NearBytes; _resync.Next(from, _form, _goodFrames) is { } header; from = _bits.BytePosition + header.Bytes)
            last = SampleOf(header) + header.BlockSize;
        return last;
    }

    /// <summary>The maximum number of samples that can have been in some bytes.</summary>
    private long MostFrames(long bytes, FlacFrameHeader? like) =>
        ((bytes / MinFrameBytes) + 1)
        * Math.Max(_lastWhole?.BlockSize ?? 0, like?.BlockSize ?? _info.MaxBlockSize ?? FlacFrameHeader.MaxBlockSize);

    /// <summary>Ends the stream; the track continues where another one of the same form is after it. Always false.</summary>
    private bool End(bool cutShort)
    {
        _blockSize = 0;
        _blockTaken = 0;
        if (_goodFrames == 0)
        {
            _ended = true;
            return false;
        }

        if (_moreWarning is { } place)
            ReplaceWarning(place, FlacFault.MoreThanDeclared(SourcePath, _info.FrameCount!.Value, _decoded, isAll: true));
        if (_info.FrameCount is long declared && _decoded < declared)
            LoseEnd(
                Given,
                declared - _decoded,
                $"'{SourcePath}': declared {declared} frames, found {_decoded}: the file is cut short, {declared - _decoded} frames are missing."
            );
        else if (cutShort)
            LoseEnd(
                Given,
                null,
                $"'{SourcePath}' is cut short in a FLAC frame, after {_decoded} frames of audio; the audio in that FLAC frame is missing."
            );
        else if (_signature is not null && !_isDamaged && !_declaredMatch && !_signature.MatchesSoFar())
            LoseSomething($"'{SourcePath}' is damaged: its samples differ from what was encoded (MD5 mismatch).");
        _ended = cutShort || !GoOn();
        return false;
    }

    /// <summary>Continues with the stream after the one that has ended, where there is one of the same form.</summary>
    private bool GoOn()
    {
        if (FlacMetadata.FindAnother(_bits) is not { } position)
            return false;
        FlacMetadata? other = null;
        try
        {
            other = FlacMetadata.ReadStream(_bits);
        }
        catch (DemucsException)
        {
            // What is left out is said below.
        }

        if (other is null || other.Info.Form != _info.Form || _form != _info.Form || _streams == MaxStreams)
        {
            AddWarning(FlacFault.AnotherStream(SourcePath, position, other?.Info, _info.Form));
            return false;
        }

        _signature?.Dispose();
        _before += _decoded;
        (_info, _signature, _decoded) = (other.Info, FlacSignature.Create(other.Info.Md5), 0);
        (_lastWhole, _isDamaged, _moreWarning, _declaredMatch) = (null, false, null, false);
        _streams++;
        if (_joinedWarning is { } place)
            ReplaceWarning(place, FlacFault.Joined(SourcePath, _streams));
        else
            _joinedWarning = AddWarning(FlacFault.Joined(SourcePath, _streams));
        return true;
    }

    /// <summary>
    /// Tells once of a block that is longer or shorter than it may be. _lastWhole is still the frame before. A stream that has changed its
    /// form was put together of several, and what STREAMINFO declares of sizes, it declares of the first: so it is in conformance files
    /// that are called valid.
    /// </summary>
    private void CheckBlock(in FlacFrameHeader header, long position)
    {
        if (_toldBlock)
            return;
        string? fault =
            _lastWhole?.BlockSize < FlacFrameHeader.MinBlockSize ? FlacFault.ShortBlock(SourcePath, position, _lastWhole.Value.BlockSize)
            : header.BlockSize > FlacFrameHeader.MaxBlockSize
                ? FlacFault.LongBlock(SourcePath, position, header.BlockSize, FlacFrameHeader.MaxBlockSize, isDeclared: false)
            : header.BlockSize > _info.MaxBlockSize && _changes is null
                ? FlacFault.LongBlock(SourcePath, position, header.BlockSize, _info.MaxBlockSize.Value, isDeclared: true)
            : null;
        _toldBlock = fault is not null;
        if (fault is not null)
            AddWarning(fault);
    }

    private void ChangeForm(FlacForm form)
    {
        if (_goodFrames == 0)
            throw FlacDamage.OtherForm(SourcePath, _form, form);
        (int low, int high) = (Math.Min(form.SampleRate, SampleRate), Math.Max(form.SampleRate, SampleRate));
        if (form.SampleRate == 0 || high / MaxRateRatio > low)
            throw FlacDamage.Unsupported(
                SourcePath,
                $"changes from {_form.SampleRate} to {form.SampleRate} Hz after {Given} frames. That ratio is not supported. Cut the file there"
            );

        _secondsBefore += (double)(Given - _formStart) / _form.SampleRate;
        _formStart = Given;
        FlacFormChanges? earlier = _changes;
        _changes ??= new FlacFormChanges(_info.Form);
        _changes.Add(Given, TimeSpan.FromSeconds(_secondsBefore), _form, form);
        if (_changes.RateChanges > MaxRateChanges)
            throw FlacDamage.Unsupported(
                SourcePath,
                $"changes its sample rate more than {MaxRateChanges} times. Convert it to one rate first"
            );
        if (earlier is null)
            _changesWarning = AddWarning(_changes.Sentence(SourcePath));
        else
            ReplaceWarning(_changesWarning, _changes.Sentence(SourcePath));
        TakeForm(form);
    }

    private void TakeForm(FlacForm form)
    {
        _form = form;
        _scale = 1f / (1L << (form.BitsPerSample - 1));
        if (form.Channels != Channels)
            _map = FlacChannelMap.Make(form.Channels, Channels);
    }

    private void Interleave(Span<float> interleaved)
    {
        int channels = Channels;
        if (_form.Channels != channels)
        {
            InterleaveMapped(interleaved);
            return;
        }

        int frames = interleaved.Length / channels;
        float scale = _scale;
        for (int channel = 0; channel < channels; channel++)
        {
            ReadOnlySpan<int> samples = _decoder.Samples[channel].AsSpan(Margin + _blockTaken, frames);
            int at = channel;
            for (int i = 0; i < samples.Length; i++, at += channels)
                interleaved[at] = samples[i] * scale;
        }
    }

    private void InterleaveMapped(Span<float> interleaved)
    {
        int frames = interleaved.Length / _map.Length;
        for (int channel = 0; channel < _map.Length; channel++)
        {
            (int first, int second) = _map[channel];
            int at = channel;
            for (int i = 0; i < frames; i++, at += _map.Length)
                interleaved[at] =
                    first == FlacChannelMap.None
                        ? 0
                        : (float)(
                            ((double)_decoder.Samples[first][Margin + _blockTaken + i] + _decoder.Samples[second][Margin + _blockTaken + i])
                            / 2
                            * _scale
                        );
        }
    }

    private string Damage(long position, string defect) =>
        $"is damaged in the FLAC frame at byte {position}, after {Given} good frames of audio: {defect}";
}
