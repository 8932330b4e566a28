namespace DemucsPS.Engine.Audio;

/// <summary>
/// Decodes FLAC by RFC 9639: every number of channels, 4 to 32 bits, fixed and variable block sizes. The checksums of every
/// frame are verified, and the digest of the whole stream while it is read. Integers of b bits are scaled by 2^-(b-1).
/// </summary>
/// <remarks>
/// A stream may change its form at any frame. This one is given in the form that STREAMINFO declares all the same, since whoever reads it needs one rate
/// and one number of channels: frames of other depths are scaled by their own, frames of other channels put to the declared ones by
/// <see cref="FlacChannelMap"/>, and every run of frames at another rate is resampled as if it were a file of its own, so n of them become
/// ⌊n·declared/own⌋. Nothing of this looks ahead, and all of it is the same at every reading.
/// </remarks>
internal sealed class FlacReader : AudioReader
{
    private const int Margin = FlacSubframeDecoder.Margin;
    private const int MaxChannels = 8;

    // Each change of rate needs a filter of its own. No stream of music has so many, and a hostile one can have one for every 16 samples.
    private const int MaxRateChanges = 100;

    // 768,000 to 24,000 Hz; the length of a filter grows with it.
    private const int MaxRateRatio = 32;

    private readonly FlacBitReader _bits;
    private readonly FlacStreamInfo _info;
    private readonly FlacSubframeDecoder _decoder;
    private readonly FlacSignature? _signature;
    private readonly int[][] _samples = new int[MaxChannels][];

    // The 33-bit side channel of a 32-bit stream; no other stream needs it.
    private long[] _side = [];

    // The decoded frame: its form, how many samples it has and how many of them were handed out.
    private FlacForm _form;
    private float _scale;
    private int _blockSize;
    private int _blockTaken;
    private long _decoded;
    private bool _ended;

    // Where in the warnings is that there are more frames than STREAMINFO declares, and whether those that it declares have the digest.
    private int? _moreWarning;
    private bool _declaredMatch;
    private bool _toldBlock;
    private bool _toldFrame;
    private bool _disposed;

    // Only for streams that change their form: where the channels come from, the seconds before frame number _formStart, and the run of frames at another
    // rate that is being given.
    private FlacFormChanges? _changes;
    private int _changesWarning;
    private (int First, int Second)[] _map = [];
    private double _secondsBefore;
    private long _formStart;
    private ChannelResampler? _run;
    private float[] _runBlock = [];

    /// <summary>Opens a file.</summary>
    /// <param name="source">The file from its first byte; ID3v2 tags may come before the stream. It is closed with this reader.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: the file is damaged, or has no audio frames.
    /// <see cref="DemucsError.AudioFormatUnsupported"/>: the stream is one that FLAC allows and nobody can use, say without a rate.
    /// </exception>
    public FlacReader(ByteSource source)
        : this(FlacMetadata.Read(source))
    {
    }

