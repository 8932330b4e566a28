using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>
/// Reads PCM (8 bits unsigned, 16, 24, 32 signed) and IEEE float (32, 64) samples from a WAV file or pipe. Integers of b
/// bits are scaled by 2^-(b-1), so that 16 bits are divided by 32,768.
/// </summary>
internal sealed class WavReader : AudioReader
{
    private const int BufferBytes = 64 * 1024;
    private readonly ByteSource _source;
    private readonly WavHeader _header;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;
    private long _taken;
    private bool _ended;
    private bool _disposed;

    /// <summary>Opens a file whose header has been read.</summary>
    /// <param name="source">The file, standing at its first sample; it is closed with this reader.</param>
    /// <param name="header">Its header, of an encoding other than <see cref="WavEncoding.Other"/>.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: there is not one whole frame.</exception>
    public WavReader(ByteSource source, WavHeader header)
        : base(source.Path)
    {
        if (header.Encoding == WavEncoding.Other)
            throw new ArgumentException("The encoding is not one this reader knows.", nameof(header));
        _source = source;
        _header = header;
        FrameCount = header.DataBytes / header.BlockAlign;
        Tags = header.Tags.Build();
        Picture = PictureOf(header.Tags);
        WarnAbout(header.Tags);

        // Looking at the first frame now lets an empty file fail where it is opened.
        if (!Fill())
            throw new DemucsException(DemucsError.AudioTrackCorrupt, $"'{SourcePath}' contains no audio frames. Fetch or export the file again.", SourcePath);
    }

    /// <inheritdoc/>
    public override int SampleRate => _header.SampleRate;

    /// <inheritdoc/>
    public override int Channels => _header.Channels;

    /// <inheritdoc/>
    internal override IReadOnlyList<string> ChannelNames => Audio.ChannelNames.FromMask(_header.ChannelMask, Channels);

    /// <inheritdoc/>
    public override long? FrameCount { get; }

    /// <inheritdoc/>
    public override string Codec => _header.Codec;

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags { get; }

    /// <inheritdoc/>
    internal override string? Picture { get; }

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int wanted = FramesIn(interleaved);
        int done = 0;
        while (done < wanted)
        {
            int buffered = (_end - _start) / _header.BlockAlign;
            if (buffered == 0)
            {
                if (!Fill())
                    break;
                continue;
            }

            int frames = Math.Min(buffered, wanted - done);
            ReadOnlySpan<byte> bytes = _buffer.AsSpan(_start, frames * _header.BlockAlign);
            Decode(bytes, interleaved.Slice(done * Channels, frames * Channels));
            _start += bytes.Length;
            done += frames;
        }

        return done;
    }

    /// <inheritdoc/>
    internal override long Skip(long frames)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        long wanted = Math.Min(frames, (_header.DataBytes ?? 0) / _header.BlockAlign);
        long behind = (wanted * _header.BlockAlign) - (_end - _start);
        if (_source.IsPipe || behind <= 0)
            return base.Skip(frames);

        // What is behind the buffer is not read. Frames that a cut off file lacks are missed by the next read.
        long before = _source.Position;
        long left = _end - _start;
        _start = _end = 0;
        _source.Skip(Math.Min(behind, _header.DataBytes - _taken ?? 0));
        long moved = _source.Position - before;
        _taken += moved;
        return (left + moved) / _header.BlockAlign;
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
        if (_ended)
            return false;
        int kept = _end - _start;
        _buffer.AsSpan(_start, kept).CopyTo(_buffer);
        _start = 0;

        int wanted = (int)Math.Min(BufferBytes - kept, (_header.DataBytes - _taken) ?? long.MaxValue);
        int read = _source.Read(_buffer.AsSpan(kept, wanted));
        _end = kept + read;
        _taken += read;
        if (_end >= _header.BlockAlign)
            return true;

        _ended = true;
        WarnAboutEnd(_end);
        return false;
    }

    private void WarnAboutEnd(int leftOver)
    {
        long found = _taken / _header.BlockAlign;
        if (found > 0 && FrameCount is long declared && found < declared)
        {
            AddWarning($"'{SourcePath}': declared {declared} frames, found {found}: the file is cut short, {declared - found} frames are missing.");
        }
        else if (found > 0 && leftOver > 0)
        {
            AddWarning($"'{SourcePath}' ends in the middle of a frame; its last {leftOver} bytes are ignored.");
        }
    }

    private void Decode(ReadOnlySpan<byte> bytes, Span<float> samples)
    {
        switch (_header.Encoding)
        {
            case WavEncoding.UInt8:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (bytes[i] - 128) * (1f / 128);
                break;
            case WavEncoding.Int16:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]) * (1f / 32_768);
                break;
            case WavEncoding.Int24:
                for (int i = 0; i < samples.Length; i++)
                {
                    int at = 3 * i;
                    samples[i] = ((bytes[at + 2] << 24 | bytes[at + 1] << 16 | bytes[at] << 8) >> 8) * (1f / 8_388_608);
                }

                break;
            case WavEncoding.Int32:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]) * (1f / 2_147_483_648);
                break;
            case WavEncoding.Float32 when BitConverter.IsLittleEndian:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(samples);
                break;
            case WavEncoding.Float32:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]);
                break;
            case WavEncoding.Float64:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]);
                break;
            default:
                throw new InvalidOperationException($"No decoder for {_header.Encoding}.");
        }
    }
}
