namespace DemucsPS.Engine.Clusters;

/// <summary>Tracks of a job that were handed to the scheduler at once; <c>submission.json</c> in a folder of its own.</summary>
public sealed record ClusterSubmission
{
    /// <summary>Number in the job, from 1. The first has all its tracks, later ones those that were missing then.</summary>
    public required int Number { get; init; }

    /// <summary>When, in UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>Its tracks.</summary>
    public required int Tracks { get; init; }

    /// <summary>Length of their audio in seconds.</summary>
    public required double AudioSeconds { get; init; }

    /// <summary>Its tasks.</summary>
    public required int Tasks { get; init; }

    /// <summary>Seconds that a task may take.</summary>
    public required double TimeLimitSeconds { get; init; }

    /// <summary>What the scheduler has of it; empty where it was not handed over.</summary>
    public IReadOnlyList<ClusterArray> Arrays { get; init; } = [];
}
