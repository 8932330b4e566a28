namespace DemucsPS.Engine.Audio.Wav;

/// <summary>What stands after the samples of a WAV file.</summary>
/// <param name="Kind">What ends it.</param>
/// <param name="Chunks">Chunks before that.</param>
/// <param name="End">Where they end.</param>
internal readonly record struct WavTail(WavTailKind Kind, int Chunks, long End)
{
    // Programs put a handful of chunks after the samples; after this many stands something else.
    private const int MaxChunks = 1_000;

    /// <summary>Whether samples that end before it end where chunks say so.</summary>
    public bool IsClosed => Kind != WavTailKind.NoChunk;

    /// <summary>Looks at it. The source, which must be a file, is moved.</summary>
    /// <param name="source">The file.</param>
    /// <param name="dialect">What it is written in.</param>
    /// <param name="lengths">Its table of lengths, if it has one.</param>
    /// <param name="start">The first sample.</param>
    /// <param name="bytes">Bytes of samples; not more than there are.</param>
    /// <param name="found">Receives the chunks; may be null.</param>
    /// <param name="lacksFilling">Whether a chunk of odd length is not filled up.</param>
    public static WavTail Look(
        ByteSource source,
        RiffDialect dialect,
        RiffLengths? lengths,
        long start,
        long bytes,
        ICollection<RiffChunk>? found,
        out bool lacksFilling
    )
    {
        RiffChunks chunks = new(source, dialect, lengths);
        source.MoveTo(start);
        long size = bytes;
        lacksFilling = false;
        for (int count = 0; ; count++)
        {
            chunks.Skip(size);
            long end = source.Position,
                rest = source.Remaining ?? 0,
                filling = -size & (dialect.Alignment - 1);
            if (rest <= filling)
                return new WavTail(WavTailKind.EndOfFile, count, end + rest);
            if (count == MaxChunks)
                return new WavTail(WavTailKind.ManyChunks, count, end);
            foreach (long at in filling == 0 ? (ReadOnlySpan<long>)[end] : [end + filling, end])
            {
                if (BeginsWavFile(source, at))
                    return new WavTail(WavTailKind.AnotherFile, count, at);
            }

            source.MoveTo(end);
            if (!chunks.TryRead(out RiffChunk chunk) || chunk.BeginsFile || (!chunks.IsPlausible(chunk) && !chunk.IsKnown))
                return new WavTail(WavTailKind.NoChunk, count, end + filling);
            lacksFilling = chunks.LacksFilling;
            found?.Add(chunk);
            if (chunk.Size > source.Remaining)
                return new WavTail(WavTailKind.CutChunk, count + 1, source.Position + (source.Remaining ?? 0));
            size = chunk.Size;
        }
    }

    private static bool BeginsWavFile(ByteSource source, long at)
    {
        Span<byte> start = stackalloc byte[RiffDialect.MaxStartBytes];
        source.MoveTo(at);
        return RiffDialect.Of(start[..source.Read(start)]) is not null;
    }
}
