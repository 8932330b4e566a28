namespace DemucsPS.Engine.Separation;

/// <summary>Where and how the stems of a batch are written.</summary>
/// <param name="Folders">Where to; one for a batch.</param>
/// <param name="Format">How samples are written.</param>
public sealed record StemOutput(StemFolders Folders, StemFormat Format)
{
    /// <summary>Whether existing stems are replaced.</summary>
    public bool Overwrite { get; init; }
}
