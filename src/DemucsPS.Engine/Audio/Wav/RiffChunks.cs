using System.Buffers.Binary;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>Walks the chunks of a WAV file, forward.</summary>
/// <param name="source">The file.</param>
/// <param name="dialect">What it is written in.</param>
/// <param name="lengths">Its table of 64-bit lengths, once it is read.</param>
internal sealed class RiffChunks(ByteSource source, RiffDialect dialect, RiffLengths? lengths = null)
{
    // What a chunk of odd length lacks where it is not filled up; until the next head is read.
    private int _filling;

    /// <summary>Whether a chunk has been met that does not begin where the one before it should have been filled up to.</summary>
    public bool LacksFilling { get; private set; }

    /// <summary>The 64-bit lengths.</summary>
    public RiffLengths? Lengths { get; set; } = lengths;

    /// <summary>Reads the head of the next chunk. The source stands at its content then.</summary>
    /// <returns>False at the end of the file.</returns>
    public bool TryRead(out RiffChunk chunk)
    {
        Span<byte> bytes = stackalloc byte[24 + 8];
        int head = dialect.HeadBytes,
            filling = _filling;
        bytes = bytes[..(head + filling)];
        long start = source.Position;
        int read = source.Read(bytes);
        _filling = 0;
        if (read < head)
        {
            chunk = default;
            return false;
        }

        chunk = read == bytes.Length ? Parse(bytes[filling..], start + bytes.Length) : default;
        if (filling == 0)
            return true;

        // Programs fill up, and some forget it. Which it is, the name says.
        RiffChunk unfilled = Parse(bytes, start + head);
        if (read < bytes.Length || (!chunk.IsKnown && IsPlausible(unfilled) && (unfilled.IsKnown || !IsPlausible(chunk))))
        {
            if (source.Seekable is null || !IsPlausible(unfilled))
                return read == bytes.Length;
            source.MoveTo(unfilled.Start);
            LacksFilling = true;
            chunk = unfilled;
        }

        return true;
    }

    /// <summary>Moves past the content of a chunk.</summary>
    /// <param name="size">Its length.</param>
    /// <param name="used">What of it has been read.</param>
    /// <returns>False if the file ends before.</returns>
    public bool Skip(long size, long used = 0)
    {
        _filling = (int)(-size & (dialect.Alignment - 1));
        return source.Skip(Math.Max(0, size - used));
    }

    /// <summary>Whether it can be the head of a chunk: a name, and a length that the file has room for.</summary>
    public bool IsPlausible(RiffChunk chunk) =>
        chunk.Name != 0 && (chunk.Size <= Rest(chunk) || (chunk.Size == RiffChunk.UnknownSize && chunk.IsKnown));

    /// <summary>Bytes that there are after the head of a chunk.</summary>
    private long Rest(RiffChunk chunk) => source.Remaining is { } remaining ? source.Position + remaining - chunk.Start : long.MaxValue;

    private RiffChunk Parse(ReadOnlySpan<byte> head, long start)
    {
        uint name = dialect.NameOf(head);
        if (dialect.IsWave64)
        {
            // The length of all of it, with its head.
            ulong all = BinaryPrimitives.ReadUInt64LittleEndian(head[16..]);
            return all is < 24 or > long.MaxValue / 2 ? new RiffChunk(0, 0, start) : new RiffChunk(name, (long)all - 24, start);
        }

        uint size = dialect.IsBigEndian
            ? BinaryPrimitives.ReadUInt32BigEndian(head[4..])
            : BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
        return new RiffChunk(
            name,
            size == RiffChunk.UnknownSize && name != RiffChunk.Data && Lengths?.Find(head[..4]) is { } found ? found : size,
            start
        );
    }
}
