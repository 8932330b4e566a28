using System.Numerics;

namespace DemucsPS.Engine.Tests;

/// <summary>How far one signal lags behind another.</summary>
internal static class SignalLag
{
    // Sums of this many products still have all the digits that tell neighbors apart.
    private const int Block = 512;

    /// <summary>
    /// The lag at which the cross-correlation of a stretch is greatest; frames beyond the ends of the signal are silence.
    /// </summary>
    /// <param name="reference">The signal that does not lag.</param>
    /// <param name="signal">The signal that may.</param>
    /// <param name="start">The stretch's first frame in the reference.</param>
    /// <param name="length">Its frames.</param>
    /// <param name="most">The greatest lag, either way, in frames.</param>
    public static int Of(ReadOnlySpan<float> reference, ReadOnlySpan<float> signal, int start, int length, int most)
    {
        int best = 0;
        double greatest = double.NegativeInfinity;
        for (int lag = -most; lag <= most; lag++)
        {
            int from = Math.Max(start, -lag),
                to = Math.Min(start + length, signal.Length - lag);
            double sum = to > from ? Correlation(reference[from..to], signal[(from + lag)..(to + lag)]) : 0;
            if (sum > greatest)
                (greatest, best) = (sum, lag);
        }
        return best;
    }

    private static double Correlation(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        double sum = 0;
        for (int first = 0; first < a.Length; first += Block)
        {
            int end = Math.Min(first + Block, a.Length),
                i = first;
            Vector<float> products = Vector<float>.Zero;
            for (; i <= end - Vector<float>.Count; i += Vector<float>.Count)
                products += new Vector<float>(a[i..]) * new Vector<float>(b[i..]);
            sum += Vector.Sum(products);
            for (; i < end; i++)
                sum += a[i] * b[i];
        }
        return sum;
    }
}
