namespace DemucsPS.Engine.Clusters;

/// <summary>What Slurm knows of a job's tasks.</summary>
/// <param name="States">How many tasks are in each of Slurm's states: <c>PENDING</c>, <c>RUNNING</c>, <c>TIMEOUT</c> …; of those that have
/// ended only what it still remembers.</param>
/// <param name="CpuTime">Processor time that was taken up in all turns, by Slurm's accounting; null if there is none.</param>
public sealed record SlurmTasks(IReadOnlyDictionary<string, int> States, TimeSpan? CpuTime)
{
    private static readonly string[] s_waitingStates =
        ["PENDING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED", "SPECIAL_EXIT", "RESV_DEL_HOLD"],
        s_runningStates = ["RUNNING", "CONFIGURING", "COMPLETING", "SUSPENDED", "STOPPED", "SIGNALING", "STAGE_OUT", "RESIZING"];

    /// <summary>Tasks that wait.</summary>
    public int Waiting => s_waitingStates.Sum(state => States.GetValueOrDefault(state));

    /// <summary>Tasks that run.</summary>
    public int Running => s_runningStates.Sum(state => States.GetValueOrDefault(state));

    /// <summary>Whether there is anything to wait for.</summary>
    public bool IsActive => Waiting + Running > 0;
}
