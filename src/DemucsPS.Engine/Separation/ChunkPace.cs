using System.Diagnostics;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Finds from a track's progress how long its chunks take, and says so once: after the first few. One a track; not thread-safe.
/// </summary>
public sealed class ChunkPace
{
    /// <summary>Chunks after which the time is known well enough.</summary>
    public const int FirstFew = 3;

    private readonly Func<TimeSpan> _now;
    private TimeSpan? _started;

    /// <summary>Waits for the first chunk.</summary>
    public ChunkPace()
        : this(() => Stopwatch.GetElapsedTime(0)) { }

    /// <param name="now">A clock.</param>
    internal ChunkPace(Func<TimeSpan> now) => _now = now;

    /// <summary>Receives the progress.</summary>
    /// <returns>A sentence for the user, once a track: when <see cref="FirstFew"/> chunks are done, or all of a shorter track. Else
    /// null.</returns>
    public string? Take(SeparationProgress progress)
    {
        if (progress.Stage != SeparationStage.Separating)
            return null;
        if (progress.Done == 0)
            _started = _now();
        if (_started is not { } started || progress.Done != Math.Min(FirstFew, progress.Total))
            return null;
        TimeSpan chunk = (_now() - started) / progress.Done;
        long left = progress.Total - progress.Done;
        return FormattableString.Invariant(
            $"{chunk.TotalSeconds:F2} s per chunk{(left > 0 ? FormattableString.Invariant($", {Math.Ceiling((chunk * left).TotalSeconds)} s for the remaining {left}") : "")}."
        );
    }
}
