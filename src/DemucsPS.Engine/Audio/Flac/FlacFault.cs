namespace DemucsPS.Engine.Audio.Flac;

/// <summary>
/// What is wrong with FLAC files whose samples can be read anyway, in warnings. What each advises was tried with flac 1.4.2 and ffmpeg 5.1
/// on the faulty files of the FLAC working group: the two do not mend the same ones, and where they do not, what they write is shorter,
/// silent or noisy, often without an error.
/// </summary>
internal static class FlacFault
{
    private const string EncodeAgain = "To repair it with its tags, encode it again: 'flac damaged.flac -o repaired.flac'.";
    private const string FFmpegEncodesAgain = "To repair it, encode it again: 'ffmpeg -i damaged.flac repaired.flac'.";
    private const string Decode = "The flac program can decode it: 'flac -d damaged.flac -o repaired.wav'.";

    /// <summary>There is a STREAMINFO, but not where it belongs.</summary>
    public static string LateStreamInfo(string path) =>
        Sentence(path, "other metadata comes before its description (STREAMINFO), which must be the first", Decode);

    /// <summary>The Vorbis comments contradict themselves.</summary>
    public static string BrokenComments(string path) =>
        Sentence(
            path,
            "its tags (VORBIS_COMMENT) claim to be longer than their block, so title, artist and other tags may be missing",
            EncodeAgain
        );

    /// <summary>A picture is longer than its block can say.</summary>
    public static string LongPicture(string path, long bytes) =>
        Sentence(
            path,
            $"its picture has {bytes} bytes, more than FLAC allows (16 MiB)",
            "Other programs read it without the picture: 'ffmpeg -i damaged.flac -map 0:a repaired.flac'."
        );

    /// <summary>A frame has more samples than any may have, or than STREAMINFO declares.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The byte at which the frame begins.</param>
    /// <param name="blockSize">Its samples.</param>
    /// <param name="most">The most that were allowed.</param>
    /// <param name="isDeclared">Whether the file itself says so, not FLAC.</param>
    public static string LongBlock(string path, long position, int blockSize, int most, bool isDeclared) =>
        Sentence(
            path,
            $"its frame at byte {position} has {blockSize} samples; {(isDeclared ? "its description (STREAMINFO) declares" : "FLAC allows")} at most {most}",
            EncodeAgain
        );

    /// <summary>A frame that is not the last has fewer samples than only the last may have.</summary>
    public static string ShortBlock(string path, long position, int blockSize) =>
        Sentence(
            path,
            $"the frame before byte {position} has {blockSize} samples; only the last frame of a file may have fewer than {FlacFrameHeader.MinBlockSize}",
            EncodeAgain
        );

    /// <summary>A frame has more bytes than STREAMINFO declares.</summary>
    public static string LongFrame(string path, long position, long bytes, int most) =>
        Sentence(
            path,
            $"its frame at byte {position} has {bytes} bytes; its description (STREAMINFO) declares at most {most}",
            EncodeAgain
        );

    /// <summary>
    /// There are more frames than STREAMINFO declares, as where files were joined without encoding them again. The flac program is one of
    /// those that cut it; ffmpeg is not.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="declared">Frames that are declared.</param>
    /// <param name="found">Frames that were found.</param>
    /// <param name="isAll">Whether those are all.</param>
    public static string MoreThanDeclared(string path, long declared, long found, bool isAll) =>
        Sentence(
            path,
            $"its description (STREAMINFO) declares {declared} frames, but there are {found}{(isAll ? "" : " or more")}; programs that trust it lose the rest",
            FFmpegEncodesAgain
        );

    /// <summary>
    /// Streams of one form were put one after another, and are read as one. No other program was found that reads all of such a file.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="streams">How many.</param>
    public static string Joined(string path, int streams) =>
        $"'{path}' is {streams} FLAC files joined. They are read as one track; other programs read only the first. To join them properly: 'sox first.flac second.flac joined.flac'.";

    /// <summary>After the last frame begins another file, which is not read.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The byte at which the other file begins.</param>
    /// <param name="other">What it says of itself; null if that cannot be read.</param>
    /// <param name="first">The form of the first file.</param>
    public static string AnotherStream(string path, long position, FlacStreamInfo? other, FlacForm first)
    {
        string much = other is null
            ? "; its description is unreadable"
            : $": {(other.FrameCount is { } frames ? FormattableString.Invariant($"{frames} frames ({(double)frames / other.Form.SampleRate:F1} s)") : "length unknown")}{(other.Form == first ? "" : $" of {Words(other.Form)}; the first file has {Words(first)}")}";
        return $"'{path}' is two FLAC files joined: the second, at byte {position}, is ignored{much}. SoX joins files of the same format: 'sox first.flac second.flac joined.flac'.";
    }

    /// <summary>Bytes between frames belong to none, and nothing is missing there.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The first of them.</param>
    /// <param name="bytes">How many.</param>
    public static string Junk(string path, long position, long bytes) =>
        Sentence(path, $"{bytes} bytes from byte {position} on belong to no frame", FFmpegEncodesAgain);

    /// <summary>Bytes belong to no frame; their content is unknown.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The first of them.</param>
    /// <param name="bytes">How many.</param>
    public static string Unknown(string path, long position, long bytes) =>
        $"'{path}' is damaged: {bytes} bytes from byte {position} on are not a whole frame, and how much sound they held is unknown. Everything after them may be too early. Fetch or export the file again.";

    private static string Words(FlacForm form) =>
        $"{form.Channels} {(form.Channels == 1 ? "channel" : "channels")} of {form.BitsPerSample} bits at {form.SampleRate} Hz";

    private static string Sentence(string path, string what, string remedy) => $"'{path}' is faulty: {what}. All of it is read. {remedy}";
}
