using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Spectral;

/// <summary>
/// Fourier transform of real frames, several frames at once: element k is a vector whose lane j belongs to frame j. No shuffles are needed,
/// and the lanes lie side by side in a [bins][frames] spectrogram.
/// </summary>
/// <remarks>
/// A real transform of n samples is a complex one of n/2 (even samples real, odd samples imaginary) and a split step. The complex transform
/// of N = N₁·N₂ elements is N₂ transforms of N₁, a product with twiddles and N₁ transforms of N₂ (Bailey's four steps): with eight lanes
/// the 2,048 elements of a frame of 4,096 samples are four times the first cache, but 64 and 32 of them stay in it. Two groups of frames
/// are done together because their lanes make up a cache line of the spectrogram. Twiddles are computed in double. Not thread-safe: an
/// instance owns its scratch; make one a thread.
/// </remarks>
internal sealed class LaneFft
{
    /// <summary>Groups of frames that one call can transform.</summary>
    public const int MaxGroups = 2;

    // Rows of a power of two would fall on the same few lines of the cache.
    private const int RowPadding = 2;

    private readonly int _half;
    private readonly int _columns;
    private readonly int _rows;
    private readonly StockhamLanes _column;
    private readonly StockhamLanes _row;
    private readonly float[] _twiddleCos;
    private readonly float[] _twiddleSin;
    private readonly float[] _splitCos;
    private readonly float[] _splitSin;
    private readonly Vector<float>[] _middleRe;
    private readonly Vector<float>[] _middleIm;
    private readonly PaddedLanes[] _bins = new PaddedLanes[MaxGroups];

    /// <summary>Prepares transforms of <paramref name="size"/> samples.</summary>
    /// <param name="size">Frame length in samples: a power of two, at least 4.</param>
    public LaneFft(int size)
    {
        if (size < 4 || !BitOperations.IsPow2(size))
            throw new ArgumentOutOfRangeException(nameof(size), size, "The transform size must be a power of two and at least 4.");
        Size = size;
        _half = size / 2;
        _columns = 1 << (BitOperations.Log2((uint)_half) + 1) / 2;
        _rows = _half / _columns;
        _column = new StockhamLanes(_columns);
        _row = new StockhamLanes(_rows);
        _twiddleCos = new float[_half];
        _twiddleSin = new float[_half];
        for (int row = 0; row < _rows; row++)
        {
            for (int k = 0; k < _columns; k++)
            {
                double angle = -2 * Math.PI * row * k / _half;
                _twiddleCos[row * _columns + k] = (float)Math.Cos(angle);
                _twiddleSin[row * _columns + k] = (float)Math.Sin(angle);
            }
        }
        _splitCos = new float[_half];
        _splitSin = new float[_half];
        for (int k = 0; k < _half; k++)
        {
            double angle = -2 * Math.PI * k / size;
            _splitCos[k] = (float)Math.Cos(angle);
            _splitSin[k] = (float)Math.Sin(angle);
        }
        _middleRe = new Vector<float>[_rows * (_columns + RowPadding)];
        _middleIm = new Vector<float>[_rows * (_columns + RowPadding)];
        for (int group = 0; group < MaxGroups; group++)
            _bins[group] = new PaddedLanes(_half, _columns);
    }

    /// <summary>Frame length in samples.</summary>
    public int Size { get; }

    /// <summary>
    /// Forward transform, unscaled: X[k] = Σ x[n]·e^(−2πikn/size), for the bins 0 … size/2 − 1; the Nyquist bin is not kept.
    /// </summary>
    /// <param name="groups">Groups of frames, 1 or 2.</param>
    /// <param name="samples">size/2 elements: samples 2m and 2m + 1. All are read before the first bin is stored.</param>
    /// <param name="bins">Takes size/2 elements: real and imaginary parts.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Forward<TSamples, TBins>(int groups, TSamples samples, TBins bins)
        where TSamples : struct, ILaneReader, allows ref struct
        where TBins : struct, ILaneWriter, allows ref struct
    {
        for (int group = 0; group < groups; group++)
            Transform(group, samples, _bins[group]);
        for (int group = 0; group < groups; group++)
        {
            _bins[group].Load(group, 0, out Vector<float> re, out Vector<float> im);
            bins.Store(group, 0, re + im, Vector<float>.Zero);
        }
        Vector<float> half = new(0.5f);
        for (int k = 1, mirror = _half - 1; k <= mirror; k++, mirror--)
        {
            Vector<float> c = new(_splitCos[k]),
                s = new(_splitSin[k]);
            for (int group = 0; group < groups; group++)
            {
                // E and O are the spectra of the even and the odd samples; bins k and half − k come from the same pair.
                _bins[group].Load(group, k, out Vector<float> re, out Vector<float> im);
                _bins[group].Load(group, mirror, out Vector<float> mirrorRe, out Vector<float> mirrorIm);
                Vector<float> eRe = (re + mirrorRe) * half;
                Vector<float> eIm = (im - mirrorIm) * half;
                Vector<float> oRe = (im + mirrorIm) * half;
                Vector<float> oIm = (mirrorRe - re) * half;
                Vector<float> tRe = Vector.MultiplyAddEstimate(-oIm, s, oRe * c);
                Vector<float> tIm = Vector.MultiplyAddEstimate(oIm, c, oRe * s);
                bins.Store(group, k, eRe + tRe, eIm + tIm);
                if (mirror != k)
                    bins.Store(group, mirror, eRe - tRe, tIm - eIm);
            }
        }
    }

