using DemucsPS.Engine.Quality;

namespace DemucsPS.Engine.Tests.Quality;

/// <summary>BSS Eval by its definition, sample by sample and without any transform: slow, and easy to check by eye.</summary>
internal static class LeastSquares
{
    /// <summary>Sums of squares of each stem in a window.</summary>
    public static WindowSums[] Measure(double[][][] references, double[][][] estimates, int taps, int start, int length)
    {
        int channels = references[0].Length;
        double[][] all = [.. references.SelectMany(stem => stem)];
        return
        [
            .. estimates.Select(
                (stem, j) =>
                {
                    double[][] own = references[j],
                        window = Cut(own),
                        everything = Cut(all);
                    double[] sums = new double[WindowSums.Count];
                    for (int c = 0; c < channels; c++)
                    {
                        double[] s = [.. window[c], .. new double[taps - 1]],
                            e = [.. stem[c][start..(start + length)], .. new double[taps - 1]];
                        double[] p = Filter(everything, Solve(all, stem[c], taps), taps),
                            pj = Filter(window, Solve(own, stem[c], taps), taps);
                        for (int n = 0; n < s.Length; n++)
                        {
                            sums[0] += s[n] * s[n];
                            sums[1] += Square(e[n] - s[n]);
                            sums[2] += pj[n] * pj[n];
                            sums[3] += Square(pj[n] - s[n]);
                            sums[4] += Square(p[n] - pj[n]);
                            sums[5] += p[n] * p[n];
                            sums[6] += Square(e[n] - p[n]);
                        }
                    }
                    return new WindowSums(sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6]);
                }
            ),
        ];

        double[][] Cut(double[][] signals) => [.. signals.Select(x => x[start..(start + length)])];
    }

    private static double Square(double x) => x * x;

    private static double[] Filter(double[][] signals, double[] filters, int taps)
    {
        double[] result = new double[signals[0].Length + taps - 1];
        for (int i = 0; i < signals.Length; i++)
        {
            for (int n = 0; n < signals[i].Length; n++)
            {
                for (int tap = 0; tap < taps; tap++)
                    result[n + tap] += filters[i * taps + tap] * signals[i][n];
            }
        }
        return result;
    }

    /// <summary>Normal equations over the zero-extended signals, by elimination.</summary>
    private static double[] Solve(double[][] signals, double[] target, int taps)
    {
        int size = signals.Length * taps,
            length = target.Length + taps - 1;
        double[][] columns = new double[size][];
        for (int u = 0; u < size; u++)
        {
            columns[u] = new double[length];
            signals[u / taps].CopyTo(columns[u], u % taps);
        }
        double[][] rows = [.. columns.Select(a => columns.Select(b => Dot(a, b)).Append(Dot(a, target)).ToArray())];
        for (int k = 0; k < size; k++)
        {
            int best = Enumerable.Range(k, size - k).MaxBy(r => Math.Abs(rows[r][k]));
            (rows[k], rows[best]) = (rows[best], rows[k]);
            for (int r = k + 1; r < size; r++)
            {
                double factor = rows[r][k] / rows[k][k];
                for (int c = k; c <= size; c++)
                    rows[r][c] -= factor * rows[k][c];
            }
        }
        double[] x = new double[size];
        for (int k = size - 1; k >= 0; k--)
            x[k] = (rows[k][size] - Enumerable.Range(k + 1, size - k - 1).Sum(c => rows[k][c] * x[c])) / rows[k][k];
        return x;

        static double Dot(double[] a, double[] b)
        {
            double sum = 0;
            for (int i = 0; i < Math.Min(a.Length, b.Length); i++)
                sum += a[i] * b[i];
            return sum;
        }
    }
}
