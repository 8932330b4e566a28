using System.Runtime.InteropServices;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Player;

/// <summary>
/// A track as bytes that a browser asks for parts of: two 32-bit floats a frame, left and right, at the page's rate. All tracks of a page
/// have one length; after a track's end there is silence. The file is opened where the first part begins, and read on.
/// </summary>
/// <param name="source">The track.</param>
/// <param name="sampleRate">Its frames per second, which are the page's.</param>
/// <param name="frames">The page's frames.</param>
internal sealed class SampleStream(TrackSource source, int sampleRate, long frames) : Stream
{
    private const int FrameBytes = 2 * sizeof(float);

    private readonly float[] _left = new float[1 << 13],
        _right = new float[1 << 13];
    private readonly byte[] _bytes = new byte[FrameBytes << 13];
    private StereoTrackReader? _reader;

    // The bytes that were made, up to _end, and of which those before _start are given.
    private int _start,
        _end;
    private long _position;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => frames * FrameBytes;

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set
        {
            if (value == _position)
                return;
            _position = value;
            _reader?.Dispose();
            _reader = null;
            _start = _end = 0;
        }
    }

    /// <inheritdoc/>
    /// <exception cref="DemucsException">The file is not what it was.</exception>
    public override int Read(Span<byte> buffer)
    {
        if (_start == _end)
            Fill();
        int count = Math.Min(buffer.Length, _end - _start);
        _bytes.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        _position += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) =>
        Position =
            origin switch
            {
                SeekOrigin.Begin => 0,
                SeekOrigin.Current => Position,
                _ => Length,
            } + offset;

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _reader?.Dispose();
        base.Dispose(disposing);
    }

    private void Fill()
    {
        (long frame, long within) = Math.DivRem(_position, FrameBytes);
        int count = (int)Math.Clamp(frames - frame, 0, _left.Length),
            read = 0;
        if (count > 0)
        {
            if (_reader is null)
            {
                _reader = StereoTrackReader.Open(source, sampleRate);
                _reader.Jump(frame);
            }
            read = _reader.Read(_left.AsSpan(0, count), _right.AsSpan(0, count));
        }
        Span<float> samples = MemoryMarshal.Cast<byte, float>(_bytes.AsSpan(0, count * FrameBytes));
        for (int i = 0; i < count; i++)
            (samples[2 * i], samples[(2 * i) + 1]) = i < read ? (_left[i], _right[i]) : default;
        _start = Math.Min((int)within, count * FrameBytes);
        _end = count * FrameBytes;
    }
}
