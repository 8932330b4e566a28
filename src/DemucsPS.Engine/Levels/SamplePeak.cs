using System.Numerics;

namespace DemucsPS.Engine.Levels;

/// <summary>Greatest absolute sample.</summary>
internal static class SamplePeak
{
    /// <summary>The peak of finite samples; 0 for none.</summary>
    public static float Of(ReadOnlySpan<float> samples)
    {
        Vector<float> peaks = Vector<float>.Zero;
        int i = 0;
        for (; i <= samples.Length - Vector<float>.Count; i += Vector<float>.Count)
            peaks = Vector.Max(peaks, Vector.Abs(new Vector<float>(samples[i..])));
        float peak = 0;
        for (int lane = 0; lane < Vector<float>.Count; lane++)
            peak = Math.Max(peak, peaks[lane]);
        for (; i < samples.Length; i++)
            peak = Math.Max(peak, Math.Abs(samples[i]));
        return peak;
    }
}
