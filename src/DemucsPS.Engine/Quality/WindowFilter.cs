using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Quality;

/// <summary>
/// Scratch of <see cref="BssWindow"/>: filters blocks of a window, several at a time, and sums the squares of what comes out.
/// </summary>
internal sealed class WindowFilter
{
    private readonly DistortionFilters _filters;
    private readonly FilterLengths _lengths;
    private readonly int _lanes;
    private readonly ParallelOptions _parallel;
    private readonly DoubleLaneFft[] _transforms = new DoubleLaneFft[BlockSpectra.Batch];
    private readonly double[][] _spectra = new double[BlockSpectra.Batch][];
    private readonly double[][] _products = new double[BlockSpectra.Batch][];
    private readonly double[][] _outputs = new double[BlockSpectra.Batch][];

    /// <param name="filters">The track's.</param>
    /// <param name="parallel">How many threads may work, and what ends them.</param>
    /// <param name="stock">Where its arrays come from.</param>
    public WindowFilter(DistortionFilters filters, ParallelOptions parallel, EvaluationPool stock)
    {
        _filters = filters;
        _lengths = filters.Lengths;
        _lanes = filters.Lanes;
        _parallel = parallel;
        for (int block = 0; block < BlockSpectra.Batch; block++)
        {
            _transforms[block] = stock.TakeTransform(_lengths.Size);
            _spectra[block] = stock.Take(_lengths.Bins * 2 * _lanes);
            _products[block] = stock.Take(_lengths.Bins * 4 * _lanes);
            _outputs[block] = stock.Take(_lengths.Size * 2 * _lanes);
        }
    }

    /// <summary>Length of the filters.</summary>
    public FilterLengths Lengths => _lengths;

    /// <summary>Filters frames and adds to the sums of squares.</summary>
    /// <param name="references">As many frames before as filters look back, then the frames, filled up with zeros to whole blocks.</param>
    /// <param name="estimates">The same of the estimates.</param>
    /// <param name="frames">Number of frames, at most those of a batch.</param>
    /// <param name="sums">[sum][lane]: |Pⱼ|², |Pⱼ − s|², |P − Pⱼ|², |P|², |e − P|².</param>
    public void Add(double[] references, double[] estimates, int frames, double[] sums)
    {
        int blocks = (frames + _lengths.BlockFrames - 1) / _lengths.BlockFrames;
        int stride = _lengths.BlockFrames * _lanes;
        Parallel.For(0, blocks, _parallel, block =>
            BlockSpectra.Forward(
                _transforms[block],
                references.AsSpan(block * stride, _lengths.Size * _lanes),
                _lanes,
                _spectra[block],
                _lanes,
                0
            )
        );
        BlockSpectra.ForBins(_lengths.Bins, _parallel, (first, end) => Multiply(blocks, first, end));
        double[][] parts = new double[blocks][];
        Parallel.For(0, blocks, _parallel, block =>
        {
            for (int lane = 0; lane < 2 * _lanes; lane += Vector<double>.Count)
                _transforms[block].Inverse(_products[block].AsSpan(lane), 4 * _lanes, 2 * _lanes, _outputs[block].AsSpan(lane), 2 * _lanes);
            int at = block * stride + _lengths.History * _lanes,
                count = Math.Min(_lengths.BlockFrames, frames - block * _lengths.BlockFrames);
            parts[block] = Squares(
                _outputs[block].AsSpan(_lengths.History * 2 * _lanes),
                references.AsSpan(at),
                estimates.AsSpan(at),
                count
            );
        });
        foreach (double[] part in parts)
        {
            for (int i = 0; i < sums.Length; i++)
                sums[i] += part[i];
        }
    }

