using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// The bytes of one audio file or pipe, read forward. Failures of the file system become <see cref="DemucsException"/>s that
/// name the file, so that the decoders above need not know about them.
/// </summary>
internal sealed class ByteSource : IDisposable
{
    private const int SkipBlock = 4096;
    private readonly Stream _stream;

    /// <summary>Takes over a stream; it is closed with this object.</summary>
    /// <param name="stream">The bytes; the stream need not be seekable.</param>
    /// <param name="path">The full path of the file, for messages.</param>
    /// <param name="isPipe">True if a length declared in the content cannot be trusted.</param>
    public ByteSource(Stream stream, string path, bool isPipe = false)
    {
        _stream = stream;
        Path = path;
        IsPipe = isPipe;
    }

    /// <summary>The full path of the file, for messages.</summary>
    public string Path { get; }

    /// <summary>True when the bytes come from a running program that could not go back to patch its header.</summary>
    public bool IsPipe { get; }

    /// <summary>Bytes read or skipped so far, counted from the start of the stream.</summary>
    public long Position { get; private set; }

    /// <summary>The bytes that are left in the file; null for a stream that cannot tell.</summary>
    public long? Remaining => _stream.CanSeek ? Math.Max(0, _stream.Length - Position) : null;

    /// <summary>Reads until the span is full or the stream ends.</summary>
    /// <returns>The number of bytes read; fewer than requested only at the end.</returns>
    public int Read(Span<byte> bytes)
    {
        try
        {
            int count = _stream.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            Position += count;
            return count;
        }
        catch (Exception exception) when (exception.IsFileError())
        {
            throw ReadingFailed(exception);
        }
    }

    /// <summary>
    /// The stream itself, for a reader that moves in it at will; null if that is not possible. Afterwards only <see cref="Rewind"/> tells
    /// where this object stands.
    /// </summary>
    public Stream? Seekable => _stream.CanSeek ? _stream : null;

    /// <summary>The error for a failure of the drive.</summary>
    public DemucsException ReadingFailed(Exception exception) =>
        new(
            DemucsError.AudioTrackCorrupt,
            $"Reading '{Path}' failed at byte {(_stream.CanSeek ? _stream.Position : Position)}: {exception.Message} Check the drive or the network share, or copy the file to a local drive.",
            Path,
            exception
        );

    /// <summary>Moves forward.</summary>
    /// <returns>False when the stream ends before that many bytes.</returns>
    public bool Skip(long count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (_stream.CanSeek)
        {
            long step = Math.Min(count, _stream.Length - Position);
            Position += step;
            _stream.Position = Position;
            return step == count;
        }

        Span<byte> scratch = stackalloc byte[SkipBlock];
        while (count > 0)
        {
            int step = (int)Math.Min(count, SkipBlock);
            if (Read(scratch[..step]) < step)
                return false;
            count -= step;
        }

        return true;
    }

    /// <summary>Goes back to the first byte; only for files.</summary>
    public void Rewind() => MoveTo(0);

    /// <summary>Goes to a byte that was reached before; only for files.</summary>
    public void MoveTo(long position)
    {
        _stream.Position = position;
        Position = position;
    }

    /// <summary>Closes the stream.</summary>
    public void Dispose() => _stream.Dispose();
}
