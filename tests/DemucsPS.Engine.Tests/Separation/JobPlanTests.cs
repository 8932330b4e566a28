using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

public sealed class JobPlanTests
{
    private const long GB = 1L << 30;

    [Theory]
    [InlineData(1, 64, 1, 1)]
    [InlineData(2, 64, 1, 2)]
    [InlineData(8, 64, 1, 8)]
    [InlineData(15, 64, 1, 15)]
    [InlineData(16, 64, 2, 16)]
    [InlineData(32, 64, 4, 32)]
    [InlineData(192, 1024, 24, 192)]
    // Memory is short: what does not fit into half of it is not started, but one job always is.
    [InlineData(64, 16, 6, 64)]
    [InlineData(64, 8, 2, 64)]
    [InlineData(64, 4, 1, 64)]
    [InlineData(64, 1, 1, 64)]
    public void Jobs_are_chosen_by_processors_and_memory(int processors, int gigabytes, int jobs, int threads) =>
        Assert.Equal(new JobPlan(jobs, threads), JobPlan.Choose(0, 0, 1, processors, gigabytes * GB));

    [Theory]
    [InlineData(1, 0, 2, 1, 2)]
    [InlineData(2, 0, 2, 2, 2)]
    [InlineData(3, 0, 2, 3, 2)]
    [InlineData(2, 0, 16, 2, 16)]
    [InlineData(2, 5, 2, 2, 5)]
    [InlineData(0, 3, 2, 1, 3)]
    [InlineData(256, 0, 2, 256, 2)]
    public void What_is_asked_for_is_kept(int askedJobs, int askedThreads, int processors, int jobs, int threads) =>
        Assert.Equal(new JobPlan(jobs, threads), JobPlan.Choose(askedJobs, askedThreads, 1, processors, GB));

    [Theory]
    [InlineData(1, 8)]
    [InlineData(2, 8)]
    [InlineData(8, 3)]
    [InlineData(64, 1)]
    public void Jobs_with_batches_take_the_memory_of_all_their_chunks(int batchSize, int jobs)
    {
        JobPlan plan = JobPlan.Choose(0, 0, batchSize, 64, 64 * GB);
        Assert.Equal((jobs, batchSize), (plan.Jobs, plan.BatchSize));
    }

    [Fact]
    public void The_plan_says_the_batch_size() =>
        Assert.Equal("jobs 3 with batches of 8, threads 64", JobPlan.Choose(0, 0, 8, 64, 64 * GB).ToString());

    [Theory]
    [InlineData(-1, 0, "jobs is -1")]
    [InlineData(257, 0, "jobs is 257")]
    [InlineData(0, -1, "threads is -1")]
    [InlineData(0, 1025, "threads is 1025")]
    public void Numbers_out_of_range_are_refused(int jobs, int threads, string said)
    {
        DemucsException error = Assert.Throws<DemucsException>(() => JobPlan.Choose(jobs, threads, 1, 2, GB));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 1, "jobs 1, threads 1")]
    [InlineData(2, 1, "jobs 2, threads 1")]
    [InlineData(1, 2, "jobs 1, threads 2")]
    [InlineData(2, 2, "jobs 2, threads 2, one thread per job")]
    [InlineData(3, 2, "jobs 3, threads 2, one thread per job")]
    public void The_plan_says_when_each_job_has_its_thread(int jobs, int threads, string said) =>
        Assert.Equal(said, new JobPlan(jobs, threads).ToString());

    [Fact]
    public void This_machine_has_a_plan()
    {
        JobPlan plan = JobPlan.Choose(0, 0);
        Assert.InRange(plan.Jobs, 1, Math.Max(1, Environment.ProcessorCount / JobPlan.ProcessorsPerJob));
        Assert.Equal(Environment.ProcessorCount, plan.Threads);
    }
}
