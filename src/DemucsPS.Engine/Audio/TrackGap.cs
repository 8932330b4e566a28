namespace DemucsPS.Engine.Audio;

/// <summary>A part of a track whose sound its file has lost.</summary>
/// <param name="StartFrame">The first frame of it, counted from the track's beginning at the rate of its file.</param>
/// <param name="Frames">How many frames are lost; at least 1.</param>
/// <param name="SampleRate">Frames per second of the file.</param>
/// <param name="IsFilled">Whether silence replaces it. What a file that is cut off lacks at its end is not filled: nothing after it has to
/// keep its time.</param>
public sealed record TrackGap(long StartFrame, long Frames, int SampleRate, bool IsFilled)
{
    /// <summary>When it begins.</summary>
    public TimeSpan Start => TimeSpan.FromSeconds((double)StartFrame / SampleRate);

    /// <summary>How long it is.</summary>
    public TimeSpan Duration => TimeSpan.FromSeconds((double)Frames / SampleRate);

    /// <summary>For people: <c>0.093 s at 0:01:02.345</c>.</summary>
    public override string ToString() => FormattableString.Invariant($"{Duration.TotalSeconds:F3} s at {Start:h\\:mm\\:ss\\.fff}");

    /// <summary>What of it lies in a part of the file, counted from that part's beginning; null for nothing.</summary>
    /// <param name="range">The part.</param>
    internal TrackGap? Within(FrameRange range)
    {
        long start = Math.Max(StartFrame, range.Start) - range.Start;
        long end = Math.Min(StartFrame + Frames - range.Start, range.Length ?? long.MaxValue);
        return end > start ? this with { StartFrame = start, Frames = end - start } : null;
    }
}
