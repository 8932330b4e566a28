namespace DemucsPS.Engine.Models.Installation;

/// <summary>How patient a download is, and the parts of the world that it touches; tests put others in their place.</summary>
internal sealed record TransferSettings
{
    /// <summary>Attempts in a row that may bring less than <see cref="Worthwhile"/> bytes.</summary>
    public int Attempts { get; init; } = 5;

    /// <summary>An attempt that brings this many bytes counts as progress, after which attempts are counted again.</summary>
    public long Worthwhile { get; init; } = 1 << 20;

    /// <summary>How long a server may send nothing.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The wait before the second attempt; it doubles with each.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>The longest wait, also where a server asks for one.</summary>
    public TimeSpan LongestDelay { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Waits.</summary>
    public Func<TimeSpan, CancellationToken, Task> Delay { get; init; } = Task.Delay;

    /// <summary>Free bytes for this user where a folder is.</summary>
    public Func<string, long> FreeSpace { get; init; } = folder => new DriveInfo(folder).AvailableFreeSpace;

    /// <summary>Opens the file that is being fetched.</summary>
    public Func<string, Stream> OpenPartial { get; init; } =
        path => new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
}
