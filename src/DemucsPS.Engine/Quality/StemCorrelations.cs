using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Quality;

/// <summary>
/// Correlations of all channels of the references with each other and with those of the estimates, over a whole track of any length: Σₙ
/// x(n)·r(n − τ) for τ from 0 to one less than there are taps. Memory does not depend on the length.
/// </summary>
/// <remarks>
/// Blocks are transformed once as they are and once with the samples before them; products of spectra are summed up, and one transform at
/// the end gives the sums of all blocks.
/// </remarks>
internal sealed class StemCorrelations
{
    private readonly FilterLengths _lengths;
    private readonly int _lanes;
    private readonly ParallelOptions _parallel;
    private readonly EvaluationPool _stock;
    private readonly DoubleLaneFft[] _transforms = new DoubleLaneFft[BlockSpectra.Batch];

    // Frames of references and estimates: history, then the batch. What is correlated with them: the same without history.
    private readonly double[] _references;
    private readonly double[] _estimates;
    private readonly double[][] _blocks = new double[BlockSpectra.Batch][];
    private readonly double[][] _given = new double[BlockSpectra.Batch][];
    private readonly double[][] _delayed = new double[BlockSpectra.Batch][];
    private readonly double[] _products;
    private int _frames;
    private double[]? _correlations;

    /// <param name="lengths">Lengths of the filters: there are as many delays as taps.</param>
    /// <param name="channels">Channels of all references together, and of all estimates.</param>
    /// <param name="parallel">How many threads may work, and what ends them.</param>
    /// <param name="stock">Where its arrays come from.</param>
    public StemCorrelations(FilterLengths lengths, int channels, ParallelOptions parallel, EvaluationPool stock)
    {
        _lengths = lengths;
        _lanes = BlockSpectra.Lanes(channels);
        _parallel = parallel;
        _stock = stock;
        _references = stock.Take((_lengths.History + BlockSpectra.Batch * _lengths.BlockFrames) * _lanes);
        _estimates = stock.Take(_references.Length);
        _products = stock.Take(_lengths.Bins * _lanes * 2 * 2 * _lanes);
        for (int block = 0; block < BlockSpectra.Batch; block++)
        {
            _transforms[block] = stock.TakeTransform(_lengths.Size);
            _blocks[block] = stock.Take(_lengths.Size * _lanes);
            _given[block] = stock.Take(_lengths.Bins * 2 * 2 * _lanes);
            _delayed[block] = stock.Take(_lengths.Bins * 2 * _lanes);
        }
    }

    /// <summary>Length of the filters.</summary>
    public FilterLengths Lengths => _lengths;

    /// <summary>Adds the next frames.</summary>
    /// <param name="references">Frames of all lanes.</param>
    /// <param name="estimates">As many.</param>
    public void Add(ReadOnlySpan<double> references, ReadOnlySpan<double> estimates)
    {
        while (!references.IsEmpty)
        {
            int count = Math.Min(references.Length / _lanes, BlockSpectra.Batch * _lengths.BlockFrames - _frames) * _lanes;
            int at = (_lengths.History + _frames) * _lanes;
            references[..count].CopyTo(_references.AsSpan(at));
            estimates[..count].CopyTo(_estimates.AsSpan(at));
            references = references[count..];
            estimates = estimates[count..];
            _frames += count / _lanes;
            if (_frames == BlockSpectra.Batch * _lengths.BlockFrames)
                Flush();
        }
    }

    /// <summary>Ends the track.</summary>
    public void Complete()
    {
        if (_frames > 0)
        {
            int end = (_lengths.History + _frames) * _lanes;
            Array.Clear(_references, end, _references.Length - end);
            Array.Clear(_estimates, end, _estimates.Length - end);
            Flush();
        }
        double[] correlations = _stock.Take(_lanes * _lengths.Taps * 2 * _lanes);
        Parallel.For(
            0,
            _lanes,
            _parallel,
            () => (_stock.TakeTransform(_lengths.Size), _stock.Take(_lengths.Size * Vector<double>.Count)),
            (delayed, _, scratch) =>
            {
                (DoubleLaneFft fft, double[] samples) = scratch;
                for (int lane = 0; lane < 2 * _lanes; lane += Vector<double>.Count)
                {
                    fft.Inverse(
                        _products.AsSpan(delayed * 4 * _lanes + lane),
                        _lanes * 4 * _lanes,
                        2 * _lanes,
                        samples,
                        Vector<double>.Count
                    );
                    for (int lag = 0; lag < _lengths.Taps; lag++)
                    {
                        for (int i = 0; i < Vector<double>.Count; i++)
                            correlations[(delayed * _lengths.Taps + lag) * 2 * _lanes + lane + i] =
                                samples[lag * Vector<double>.Count + i] / _lengths.Size;
                    }
                }
                return scratch;
            },
            scratch =>
            {
                _stock.Give(scratch.Item1);
                _stock.Give(scratch.Item2);
            }
        );
        _correlations = correlations;
    }

