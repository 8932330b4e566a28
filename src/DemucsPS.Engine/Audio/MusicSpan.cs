namespace DemucsPS.Engine.Audio;

/// <summary>Which of the frames that a decoder gives are music: encoders put some before it, and fill the last block after it.</summary>
/// <param name="Start">Frames before the music.</param>
/// <param name="Length">Frames of music; null for all that are left, where the file does not say it.</param>
internal readonly record struct MusicSpan(long Start, long? Length)
{
    /// <summary>All of them.</summary>
    public static MusicSpan Everything { get; } = new(0, null);
}
