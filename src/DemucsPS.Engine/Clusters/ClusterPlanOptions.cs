using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Clusters;

/// <summary>How an archive is dealt out to tasks.</summary>
public sealed record ClusterPlanOptions
{
    /// <summary>Seconds of work for a second of audio where nobody has measured it: what a few processors need for htdemucs, and a guess for anything else.</summary>
    public const double AssumedRealTimeFactor = 1;

    private static readonly TimeSpan LongestLimit = TimeSpan.FromDays(365);

    /// <summary>Seconds of work for a second of audio, on one node and with what a task gets of it; null where it is not known.</summary>
    public double? RealTimeFactor { get; init; }

    /// <summary>Whether <see cref="RealTimeFactor"/> comes from a job's own results.</summary>
    public bool IsMeasured { get; init; }

    /// <summary>How long a task should take. Tasks of seconds cost the scheduler and the loading of models more than the work; very long ones lose more where a node fails.</summary>
    public TimeSpan TaskLength { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Time that each task may take; null for half as much again as the longest needs, and ten minutes.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>The most tasks; with fewer than <see cref="TaskLength"/> asks for, each is longer.</summary>
    public int MaxTasks { get; init; } = int.MaxValue;

    /// <summary>Refuses values that are out of range.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public void Check()
    {
        if (RealTimeFactor is { } factor && !(factor is > 0 and <= 1e6))
            throw Refused(FormattableString.Invariant($"The real-time factor is {factor}; it is the seconds of work for a second of audio, and must be above 0."));
        if (TaskLength <= TimeSpan.Zero || TaskLength > LongestLimit)
            throw Refused(FormattableString.Invariant($"The length of a task is {TaskLength}; it must be above 0, and at most a year."));
        if (TimeLimit is { } limit && (limit < TimeSpan.FromMinutes(1) || limit > LongestLimit))
            throw Refused(FormattableString.Invariant($"The time limit is {limit}; it must be a minute to a year."));
        if (MaxTasks < 1)
            throw Refused(FormattableString.Invariant($"The number of tasks is at most {MaxTasks}; it must be 1 or more."));
    }

    private static DemucsException Refused(string message) => new(DemucsError.ParameterInvalid, message);
}