    /// <summary>Gives its arrays back; it is of no use any more.</summary>
    public void Release()
    {
        foreach (object one in (object[])[_references, _estimates, _products, .. _blocks, .. _given, .. _delayed, .. _transforms])
            _stock.Give(one);
        if (_correlations is not null)
            _stock.Give(_correlations);
    }

    /// <summary>Σₙ rᵢ(n)·rⱼ(n − τ).</summary>
    /// <param name="given">Channel i of the references.</param>
    /// <param name="delayed">Channel j of the references.</param>
    /// <param name="lag">τ.</param>
    public double OfReferences(int given, int delayed, int lag) => _correlations![(delayed * _lengths.Taps + lag) * 2 * _lanes + given];

    /// <summary>Σₙ e(n)·rⱼ(n − τ).</summary>
    /// <param name="estimate">Channel of the estimates.</param>
    /// <param name="delayed">Channel j of the references.</param>
    /// <param name="lag">τ.</param>
    public double OfEstimate(int estimate, int delayed, int lag) =>
        _correlations![(delayed * _lengths.Taps + lag) * 2 * _lanes + _lanes + estimate];

    private void Flush()
    {
        int blocks = (_frames + _lengths.BlockFrames - 1) / _lengths.BlockFrames;
        Parallel.For(0, blocks, _parallel, block =>
        {
            DoubleLaneFft fft = _transforms[block];
            int start = block * _lengths.BlockFrames * _lanes,
                history = _lengths.History * _lanes,
                length = _lengths.Size * _lanes;
            BlockSpectra.Forward(fft, _references.AsSpan(start, length), _lanes, _delayed[block], _lanes, 0);
            Span<double> alone = _blocks[block];
            _references.AsSpan(start + history, length - history).CopyTo(alone[history..]);
            BlockSpectra.Forward(fft, alone, _lanes, _given[block], 2 * _lanes, 0);
            _estimates.AsSpan(start + history, length - history).CopyTo(alone[history..]);
            BlockSpectra.Forward(fft, alone, _lanes, _given[block], 2 * _lanes, _lanes);
        });
        BlockSpectra.ForBins(_lengths.Bins, _parallel, (first, end) => Multiply(blocks, first, end));
        _references.AsSpan(BlockSpectra.Batch * _lengths.BlockFrames * _lanes).CopyTo(_references);
        _frames = 0;
    }

    /// <summary>Adds the products of the spectra, one with the other's conjugate.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(int blocks, int first, int end)
    {
        int lanes = _lanes,
            given = 2 * lanes,
            width = Vector<double>.Count;
        for (int bin = first; bin < end; bin++)
        {
            for (int delayed = 0; delayed < lanes; delayed++)
            {
                ref double product = ref _products[(bin * lanes + delayed) * 2 * given];
                for (int lane = 0; lane < given; lane += 2 * width)
                {
                    // Two vectors: there are two for each of the lanes, so their number is even.
                    Vector<double> re0 = Vector.LoadUnsafe(ref product, (nuint)lane),
                        im0 = Vector.LoadUnsafe(ref product, (nuint)(lane + given));
                    Vector<double> re1 = Vector.LoadUnsafe(ref product, (nuint)(lane + width)),
                        im1 = Vector.LoadUnsafe(ref product, (nuint)(lane + width + given));
                    for (int block = 0; block < blocks; block++)
                    {
                        ref double x = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_given[block]), bin * 2 * given + lane);
                        ref double y = ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_delayed[block]), bin * 2 * lanes + delayed);
                        Vector<double> yRe = new(y),
                            yIm = new(Unsafe.Add(ref y, lanes));
                        Vector<double> x0Re = Vector.LoadUnsafe(ref x),
                            x0Im = Vector.LoadUnsafe(ref x, (nuint)given);
                        Vector<double> x1Re = Vector.LoadUnsafe(ref x, (nuint)width),
                            x1Im = Vector.LoadUnsafe(ref x, (nuint)(given + width));
                        re0 = Vector.FusedMultiplyAdd(x0Re, yRe, Vector.FusedMultiplyAdd(x0Im, yIm, re0));
                        im0 = Vector.FusedMultiplyAdd(x0Im, yRe, Vector.FusedMultiplyAdd(-x0Re, yIm, im0));
                        re1 = Vector.FusedMultiplyAdd(x1Re, yRe, Vector.FusedMultiplyAdd(x1Im, yIm, re1));
                        im1 = Vector.FusedMultiplyAdd(x1Im, yRe, Vector.FusedMultiplyAdd(-x1Re, yIm, im1));
                    }
                    re0.StoreUnsafe(ref product, (nuint)lane);
                    im0.StoreUnsafe(ref product, (nuint)(lane + given));
                    re1.StoreUnsafe(ref product, (nuint)(lane + width));
                    im1.StoreUnsafe(ref product, (nuint)(lane + width + given));
                }
            }
        }
    }
}
