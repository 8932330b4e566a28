namespace DemucsPS.Engine.Audio;

/// <summary>
/// The errors of FLAC files. What each advises was tried with flac 1.4.2 and ffmpeg 5.1 on the faulty files of the FLAC working group: the two do not
/// mend the same ones, and where they do not, what they write is shorter, silent or noisy, often without an error.
/// </summary>
internal static class FlacDamage
{
    private const string FetchAgain = "Fetch or export the file again.";
    private const string EncodeAgain = "The flac program mends it: 'flac damaged.flac -o mended.flac' encodes it again, with its tags.";
    private const string Decode = "The flac program reads it all the same: 'flac -d damaged.flac -o mended.wav', and use that file.";

    /// <summary>Damage that nothing mends.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What is wrong, as the rest of a sentence that begins with the file.</param>
    public static DemucsException Lasting(string path, string what) => Corrupt(path, what, FetchAgain);

    /// <summary>A stream of FLAC that nobody can use.</summary>
    public static DemucsException Unsupported(string path, string what) => new(DemucsError.AudioFormatUnsupported, $"'{path}' {what}.", path);

    /// <summary>A block ended by its length where no other begins.</summary>
    public static DemucsException WrongBlockLength(string path, long position) =>
        Lasting(path, $"is damaged: a length in its metadata is wrong, so that no metadata begins at byte {position}");

    /// <summary>There is metadata, but nothing that says what the frames are. flac 1.4.2 decodes it to a file that begins with noise.</summary>
    public static DemucsException NoStreamInfo(string path) =>
        Lasting(path, "is damaged: its description (STREAMINFO), which must come first, is missing");

    /// <summary>There is a STREAMINFO, but not where it belongs.</summary>
    public static DemucsException LateStreamInfo(string path) =>
        Corrupt(path, "is damaged: other metadata comes before its description (STREAMINFO), which must be the first", Decode);

    /// <summary>The Vorbis comments contradict themselves.</summary>
    public static DemucsException BrokenComments(string path) =>
        Corrupt(path, "is damaged: its tags (VORBIS_COMMENT) claim to be longer than the block they are in", EncodeAgain);

    /// <summary>The first frame is not of the form that STREAMINFO declares.</summary>
    public static DemucsException OtherForm(string path, FlacForm declared, FlacForm found)
    {
        (string says, string has) = declared.BitsPerSample != found.BitsPerSample ? ($"{declared.BitsPerSample} bits per sample", $"{found.BitsPerSample}")
            : declared.Channels != found.Channels ? ($"{declared.Channels} channels", $"{found.Channels}")
            : ($"{declared.SampleRate} frames per second", $"{found.SampleRate}");
        return Lasting(path, $"is damaged: its description (STREAMINFO) declares {says}, but its first frame has {has}");
    }

    /// <summary>A frame has more samples than any may have, or than STREAMINFO declares.</summary>
    /// <param name="path">The file.</param>
    /// <param name="position">The byte at which the frame begins.</param>
    /// <param name="blockSize">Its samples.</param>
    /// <param name="most">The most that were allowed.</param>
    /// <param name="isDeclared">Whether the file itself says so, not FLAC.</param>
    public static DemucsException LongBlock(string path, long position, int blockSize, int most, bool isDeclared) =>
        Corrupt(path, $"is damaged: its frame at byte {position} has a block of {blockSize} samples; {(isDeclared ? "its description (STREAMINFO) declares" : "FLAC allows")} {most} at most", EncodeAgain);

    /// <summary>A frame that is not the last has fewer samples than only the last may have.</summary>
    public static DemucsException ShortBlock(string path, long position, int blockSize) =>
        Corrupt(path, $"is damaged: the frame before byte {position} has a block of {blockSize} samples; only the last of a file may have fewer than {FlacFrameHeader.MinBlockSize}", EncodeAgain);

    /// <summary>A frame has more bytes than STREAMINFO declares.</summary>
    public static DemucsException LongFrame(string path, long position, long bytes, int most) =>
        Corrupt(path, $"is damaged: its frame at byte {position} has {bytes} bytes; its description (STREAMINFO) declares {most} at most", EncodeAgain);

    /// <summary>There are more frames than STREAMINFO declares. The flac program is one of those that cut it; ffmpeg is not.</summary>
    public static DemucsException MoreThanDeclared(string path, long declared, long found) =>
        Corrupt(path, $"is damaged: its description (STREAMINFO) declares {declared} frames, but there are {found} or more; programs that trust it lose the rest", "ffmpeg mends it: 'ffmpeg -i damaged.flac mended.flac' encodes all of it again.");

    private static DemucsException Corrupt(string path, string what, string remedy) => new(DemucsError.AudioTrackCorrupt, $"'{path}' {what}. {remedy}", path);
}
