namespace DemucsPS.Engine.Audio.Encoded;

/// <summary>
/// A file that the system may decode, and what it says of its music. The decoder is not told: it gets a view of the file that says nothing
/// of what is before and after the music, so that it gives all frames, whatever it would have made of that.
/// </summary>
/// <param name="Codec">What the music is stored as, for people.</param>
/// <param name="ContentType">What the file is, as MIME has it.</param>
/// <param name="FileName">A name with the extension of such files.</param>
internal sealed record EncodedFile(string Codec, string ContentType, string FileName)
{
    /// <summary>The first byte that the decoder sees.</summary>
    public long FirstByte { get; init; }

    /// <summary>Bytes that it sees in place of the file's, by their positions in the file.</summary>
    public IReadOnlyDictionary<long, byte[]> Replaced { get; init; } = new Dictionary<long, byte[]>();

    /// <summary>Which of its frames are music.</summary>
    public MusicSpan Music { get; init; } = MusicSpan.Everything;

    /// <summary>The rate at which <see cref="Music"/> counts; 0 for the decoder's.</summary>
    public int SampleRate { get; init; }

    /// <summary>Frames that the decoder must give, at that rate; null if the file does not declare it.</summary>
    public long? Decoded { get; init; }

    /// <summary>Whether the file has tags, which are not read here: title, artist, pictures.</summary>
    public bool HasTags { get; init; }

    // The head of ASF (WMA), and what holds title and artist in there.
    private static ReadOnlySpan<byte> AsfHead =>
        [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C];

    private static ReadOnlySpan<byte> AsfDescription =>
        [0x33, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C];

    /// <summary>Looks what a file is.</summary>
    /// <param name="file">Its bytes, seekable.</param>
    /// <returns>Null for files that no system decoder reads.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static EncodedFile? Read(Stream file)
    {
        file.Position = 0;
        Span<byte> head = stackalloc byte[16];
        head = head[..file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false)];
        if (head.StartsWith(AsfHead))
        {
            byte[] start = new byte[1 << 16];
            int length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
            return new EncodedFile("wma", "audio/x-ms-wma", "music.wma") { HasTags = start.AsSpan(0, length).IndexOf(AsfDescription) >= 0 };
        }
        return head.Length >= 8 && head[4..8].SequenceEqual("ftyp"u8) ? Mp4Outline.Read(file) : Mp3Outline.Read(file);
    }
}
