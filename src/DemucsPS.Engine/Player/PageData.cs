namespace DemucsPS.Engine.Player;

/// <summary>The data for the script of a page.</summary>
/// <param name="Title">The track.</param>
/// <param name="Artist">Whose it is; null if unknown.</param>
/// <param name="Audio">One of the constants below.</param>
/// <param name="SampleRate">Frames per second that all tracks are played at.</param>
/// <param name="Duration">Seconds of the longest track.</param>
/// <param name="Mix">The mix; null for none.</param>
/// <param name="Variants">The separations, at least one.</param>
/// <param name="Notes">What the user should know, in sentences.</param>
internal sealed record PageData(
    string Title,
    string? Artist,
    string Audio,
    int SampleRate,
    double Duration,
    PageTrack? Mix,
    IReadOnlyList<PageVariant> Variants,
    IReadOnlyList<string> Notes
)
{
    /// <summary>All sound is in the page.</summary>
    public const string Embedded = "embedded";

    /// <summary>The page names files next to it.</summary>
    public const string Linked = "linked";

    /// <summary>The page has its sound from the server that it comes from itself.</summary>
    public const string Served = "served";

    /// <summary>The same, in parts while it plays.</summary>
    public const string Parts = "parts";
}

/// <summary>One separation.</summary>
/// <param name="Name">What tells it from others.</param>
/// <param name="Level">The factor that makes it as loud as the others.</param>
/// <param name="Stems">Its stems.</param>
/// <param name="Provenance">Where they come from: what, and what is said of it. Empty if unknown.</param>
internal sealed record PageVariant(string Name, double Level, IReadOnlyList<PageTrack> Stems, IReadOnlyList<string[]> Provenance);

/// <summary>One track.</summary>
/// <param name="Name">The stem, or <c>mix</c>.</param>
/// <param name="File">Its file's name, without folders.</param>
/// <param name="Peaks">The block of its waveform.</param>
/// <param name="BucketFrames">Frames that two of its bytes stand for.</param>
/// <param name="Block">The block of its sound; null if it is not in the page.</param>
/// <param name="Url">Where its sound is; null if it is in the page.</param>
/// <param name="Gain">The factor that its samples are to be multiplied by.</param>
/// <param name="Muted">Whether it begins muted.</param>
internal sealed record PageTrack(
    string Name,
    string File,
    string Peaks,
    int BucketFrames,
    string? Block,
    string? Url,
    double Gain,
    bool Muted
);
