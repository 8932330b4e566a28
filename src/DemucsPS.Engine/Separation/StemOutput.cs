namespace DemucsPS.Engine.Separation;

/// <summary>Where and how the stems of a batch are written.</summary>
/// <param name="Folders">Where to; one for a batch.</param>
/// <param name="Format">How samples are written.</param>
public sealed record StemOutput(StemFolders Folders, StemFormat Format)
{
    /// <summary>Whether existing stems are replaced, and an interrupted separation that cannot be continued is begun anew.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Whether interrupted separations are continued.</summary>
    public bool Resume { get; init; }

    /// <summary>Whether tracks are skipped whose stems are there, unchanged, and of the same source, models and parameters.</summary>
    public bool SkipExisting { get; init; }
}
