using System.Diagnostics;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Decides when progress is shown again: five times a second, since nobody reads more and terminals are slow. Not thread-safe.
/// </summary>
public sealed class ProgressInterval
{
    /// <summary>The least time between two reports that are shown.</summary>
    public static readonly TimeSpan Length = TimeSpan.FromMilliseconds(200);

    private long _shown;

    /// <summary>Whether anything was shown since the beginning or <see cref="Reset"/>.</summary>
    public bool HasShown => _shown != 0;

    /// <summary>Whether to show a report. If so, the next one waits.</summary>
    /// <param name="always">Whether it is shown in any case, such as the last of its kind.</param>
    public bool Shows(bool always = false)
    {
        if (!always && HasShown && Stopwatch.GetElapsedTime(_shown) < Length)
            return false;
        _shown = Stopwatch.GetTimestamp();
        return true;
    }

    /// <summary>Begins again: the next report is shown.</summary>
    public void Reset() => _shown = 0;
}
