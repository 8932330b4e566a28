namespace DemucsPS.Engine.Audio.Encoded;

/// <summary>
/// What a decoder sees of a file: its bytes from some one on, a few of them replaced. Decoders may read it on their own thread, but one at
/// a time.
/// </summary>
/// <param name="file">The file, seekable; left open.</param>
/// <param name="encoded">What is to be seen of it.</param>
internal sealed class EncodedView(Stream file, EncodedFile encoded) : Stream
{
    private readonly Lock _lock = new();
    private long _position;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => true;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => Math.Max(0, file.Length - encoded.FirstByte);

    /// <inheritdoc/>
    public override long Position
    {
        get => _position;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            _position = value;
        }
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        lock (_lock)
        {
            long first = encoded.FirstByte + _position;
            file.Position = first;
            int read = file.Read(buffer);
            _position += read;
            foreach ((long at, byte[] bytes) in encoded.Replaced)
            {
                long from = Math.Max(first, at),
                    to = Math.Min(first + read, at + bytes.Length);
                if (from < to)
                    bytes.AsSpan((int)(from - at), (int)(to - from)).CopyTo(buffer[(int)(from - first)..]);
            }
            return read;
        }
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) =>
        Position = origin switch
        {
            SeekOrigin.Begin => offset,
            SeekOrigin.Current => _position + offset,
            _ => Length + offset,
        };

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
