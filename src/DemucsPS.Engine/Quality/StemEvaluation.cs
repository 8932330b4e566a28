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
        TrackSums sums = new(stems, channels, lanes);
        FrameBlock block = new(open, lanes, stock, cancellationToken);
        StemCorrelations? correlations = filters
            ? new StemCorrelations(lengths ?? FilterLengths.Bss, stems * channels, parallel, stock)
            : null;
        long frames = 0;
        foreach (int count in block.ReadAll())
        {
            sums.AddSquares(block.References(0, count), block.Estimates(0, count));
            correlations?.Add(block.References(0, count), block.Estimates(0, count));
            frames += count;
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

        sums.Project();
        WindowRow row = new(frames, window, hop, isMeasured, start => new BssWindow(start, stems, channels, filter, stock));
        long at = 0;
        foreach (int count in block.ReadAll())
        {
            sums.AddResiduals(block.References(0, count), block.Estimates(0, count));
            if (windows)
            {
                row.Add(block, at, count);
                progress?.Invoke(0.6 + 0.4 * (at + count) / frames);
            }
            at += count;
        }
        return new StemEvaluation(frames, row.Results, sums.NSdr, sums.SiSdr, sums.IsSilent, loading);
    }

    /// <summary>Reads the track's frames from their start, as often as asked, a block at a time into the same arrays.</summary>
    private sealed class FrameBlock(Func<IStemFrames> open, int lanes, EvaluationPool stock, CancellationToken cancellationToken)
    {
        private readonly double[] _references = stock.Take(ReadFrames * lanes);
        private readonly double[] _estimates = stock.Take(ReadFrames * lanes);

        /// <summary>Gives how many frames each block has.</summary>
        public IEnumerable<int> ReadAll()
        {
            using IStemFrames source = open();
            int count;
            while ((count = source.Read(_references, _estimates, lanes)) > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return count;
            }
        }

        public ReadOnlySpan<double> References(int first, int end) => _references.AsSpan(first * lanes, (end - first) * lanes);

        public ReadOnlySpan<double> Estimates(int first, int end) => _estimates.AsSpan(first * lanes, (end - first) * lanes);
    }

    /// <summary>The windows of the track, one after the other or overlapping, and those that are complete.</summary>
    private sealed class WindowRow(long frames, long? window, long hop, bool[] isMeasured, Func<long, BssWindow> begin)
    {
        private readonly long _length = window is { } w && w < frames ? w : frames;
        private readonly long _last = window is null || window >= frames ? 0 : (frames - window.Value) / hop * hop;
        private readonly Queue<BssWindow> _active = [];
        private long _next;

        public List<(long Start, WindowSums[]? Sums)> Results { get; } = [];

        /// <summary>Adds a block's frames, the first of which is at <paramref name="at"/>, to the windows that they are in.</summary>
        public void Add(FrameBlock block, long at, int count)
        {
            // One after the other, so that short windows, of which many are in what was read, use the same arrays.
            for (int running = _active.Count; running > 0; running--)
                Continue(_active.Dequeue(), block, at, count);
            for (; _next <= _last && _next < at + count; _next += hop)
                Continue(begin(_next), block, at, count);
        }

        private void Continue(BssWindow one, FrameBlock block, long at, int count)
        {
            int first = (int)Math.Max(one.Start - at, 0),
                end = (int)Math.Min(one.Start + _length - at, count);
            one.Add(block.References(first, end), block.Estimates(first, end));
            if (one.Start + _length <= at + count)
                Results.Add((one.Start, one.Complete(isMeasured)));
            else
                _active.Enqueue(one);
        }
    }

    /// <summary>Sums over the whole track for each lane: first the squares, then, as far as they need them, the residuals.</summary>
    private sealed class TrackSums(int stems, int channels, int lanes)
    {
        private readonly double[] _reference = new double[lanes];
        private readonly double[] _estimate = new double[lanes];
        private readonly double[] _error = new double[lanes];
        private readonly double[] _product = new double[lanes];
        private readonly double[] _alphas = new double[lanes];
        private readonly double[] _residual = new double[lanes];
        private readonly double[] _scaled = new double[lanes];

        public double[] NSdr => OfStems(s => 10 * Math.Log10((Over(_reference, s) + ChallengeDelta) / (Over(_error, s) + ChallengeDelta)));

        public double[] SiSdr =>
            OfStems(s => Over(_reference, s) > 0 ? 10 * Math.Log10(Over(_scaled, s) / Over(_residual, s)) : double.NaN);

        public bool[] IsSilent => [.. OfStems(s => Over(_reference, s)).Concat(OfStems(s => Over(_estimate, s))).Select(sum => sum == 0)];

        /// <summary>Adds r², e², (r − e)² and r·e of each lane.</summary>
        public void AddSquares(ReadOnlySpan<double> references, ReadOnlySpan<double> estimates)
        {
            for (int lane = 0; lane < lanes; lane += Vector<double>.Count)
            {
                Vector<double> square = new(_reference, lane),
                    own = new(_estimate, lane),
                    difference = new(_error, lane),
                    both = new(_product, lane);
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
                square.CopyTo(_reference, lane);
                own.CopyTo(_estimate, lane);
                difference.CopyTo(_error, lane);
                both.CopyTo(_product, lane);
            }
        }

        /// <summary>Ends the squares: finds the factor α by which each reference is nearest to its estimate.</summary>
        public void Project()
        {
            for (int stem = 0; stem < stems; stem++)
            {
                double alpha = Over(_product, stem) / Over(_reference, stem);
                _alphas.AsSpan(stem * channels, channels).Fill(double.IsFinite(alpha) ? alpha : 0);
            }
        }

        /// <summary>Adds (α·r − e)² and (α·r)² of each lane.</summary>
        public void AddResiduals(ReadOnlySpan<double> references, ReadOnlySpan<double> estimates)
        {
            for (int lane = 0; lane < lanes; lane += Vector<double>.Count)
            {
                Vector<double> alpha = new(_alphas, lane),
                    difference = new(_residual, lane),
                    square = new(_scaled, lane);
                for (int at = lane; at < references.Length; at += lanes)
                {
                    Vector<double> r = alpha * new Vector<double>(references[at..]),
                        e = r - new Vector<double>(estimates[at..]);
                    square += r * r;
                    difference += e * e;
                }
                difference.CopyTo(_residual, lane);
                square.CopyTo(_scaled, lane);
            }
        }

        private double[] OfStems(Func<int, double> figure) => [.. Enumerable.Range(0, stems).Select(figure)];

        private double Over(double[] sums, int stem)
        {
            double sum = 0;
            for (int channel = 0; channel < channels; channel++)
                sum += sums[stem * channels + channel];
            return sum;
        }
    }
}
