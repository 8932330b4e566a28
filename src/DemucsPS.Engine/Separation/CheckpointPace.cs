namespace DemucsPS.Engine.Separation;

/// <summary>
/// How often a separation waits until the disk has what is done. The disk is busy in that time, and the models get about as much less of
/// the processors again; so on the other hand is lost what a kill or a power cut finds undone.
/// </summary>
internal static class CheckpointPace
{
    // Waiting takes half a hundredth of the time: some seconds of work can be lost where chunks take seconds.
    private const int Share = 200;

    // Up to a twentieth where that would be more than half a minute, or than a quarter of what this run has done.
    private const int GreatestShare = 20;

    private const int LosesAtMost = 4;

    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(30);

    /// <summary>The time until the next checkpoint.</summary>
    /// <param name="took">What the last one took.</param>
    /// <param name="done">How long this run has been separating.</param>
    public static TimeSpan PauseAfter(TimeSpan took, TimeSpan done)
    {
        double wanted = Math.Min(Share * took.TotalSeconds, Math.Min(s_longestPause.TotalSeconds, done.TotalSeconds / LosesAtMost));
        return TimeSpan.FromSeconds(Math.Max(GreatestShare * took.TotalSeconds, wanted));
    }
}
