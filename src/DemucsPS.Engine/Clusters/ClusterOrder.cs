namespace DemucsPS.Engine.Clusters;

/// <summary>Tracks that are about to be submitted to a scheduler: what is planned can be looked at, tried, and done.</summary>
public sealed class ClusterOrder
{
    private readonly string _folder;
    private readonly ClusterSettings? _settings;
    private readonly ClusterJob? _job;
    private readonly int _before;
    private readonly IReadOnlyList<string> _paths;
    private readonly IReadOnlyList<double?> _durations;
    private readonly SlurmOptions _options;
    private readonly SlurmCluster? _cluster;
    private readonly SlurmLimits? _limits;

    private ClusterOrder(
        string folder,
        ClusterSettings? settings,
        ClusterJob? job,
        int before,
        IReadOnlyList<string> paths,
        IReadOnlyList<double?> durations,
        ClusterPlanOptions plan,
        SlurmOptions options,
        SlurmCluster? cluster
    )
    {
        options.Check();
        plan.Check();
        _folder = folder;
        _settings = settings;
        _job = job;
        _before = before;
        _paths = paths;
        _durations = durations;
        _options = options;
        _cluster = cluster;
        _limits = cluster?.Limits(options.Account);
        Plan = ClusterPlan.Create(
            paths,
            durations,
            _limits is { } limits ? plan with { MaxTasks = Math.Min(plan.MaxTasks, limits.MaxTasks) } : plan
        );
    }

    /// <summary>How the tracks are distributed.</summary>
    public ClusterPlan Plan { get; }

    /// <summary>Plans a new job.</summary>
    /// <param name="folder">Full path of its folder, on a file system that all nodes share; it must be free.</param>
    /// <param name="settings">What is the same for all tasks.</param>
    /// <param name="paths">Full paths of the tracks.</param>
    /// <param name="durations">Length of each in seconds; null if its file does not declare it.</param>
    /// <param name="plan">How they are distributed.</param>
    /// <param name="options">What Slurm is asked for.</param>
    /// <param name="cluster">The cluster; null to make the folder only.</param>
    /// <exception cref="DemucsException">An option is out of range, the folder is not free, or Slurm is not there or refuses.</exception>
    public static ClusterOrder New(
        string folder,
        ClusterSettings settings,
        IReadOnlyList<string> paths,
        IReadOnlyList<double?> durations,
        ClusterPlanOptions plan,
        SlurmOptions options,
        SlurmCluster? cluster
    )
    {
        if (folder.AsSpan().ContainsAny(cluster is null && OperatingSystem.IsWindows() ? "%" : "%\\"))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{folder}' cannot be a job's folder: Slurm interprets % and \\ in names of logs, so every task would fail. Name a folder without them.",
                folder
            );
        ClusterWorker.Check(settings);
        ClusterJob.CheckFree(folder);
        return new ClusterOrder(folder, settings, null, 0, paths, durations, plan, options, cluster);
    }

    /// <summary>
    /// Plans the failed and missing tracks of a job again. Options that are not given are those of the last time. The default real-time
    /// factor is measured in the job's own results, else it is that of the last time.
    /// </summary>
    /// <inheritdoc cref="New"/>
    /// <exception cref="DemucsException">As <see cref="New"/>; <see cref="DemucsError.ClusterJobRunning"/>: tasks of it wait or
    /// run.</exception>
    public static ClusterOrder Again(string folder, ClusterPlanOptions plan, SlurmOptions options, SlurmCluster? cluster)
    {
        ClusterJob job = ClusterJob.Open(folder);
        IReadOnlyList<ClusterSubmission> submissions = job.Submissions();
        ClusterArray[] arrays = [.. submissions.SelectMany(submission => submission.Arrays)];
        if (arrays.Length > 0 && cluster?.Tasks(arrays) is { IsActive: true } tasks)
        {
            throw new DemucsException(
                DemucsError.ClusterJobRunning,
                FormattableString.Invariant(
                    $"{tasks.Running} tasks of '{folder}' run and {tasks.Waiting} wait. Wait for them, or cancel them first. Otherwise tracks would be separated twice."
                ),
                folder
            );
        }
        ClusterProgress progress = ClusterProgress.Read(job);
        ClusterTrack[] left = [.. progress.Tracks.Where(track => track.State != TrackState.Done)];
        plan = Measured(plan, progress);
        if (plan.RealTimeFactor is null)
            plan = plan with { RealTimeFactor = submissions[^1].RealTimeFactor };
        return new ClusterOrder(
            folder,
            null,
            job,
            submissions.Count,
            [.. left.Select(track => track.SourcePath)],
            [.. left.Select(track => track.Duration?.TotalSeconds)],
            plan,
            options.Over(submissions[^1].Slurm),
            cluster
        );
    }

    /// <summary>A plan's options with the real-time factor of a job's results, where they have none of their own.</summary>
    public static ClusterPlanOptions Measured(ClusterPlanOptions plan, ClusterProgress progress) =>
        plan.RealTimeFactor is null && progress.RealTimeFactor is { } factor
            ? plan with
            {
                RealTimeFactor = factor,
                IsMeasured = true,
            }
            : plan;

    /// <summary>What Slurm answers to the plan; nothing is written or submitted.</summary>
    /// <returns>Null if there is no cluster, or nothing to do.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.SchedulerRefused"/>: it would not take it.</exception>
    public string? Try() => _cluster is null || Plan.Tasks.Count == 0 ? null : _cluster.Try(Plan, _options, _limits!);

    /// <summary>Writes and submits the plan: all of it, or nothing.</summary>
    /// <returns>Null if there is nothing to do.</returns>
    /// <exception cref="DemucsException">The disk, or Slurm, refuses; <see cref="DemucsError.ClusterJobRunning"/>: the job was submitted
    /// since this was planned.</exception>
    public ClusterSubmission? Submit()
    {
        if (Plan.Tasks.Count == 0)
            return null;
        // Tracks that another user submitted meanwhile would be separated twice.
        using IDisposable? held = _job?.TryHold();
        if (_job is not null && (held is null || _job.Submissions().Count != _before))
            throw new DemucsException(
                DemucsError.ClusterJobRunning,
                $"'{_folder}' was submitted by someone else after this was planned. Check its status, and plan again.",
                _folder
            );
        bool existed = Directory.Exists(_folder);
        ClusterJob job = _job ?? ClusterJob.Create(_folder, _settings!);
        try
        {
            ClusterSubmission submission = job.Add(_paths, _durations, Plan, _options);
            return _cluster is null ? submission : _cluster.Submit(job, submission, _options, _limits!);
        }
        catch (DemucsException) when (_job is null)
        {
            job.Remove(existed);
            throw;
        }
    }
}
