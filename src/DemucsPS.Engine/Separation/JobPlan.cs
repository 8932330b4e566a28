namespace DemucsPS.Engine.Separation;

/// <summary>How many chunks are in the model at once, and how many threads the runtime gets for all of them together.</summary>
/// <param name="Jobs">Chunks in the model at once, at least 1.</param>
/// <param name="Threads">The runtime's threads inside one operator, the caller's included, at least 1.</param>
public sealed record JobPlan(int Jobs, int Threads)
{
    /// <summary>The most jobs that can be asked for.</summary>
    public const int MaxJobs = 256;

    /// <summary>
    /// Processors a job. A run of the real-size model keeps a few processors as busy with its own threads as two runs of half of them would, without their memory, and the first
    /// stems come sooner; its small operators only leave processors idle where there are many.
    /// </summary>
    internal const int ProcessorsPerJob = 8;

    /// <summary>Memory that one run of the real-size model takes, its tensors included, in bytes.</summary>
    internal const long BytesPerJob = 1200L << 20;

    /// <summary>Memory the process takes without any run, its model included, in bytes.</summary>
    internal const long BytesWithoutJobs = 500L << 20;

    /// <summary>The plan in words.</summary>
    public override string ToString() => $"jobs {Jobs}, threads {Threads}";

    /// <summary>Plans for this machine: the processors and the memory this process may use, container limits included.</summary>
    /// <inheritdoc cref="Choose(int, int, int, long)"/>
    public static JobPlan Choose(int jobs, int threads) => Choose(jobs, threads, Environment.ProcessorCount, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    /// <summary>
    /// Plans for a machine. Without a wish there is one job for every 8 processors, as long as all of them fit into half of the memory. Every job brings a thread of its own and all share the
    /// runtime's others, so that jobs and threads together are as many as processors: more would only take turns on them.
    /// </summary>
    /// <param name="jobs">Chunks at once as asked for, up to 256; 0 to choose.</param>
    /// <param name="threads">The runtime's threads as asked for; 0 to choose.</param>
    /// <param name="processors">Processors that may be used, at least 1.</param>
    /// <param name="memory">Memory that may be used, in bytes.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: jobs or threads are out of range.</exception>
    internal static JobPlan Choose(int jobs, int threads, int processors, long memory)
    {
        if (jobs is < 0 or > MaxJobs)
            throw new DemucsException(DemucsError.ParameterInvalid, $"The number of jobs is {jobs}; it must be from 1 to {MaxJobs}, or 0 to choose it by processors and memory.");
        if (threads < 0)
            throw new DemucsException(DemucsError.ParameterInvalid, $"The number of threads is {threads}; it must be 1 or more, or 0 to choose it by processors and jobs.");
        if (jobs == 0)
        {
            long fitting = (memory / 2 - BytesWithoutJobs) / BytesPerJob;
            jobs = (int)Math.Clamp(Math.Min(processors / ProcessorsPerJob, fitting), 1, MaxJobs);
        }
        return new JobPlan(jobs, threads > 0 ? threads : Math.Max(1, processors - jobs + 1));
    }
}
