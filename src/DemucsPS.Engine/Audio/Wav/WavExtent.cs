using System.Globalization;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>
/// Finds out how long the samples of a WAV file are. Up to three places say it: their chunk, the table of RF64, and, roughly, the length of
/// the whole. Programs that lose power, write to a pipe or
/// count in 32 bits leave them wrong, so what they say counts as far as chunks, or nothing, stand where the samples would end.
/// </summary>
/// <param name="source">The file.</param>
/// <param name="dialect">What it is written in.</param>
/// <param name="lengths">Its table of lengths, if it has one.</param>
/// <param name="formStart">The file's first byte, which in joined files is not that of the source.</param>
/// <param name="data">The chunk with the samples.</param>
/// <param name="fileEnd">Where the source ends.</param>
internal sealed class WavExtent(ByteSource source, RiffDialect dialect, RiffLengths? lengths, long formStart, RiffChunk data, long fileEnd)
{
    private const long Modulus = 1L << 32;

    // Texts and tags that programs hang after files of any kind, by their first bytes.
    private static readonly (byte[] Start, string Name)[] s_tails =
    [
        ("TAG"u8.ToArray(), "an ID3v1 tag"),
        ("APETAGEX"u8.ToArray(), "an APE tag"),
        ("ID3"u8.ToArray(), "an ID3v2 tag"),
        ("LYRICSBEGIN"u8.ToArray(), "lyrics"),
        ("fLaC"u8.ToArray(), "a FLAC file"),
        ("OggS"u8.ToArray(), "an Ogg file"),
        ("FORM"u8.ToArray(), "an AIFF file"),
        ("RIFF"u8.ToArray(), "a RIFF file"),
    ];

    private readonly List<RiffChunk> _behind = [];

    /// <summary>Chunks after the samples.</summary>
    public IReadOnlyList<RiffChunk> ChunksBehind => _behind;

    /// <summary>Whether a chunk after the samples, or they themselves, lack the byte that fills them up.</summary>
    public bool LacksFilling { get; private set; }

    private long Available => fileEnd - data.Start;

    /// <summary>Finds it.</summary>
    /// <param name="formEnd">Where the file says that it ends; null if it does not declare it.</param>
    /// <param name="frameBytes">Bytes of a frame.</param>
    /// <param name="warn">Takes what is to be said about it, after the file's name.</param>
    /// <returns>Bytes of samples, more than there are where the file is cut short; and what is after them.</returns>
    public (long Bytes, WavTail Tail) Find(long? formEnd, int frameBytes, Action<string> warn)
    {
        List<long> claims = Claims();
        foreach (long claim in claims)
        {
            if (claim > Available || !Look(claim).IsClosed)
                continue;
            WavTail closed = LookAgain(claim);
            if (claims.Count > 1 && claim >= Modulus && lengths is null && !dialect.IsWave64)
                warn(
                    $"has more samples than its 32-bit lengths can declare: {Count(claim)} bytes are read, {Count(data.Size)} are declared."
                );
            else if (claims.Distinct().Count() > 1 && lengths is not null)
                warn(
                    $"declares two lengths for its samples, {Count(lengths.DataBytes)} and {Count(data.Size)} bytes. {Count(claim)} bytes fit the file and are read."
                );
            CheckEnd(formEnd, closed, warn);
            return (claim, closed);
        }

        long[] shorter = [.. claims.Where(c => c <= Available)];
        if (shorter.Length == 0)
            return (Beyond(claims, warn), new WavTail(WavTailKind.EndOfFile, 0, fileEnd));
        // Chunks, and then something else: the samples at least end where they should.
        long chosen = shorter.FirstOrDefault(c => Look(c).Chunks > 0, shorter.Max());
        WavTail tail = LookAgain(chosen);
        if (tail.Chunks > 0 || chosen == Available)
        {
            WarnAboutRest(tail.End, "after its last chunk", warn);
            return (chosen, tail);
        }

        return Open(chosen, tail, formEnd, frameBytes, warn);
    }

    /// <summary>What the file says, the most trusted first.</summary>
    private List<long> Claims()
    {
        if (dialect.IsWave64)
            return [data.Size];
        if (lengths is not null)
            return data.Size == RiffChunk.UnknownSize || data.Size == lengths.DataBytes
                ? [lengths.DataBytes]
                : [lengths.DataBytes, data.Size];
        List<long> claims = data.Size == RiffChunk.UnknownSize ? [] : [data.Size];
        for (long claim = data.Size + Modulus; claims.Count > 0 && claim <= Available && claims.Count < 100; claim += Modulus)
            claims.Add(claim);
        return claims;
    }

