using DemucsPS.Engine.Machine;
using DemucsPS.Engine.Models;

namespace DemucsPS.Engine.Separation;

/// <summary>How many chunks are in the model at once, and how many threads the runtime gets for all of them together.</summary>
/// <param name="Jobs">Chunks, or batches of them, in the model at once, at least 1.</param>
/// <param name="Threads">The runtime's threads inside one operator, the caller's included, at least 1.</param>
public sealed record JobPlan(int Jobs, int Threads)
{
    /// <summary>The maximum number of jobs that can be requested.</summary>
    public const int MaxJobs = 256;

    /// <summary>The maximum number of threads that can be requested.</summary>
    public const int MaxThreads = 1024;

    /// <summary>
    /// Processors a job, by judgment: a run keeps a few processors busy with its own threads, and two take twice the memory; operators that
    /// are too small for many threads leave processors idle where there are many.
    /// </summary>
    internal const int ProcessorsPerJob = 8;

    /// <summary>Memory that one run of the real-size model takes, its tensors included, in bytes.</summary>
    internal const long BytesPerJob = 1200L << 20;

    /// <summary>Memory the process takes without any run, its model included, in bytes.</summary>
    internal const long BytesWithoutJobs = 500L << 20;

    /// <summary>Chunks of a batch.</summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Whether there are so many jobs that each gets its own thread; see <see cref="ChunkScheduler"/>.</summary>
    public bool IsThreadEach => Threads > 1 && Jobs >= Threads;

    /// <summary>The plan as text.</summary>
    public override string ToString() =>
        $"jobs {Jobs}{(BatchSize == 1 ? "" : $" with batches of {BatchSize}")}, threads {Threads}{(IsThreadEach ? ", one thread per job" : "")}";

    /// <summary>
    /// Plans for this machine: the processors and the memory this process may use, the limits of containers and of Slurm included.
    /// </summary>
    /// <inheritdoc cref="Choose(int, int, int, int, long)"/>
    public static JobPlan Choose(int jobs, int threads, int batchSize = 1) =>
        Choose(jobs, threads, batchSize, MachineLimits.Processors, MachineLimits.Memory);

    /// <summary>
    /// Plans for a machine. Without a wish there is one job for every 8 processors, as long as all of them fit into half of the memory. The
    /// number of threads does not depend on the jobs, although all of them share the threads: how the runtime divides its sums depends on
    /// it, and the stems must not depend on the number of jobs.
    /// </summary>
    /// <param name="jobs">Chunks at once as asked for, up to <see cref="MaxJobs"/>; 0 to choose.</param>
    /// <param name="threads">The runtime's threads as asked for, up to <see cref="MaxThreads"/>; 0 to choose.</param>
    /// <param name="batchSize">Chunks of a batch: a job takes the memory of all of them.</param>
    /// <param name="processors">Processors that may be used, at least 1.</param>
    /// <param name="memory">Memory that may be used, in bytes.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: jobs, threads or the batch size are out of
    /// range.</exception>
    internal static JobPlan Choose(int jobs, int threads, int batchSize, int processors, long memory)
    {
        if (jobs is < 0 or > MaxJobs)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The number of jobs is {jobs}; it must be from 1 to {MaxJobs}, or 0 to choose by processors and memory."
            )
            {
                Parameter = EngineParameter.Jobs,
            };
        if (threads is < 0 or > MaxThreads)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The number of threads is {threads}; it must be from 1 to {MaxThreads}, or 0 for one per processor."
            )
            {
                Parameter = EngineParameter.Threads,
            };
        ModelSelection.CheckBatchSize(batchSize);
        if (jobs == 0)
        {
            long fitting = (memory / 2 - BytesWithoutJobs) / (batchSize * BytesPerJob);
            jobs = (int)Math.Clamp(Math.Min(processors / ProcessorsPerJob, fitting), 1, MaxJobs);
        }
        return new JobPlan(jobs, threads > 0 ? threads : processors) { BatchSize = batchSize };
    }
}
