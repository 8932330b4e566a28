using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Clusters;

/// <summary>How an archive is distributed: tasks of nearly equal length.</summary>
public sealed record ClusterPlan
{
    /// <summary>Length of a track where no track of the list says its own.</summary>
    private static readonly TimeSpan s_usualTrack = TimeSpan.FromMinutes(4);

    private ClusterPlan() { }

    /// <summary>The tasks.</summary>
    public required IReadOnlyList<ClusterTask> Tasks { get; init; }

    /// <summary>Tracks in all tasks.</summary>
    public required int Tracks { get; init; }

    /// <summary>Tracks of unknown length; each counts as the mean of the others, or as four minutes.</summary>
    public required int Unknown { get; init; }

    /// <summary>Length of all audio.</summary>
    public required TimeSpan Audio { get; init; }

    /// <summary>Seconds of work per second of audio.</summary>
    public required double RealTimeFactor { get; init; }

    /// <summary>Where <see cref="RealTimeFactor"/> comes from, as text.</summary>
    public required string FactorOrigin { get; init; }

    /// <summary>Whether <see cref="RealTimeFactor"/> is an assumption, neither given nor measured.</summary>
    public required bool IsFactorAssumed { get; init; }

    /// <summary>Time that each task may take, in whole minutes.</summary>
    public required TimeSpan TimeLimit { get; init; }

    /// <summary>Work of the longest task.</summary>
    public TimeSpan LongestTask => Tasks.Count == 0 ? TimeSpan.Zero : Tasks.Max(t => t.Audio) * RealTimeFactor;

    /// <summary>Work of the shortest task.</summary>
    public TimeSpan ShortestTask => Tasks.Count == 0 ? TimeSpan.Zero : Tasks.Min(t => t.Audio) * RealTimeFactor;

    /// <summary>
    /// Distributes tracks, the longest first, each to the task that has the least so far. The same tracks and options give the same plan.
    /// </summary>
    /// <param name="paths">Full paths of the tracks.</param>
    /// <param name="durations">Length of each track in seconds; null if its file does not declare it.</param>
    /// <param name="options">How.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: an option is out of range, or a task cannot be done in
    /// its time.</exception>
    public static ClusterPlan Create(IReadOnlyList<string> paths, IReadOnlyList<double?> durations, ClusterPlanOptions options)
    {
        options.Check();
        int unknown = durations.Count(d => d is not >= 0);
        double mean = unknown == durations.Count ? s_usualTrack.TotalSeconds : durations.Where(d => d is >= 0).Average(d => d!.Value);
        double[] weights = [.. durations.Select(d => d is >= 0 and { } known ? known : mean)];
        double total = weights.Sum(),
            factor = options.RealTimeFactor ?? ClusterPlanOptions.AssumedRealTimeFactor;
        int count = (int)
            Math.Clamp(
                Math.Ceiling(total * factor / options.TaskLength.TotalSeconds),
                1,
                Math.Max(1, Math.Min(options.MaxTasks, durations.Count))
            );
        ClusterTask[] tasks = Deal(paths, weights, count);
        double longest = tasks.Length == 0 ? 0 : tasks.Max(t => t.Audio.TotalSeconds) * factor;
        TimeSpan limit = TimeSpan.FromMinutes(
            Math.Ceiling((options.TimeLimit ?? TimeSpan.FromSeconds(longest * 1.5) + TimeSpan.FromMinutes(10)).TotalMinutes)
        );
        if (longest > limit.TotalSeconds)
        {
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                FormattableString.Invariant(
                    $"The longest task needs about {TimeSpan.FromSeconds(longest):d\\.hh\\:mm\\:ss}, but the time limit is {limit:d\\.hh\\:mm\\:ss}. Allow more time, or more or shorter tasks. A task needs at least the time for its longest track."
                )
            )
            {
                Parameter = EngineParameter.TimeLimit,
            };
        }
        return new ClusterPlan
        {
            Tasks = tasks,
            Tracks = durations.Count,
            Unknown = unknown,
            Audio = TimeSpan.FromSeconds(total),
            RealTimeFactor = factor,
            FactorOrigin =
                options.RealTimeFactor is null ? "assumed"
                : options.IsMeasured ? "measured"
                : "given",
            IsFactorAssumed = options.RealTimeFactor is null,
            TimeLimit = limit,
        };
    }

    /// <summary>The plan in a sentence, for people.</summary>
    public override string ToString() =>
        FormattableString.Invariant(
            $"{Tracks} {(Tracks == 1 ? "track" : "tracks")}, {Audio.TotalHours:F1} hours of audio{(Unknown > 0 ? $" ({Unknown} of unknown length are estimated)" : "")}, {Tasks.Count} {(Tasks.Count == 1 ? "task" : "tasks")} of {InWords(ShortestTask)} to {InWords(LongestTask)} at {RealTimeFactor:0.###} s of work per second of audio ({FactorOrigin}), time limit {InWords(TimeLimit)}"
        );

    /// <summary>A length of time: <c>1:05:00</c>, hours without end.</summary>
    internal static string InWords(TimeSpan time) => FormattableString.Invariant($"{(long)time.TotalHours}:{time:mm\\:ss}");

    private static ClusterTask[] Deal(IReadOnlyList<string> paths, double[] weights, int count)
    {
        int[] shares = Shards.Assign([.. paths.Select((path, i) => (path, (double?)weights[i]))], count);
        List<int>[] tracks = [.. Enumerable.Range(0, count).Select(_ => new List<int>())];
        for (int track = 0; track < shares.Length; track++)
            tracks[shares[track] - 1].Add(track);
        return
        [
            .. tracks
                .Where(list => list.Count > 0)
                .Select(list => new ClusterTask(list, TimeSpan.FromSeconds(list.Sum(track => weights[track])))),
        ];
    }
}
