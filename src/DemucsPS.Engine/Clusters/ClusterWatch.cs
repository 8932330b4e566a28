namespace DemucsPS.Engine.Clusters;

/// <summary>Looks at jobs, by their results and by the scheduler.</summary>
public static class ClusterWatch
{
    /// <summary>Status of a job. A missing scheduler is not an error: the results show what is done.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>;
    /// <see cref="DemucsError.SchedulerRefused"/>.</exception>
    public static ClusterStatus Status(ClusterJob job, SlurmCluster cluster)
    {
        ClusterArray[] arrays = [.. job.Submissions().SelectMany(submission => submission.Arrays)];
        SlurmTasks? tasks = null;
        try
        {
            // First: what ends between the two looks has its results written.
            tasks = arrays.Length == 0 ? null : cluster.Tasks(arrays);
        }
        catch (DemucsException e) when (e.Error == DemucsError.SchedulerNotFound)
        {
            // The state says so.
        }
        return ClusterProgress.Read(job).Status(tasks);
    }

    /// <summary>Waits until no task waits or runs.</summary>
    /// <param name="job">The job.</param>
    /// <param name="cluster">Its cluster.</param>
    /// <param name="interval">Between two looks; each costs the controller a question, and the file system a reading of all
    /// results.</param>
    /// <param name="seen">Receives what was seen, each time.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>; <see cref="DemucsError.SchedulerRefused"/>;
    /// <see cref="DemucsError.SchedulerNotFound"/>: it is unknown which tasks run.</exception>
    public static ClusterStatus Wait(
        ClusterJob job,
        SlurmCluster cluster,
        TimeSpan interval,
        Action<ClusterStatus> seen,
        CancellationToken cancellationToken
    )
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ClusterStatus status = Status(job, cluster);
            if (status.State == ClusterJobState.Unknown)
                _ = cluster.Tasks([.. job.Submissions().SelectMany(submission => submission.Arrays)]);
            if (status.Tasks is not { IsActive: true })
                return status;
            seen(status);
            cancellationToken.WaitHandle.WaitOne(interval);
        }
    }
}
