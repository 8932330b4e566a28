namespace DemucsPS.Engine.Audio;

/// <summary>
/// Names what files do not tell: how many frames of silence their encoder has put before the music. Streams without a container have no
/// place for it.
/// </summary>
internal static class UnknownEncoderDelay
{
    /// <summary>A sentence for a file whose stems may lie late against what was encoded; null for one that tells, or needs not.</summary>
    /// <param name="path">The file.</param>
    /// <param name="container">ffmpeg's name of its kind.</param>
    /// <param name="codec">ffmpeg's name of its codec.</param>
    /// <param name="start">When ffmpeg says that it begins, in seconds; behind zero where an MP3 file tells it.</param>
    public static string? WarningOf(string path, string container, string codec, double? start) =>
        (container, codec) switch
        {
            ("avi", "mp3") => Words(path, "MP3 in an AVI file", "usually 1,105 frames (25 ms)"),
            ("mp3", "mp3") when start is not > 0 => Words(path, "an MP3 file without a LAME tag", "usually 1,105 frames (25 ms)"),
            ("mp3", "mp2" or "mp1") => Words(path, "MPEG audio of layer 1 or 2", "at least the 481 frames (11 ms) of its filters' delay"),
            ("aac", _) => Words(path, "AAC without a container", "usually 1,024 to 2,112 frames (23 to 48 ms)"),
            ("ac3" or "eac3", _) => Words(
                path,
                "Dolby Digital without a container",
                "at least the 256 frames (6 ms) of its filters' delay"
            ),
            ("asf", "wmav1" or "wmav2") =>
                $"'{path}' is Windows Media Audio, which does not record where the music ends. The file and its stems may end with up to a block and a half of silence (3,072 frames).",
            _ => null,
        };

    private static string Words(string path, string what, string frames) =>
        $"'{path}' is {what}, which does not record where the music begins. Encoders add silence at the start, {frames}. It stays, so stems are that much later than the original recording. They are in sync with the file.";
}
