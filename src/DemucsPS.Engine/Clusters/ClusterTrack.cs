using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Clusters;

/// <summary>A track of a job, and what happened to it.</summary>
/// <param name="SourcePath">Full path of the source.</param>
/// <param name="State">What happened to it.</param>
/// <param name="Duration">Length of its audio; null if unknown.</param>
public sealed record ClusterTrack(string SourcePath, TrackState State, TimeSpan? Duration)
{
    /// <summary>Time it took, with what is lost of other attempts.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Where it was last worked on; null for nowhere.</summary>
    public string? Node { get; init; }

    /// <summary>The error's id; null if there is none.</summary>
    public string? Error { get; init; }

    /// <summary>The error message.</summary>
    public string? Message { get; init; }

    /// <summary>Files of its stems.</summary>
    public IReadOnlyList<StemOutcome> Stems { get; init; } = [];

    /// <summary>How often it was separated to its end; more than once only where a node was taken for dead and was not.</summary>
    public int Separations { get; init; }
}
