using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace DemucsPS.Engine.Audio.Encoded;

/// <summary>
/// Finds the music in an MP4 file (M4A): by the edit list of its first audio track, or by the note that iTunes leaves. Decoders differ in
/// whether they heed either, so neither is shown to them, and all of the media lasts as long as it does.
/// </summary>
internal static class Mp4Outline
{
    /// <summary>The type of boxes for what the format has no type for.</summary>
    private static readonly string s_anyNote = new('-', 4);

    // What ffmpeg takes for a delay, too.
    private const int MaxDelay = 16384;

    /// <summary>Reads a file.</summary>
    /// <param name="file">Its bytes, seekable; it begins like an MP4 file.</param>
    /// <returns>Null if it has no audio track for a system decoder.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static EncodedFile? Read(Stream file)
    {
        file.Position = 0;
        return Mp4Length.FindMovie(file) is { } movie ? Read(movie, file.Position - movie.Length) : null;
    }

    /// <summary>The same of the content of a 'moov' box.</summary>
    /// <param name="movie">The content.</param>
    /// <param name="position">Where in the file it begins.</param>
    internal static EncodedFile? Read(byte[] movie, long position)
    {
        Boxes whole = new(movie, 0, movie.Length);
        if (whole.Find("mvhd") is not { } header || Track(whole) is not { } track || track.Find("mdia") is not { } media)
            return null;
        if (
            media.Find("mdhd") is not { } mediaHeader
            || !Mp4Length.TryReadClock(mediaHeader.Content, out long rate, out long length)
            || !Mp4Length.TryReadClock(header.Content, out long movieRate, out long movieLength)
        )
            return null;
        if (rate > AudioLimits.MaxSampleRate || media.Find("minf")?.Find("stbl")?.Find("stsd") is not { } form || form.Length < 16)
            return null;
        string codec = Encoding.Latin1.GetString(form.Content.Slice(12, 4)) switch
        {
            "mp4a" => "aac",
            var name => name.Trim(),
        };
        Boxes? times = codec == "aac" ? media.Find("minf")?.Find("stbl")?.Find("stts") : null;
        long decoded = times is { } table ? Math.Max(length, Blocks(table)) : length;
        Dictionary<int, byte[]> replaced = [];
        MusicSpan? music = track.Find("edts")?.Find("elst") is { } list ? Mp4Length.Edited(list.Content, length, rate, movieRate) : null;
        if (Note(whole) is { } note)
            music ??= Noted(note, length);
        HideMarks(whole, replaced);
        // Some decoders end where these do.
        long lasting = (long)(decoded * (double)movieRate / rate) + 1;
        Lengthen(mediaHeader, isTrack: false, length, decoded, replaced);
        Lengthen(header, isTrack: false, movieLength, lasting, replaced);
        if (track.Find("tkhd") is { } trackHeader)
            Lengthen(trackHeader, isTrack: true, movieLength, lasting, replaced);
        return new EncodedFile(codec, "audio/mp4", "music.m4a")
        {
            Music = music ?? MusicSpan.Everything,
            Replaced = replaced.ToDictionary(r => position + r.Key, r => r.Value),
            SampleRate = (int)rate,
            Decoded = decoded,
            HasTags = HasTags(whole),
        };
    }

    /// <summary>Hides edit lists, and the note about the length, from decoders.</summary>
    private static void HideMarks(Boxes movie, Dictionary<int, byte[]> replaced)
    {
        foreach (Boxes track in movie.All("trak"))
        {
            if (track.Find("edts") is { } edits)
                replaced.Add(edits.TypeAt, "free"u8.ToArray());
        }
        if (Note(movie) is { } note)
            replaced.Add(note.TypeAt, "free"u8.ToArray());
    }

    /// <summary>Makes the length longer that a header says.</summary>
    private static void Lengthen(Boxes box, bool isTrack, long from, long to, Dictionary<int, byte[]> replaced)
    {
        bool isLong = box.Content is [1, ..];
        int at = isTrack ? (isLong ? 28 : 20)
            : isLong ? 24
            : 16,
            size = isLong ? 8 : 4;
        if (to <= from || to > uint.MaxValue || box.Length < at + size)
            return;
        byte[] value = new byte[size];
        if (isLong)
            BinaryPrimitives.WriteInt64BigEndian(value, to);
        else
            BinaryPrimitives.WriteUInt32BigEndian(value, (uint)to);
        replaced.Add(box.Start + at, value);
    }