    /// <summary>
    /// Inverse of <see cref="Forward"/> for a zero Nyquist bin, scaled by <c>size</c>. The imaginary part of bin 0 is ignored, as every
    /// complex-to-real transform does.
    /// </summary>
    /// <param name="groups">Groups of frames, 1 or 2.</param>
    /// <param name="bins">size/2 elements: real and imaginary parts. All are read before the first sample is stored.</param>
    /// <param name="samples">Takes size/2 elements: size·x[2m] and size·x[2m + 1].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Inverse<TBins, TSamples>(int groups, TBins bins, TSamples samples)
        where TBins : struct, ILaneReader, allows ref struct
        where TSamples : struct, ILaneWriter, allows ref struct
    {
        // The inverse complex transform is the forward one with the roles of the real and imaginary parts exchanged.
        for (int group = 0; group < groups; group++)
        {
            bins.Load(group, 0, out Vector<float> re, out _);
            _bins[group].Store(group, 0, re, re);
        }
        for (int k = 1, mirror = _half - 1; k <= mirror; k++, mirror--)
        {
            Vector<float> c = new(_splitCos[k]),
                s = new(_splitSin[k]);
            for (int group = 0; group < groups; group++)
            {
                bins.Load(group, k, out Vector<float> re, out Vector<float> im);
                bins.Load(group, mirror, out Vector<float> mirrorRe, out Vector<float> mirrorIm);
                Vector<float> eRe = re + mirrorRe;
                Vector<float> eIm = im - mirrorIm;
                Vector<float> dRe = re - mirrorRe;
                Vector<float> dIm = im + mirrorIm;
                Vector<float> oRe = Vector.MultiplyAddEstimate(dIm, s, dRe * c);
                Vector<float> oIm = Vector.MultiplyAddEstimate(-dRe, s, dIm * c);
                _bins[group].Store(group, k, eIm + oRe, eRe - oIm);
                if (mirror != k)
                    _bins[group].Store(group, mirror, oRe - eIm, eRe + oIm);
            }
        }
        for (int group = 0; group < groups; group++)
            Transform(group, _bins[group], new Exchanged<TSamples>(samples));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Transform<TFrom, TTo>(int group, TFrom from, TTo to)
        where TFrom : struct, ILaneReader, allows ref struct
        where TTo : struct, ILaneWriter, allows ref struct
    {
        int columns = _columns,
            rows = _rows,
            stride = columns + RowPadding;
        ref Vector<float> middleRe = ref MemoryMarshal.GetArrayDataReference(_middleRe),
            middleIm = ref MemoryMarshal.GetArrayDataReference(_middleIm);
        ref float cos = ref MemoryMarshal.GetArrayDataReference(_twiddleCos),
            sin = ref MemoryMarshal.GetArrayDataReference(_twiddleSin);
        ref Vector<float> lineRe = ref MemoryMarshal.GetReference(_column.Re),
            lineIm = ref MemoryMarshal.GetReference(_column.Im);
        for (int row = 0; row < rows; row++)
        {
            for (int n = 0; n < columns; n++)
                from.Load(group, n * rows + row, out Unsafe.Add(ref lineRe, n), out Unsafe.Add(ref lineIm, n));
            ref Vector<float> re = ref MemoryMarshal.GetReference(_column.Transform(out ReadOnlySpan<Vector<float>> ims)),
                im = ref MemoryMarshal.GetReference(ims);
            for (int k = 0, at = row * stride, turn = row * columns; k < columns; k++, at++, turn++)
            {
                Vector<float> c = new(Unsafe.Add(ref cos, turn)),
                    s = new(Unsafe.Add(ref sin, turn)),
                    x = Unsafe.Add(ref re, k),
                    y = Unsafe.Add(ref im, k);
                Unsafe.Add(ref middleRe, at) = Vector.MultiplyAddEstimate(-y, s, x * c);
                Unsafe.Add(ref middleIm, at) = Vector.MultiplyAddEstimate(y, c, x * s);
            }
        }
        lineRe = ref MemoryMarshal.GetReference(_row.Re);
        lineIm = ref MemoryMarshal.GetReference(_row.Im);
        for (int k = 0; k < columns; k++)
        {
            for (int n = 0, at = k; n < rows; n++, at += stride)
            {
                Unsafe.Add(ref lineRe, n) = Unsafe.Add(ref middleRe, at);
                Unsafe.Add(ref lineIm, n) = Unsafe.Add(ref middleIm, at);
            }
            ref Vector<float> re = ref MemoryMarshal.GetReference(_row.Transform(out ReadOnlySpan<Vector<float>> ims)),
                im = ref MemoryMarshal.GetReference(ims);
            for (int n = 0, index = k; n < rows; n++, index += columns)
                to.Store(group, index, Unsafe.Add(ref re, n), Unsafe.Add(ref im, n));
        }
    }

    /// <summary>Elements in memory, rows apart from each other.</summary>
    private readonly struct PaddedLanes(int count, int columns) : ILaneReader, ILaneWriter
    {
        private readonly Vector<float>[] _re = new Vector<float>[count / columns * (columns + RowPadding)];
        private readonly Vector<float>[] _im = new Vector<float>[count / columns * (columns + RowPadding)];
        private readonly int _shift = BitOperations.Log2((uint)columns);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Load(int group, int index, out Vector<float> first, out Vector<float> second)
        {
            int at = index + (index >> _shift) * RowPadding;
            first = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_re), at);
            second = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_im), at);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(int group, int index, Vector<float> first, Vector<float> second)
        {
            int at = index + (index >> _shift) * RowPadding;
            Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_re), at) = first;
            Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_im), at) = second;
        }
    }

    private readonly ref struct Exchanged<TTo>(TTo to) : ILaneWriter
        where TTo : struct, ILaneWriter, allows ref struct
    {
        private readonly TTo _to = to;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Store(int group, int index, Vector<float> first, Vector<float> second) => _to.Store(group, index, second, first);
    }
}
