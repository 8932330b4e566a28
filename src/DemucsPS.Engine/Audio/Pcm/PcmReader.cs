namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>Reads uncompressed samples from a file or pipe, whatever container they are in: see <see cref="PcmForm"/>.</summary>
internal sealed class PcmReader : AudioReader
{
    private const int BufferBytes = 64 * 1024;
    private readonly ByteSource _source;
    private readonly PcmFile _file;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _number;
    private int _start;
    private int _end;

    // Of the part that is read, and whole frames of the parts before it.
    private long _taken;
    private long _framesBefore;
    private bool _ended;
    private bool _disposed;

    /// <summary>Opens a file whose head has been read.</summary>
    /// <param name="source">The file, standing at its first sample; it is closed with this reader.</param>
    /// <param name="file">What its head says.</param>
    /// <param name="onDamage">What happens where sound is lost.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: there is not one whole frame.</exception>
    public PcmReader(ByteSource source, PcmFile file, DamageHandling onDamage = DamageHandling.Warn)
        : base(source.Path, onDamage)
    {
        _source = source;
        _file = file;
        FrameCount = file.Parts.All(p => p.Frames is not null) ? file.Parts.Sum(p => p.Frames) : null;
        Tags = file.Tags.Build();
        Picture = PictureOf(file.Tags);
        foreach (string warning in file.Warnings)
            AddWarning(warning);
        WarnAbout(file.Tags);

        // Looking at the first frame now lets an empty file fail where it is opened.
        if (!Fill())
            throw PcmFile.Corrupt(source, "contains no audio frames");
    }

    /// <inheritdoc/>
    public override int SampleRate => First.SampleRate;

    /// <inheritdoc/>
    public override int Channels => First.Channels;

    /// <inheritdoc/>
    internal override IReadOnlyList<string> ChannelNames => Audio.ChannelNames.FromMask(First.ChannelMask, Channels);

    /// <inheritdoc/>
    public override long? FrameCount { get; }

    /// <inheritdoc/>
    public override string Codec => First.Codec;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags { get; }

    /// <inheritdoc/>
    internal override string? Picture { get; }

    private PcmForm First => _file.Parts[0].Form;

    private PcmPart Part => _file.Parts[_number];

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int wanted = FramesIn(interleaved);
        int done = 0;
        while (done < wanted)
        {
            int buffered = (_end - _start) / Part.Form.FrameBytes;
            if (buffered == 0)
            {
                if (!Fill())
                    break;
                continue;
            }

            int frames = Math.Min(buffered, wanted - done);
            Span<byte> bytes = _buffer.AsSpan(_start, frames * Part.Form.FrameBytes);
            Part.Form.Decode(bytes, interleaved.Slice(done * Channels, frames * Channels));
            _start += bytes.Length;
            done += frames;
        }

        return done;
    }

    /// <inheritdoc/>
    internal override bool CanJump => !_source.IsPipe && FrameCount is not null;

    /// <inheritdoc/>
    internal override long Skip(long frames)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!CanJump)
            return base.Skip(frames);
        long done = 0;
        while (done < frames && !_ended)
        {
            // What is after the buffer is not read. Frames that a cut off file lacks are missed by the next read.
            int frame = Part.Form.FrameBytes,
                left = _end - _start,
                buffered = left / frame,
                begun = left % frame;
            long wanted = frames - done,
                behind = Math.Min(wanted - buffered, (Part.Bytes!.Value - _taken + begun) / frame);
            if (behind > 0)
            {
                long before = _source.Position;
                _start = _end = 0;
                _source.Skip((behind * frame) - begun);
                long moved = _source.Position - before;
                _taken += moved;
                done += (left + moved) / frame;
                if (moved + left < (buffered + behind) * frame)
                    break;
            }
            else
            {
                int taken = (int)Math.Min(buffered, wanted);
                _start += taken * frame;
                done += taken;
                if (done < frames && !Fill())
                    break;
            }
        }

        return done;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _source.Dispose();
    }

    /// <summary>Refills the buffer; false when not one more frame is there.</summary>
    private bool Fill()
    {
        while (!_ended)
        {
            int kept = _end - _start;
            _buffer.AsSpan(_start, kept).CopyTo(_buffer);
            _start = 0;

            int wanted = (int)Math.Min(BufferBytes - kept, (Part.Bytes - _taken) ?? long.MaxValue);
            int read = _source.Read(_buffer.AsSpan(kept, wanted));
            _end = kept + read;
            _taken += read;
            if (_end >= Part.Form.FrameBytes)
                return true;
            WarnAboutEnd(_end);
            NextPart();
        }

        return false;
    }

    private void NextPart()
    {
        _framesBefore += _taken / Part.Form.FrameBytes;
        _ended = _number + 1 == _file.Parts.Count;
        if (_ended)
            return;
        _number++;
        _start = _end = 0;
        _taken = 0;
        _source.MoveTo(Part.Start);
    }

    private void WarnAboutEnd(int leftOver)
    {
        long found = _framesBefore + (_taken / Part.Form.FrameBytes);
        if (found > 0 && Part.Frames is { } declared && _taken / Part.Form.FrameBytes < declared)
        {
            LoseEnd(
                found,
                _framesBefore + declared - found,
                $"'{SourcePath}': declared {_framesBefore + declared} frames, found {found}: the file is cut short, {_framesBefore + declared - found} frames are missing."
            );
        }
        else if (found > 0 && leftOver > 0)
        {
            AddWarning(
                _number + 1 == _file.Parts.Count
                    ? $"'{SourcePath}' ends in the middle of a frame; its last {leftOver} bytes are ignored."
                    : $"Part {_number + 1} of '{SourcePath}' ends in the middle of a frame; its last {leftOver} bytes are ignored."
            );
        }
    }
}
