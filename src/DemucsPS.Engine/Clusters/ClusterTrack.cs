using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Clusters;

/// <summary>A track of a job, and what became of it.</summary>
/// <param name="SourcePath">Full path of the source.</param>
/// <param name="State">What became of it.</param>
/// <param name="Duration">Length of its audio; null where it is not known.</param>
public sealed record ClusterTrack(string SourcePath, TrackState State, TimeSpan? Duration)
{
    /// <summary>Time it took, with what is lost of other attempts.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>Where it was last worked on; null for nowhere.</summary>
    public string? Node { get; init; }

    /// <summary>The error's id; null where there is none.</summary>
    public string? Error { get; init; }

    /// <summary>The error in words.</summary>
    public string? Message { get; init; }

    /// <summary>Files of its stems.</summary>
    public IReadOnlyList<StemOutcome> Stems { get; init; } = [];

    /// <summary>How often it was separated to its end; more than once only where a node was taken for dead and was not.</summary>
    public int Separations { get; init; }
}