    /// <summary>Opens a file whose metadata was read, as <see cref="FlacReader(ByteSource)"/> does.</summary>
    internal FlacReader(FlacMetadata metadata)
        : base(metadata.Bits.Source.Path)
    {
        _bits = metadata.Bits;
        _info = metadata.Info;
        Tags = metadata.Tags.Build();
        Picture = PictureOf(metadata.Tags);
        WarnAbout(metadata.Tags);
        foreach (string fault in metadata.Faults)
            AddWarning(fault);
        _decoder = new FlacSubframeDecoder(_bits);
        Array.Fill(_samples, []);
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

    /// <inheritdoc/>
    public override int SampleRate => _info.Form.SampleRate;

    /// <inheritdoc/>
    public override int Channels => _info.Form.Channels;

    /// <summary>
    /// The number of frames that STREAMINFO declares; null when it declares none, and once frames of another rate or more than it declares have come: then
    /// it says nothing about how many are given.
    /// </summary>
    public override long? FrameCount => _changes is { RateChanges: > 0 } || _moreWarning is not null ? null : _info.FrameCount;

    /// <inheritdoc/>
    public override string Codec => $"FLAC {_info.Form.BitsPerSample} bit";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags { get; }

    /// <inheritdoc/>
    internal override string? Picture { get; }

    /// <summary>Whether another frame begins behind the one that was decoded, or the file ends there.</summary>
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

    /// <summary>Decodes the next frame; false at the end of the track.</summary>
    private bool DecodeFrame()
    {
        if (_ended)
            return false;
        long position = 0;
        try
        {
            ReadOnlySpan<byte> bytes = _bits.Peek(FlacFrameHeader.MaxBytes);
            position = _bits.BytePosition;
            if (bytes.IsEmpty)
                return End(cutShort: false);
            if (!FlacFrameHeader.TryRead(bytes, out FlacFrameHeader header, out string? defect))
            {
                // Behind the last frame other programs put tags of their own, and people other files.
                if (_decoded >= _info.FrameCount || bytes.StartsWith("TAG"u8) || bytes.StartsWith("APETAGEX"u8) || bytes.StartsWith("ID3"u8) || bytes.StartsWith("fLaC"u8))
                    return End(cutShort: false);
                return defect is null ? End(cutShort: true) : throw FrameCorrupt(position, defect);
            }

            var form = new FlacForm(header.SampleRate ?? _info.Form.SampleRate, header.Channels, header.BitsPerSample ?? _info.Form.BitsPerSample);
            if (form != _form)
                ChangeForm(form);
            CheckBlock(header, position);
            if (_decoded == _info.FrameCount)
                _declaredMatch = _signature?.MatchesSoFar() ?? false;
            _bits.StartChecksum();
            _bits.Advance(header.Bytes);
            defect = DecodeChannels(header);
            if (defect is not null)
                throw FrameCorrupt(position, defect);
            ushort checksum = _bits.EndChecksum(out bool paddingIsZero);
            if (_bits.ReadBits(16) != checksum || !paddingIsZero)
                throw FrameCorrupt(position, "the checksum of the frame is wrong");
            if (_bits.BytePosition - position > _info.MaxFrameBytes && _changes is null && !_toldFrame)
            {
                _toldFrame = true;
                AddWarning(FlacFault.LongFrame(SourcePath, position, _bits.BytePosition - position, _info.MaxFrameBytes.Value));
            }

            if (_decoded + header.BlockSize > _info.FrameCount)
                _moreWarning ??= AddWarning(FlacFault.MoreThanDeclared(SourcePath, _info.FrameCount.Value, _decoded + header.BlockSize, isAll: false));

            _blockSize = header.BlockSize;
            _blockTaken = 0;
            _decoded += _blockSize;
            _signature?.Add(_samples.AsSpan(0, _form.Channels), Margin, _blockSize, _form.BitsPerSample);
            return true;
        }
        catch (EndOfStreamException)
        {
            return End(cutShort: true);
        }
    }

    private bool End(bool cutShort)
    {
        _ended = true;
        _blockSize = 0;
        _blockTaken = 0;
        if (_decoded == 0)
            return false;
        if (_moreWarning is { } place)
            ReplaceWarning(place, FlacFault.MoreThanDeclared(SourcePath, _info.FrameCount!.Value, _decoded, isAll: true));
        if (_info.FrameCount is long declared && _decoded < declared)
            AddWarning($"'{SourcePath}': declared {declared} frames, found {_decoded}: the file is cut short, {declared - _decoded} frames are missing.");
        else if (cutShort)
            AddWarning($"'{SourcePath}' is cut short within a frame after {_decoded} frames; what was in it is missing.");
        else if (_signature is not null && !_declaredMatch && !_signature.MatchesSoFar())
            AddWarning($"'{SourcePath}' is damaged: its samples are not those that the encoder saw (MD5 mismatch).");
        if (!cutShort && FlacMetadata.FindAnother(_bits) is { } other)
            AddWarning(FlacFault.AnotherStream(SourcePath, other));
        return false;
    }

    /// <summary>
    /// Tells once of a block that is longer or shorter than it may be. _blockSize is still that of the frame before. A stream that has changed its form was put
    /// together of several, and what STREAMINFO declares of sizes, it declares of the first: so it is in conformance files that are called valid.
    /// </summary>
    private void CheckBlock(in FlacFrameHeader header, long position)
    {
        if (_toldBlock)
            return;
        string? fault = _decoded > 0 && _blockSize < FlacFrameHeader.MinBlockSize ? FlacFault.ShortBlock(SourcePath, position, _blockSize)
            : header.BlockSize > FlacFrameHeader.MaxBlockSize ? FlacFault.LongBlock(SourcePath, position, header.BlockSize, FlacFrameHeader.MaxBlockSize, isDeclared: false)
            : header.BlockSize > _info.MaxBlockSize && _changes is null ? FlacFault.LongBlock(SourcePath, position, header.BlockSize, _info.MaxBlockSize.Value, isDeclared: true)
            : null;
        _toldBlock = fault is not null;
        if (fault is not null)
            AddWarning(fault);
    }

    private void ChangeForm(FlacForm form)
    {
        if (_decoded == 0)
            throw FlacDamage.OtherForm(SourcePath, _form, form);
        (int low, int high) = (Math.Min(form.SampleRate, SampleRate), Math.Max(form.SampleRate, SampleRate));
        if (form.SampleRate == 0 || high / MaxRateRatio > low)
            throw FlacDamage.Unsupported(SourcePath, $"changes from {_form.SampleRate} to {form.SampleRate} frames per second after {_decoded} frames, which is too much. Cut it there");

        _secondsBefore += (double)(_decoded - _formStart) / _form.SampleRate;
        _formStart = _decoded;
        FlacFormChanges? earlier = _changes;
        _changes ??= new FlacFormChanges(_info.Form);
        _changes.Add(_decoded, TimeSpan.FromSeconds(_secondsBefore), _form, form);
        if (_changes.RateChanges > MaxRateChanges)
            throw FlacDamage.Unsupported(SourcePath, $"changes its rate more than {MaxRateChanges} times. Convert it to one rate first");
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

    private string? DecodeChannels(in FlacFrameHeader header)
    {
        int count = header.BlockSize;
        int width = _form.BitsPerSample;

        int side = header.Stereo switch { FlacStereo.Independent => -1, FlacStereo.SideRight => 0, _ => 1 };
        for (int channel = 0; channel < header.Channels; channel++)
        {
            if (_samples[channel].Length < Margin + count)
                _samples[channel] = new int[Margin + count];
            string? defect;
            if (channel != side)
            {
                defect = _decoder.Decode(_samples[channel], count, width);
            }
            else if (width < 32)
            {
                defect = _decoder.Decode(_samples[channel], count, width + 1);
            }
            else
            {
                if (_side.Length < count)
                    _side = new long[count];
                defect = _decoder.DecodeWide(_side.AsSpan(0, count), width + 1);
            }

            if (defect is not null)
                return defect;
        }

        if (side >= 0 && width < 32)
            JoinStereo(header.Stereo, _samples[0].AsSpan(Margin, count), _samples[1].AsSpan(Margin, count));
        else if (side >= 0)
            JoinWideStereo(header.Stereo, _samples[0].AsSpan(Margin, count), _samples[1].AsSpan(Margin, count), _side);
        return null;
    }

    private static void JoinStereo(FlacStereo stereo, Span<int> first, Span<int> second)
    {
        second = second[..first.Length];
        switch (stereo)
        {
            case FlacStereo.LeftSide:
                for (int i = 0; i < first.Length; i++)
                    second[i] = first[i] - second[i];
                break;
            case FlacStereo.SideRight:
                for (int i = 0; i < first.Length; i++)
                    first[i] += second[i];
                break;
            case FlacStereo.MidSide:
                for (int i = 0; i < first.Length; i++)
                {
                    // mid is (left + right) >> 1; the bit it lost is that of side, which is left - right.
                    int side = second[i];
                    int left = first[i] + (side >> 1) + (side & 1);
                    first[i] = left;
                    second[i] = left - side;
                }

                break;
        }
    }

    private static void JoinWideStereo(FlacStereo stereo, Span<int> first, Span<int> second, ReadOnlySpan<long> sides)
    {
        for (int i = 0; i < first.Length; i++)
        {
            long side = sides[i];
            switch (stereo)
            {
                case FlacStereo.LeftSide:
                    second[i] = (int)(first[i] - side);
                    break;
                case FlacStereo.SideRight:
                    first[i] = (int)(second[i] + side);
                    break;
                case FlacStereo.MidSide:
                    long left = first[i] + (side >> 1) + (side & 1);
                    first[i] = (int)left;
                    second[i] = (int)(left - side);
                    break;
            }
        }
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
            ReadOnlySpan<int> samples = _samples[channel].AsSpan(Margin + _blockTaken, frames);
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
                interleaved[at] = first == FlacChannelMap.None ? 0 : (float)(((double)_samples[first][Margin + _blockTaken + i] + _samples[second][Margin + _blockTaken + i]) / 2 * _scale);
        }
    }

    private DemucsException FrameCorrupt(long position, string defect) =>
        FlacDamage.Lasting(SourcePath, $"is damaged in the FLAC frame at byte {position}, after {_decoded} good frames of audio: {defect}");
}
