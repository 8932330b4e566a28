namespace DemucsPS.Engine.Audio;

/// <summary>A part of a file, in frames at the file's own rate.</summary>
/// <param name="Start">The first frame, from 0.</param>
/// <param name="Length">Frames, at least 1; null for all until the end of the file.</param>
public readonly record struct FrameRange(long Start, long? Length)
{
    /// <summary>The first frame, from 0.</summary>
    public long Start { get; } =
        Start >= 0 ? Start : throw new ArgumentOutOfRangeException(nameof(Start), Start, "A part begins at frame 0 or later.");

    /// <summary>Frames, at least 1; null for all until the end of the file.</summary>
    public long? Length { get; } =
        Length is null or >= 1 ? Length : throw new ArgumentOutOfRangeException(nameof(Length), Length, "A part has at least one frame.");
}
