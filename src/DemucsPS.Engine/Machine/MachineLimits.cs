using System.Globalization;

namespace DemucsPS.Engine.Machine;

/// <summary>
/// What of the machine this process may use. The runtime knows the limits of containers (cgroups) and the affinity; where Slurm keeps to
/// its limits by agreement only, its variables tell them.
/// </summary>
internal static class MachineLimits
{
    /// <summary>Processors, at least 1.</summary>
    public static int Processors { get; } = ProcessorsOf(Environment.ProcessorCount, Environment.GetEnvironmentVariable);

    /// <summary>Memory in bytes.</summary>
    public static long Memory
    {
        get
        {
            long bytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
            if (bytes <= 0)
            {
                // Not known before the first collection.
                GC.Collect(0, GCCollectionMode.Forced);
                bytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
            }
            return MemoryOf(bytes, Environment.ProcessorCount, Environment.GetEnvironmentVariable);
        }
    }

    /// <summary>Processors of those that there are.</summary>
    /// <param name="processors">Those that the runtime sees.</param>
    /// <param name="variable">Gives environment variables; null for those that are not set.</param>
    internal static int ProcessorsOf(int processors, Func<string, string?> variable) =>
        (int)Math.Min(processors, Number(variable, "SLURM_CPUS_PER_TASK") ?? processors);

    /// <summary>Memory of that which there is, in bytes.</summary>
    /// <param name="bytes">What the runtime sees.</param>
    /// <param name="processors">Processors that the runtime sees.</param>
    /// <param name="variable">Gives environment variables; null for those that are not set.</param>
    internal static long MemoryOf(long bytes, int processors, Func<string, string?> variable)
    {
        // Slurm counts in mebibytes.
        long? mebibytes = Number(variable, "SLURM_MEM_PER_NODE")
            ?? Number(variable, "SLURM_MEM_PER_CPU") * (Number(variable, "SLURM_CPUS_ON_NODE") ?? ProcessorsOf(processors, variable));
        return mebibytes is { } some && some < bytes >> 20 ? some << 20 : bytes;
    }

    // Zero memory stands for all of it.
    private static long? Number(Func<string, string?> variable, string name) =>
        long.TryParse(variable(name), NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number is > 0 and < 1L << 40
            ? number
            : null;
}
