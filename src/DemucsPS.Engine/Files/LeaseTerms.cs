namespace DemucsPS.Engine.Files;

/// <summary>How leases are kept and judged.</summary>
internal sealed record LeaseTerms
{
    // Before the terms, which have it.
    private static readonly string s_machine = $"{Environment.MachineName} {Boot()}".TrimEnd();

    /// <summary>Those of this machine.</summary>
    public static LeaseTerms Here { get; } = new();

    /// <summary>Times come from here, so that tests can turn the clock.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>
    /// This machine since it was started: locks of a process that died on it are free, so that no process has to wait for its lease to
    /// expire.
    /// </summary>
    public string Machine { get; init; } = s_machine;

    /// <summary>Whether the file is locked, too, as far as its file system can do that.</summary>
    public bool Locks { get; init; } = true;

    /// <summary>How often a lease is renewed.</summary>
    public TimeSpan Renewal { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a lease that is not renewed is good. Clients of NFS may see a file as it was a minute before.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How far the clocks of two machines may be apart. It matters only for leases that no process has watched: those are judged by the
    /// time in them. Slurm's own messages allow five minutes.
    /// </summary>
    public TimeSpan Skew { get; init; } = TimeSpan.FromMinutes(10);

    private static string Boot()
    {
        try
        {
            // Names of machines are given twice, to containers above all.
            return File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
        }
        catch (Exception e) when (e.IsFileError())
        {
            return "";
        }
    }
}
