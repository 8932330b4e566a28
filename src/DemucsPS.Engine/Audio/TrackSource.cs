namespace DemucsPS.Engine.Audio;

/// <summary>
/// What is separated as one track: a file, and what of it. Two are equal when they name the same samples by the same name.
/// </summary>
/// <param name="Path">Full path of the audio file.</param>
public sealed record TrackSource(string Path)
{
    /// <summary>Which of the file's audio streams, counted from 0. WAV and FLAC have one.</summary>
    public int StreamIndex { get; init; }

    /// <summary>What happens to the time before sound that begins later than the file.</summary>
    public LateStart LateStart { get; init; }

    /// <summary>The channels that are taken; null for the first two, or the only one.</summary>
    public ChannelPair? Channels { get; init; }

    /// <summary>The part of the file that is the track; null for all of it.</summary>
    public FrameRange? Range { get; init; }

    /// <summary>What happens where the file has lost some of the track's sound.</summary>
    public DamageHandling OnDamage { get; init; }

    /// <summary>
    /// What the track is called where that is not what its file is called: a track of a CUE sheet. Null for the file's name.
    /// </summary>
    public string? TrackName { get; init; }

    /// <summary>Tags that replace those of the same fields in the file.</summary>
    public TrackTags Tags { get; init; } = TrackTags.Empty;

    /// <summary>
    /// Whether a CUE sheet says that the treble was raised for the CD: with time constants of 50 and 15 µs, by up to 9.5 dB. It is not
    /// lowered here, since programs that read CDs may have done so.
    /// </summary>
    public bool IsPreEmphasized { get; init; }

    /// <summary>
    /// The track's name, for messages and for the folder of its stems: the given one or the file's without its extension, and the channels
    /// if they were chosen: <c>song (BL BR)</c>.
    /// </summary>
    public string Name => (TrackName ?? FileName) + (Channels is { } pair ? $" ({pair.Name})" : "");

    /// <summary>The track in a line, for people: the name of the file, with what of it the track is.</summary>
    public string Label() =>
        TrackName is null && Channels is null ? System.IO.Path.GetFileName(Path) : $"{Name} of {System.IO.Path.GetFileName(Path)}";

    /// <summary>The error for a stream that a file does not have.</summary>
    /// <param name="path">The file.</param>
    /// <param name="stream">The number that was requested.</param>
    /// <param name="streams">What the file has, as text.</param>
    internal static DemucsException NoSuchStream(string path, int stream, IReadOnlyList<string> streams) =>
        new(
            DemucsError.ParameterInvalid,
            $"'{path}' has no audio stream {stream}; streams are counted from 0. It has {string.Join("; ", streams.Select((words, number) => $"{number}: {words}"))}.",
            path
        )
        {
            Parameter = EngineParameter.StreamIndex,
        };

    private string FileName =>
        System.IO.Path.GetFileNameWithoutExtension(Path) is { Length: > 0 } name ? name : System.IO.Path.GetFileName(Path);
}
