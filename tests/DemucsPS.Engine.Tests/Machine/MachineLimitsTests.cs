using DemucsPS.Engine.Machine;

namespace DemucsPS.Engine.Tests.Machine;

public sealed class MachineLimitsTests
{
    [Theory]
    [InlineData("", 16, 64)]
    [InlineData("SLURM_CPUS_PER_TASK=4 SLURM_MEM_PER_NODE=8192", 4, 8)]
    [InlineData("SLURM_CPUS_PER_TASK=4 SLURM_MEM_PER_CPU=1024", 4, 4)]
    [InlineData("SLURM_CPUS_PER_TASK=4 SLURM_CPUS_ON_NODE=8 SLURM_MEM_PER_CPU=1024", 4, 8)]
    [InlineData("SLURM_CPUS_PER_TASK=64 SLURM_MEM_PER_NODE=999999999", 16, 64)]
    [InlineData("SLURM_CPUS_PER_TASK=0 SLURM_MEM_PER_NODE=0", 16, 64)]
    [InlineData("SLURM_CPUS_PER_TASK=4(x2) SLURM_MEM_PER_NODE=-1", 16, 64)]
    public void The_least_of_container_and_Slurm_counts(string variables, int processors, int gibibytes)
    {
        Dictionary<string, string> set = variables
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(v => v.Split('='))
            .ToDictionary(v => v[0], v => v[1]);
        Assert.Equal(processors, MachineLimits.ProcessorsOf(16, name => set.GetValueOrDefault(name)));
        Assert.Equal((long)gibibytes << 30, MachineLimits.MemoryOf(64L << 30, 16, name => set.GetValueOrDefault(name)));
    }

    [Fact]
    public void Memory_is_known_from_the_beginning() => Assert.True(MachineLimits.Memory > 0);
}
