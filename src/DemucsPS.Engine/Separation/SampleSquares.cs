using System.Numerics;

namespace DemucsPS.Engine.Separation;

/// <summary>Energy of samples.</summary>
internal static class SampleSquares
{
    /// <summary>Σ x², in double precision.</summary>
    public static double Sum(ReadOnlySpan<float> samples)
    {
        Vector<double> sums = Vector<double>.Zero;
        int i = 0;
        for (; i <= samples.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(samples[i..]), out Vector<double> low, out Vector<double> high);
            sums += low * low + high * high;
        }
        double sum = Vector.Sum(sums);
        for (; i < samples.Length; i++)
            sum += (double)samples[i] * samples[i];
        return sum;
    }
}
