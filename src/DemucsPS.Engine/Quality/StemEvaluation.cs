using System.Numerics;

namespace DemucsPS.Engine.Quality;

/// <summary>
/// What the samples of a track's estimates and references say, without names, files or medians: BSS Eval v4, nSDR and SI-SDR.
/// </summary>
/// <param name="Frames">Length of the references.</param>
/// <param name="Windows">Start of each window, and sums of squares of each stem in it; null if a stem is silent.</param>
/// <param name="NSdr">The challenge's global SDR of each stem in dB.</param>
/// <param name="SiSdr">Scale-invariant SDR of each stem in dB, over all channels; NaN where the reference is silent.</param>
/// <param name="IsSilent">Of each stem's reference, then of each estimate, whether it is silent throughout.</param>
/// <param name="Loading">Where filters were only found with more loading than usual: how much.</param>
internal sealed record StemEvaluation(
    long Frames,
    IReadOnlyList<(long Start, WindowSums[]? Sums)> Windows,
    double[] NSdr,
    double[] SiSdr,
    bool[] IsSilent,
    double? Loading
)
{
    // What the music demixing challenge adds to both sums.
    private const double ChallengeDelta = 1e-7;

    private const int ReadFrames = 8192;

    /// <summary>Measures a track. Its frames are read twice; memory does not depend on its length.</summary>
    /// <param name="open">Opens its frames at their start.</param>
    /// <param name="isMeasured">Of each stem, whether there is an estimate; without one the reference only takes part in the
    /// interference.</param>
    /// <param name="channels">Channels of each stem.</param>
    /// <param name="window">Frames of a window; null for the whole track.</param>
    /// <param name="hop">Frames from one window to the next.</param>
    /// <param name="filters">Whether ISR, SIR and SAR are wanted.</param>
    /// <param name="windows">Whether any figure of windows is wanted.</param>
    /// <param name="threads">How many may work.</param>
    /// <param name="progress">Takes shares of the work done, 0 … 1.</param>
    /// <param name="lengths">Lengths of the filters; null for those of BSS Eval v4.</param>
    /// <param name="stock">Where large arrays come from, for as long as the track lasts.</param>
    /// <param name="cancellationToken">Ends the work.</param>
    public static StemEvaluation Compute(
        Func<IStemFrames> open,
        bool[] isMeasured,
        int channels,
        long? window,
        long hop,
        bool filters,
        bool windows,
        int threads,
        Action<double>? progress,
        FilterLengths? lengths,
        EvaluationPool stock,
        CancellationToken cancellationToken
    )
    {
        int stems = isMeasured.Length,
            lanes = BlockSpectra.Lanes(stems * channels);
        ParallelOptions parallel = new() { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken };
        double[] reference = new double[lanes],
            error = new double[lanes],
            product = new double[lanes],
            estimate = new double[lanes];
        double[] referenceFrames = stock.Take(ReadFrames * lanes),
            estimateFrames = stock.Take(ReadFrames * lanes);
        long frames = 0;
        StemCorrelations? correlations = filters
            ? new StemCorrelations(lengths ?? FilterLengths.Bss, stems * channels, parallel, stock)
            : null;
        using (IStemFrames source = open())
        {
            for (int count; (count = source.Read(referenceFrames, estimateFrames, lanes)) > 0; frames += count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                AddSquares(referenceFrames.AsSpan(0, count * lanes), estimateFrames, lanes, reference, estimate, error, product);
                correlations?.Add(referenceFrames.AsSpan(0, count * lanes), estimateFrames.AsSpan(0, count * lanes));
            }
        }
        progress?.Invoke(0.4);
        WindowFilter? filter = null;
        double? loading = null;
        if (correlations is not null)
        {
            correlations.Complete();
            DistortionFilters solved = DistortionFilters.Solve(correlations, stems, channels, parallel, stock);
            loading = solved.Loading;
            correlations.Release();
            filter = new WindowFilter(solved, parallel, stock);
        }
        progress?.Invoke(0.6);

        double[] alphas = new double[lanes],
            residual = new double[lanes],
            scaled = new double[lanes];
        for (int stem = 0; stem < stems; stem++)
        {
            double alpha = Over(product, stem) / Over(reference, stem);
            alphas.AsSpan(stem * channels, channels).Fill(double.IsFinite(alpha) ? alpha : 0);
        }
        long length = window is { } w && w < frames ? w : frames,
            last = window is null || window >= frames ? 0 : (frames - length) / hop * hop;
        List<(long, WindowSums[]?)> results = [];
        Queue<BssWindow> active = [];
        long at = 0,
            next = 0;
        using (IStemFrames source = open())
        {
            for (int count; (count = source.Read(referenceFrames, estimateFrames, lanes)) > 0; at += count)
            {
                cancellationToken.ThrowIfCancellationRequested();
                AddResiduals(referenceFrames.AsSpan(0, count * lanes), estimateFrames, lanes, alphas, residual, scaled);
                if (!windows)
                    continue;
                // One after the other, so that short windows, of which many are in what was read, use the same arrays.
                for (int running = active.Count; running > 0; running--)
                    Continue(active.Dequeue(), count);
                for (; next <= last && next < at + count; next += hop)
                    Continue(new BssWindow(next, stems, channels, filter, stock), count);
                progress?.Invoke(0.6 + 0.4 * (at + count) / frames);
            }
        }
        double[] nSdr = new double[stems],
            siSdr = new double[stems];
        for (int stem = 0; stem < stems; stem++)
        {
            nSdr[stem] = 10 * Math.Log10((Over(reference, stem) + ChallengeDelta) / (Over(error, stem) + ChallengeDelta));
            siSdr[stem] = Over(reference, stem) > 0 ? 10 * Math.Log10(Over(scaled, stem) / Over(residual, stem)) : double.NaN;
        }
        bool[] silent = [.. Enumerable.Range(0, 2 * stems).Select(i => Over(i < stems ? reference : estimate, i % stems) == 0)];
        return new StemEvaluation(frames, results, nSdr, siSdr, silent, loading);

        void Continue(BssWindow one, int count)
        {
            int first = (int)Math.Max(one.Start - at, 0),
                end = (int)Math.Min(one.Start + length - at, count);
            one.Add(
                referenceFrames.AsSpan(first * lanes, (end - first) * lanes),
                estimateFrames.AsSpan(first * lanes, (end - first) * lanes)
            );
            if (one.Start + length <= at + count)
                results.Add((one.Start, one.Complete(isMeasured)));
            else
                active.Enqueue(one);
        }

        double Over(double[] sums, int stem)
        {
            double sum = 0;
            for (int channel = 0; channel < channels; channel++)
                sum += sums[stem * channels + channel];
            return sum;
        }
    }

    /// <summary>Adds r², e², (r − e)² and r·e of each lane.</summary>
    private static void AddSquares(
        ReadOnlySpan<double> references,
        ReadOnlySpan<double> estimates,
        int lanes,
        double[] reference,
        double[] estimate,
        double[] error,
        double[] product
    )
    {
        for (int lane = 0; lane < lanes; lane += Vector<double>.Count)
        {
            Vector<double> square = new(reference, lane),
                own = new(estimate, lane),
                difference = new(error, lane),
                both = new(product, lane);
            for (int at = lane; at < references.Length; at += lanes)
            {
                Vector<double> r = new(references[at..]),
                    e = new(estimates[at..]);
                square += r * r;
                own += e * e;
                both += r * e;
                e -= r;
                difference += e * e;
            }
            square.CopyTo(reference, lane);
            own.CopyTo(estimate, lane);
            difference.CopyTo(error, lane);
            both.CopyTo(product, lane);
        }
    }

    /// <summary>Adds (α·r − e)² and (α·r)² of each lane.</summary>
    private static void AddResiduals(
        ReadOnlySpan<double> references,
        ReadOnlySpan<double> estimates,
        int lanes,
        double[] alphas,
        double[] residual,
        double[] scaled
    )
    {
        for (int lane = 0; lane < lanes; lane += Vector<double>.Count)
        {
            Vector<double> alpha = new(alphas, lane),
                difference = new(residual, lane),
                square = new(scaled, lane);
            for (int at = lane; at < references.Length; at += lanes)
            {
                Vector<double> r = alpha * new Vector<double>(references[at..]),
                    e = r - new Vector<double>(estimates[at..]);
                square += r * r;
                difference += e * e;
            }
            difference.CopyTo(residual, lane);
            square.CopyTo(scaled, lane);
        }
    }
}