    /// <summary>Products of the references' spectra with the filters' answers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Multiply(int blocks, int first, int end)
    {
        int lanes = _lanes,
            outputs = 2 * lanes;
        for (int bin = first; bin < end; bin++)
        {
            for (int output = 0; output < outputs; output += Vector<double>.Count)
            {
                ref double answer = ref _filters.Spectra[bin * lanes * 2 * outputs + output];
                int block = 0;
                for (; block <= blocks - 2; block += 2)
                {
                    ref double x = ref _spectra[block][bin * 2 * lanes],
                        y = ref _spectra[block + 1][bin * 2 * lanes];
                    Vector<double> re0 = default,
                        im0 = default,
                        re1 = default,
                        im1 = default;
                    for (int channel = 0; channel < lanes; channel++)
                    {
                        Vector<double> hRe = Vector.LoadUnsafe(ref answer, (nuint)(channel * 2 * outputs)),
                            hIm = Vector.LoadUnsafe(ref answer, (nuint)((channel * 2 + 1) * outputs));
                        Add(hRe, hIm, ref Unsafe.Add(ref x, channel), lanes, ref re0, ref im0);
                        Add(hRe, hIm, ref Unsafe.Add(ref y, channel), lanes, ref re1, ref im1);
                    }
                    Store(block, bin, output, re0, im0);
                    Store(block + 1, bin, output, re1, im1);
                }
                if (block < blocks)
                {
                    ref double x = ref _spectra[block][bin * 2 * lanes];
                    Vector<double> re = default,
                        im = default;
                    for (int channel = 0; channel < lanes; channel++)
                    {
                        Vector<double> hRe = Vector.LoadUnsafe(ref answer, (nuint)(channel * 2 * outputs)),
                            hIm = Vector.LoadUnsafe(ref answer, (nuint)((channel * 2 + 1) * outputs));
                        Add(hRe, hIm, ref Unsafe.Add(ref x, channel), lanes, ref re, ref im);
                    }
                    Store(block, bin, output, re, im);
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static void Add(Vector<double> hRe, Vector<double> hIm, ref double x, int lanes, ref Vector<double> re, ref Vector<double> im)
        {
            Vector<double> xRe = new(x),
                xIm = new(Unsafe.Add(ref x, lanes));
            re = Vector.FusedMultiplyAdd(hRe, xRe, Vector.FusedMultiplyAdd(-hIm, xIm, re));
            im = Vector.FusedMultiplyAdd(hRe, xIm, Vector.FusedMultiplyAdd(hIm, xRe, im));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Store(int block, int bin, int output, Vector<double> re, Vector<double> im)
    {
        ref double to = ref _products[block][bin * 4 * _lanes + output];
        re.StoreUnsafe(ref to);
        im.StoreUnsafe(ref to, (nuint)(2 * _lanes));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private double[] Squares(ReadOnlySpan<double> outputs, ReadOnlySpan<double> references, ReadOnlySpan<double> estimates, int frames)
    {
        double[] sums = new double[BssWindow.FilteredSums * _lanes];
        ref double all = ref MemoryMarshal.GetReference(outputs),
            reference = ref MemoryMarshal.GetReference(references),
            estimate = ref MemoryMarshal.GetReference(estimates);
        for (int lane = 0; lane < _lanes; lane += Vector<double>.Count)
        {
            Vector<double> target = default,
                spatial = default,
                interference = default,
                explained = default,
                artifact = default;
            for (int frame = 0; frame < frames; frame++)
            {
                Vector<double> p = Vector.LoadUnsafe(ref all, (nuint)(frame * 2 * _lanes + lane)),
                    own = Vector.LoadUnsafe(ref all, (nuint)((frame * 2 + 1) * _lanes + lane));
                Vector<double> s = Vector.LoadUnsafe(ref reference, (nuint)(frame * _lanes + lane)),
                    e = Vector.LoadUnsafe(ref estimate, (nuint)(frame * _lanes + lane));
                target += own * own;
                explained += p * p;
                s = own - s;
                spatial += s * s;
                e -= p;
                artifact += e * e;
                p -= own;
                interference += p * p;
            }
            target.CopyTo(sums, lane);
            spatial.CopyTo(sums, _lanes + lane);
            interference.CopyTo(sums, 2 * _lanes + lane);
            explained.CopyTo(sums, 3 * _lanes + lane);
            artifact.CopyTo(sums, 4 * _lanes + lane);
        }
        return sums;
    }
}
