namespace DemucsPS.Engine.Clusters;

/// <summary>Tracks of a job that were submitted to the scheduler at once; <c>submission.json</c> in its own folder.</summary>
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

    /// <summary>
    /// What the scheduler was asked for; a retry asks for the same where it says nothing else. Null if that was not written down.
    /// </summary>
    public SlurmOptions? Slurm { get; init; }

    /// <summary>Seconds of work per second of audio, as they were given or measured then; null if they were assumed.</summary>
    public double? RealTimeFactor { get; init; }

    /// <summary>Its jobs in the scheduler; empty if it was not submitted.</summary>
    public IReadOnlyList<ClusterArray> Arrays { get; init; } = [];
}
