namespace DemucsPS.Engine.Audio.Flac;

/// <summary>
/// What is wrong with FLAC files whose samples can be had all the same, in warnings. What each advises was tried with flac 1.4.2 and ffmpeg 5.1 on the faulty
/// files of the FLAC working group: the two do not mend the same ones, and where they do not, what they write is shorter, silent or noisy, often without an
/// error.
/// </summary>
internal static class FlacFault
{
    private const string EncodeAgain = "The flac program mends it: 'flac damaged.flac -o mended.flac' encodes it again, with its tags.";
    private const string FFmpegEncodesAgain = "ffmpeg mends it: 'ffmpeg -i damaged.flac mended.flac' encodes all of it again.";
    private const string Decode = "The flac program reads it, too: 'flac -d damaged.flac -o mended.wav'.";

    /// <summary>There is a STREAMINFO, but not where it belongs.</summary>
    public static string LateStreamInfo(string path) =>
        Sentence(path, "other metadata comes before its description (STREAMINFO), which must be the first", Decode);

    /// <summary>The Vorbis comments contradict themselves.</summary>
    public static string BrokenComments(string path) =>
        Sentence(path, "its tags (VORBIS_COMMENT) claim to be longer than the block they are in, so that title, artist or others may be missing", EncodeAgain);

    /// <summary>A picture is longer than its block can say.</summary>
    public static string LongPicture(string path, long bytes) =>
        Sentence(path, $"its picture has {bytes} bytes, more than a FLAC file can say (16 MiB)", "Without the picture other programs read it: 'ffmpeg -i damaged.flac -map 0:a mended.flac'.");

    /// <summary>A frame has more samples than any may have, or than STREAMINFO declares.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The byte at which the frame begins.</param>
    /// <param name="blockSize">Its samples.</param>
    /// <param name="most">The most that were allowed.</param>
    /// <param name="isDeclared">Whether the file itself says so, not FLAC.</param>
    public static string LongBlock(string path, long position, int blockSize, int most, bool isDeclared) =>
        Sentence(path, $"its frame at byte {position} has a block of {blockSize} samples; {(isDeclared ? "its description (STREAMINFO) declares" : "FLAC allows")} {most} at most", EncodeAgain);

    /// <summary>A frame that is not the last has fewer samples than only the last may have.</summary>
    public static string ShortBlock(string path, long position, int blockSize) =>
        Sentence(path, $"the frame before byte {position} has a block of {blockSize} samples; only the last of a file may have fewer than {FlacFrameHeader.MinBlockSize}", EncodeAgain);

    /// <summary>A frame has more bytes than STREAMINFO declares.</summary>
    public static string LongFrame(string path, long position, long bytes, int most) =>
        Sentence(path, $"its frame at byte {position} has {bytes} bytes; its description (STREAMINFO) declares {most} at most", EncodeAgain);

    /// <summary>There are more frames than STREAMINFO declares, as where files were joined without encoding them again. The flac program is one of those that cut it; ffmpeg is not.</summary>
    /// <param name="path">The file.</param>
    /// <param name="declared">Frames that are declared.</param>
    /// <param name="found">Frames that were found.</param>
    /// <param name="isAll">Whether those are all.</param>
    public static string MoreThanDeclared(string path, long declared, long found, bool isAll) =>
        Sentence(path, $"its description (STREAMINFO) declares {declared} frames, but there are {found}{(isAll ? "" : " or more")}; programs that trust it lose the rest", FFmpegEncodesAgain);

    /// <summary>Streams of one form were put one behind the other, and are read as one. No other program was found that reads all of such a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="streams">How many.</param>
    public static string Joined(string path, int streams) =>
        $"'{path}' is {streams} FLAC files, one behind the other. They are read as one track; other programs lose all but the first. SoX joins them: 'sox first.flac second.flac joined.flac'.";

    /// <summary>Behind the last frame begins another file, which is not read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The byte at which the other file begins.</param>
    /// <param name="other">What it says of itself; null where that cannot be read.</param>
    /// <param name="first">The form of the first file.</param>
    public static string AnotherStream(string path, long position, FlacStreamInfo? other, FlacForm first)
    {
        string much = other is null ? "; its description cannot be read"
            : $": {(other.FrameCount is { } frames ? FormattableString.Invariant($"{frames} frames ({(double)frames / other.Form.SampleRate:F1} s)") : "nobody can tell how much")}{(other.Form == first ? "" : $" of {Words(other.Form)}, where the first file has {Words(first)}")}";
        return $"'{path}' has another FLAC file behind the first, which begins at byte {position} and is left out{much}. SoX joins files of one form: 'sox first.flac second.flac joined.flac'.";
    }

    /// <summary>Bytes between frames belong to none, and nothing is missing there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The first of them.</param>
    /// <param name="bytes">How many.</param>
    public static string Junk(string path, long position, long bytes) => Sentence(path, $"{bytes} bytes from byte {position} on belong to no frame", FFmpegEncodesAgain);

    /// <summary>Bytes belong to no frame, and nobody can tell what was there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The first of them.</param>
    /// <param name="bytes">How many.</param>
    public static string Unknown(string path, long position, long bytes) =>
        $"'{path}' is damaged: {bytes} bytes from byte {position} on are no whole frame, and nothing tells how much sound was in them. What comes behind may be too early. Fetch or export the file again.";

    private static string Words(FlacForm form) => $"{form.Channels} {(form.Channels == 1 ? "channel" : "channels")} of {form.BitsPerSample} bits at {form.SampleRate} Hz";

    private static string Sentence(string path, string what, string remedy) => $"'{path}' is faulty: {what}. All of it is read. {remedy}";
}
