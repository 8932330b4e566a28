namespace DemucsPS.Engine.Audio.Flac;

/// <summary>The errors of FLAC files: what cannot be decoded. Faults that do not touch the samples are <see cref="FlacFault"/>s.</summary>
internal static class FlacDamage
{
    private const string FetchAgain = "Fetch or export the file again.";

    /// <summary>Damage that cannot be repaired.</summary>
    /// <param name="path">The file.</param>
    /// <param name="what">What is wrong, as the rest of a sentence that begins with the file.</param>
    public static DemucsException Lasting(string path, string what) =>
        new(DemucsError.AudioTrackCorrupt, $"'{path}' {what}. {FetchAgain}", path);

    /// <summary>A FLAC stream that is valid but not supported.</summary>
    public static DemucsException Unsupported(string path, string what) =>
        new(DemucsError.AudioFormatUnsupported, $"'{path}' {what}.", path);

    /// <summary>A block ended by its length where no other begins.</summary>
    public static DemucsException WrongBlockLength(string path, long position) =>
        Lasting(path, $"is damaged: a length in its metadata is wrong, and no metadata block begins at byte {position}");

    /// <summary>
    /// There is metadata, but nothing that says what the frames are. flac 1.4.2 decodes it to a file that begins with noise.
    /// </summary>
    public static DemucsException NoStreamInfo(string path) =>
        Lasting(path, "is damaged: its description (STREAMINFO), which must come first, is missing");

    /// <summary>The first frame is not of the form that STREAMINFO declares.</summary>
    public static DemucsException OtherForm(string path, FlacForm declared, FlacForm found)
    {
        (string says, string has) =
            declared.BitsPerSample != found.BitsPerSample ? ($"{declared.BitsPerSample} bits per sample", $"{found.BitsPerSample}")
            : declared.Channels != found.Channels ? ($"{declared.Channels} channels", $"{found.Channels}")
            : ($"{declared.SampleRate} frames per second", $"{found.SampleRate}");
        return Lasting(path, $"is damaged: its description (STREAMINFO) declares {says}, but its first frame has {has}");
    }
}
