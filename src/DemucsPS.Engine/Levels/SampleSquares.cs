using System.Numerics;

namespace DemucsPS.Engine.Levels;

/// <summary>Energy of samples.</summary>
internal static class SampleSquares
{
    /// <summary>Σ x², in double precision.</summary>
    public static double Sum(ReadOnlySpan<float> samples) => Product(samples, samples);

    /// <summary>Σ x·y, in double precision.</summary>
    /// <param name="one">The first factors.</param>
    /// <param name="other">The second ones, at least as many.</param>
    public static double Product(ReadOnlySpan<float> one, ReadOnlySpan<float> other)
    {
        Vector<double> sums = Vector<double>.Zero;
        int i = 0;
        for (; i <= one.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(one[i..]), out Vector<double> low, out Vector<double> high);
            Vector.Widen(new Vector<float>(other[i..]), out Vector<double> lower, out Vector<double> upper);
            sums += low * lower + high * upper;
        }
        double sum = Vector.Sum(sums);
        for (; i < one.Length; i++)
            sum += (double)one[i] * other[i];
        return sum;
    }
}
