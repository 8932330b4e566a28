namespace DemucsPS.Engine.Audio.Wav;

/// <summary>
/// The dialects in which WAV files are written: RIFF ("Multimedia Programming Interface and Data Specifications 1.0"), the same with
/// big-endian numbers (RIFX, there, too), RF64 (EBU Tech 3306) and
/// BW64 (ITU-R BS.2088) with a table of 64-bit lengths, and Sony's Wave64, whose chunks have GUIDs for names and lengths of 64 bits.
/// </summary>
/// <param name="Name">For people.</param>
internal sealed record RiffDialect(string Name)
{
    /// <summary>The maximum number of bytes that a file begins with before its first chunk.</summary>
    public const int MaxStartBytes = 40;

    private static readonly RiffDialect s_riff = new("WAV"),
        s_rifx = new("RIFX") { IsBigEndian = true },
        s_rf64 = new("RF64") { HasTable = true },
        s_bw64 = new("BW64") { HasTable = true },
        s_wave64 = new("Wave64") { IsWave64 = true };

    // The two tails that the GUIDs of Wave64 have after four letters.
    private static ReadOnlySpan<byte> RiffTail => [0x2E, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00];

    private static ReadOnlySpan<byte> ListTail => [0x2F, 0x91, 0xCF, 0x11, 0xA5, 0xD6, 0x28, 0xDB, 0x04, 0xC1, 0x00, 0x00];

    private static ReadOnlySpan<byte> ChunkTail => [0xF3, 0xAC, 0xD3, 0x11, 0x8C, 0xD1, 0x00, 0xC0, 0x4F, 0x8E, 0xDB, 0x8A];

    /// <summary>The chunks of AIFF, which are those of the big-endian dialect.</summary>
    public static RiffDialect Aiff { get; } = new("AIFF") { IsBigEndian = true };

    /// <summary>Whether numbers begin with their highest byte.</summary>
    public bool IsBigEndian { get; private init; }

    /// <summary>Whether lengths beyond 32 bits are in their own table, the 'ds64' chunk.</summary>
    public bool HasTable { get; private init; }

    /// <summary>Whether it is Wave64.</summary>
    public bool IsWave64 { get; private init; }

    /// <summary>Bytes of a chunk before its content.</summary>
    public int HeadBytes => IsWave64 ? 24 : 8;

    /// <summary>Chunks begin at multiples of this many bytes.</summary>
    public int Alignment => IsWave64 ? 8 : 2;

    /// <summary>Bytes before the first chunk.</summary>
    public int StartBytes => IsWave64 ? MaxStartBytes : 12;

    /// <summary>The dialect of a file; null when it is not a WAV file.</summary>
    /// <param name="start">Its first bytes, <see cref="MaxStartBytes"/> where there are so many.</param>
    public static RiffDialect? Of(ReadOnlySpan<byte> start)
    {
        if (start.Length >= 12 && start[8..12].SequenceEqual("WAVE"u8))
            return start.StartsWith("RIFF"u8) ? s_riff
                : start.StartsWith("RIFX"u8) ? s_rifx
                : start.StartsWith("RF64"u8) ? s_rf64
                : start.StartsWith("BW64"u8) ? s_bw64
                : null;
        bool isWave64 =
            start.Length >= MaxStartBytes
            && start.StartsWith("riff"u8)
            && start[4..16].SequenceEqual(RiffTail)
            && start[24..28].SequenceEqual("wave"u8)
            && start[28..40].SequenceEqual(ChunkTail);
        return isWave64 ? s_wave64 : null;
    }

    /// <summary>The name of a chunk by its first bytes: of Wave64, that which the same chunk has in RIFF.</summary>
    /// <returns>Four characters, the first highest; 0 if it is not a name.</returns>
    public uint NameOf(ReadOnlySpan<byte> head)
    {
        if (!IsWave64)
            return RiffChunk.NameOf(head);
        if (head[4..16].SequenceEqual(ListTail))
            return head.StartsWith("list"u8) ? RiffChunk.List : 0;
        return head[4..16].SequenceEqual(ChunkTail) ? RiffChunk.NameOf(head) : 0;
    }
}