    /// <summary>
    /// Frames of whole blocks, by the table of their times, in which the last one may count for less than a decoder gives.
    /// </summary>
    private static long Blocks(Boxes times)
    {
        ReadOnlySpan<byte> table = times.Content;
        if (table.Length < 16)
            return 0;
        long blocks = 0;
        uint size = BinaryPrimitives.ReadUInt32BigEndian(table[12..]);
        for (
            int at = 8, entries = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(table[4..]), int.MaxValue);
            entries > 0 && at + 8 <= table.Length;
            entries--, at += 8
        )
            blocks += BinaryPrimitives.ReadUInt32BigEndian(table[at..]);
        return blocks <= uint.MaxValue && size <= 8192 ? blocks * size : 0;
    }

    private static Boxes? Track(Boxes movie)
    {
        foreach (Boxes track in movie.All("trak"))
        {
            if (track.Find("mdia")?.Find("hdlr") is { Length: >= 12 } handler && handler.Content.Slice(8, 4).SequenceEqual("soun"u8))
                return track;
        }
        return null;
    }

    /// <summary>What iTunes and others keep of a file's music, as boxes.</summary>
    private static Boxes? Notes(Boxes movie) => movie.Find("udta")?.Find("meta") is { Length: > 4 } meta ? meta.From(4).Find("ilst") : null;

    /// <summary>Whether there is more among them than the encoder's name.</summary>
    private static bool HasTags(Boxes movie) =>
        Notes(movie)?.All(null).Any(box => box.Type is not ("\u00A9too" or "free") && box.Type != s_anyNote) == true;

    /// <summary>The note about the length of the music.</summary>
    private static Boxes? Note(Boxes movie)
    {
        foreach (Boxes note in Notes(movie)?.All(s_anyNote) ?? [])
        {
            if (note.Find("name") is { Length: > 4 } name && name.Content[4..].SequenceEqual("iTunSMPB"u8))
                return note;
        }
        return null;
    }

    /// <summary>Hexadecimal numbers in a text: nothing, frames before the music, after it, and of it.</summary>
    private static MusicSpan? Noted(Boxes note, long mediaLength)
    {
        if (note.Find("data") is not { Length: > 8 } data)
            return null;
        string[] numbers = Encoding.ASCII.GetString(data.Content[8..]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return
            numbers.Length >= 4
            && long.TryParse(numbers[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long delay)
            && long.TryParse(numbers[3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long length)
            && delay is >= 0 and < MaxDelay
            && length > 0
            && length <= mediaLength - delay
            ? new MusicSpan(delay, length)
            : null;
    }

    /// <summary>A box's content, boxes themselves or not, and where it is.</summary>
    private readonly record struct Boxes(byte[] Movie, int Start, int Length)
    {
        // A file of millions of empty boxes should not take long.
        private const int MaxBoxes = 10_000;

        public ReadOnlySpan<byte> Content => Movie.AsSpan(Start, Length);

        /// <summary>Where the four letters of its type are.</summary>
        public int TypeAt => Start - 4;

        public string Type => Encoding.Latin1.GetString(Movie, TypeAt, 4);

        public Boxes From(int offset) => this with { Start = Start + offset, Length = Length - offset };

        public Boxes? Find(string type) => All(type) is [var first, ..] ? first : null;

        /// <summary>The boxes of a type, or of any; what is left at a damaged one is left out.</summary>
        public List<Boxes> All(string? type)
        {
            List<Boxes> found = [];
            int end = Start + Length;
            for (int at = Start, count = 0; at + 8 <= end && count < MaxBoxes; count++)
            {
                uint size = BinaryPrimitives.ReadUInt32BigEndian(Movie.AsSpan(at));
                if (size < 8 || size > end - at)
                    break;
                Boxes box = new(Movie, at + 8, (int)size - 8);
                if (type is null || box.Type == type)
                    found.Add(box);
                at += (int)size;
            }
            return found;
        }
    }
}