    private WavTail Look(long bytes) => WavTail.Look(source, dialect, lengths, data.Start, bytes, null, out _);

    private WavTail LookAgain(long bytes)
    {
        WavTail tail = WavTail.Look(source, dialect, lengths, data.Start, bytes, _behind, out bool lacksFilling);
        LacksFilling = lacksFilling;
        return tail;
    }

    /// <summary>All that is said is longer than the file.</summary>
    private long Beyond(List<long> claims, Action<string> warn)
    {
        // Left by programs that wrote to a pipe and could not go back: the samples go on until the end. SoX rounds such a number down to
        // whole frames.
        if (claims.Count == 0)
            return Available;
        long least = claims.Min();
        if (lengths is null && !dialect.IsWave64 && (least is >= 0x7FFF_E000 and <= 0x8000_0000 or >= 0xFFFF_E000))
        {
            warn($"does not declare its length (0x{least:X}, as from programs that write to a pipe). It is read to its end.");
            return Available;
        }

        if (claims.Count > 1)
            warn($"declares two lengths for its samples, {Count(claims[0])} and {Count(claims[1])} bytes, and has {Count(Available)}.");
        return least;
    }

    /// <summary>After the samples stands something that is not a chunk.</summary>
    private (long Bytes, WavTail Tail) Open(long declared, WavTail tail, long? formEnd, int frameBytes, Action<string> warn)
    {
        // What is shorter than a chunk's head is what is left of one.
        long rest = Available - declared;
        bool isForeign = rest < dialect.HeadBytes || NameOfTail(data.Start + declared) is not null || IsEmpty(data.Start + declared);
        // Two lengths that agree are believed; who wants what is after must say so by mending them.
        bool isSaid = declared > 0 && formEnd is { } end && Math.Abs(end - data.Start - declared) <= dialect.Alignment;
        if (declared > 0 && (isForeign || isSaid))
        {
            WarnAboutRest(data.Start + declared, "after its samples", warn);
            return (declared, tail);
        }

        // What some programs hang after anything is not sound.
        long there = Available - (Available > 128 && NameOfTail(fileEnd - 128) is not null ? 128 : 0);
        warn(
            declared == 0
                ? $"declares 0 bytes of samples, as after a recorder's power loss. All {Count(there / frameBytes)} frames to the end of the file are read."
                : $"declares {Count(declared)} bytes of samples, but no chunk follows them and the file continues. All {Count(there / frameBytes)} frames to the end of the file are read; {Count(declared / frameBytes)} are declared."
        );
        return (there, new WavTail(WavTailKind.EndOfFile, 0, fileEnd));
    }

    private void CheckEnd(long? formEnd, WavTail tail, Action<string> warn)
    {
        if (tail.Kind == WavTailKind.CutChunk)
            warn("is cut short in its last chunk, after the samples. All samples are there.");
        if (formEnd is not { } end || tail.Kind is WavTailKind.ManyChunks or WavTailKind.CutChunk)
            return;
        long off = Math.Abs(tail.End - end) % (dialect.IsWave64 ? long.MaxValue : Modulus);
        if (off >= dialect.Alignment)
            warn(
                $"declares a length of {Count(end - formStart)} bytes, but its chunks end after {Count(tail.End - formStart)}. All chunks are read."
            );
    }

    private void WarnAboutRest(long start, string where, Action<string> warn)
    {
        if (start < fileEnd)
            warn(
                $"has {Count(fileEnd - start)} bytes {where} that are not a chunk{(NameOfTail(start) is { } name ? $" ({name})" : "")}. They are ignored."
            );
    }

    private string? NameOfTail(long at)
    {
        Span<byte> bytes = stackalloc byte[16];
        source.MoveTo(at);
        bytes = bytes[..source.Read(bytes)];
        foreach ((byte[] start, string name) in s_tails)
        {
            if (bytes.StartsWith(start))
                return name;
        }

        return null;
    }

    /// <summary>Whether there is nothing but zeros up to the end, as filled up blocks have it. Only a short rest is looked at.</summary>
    private bool IsEmpty(long at)
    {
        Span<byte> bytes = stackalloc byte[4096];
        if (fileEnd - at > 16 * bytes.Length)
            return false;
        source.MoveTo(at);
        for (int read; (read = source.Read(bytes)) > 0;)
        {
            if (bytes[..read].ContainsAnyExcept((byte)0))
                return false;
        }

        return true;
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
