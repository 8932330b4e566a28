using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace DemucsPS.Engine.Audio.Id3;

/// <summary>
/// Reads the texts of an ID3v2 tag (id3.org, "ID3 tag version 2" 2.2.0, 2.3.0 and 2.4.0), all values of each. Pictures and other frames are
/// passed over without being read into memory.
/// </summary>
internal static class Id3v2
{
    private const int HeaderBytes = 10;

    // Longer ones are left out; in UTF-16 a text takes twice its bytes.
    private const int MaxFrameBytes = 2 * AudioLimits.MaxTagValueBytes;

    // Fields under the names that ffmpeg gives them, too, so that a song has the same ones in any file. What is not here keeps its own
    // name.
    private static readonly FrozenDictionary<string, string> s_fields = new Dictionary<string, string>
    {
        ["TIT1"] = "grouping",
        ["TIT2"] = "title",
        ["TALB"] = "album",
        ["TPE1"] = "artist",
        ["TPE2"] = "albumartist",
        ["TPE3"] = "performer",
        ["TCOM"] = "composer",
        ["TCON"] = "genre",
        ["TCOP"] = "copyright",
        ["TENC"] = "encoded_by",
        ["TLAN"] = "language",
        ["TPOS"] = "disc",
        ["TPUB"] = "publisher",
        ["TRCK"] = "track",
        ["TSSE"] = "encoder",
        ["TCMP"] = "compilation",
        ["TSOA"] = "album-sort",
        ["TSOP"] = "artist-sort",
        ["TSOT"] = "title-sort",
    }.ToFrozenDictionary();

    // Version 2.2 has names of three letters.
    private static readonly FrozenDictionary<string, string> s_names22 = new Dictionary<string, string>
    {
        ["TT1"] = "TIT1",
        ["TT2"] = "TIT2",
        ["TAL"] = "TALB",
        ["TP1"] = "TPE1",
        ["TP2"] = "TPE2",
        ["TP3"] = "TPE3",
        ["TCM"] = "TCOM",
        ["TCO"] = "TCON",
        ["TCR"] = "TCOP",
        ["TEN"] = "TENC",
        ["TLA"] = "TLAN",
        ["TPA"] = "TPOS",
        ["TPB"] = "TPUB",
        ["TRK"] = "TRCK",
        ["TSS"] = "TSSE",
        ["TCP"] = "TCMP",
        ["TYE"] = "TYER",
        ["TDA"] = "TDAT",
        ["TXX"] = "TXXX",
        ["COM"] = "COMM",
        ["ULT"] = "USLT",
    }.ToFrozenDictionary();

    /// <summary>Reads a tag.</summary>
    /// <param name="source">The file, at the tag's first byte.</param>
    /// <param name="size">Bytes that the tag can have.</param>
    /// <param name="tags">Receives the tags.</param>
    /// <returns>The bytes that were read or passed over.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: reading failed.</exception>
    public static long Read(ByteSource source, long size, AudioTagBuilder tags)
    {
        long start = source.Position;
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (size < HeaderBytes || source.Read(header) < HeaderBytes || !header.StartsWith("ID3"u8) || header[3] is < 2 or > 4)
        {
            // Of a version that is not known, or none at all.
            tags.IsDamaged |= size >= HeaderBytes;
            return source.Position - start;
        }

        int version = header[3],
            flags = header[5];
        // A tag of version 2.2 can be compressed as a whole, in a way that was never told.
        if (version == 2 && (flags & 0x40) != 0)
            return HeaderBytes;
        long length = Math.Min(size - HeaderBytes, SynchSafe(header[6..]));
        Id3Frames frames = new(source, length, version, isUnsynchronized: (flags & 0x80) != 0);
        if (version > 2 && (flags & 0x40) != 0)
            frames.SkipExtendedHeader();
        Dates dates = new();
        while (
            !tags.IsFull
            && frames.TryRead(
                MaxFrameBytes,
                static name => name[0] == 'T' || name is "COMM" or "USLT" or "COM" or "ULT",
                out string name,
                out byte[]? content
            )
        )
        {
            if (content is { Length: > 1 })
                Take(version == 2 ? s_names22.GetValueOrDefault(name, name) : name, content, tags, dates);
        }

        if (dates.Best is { } date)
            tags.Add("date", date);
        tags.IsDamaged |= frames.IsDamaged;
        return source.Position - start;
    }

    /// <summary>A number of 28 bits, seven to a byte, in which no byte can look like the beginning of an MPEG frame.</summary>
    internal static long SynchSafe(ReadOnlySpan<byte> bytes) =>
        (bytes[0] & 0x7F) << 21 | (bytes[1] & 0x7F) << 14 | (bytes[2] & 0x7F) << 7 | (bytes[3] & 0x7F);

    private static void Take(string name, ReadOnlySpan<byte> content, AudioTagBuilder tags, Dates dates)
    {
        bool hasLanguage = name is "COMM" or "USLT";
        if (hasLanguage && content.Length < 5)
            return;
        string[] texts = Decode(content[0], content[(hasLanguage ? 4 : 1)..]).Split('\0');
        switch (name)
        {
            case "COMM" or "USLT" or "TXXX":
                // What it is about, then the text.
                string field =
                    name == "USLT" ? "lyrics"
                    : texts[0].Length > 0 ? texts[0]
                    : name == "COMM" ? "comment"
                    : "";
                foreach (string text in texts.Skip(1))
                    tags.Add(field, text);
                break;
            case "TDRC":
                dates.Recorded = texts[0];
                break;
            case "TYER":
                dates.Year = texts[0];
                break;
            case "TDAT":
                dates.Day = texts[0];
                break;
            case "TDRL":
                dates.Released = texts[0];
                break;
            default:
                foreach (string text in texts)
                    tags.Add(s_fields.GetValueOrDefault(name, name), name == "TCON" ? Genre(text) : text);
                break;
        }
    }

    private static string Decode(byte encoding, ReadOnlySpan<byte> text) =>
        encoding switch
        {
            1 or 2 => Utf16(text, isBigEndian: encoding == 2),
            3 => Encoding.UTF8.GetString(text),
            _ => Encoding.Latin1.GetString(text),
        };

    private static string Utf16(ReadOnlySpan<byte> text, bool isBigEndian)
    {
        isBigEndian = text is [0xFE, 0xFF, ..] || (isBigEndian && text is not [0xFF, 0xFE, ..]);
        // Every value of several begins with its own mark.
        return (isBigEndian ? Encoding.BigEndianUnicode : Encoding.Unicode)
            .GetString(text[..(text.Length & ~1)])
            .Replace("\uFEFF", "", StringComparison.Ordinal);
    }

    /// <summary>A genre by its number in ID3v1, which the older versions write as "(17)", with or without words after it.</summary>
    private static string Genre(string text)
    {
        string number = text.StartsWith('(') && text.IndexOf(')', StringComparison.Ordinal) is > 0 and int close ? text[1..close] : text;
        bool isNumber = int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int index);
        return isNumber && index < Id3Genres.Names.Length ? Id3Genres.Names[index] : text;
    }

    private sealed class Dates
    {
        public string? Recorded { get; set; }

        public string? Year { get; set; }

        public string? Day { get; set; }

        public string? Released { get; set; }

        /// <summary>Version 2.4 has one field for it, the older ones a year and "DDMM".</summary>
        public string? Best =>
            Recorded ?? (Year is { Length: 4 } && Day is { Length: 4 } ? $"{Year}-{Day[2..]}-{Day[..2]}" : Year ?? Released);
    }
}
