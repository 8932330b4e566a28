using System.Buffers.Binary;
using System.Collections.Frozen;
using System.Text;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>
/// Reads and writes the tags of a WAV file: LIST chunks of the type INFO ("Multimedia Programming Interface and Data Specifications 1.0",
/// chapter 2, "INFO List Chunk").
/// </summary>
internal static class WavInfo
{
    // As much as the limits let through, with the heads of its items.
    private const int MaxChunkBytes = AudioLimits.MaxTagBytes + (AudioLimits.MaxTags * 10);

    // IPRT, ITRK, IMUS and ITCH are not in the specification, but programs write them.
    private static readonly FrozenDictionary<string, string> s_fields = new Dictionary<string, string>
    {
        ["INAM"] = "title",
        ["IART"] = "artist",
        ["IPRD"] = "album",
        ["ICRD"] = "date",
        ["ITRK"] = "track",
        ["IPRT"] = "track",
        ["IGNR"] = "genre",
        ["ICMT"] = "comment",
        ["IMUS"] = "composer",
        ["ICOP"] = "copyright",
        ["IENG"] = "engineer",
        ["IKEY"] = "keywords",
        ["ILNG"] = "language",
        ["ISBJ"] = "subject",
        ["ISFT"] = "encoder",
        ["ITCH"] = "encoded_by",
    }.ToFrozenDictionary();

    // Of the two for the track, ITRK is what most players read.
    private static readonly (string Name, string Field)[] s_written =
    [
        ("INAM", "title"),
        ("IART", "artist"),
        ("IPRD", "album"),
        ("ICRD", "date"),
        ("ITRK", "track"),
        ("IGNR", "genre"),
        ("ICMT", "comment"),
        ("IMUS", "composer"),
        ("ICOP", "copyright"),
        ("IENG", "engineer"),
        ("IKEY", "keywords"),
        ("ILNG", "language"),
        ("ISBJ", "subject"),
    ];

    // Throws where a text is not UTF-8, so that Latin-1 is tried.
    private static readonly UTF8Encoding s_strictUtf8 = new(false, true);

    /// <summary>Reads a LIST chunk if it is one with tags.</summary>
    /// <param name="source">The file, at the first byte of the chunk's content.</param>
    /// <param name="size">The bytes of the content as declared.</param>
    /// <param name="isBigEndian">Whether the numbers in it begin with their highest byte.</param>
    /// <param name="tags">Receives the tags.</param>
    /// <returns>The bytes that were read.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: reading failed.</exception>
    public static long Read(ByteSource source, long size, bool isBigEndian, AudioTagBuilder tags)
    {
        Span<byte> type = stackalloc byte[4];
        if (size < type.Length || tags.IsFull)
            return 0;
        long used = source.Read(type);
        if (used < type.Length || !type.SequenceEqual("INFO"u8))
            return used;

        // A chunk cannot be longer than the file, whatever it says.
        long there = Math.Min(size - used, source.Remaining ?? long.MaxValue);
        byte[] items = new byte[Math.Min(there, MaxChunkBytes)];
        int read = source.Read(items);
        tags.IsDamaged |= !TakeItems(items.AsSpan(0, read), isBigEndian, tags) && read < MaxChunkBytes;
        return used + read;
    }

    /// <summary>
    /// A whole LIST chunk, as programs read it today: texts in UTF-8, each ended by a zero. Fields that INFO does not have are left out.
    /// </summary>
    /// <param name="tags">Fields under the names of <see cref="AudioReader.Tags"/>.</param>
    /// <returns>The chunk with its head, of even length; empty if no field fits.</returns>
    public static byte[] Write(IReadOnlyDictionary<string, string> tags)
    {
        MemoryStream chunk = new();
        Span<byte> head = stackalloc byte[8];
        foreach ((string name, string field) in s_written)
        {
            if (!tags.TryGetValue(field, out string? value))
                continue;
            byte[] text = Encoding.UTF8.GetBytes(value.Replace("\0", "", StringComparison.Ordinal) + '\0');
            Encoding.ASCII.GetBytes(name, head);
            BinaryPrimitives.WriteInt32LittleEndian(head[4..], text.Length);
            chunk.Write(head);
            chunk.Write(text);
            if (text.Length % 2 != 0)
                chunk.WriteByte(0);
        }

        if (chunk.Length == 0)
            return [];
        "LIST"u8.CopyTo(head);
        BinaryPrimitives.WriteInt32LittleEndian(head[4..], 4 + (int)chunk.Length);
        return [.. head, .. "INFO"u8, .. chunk.ToArray()];
    }

    /// <summary>Reads the items of a list; false when one of them is longer than the list.</summary>
    private static bool TakeItems(ReadOnlySpan<byte> items, bool isBigEndian, AudioTagBuilder tags)
    {
        while (items.Length >= 8)
        {
            uint size = isBigEndian
                ? BinaryPrimitives.ReadUInt32BigEndian(items[4..])
                : BinaryPrimitives.ReadUInt32LittleEndian(items[4..]);
            if (size > items.Length - 8)
                return false;
            ReadOnlySpan<byte> text = items.Slice(8, (int)size);
            if (s_fields.TryGetValue(Encoding.Latin1.GetString(items[..4]), out string? field))
                tags.Add(field, Decode(text));
            items = items[(8 + text.Length)..];

            // Items start at even positions, but some writers forget the padding: it is 0, which no name begins with.
            if ((size & 1) != 0 && items is [0, ..])
                items = items[1..];
        }

        return true;
    }

    /// <summary>A text of no stated encoding: UTF-8 where it can be, else Latin-1; up to its first zero.</summary>
    internal static string Decode(ReadOnlySpan<byte> text)
    {
        int end = text.IndexOf((byte)0);
        if (end >= 0)
            text = text[..end];
        if (text.Length > AudioLimits.MaxTagValueBytes)
            return "";
        try
        {
            return s_strictUtf8.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(text);
        }
    }
}
