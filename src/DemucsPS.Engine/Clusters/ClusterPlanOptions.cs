namespace DemucsPS.Engine.Clusters;

/// <summary>How an archive is distributed to tasks.</summary>
public sealed record ClusterPlanOptions
{
    /// <summary>
    /// The assumed seconds of work per second of audio if it was not measured: what a few processors need for htdemucs, and a guess for
    /// other models.
    /// </summary>
    public const double AssumedRealTimeFactor = 1;

    private static readonly TimeSpan s_longestLimit = TimeSpan.FromDays(365);

    /// <summary>Seconds of work per second of audio, on one node and with what a task gets of it; null if unknown.</summary>
    public double? RealTimeFactor { get; init; }

    /// <summary>Whether <see cref="RealTimeFactor"/> comes from a job's own results.</summary>
    public bool IsMeasured { get; init; }

    /// <summary>
    /// How long a task should take. Tasks of seconds cost the scheduler and the loading of models more than the work; very long ones lose
    /// more where a node fails.
    /// </summary>
    public TimeSpan TaskLength { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Time that each task may take; null for half as much again as the longest needs, and ten minutes.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>The maximum number of tasks. If it is below what <see cref="TaskLength"/> requires, tasks are longer.</summary>
    public int MaxTasks { get; init; } = int.MaxValue;

    /// <summary>Refuses values that are out of range.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public void Check()
    {
        if (RealTimeFactor is { } factor && !(factor is > 0 and <= 1e6))
            throw Refused(
                FormattableString.Invariant(
                    $"The real-time factor is {factor}; it must be above 0. It is the seconds of work per second of audio."
                ),
                EngineParameter.RealTimeFactor
            );
        if (TaskLength <= TimeSpan.Zero || TaskLength > s_longestLimit)
            throw Refused(
                FormattableString.Invariant($"The length of a task is {TaskLength}; it must be above 0 and at most a year."),
                EngineParameter.TaskLength
            );
        if (TimeLimit is { } limit && (limit < TimeSpan.FromMinutes(1) || limit > s_longestLimit))
            throw Refused(
                FormattableString.Invariant($"The time limit is {limit}; it must be from a minute to a year."),
                EngineParameter.TimeLimit
            );
        if (MaxTasks < 1)
            throw Refused(
                FormattableString.Invariant($"The maximum number of tasks is {MaxTasks}; it must be 1 or more."),
                EngineParameter.MaxTasks
            );
    }

    private static DemucsException Refused(string message, EngineParameter parameter) =>
        new(DemucsError.ParameterInvalid, message) { Parameter = parameter };
}
