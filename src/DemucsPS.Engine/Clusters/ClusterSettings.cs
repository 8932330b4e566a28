namespace DemucsPS.Engine.Clusters;

/// <summary>What is the same for all tasks of a job; <c>job.json</c> in its folder.</summary>
public sealed record ClusterSettings
{
    /// <summary>The newest format of job folders.</summary>
    public const int CurrentSchema = 1;

    /// <summary>The kind of job folder.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>When it was made, in UTC.</summary>
    public required DateTimeOffset Created { get; init; }

    /// <summary>The console program as the nodes start it: full path, and arguments before its own.</summary>
    public required IReadOnlyList<string> Program { get; init; }

    /// <summary>Arguments of its <c>separate</c> but for the tracks: options, with full paths in them.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }
}
