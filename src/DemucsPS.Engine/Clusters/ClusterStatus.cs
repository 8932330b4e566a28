using System.Globalization;

namespace DemucsPS.Engine.Clusters;

/// <summary>The status of a job.</summary>
public sealed record ClusterStatus
{
    /// <summary>Full path of its folder.</summary>
    public required string JobPath { get; init; }

    /// <summary>Its state.</summary>
    public required ClusterJobState State { get; init; }

    /// <summary>Its tracks.</summary>
    public required int Tracks { get; init; }

    /// <summary>Those that are done.</summary>
    public required int Done { get; init; }

    /// <summary>Those that failed.</summary>
    public required int Failed { get; init; }

    /// <summary>Unfinished tracks: they are waiting, being separated, or were lost with their tasks.</summary>
    public int Missing => Tracks - Done - Failed;

    /// <summary>Length of all audio; tracks whose length is not known count as the others' mean.</summary>
    public required TimeSpan Audio { get; init; }

    /// <summary>Length of the audio that is done.</summary>
    public required TimeSpan AudioDone { get; init; }

    /// <summary>Time that tasks spent on tracks, all of them together.</summary>
    public required TimeSpan Work { get; init; }

    /// <summary>Seconds of work per second of audio, over all tracks that were separated; null if there is none yet.</summary>
    public required double? RealTimeFactor { get; init; }

    /// <summary>Hours of audio per hour since the first track was started; null if none is done.</summary>
    public required double? Throughput { get; init; }

    /// <summary>Time left at that pace; null if unknown, or nothing is under way.</summary>
    public required TimeSpan? Remaining { get; init; }

    /// <summary>What the scheduler knows of the tasks; null if it was not asked, or does not answer.</summary>
    public required SlurmTasks? Tasks { get; init; }

    /// <summary>Numbers that the scheduler gave the arrays.</summary>
    public required IReadOnlyList<string> JobIds { get; init; }

    /// <summary>What went wrong, the most frequent cause first.</summary>
    public required IReadOnlyList<FailureGroup> Failures { get; init; }

    /// <summary>The status in a line, for people.</summary>
    public override string ToString()
    {
        CultureInfo invariant = CultureInfo.InvariantCulture;
        List<string> parts = [string.Create(invariant, $"{State}: {Done} of {Tracks} tracks done")];
        if (Failed > 0)
            parts.Add(string.Create(invariant, $"{Failed} failed"));
        parts.Add(string.Create(invariant, $"{AudioDone.TotalHours:F2} of {Audio.TotalHours:F2} hours of audio"));
        if (Throughput is { } pace)
            parts.Add(string.Create(invariant, $"{pace:F1} hours of audio per hour"));
        if (RealTimeFactor is { } factor)
            parts.Add(string.Create(invariant, $"{factor:F3} s of work per second of audio"));
        if (Remaining is { } left)
            parts.Add($"{ClusterPlan.InWords(left)} left");
        if (Tasks is { } tasks)
            parts.Add(string.Create(invariant, $"{tasks.Running} tasks running, {tasks.Waiting} waiting"));
        return string.Join(", ", parts);
    }
}
