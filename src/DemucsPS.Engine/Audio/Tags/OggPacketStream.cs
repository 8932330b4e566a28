namespace DemucsPS.Engine.Audio.Tags;

/// <summary>
/// The bytes of one packet of an Ogg file (RFC 3533), which may go through many pages: the second of its first stream of sound, in which
/// the tags are.
/// </summary>
internal sealed class OggPacketStream : Stream
{
    private const int HeadBytes = 27,
        SerialAt = 14,
        SegmentsAt = 26;

    // Pages of other streams, such as pictures, between those of the sound.
    private const int MaxPages = 100_000;

    private readonly ByteSource _source;
    private readonly byte[] _segments = new byte[255];
    private byte[]? _serial;
    private int _segment;
    private int _segmentCount;
    private int _left;
    private int _pages;
    private bool _isLast;
    private bool _ended;

    private OggPacketStream(ByteSource source) => _source = source;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Finds the packet with the tags.</summary>
    /// <param name="source">The file at its first byte; not closed with the stream.</param>
    /// <returns>The packet after what it begins with; null if there is none.</returns>
    public static OggPacketStream? OpenTags(ByteSource source)
    {
        OggPacketStream stream = new(source);
        Span<byte> start = stackalloc byte[8];
        while (stream.NextPage())
        {
            int read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            int skip = start[..read] switch
            {
                [1, (byte)'v', (byte)'o', (byte)'r', (byte)'b', (byte)'i', (byte)'s', ..] => 7,
                [(byte)'O', (byte)'p', (byte)'u', (byte)'s', (byte)'H', (byte)'e', (byte)'a', (byte)'d'] => 8,
                [0x7F, (byte)'F', (byte)'L', (byte)'A', (byte)'C', ..] => 4,
                [(byte)'S', (byte)'p', (byte)'e', (byte)'e', (byte)'x', ..] => 0,
                _ => -1,
            };
            if (skip < 0)
            {
                // A stream of something else.
                stream._serial = null;
                stream.SkipPage();
                continue;
            }

            while (stream.Read(start) > 0) { }

            stream.NextPacket();
            return stream.ReadAtLeast(start[..skip], skip, throwOnEndOfStream: false) == skip ? stream : null;
        }

        return null;
    }

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int done = 0;
        while (done < buffer.Length && !_ended)
        {
            if (_left == 0 && !NextSegment())
                break;
            int read = _source.Read(buffer.Slice(done, Math.Min(_left, buffer.Length - done)));
            if (read == 0 && _left > 0)
                _ended = true;
            _left -= read;
            done += read;
        }

        return done;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    public override void Flush() { }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private void NextPacket() => (_isLast, _ended) = (false, false);

    /// <summary>
    /// Goes to the next segment of the packet; false at its end: a segment of fewer bytes than there can be is the last one.
    /// </summary>
    private bool NextSegment()
    {
        while (!_isLast)
        {
            if (_segment == _segmentCount && !NextPage())
                break;
            _left = _segments[_segment++];
            _isLast = _left < 255;
            if (_left > 0)
                return true;
        }

        _ended = true;
        return false;
    }

    /// <summary>Goes to the next page of the stream; of any where none was chosen yet.</summary>
    private bool NextPage()
    {
        Span<byte> head = stackalloc byte[HeadBytes];
        while (_pages++ < MaxPages && _source.Read(head) == HeadBytes && head.StartsWith("OggS"u8))
        {
            int count = head[SegmentsAt];
            if (_source.Read(_segments.AsSpan(0, count)) < count)
                break;
            (_segment, _segmentCount, _left) = (0, count, 0);
            if (count > 0 && (_serial is null || head.Slice(SerialAt, 4).SequenceEqual(_serial)))
            {
                _serial ??= head.Slice(SerialAt, 4).ToArray();
                return true;
            }

            SkipPage();
        }

        _ended = true;
        return false;
    }

    private void SkipPage()
    {
        int bytes = _left;
        while (_segment < _segmentCount)
            bytes += _segments[_segment++];
        _source.Skip(bytes);
        (_left, _isLast, _ended) = (0, false, false);
    }
}
