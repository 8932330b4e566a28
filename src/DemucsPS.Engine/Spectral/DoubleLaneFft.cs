using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Spectral;

/// <summary>
/// Fourier transform of real signals in double precision, several at once: element k is a vector whose lane j belongs to signal j. For
/// figures that must hold to a hundred decibels, where <see cref="LaneFft"/> is for spectrograms in single precision.
/// </summary>
/// <remarks>
/// A real transform of n samples is a complex one of n/2 (even samples real, odd samples imaginary) and a split step; the complex one is
/// Stockham's, in steps of four. Not thread-safe: an instance owns its scratch.
/// </remarks>
internal sealed class DoubleLaneFft
{
    private readonly int _half;
    private readonly double[] _turns;
    private readonly double[] _splitCos;
    private readonly double[] _splitSin;
    private Vector<double>[] _re;
    private Vector<double>[] _im;
    private Vector<double>[] _otherRe;
    private Vector<double>[] _otherIm;

    /// <summary>Prepares transforms of <paramref name="size"/> samples.</summary>
    /// <param name="size">A power of two, at least 4.</param>
    public DoubleLaneFft(int size)
    {
        if (size < 4 || !BitOperations.IsPow2(size))
            throw new ArgumentOutOfRangeException(nameof(size), size, "The transform size must be a power of two and at least 4.");
        Size = size;
        _half = size / 2;
        _re = new Vector<double>[_half];
        _im = new Vector<double>[_half];
        _otherRe = new Vector<double>[_half];
        _otherIm = new Vector<double>[_half];
        _turns = new double[2 * _half];
        _splitCos = new double[_half + 1];
        _splitSin = new double[_half + 1];
        for (int k = 0; k < _half; k++)
            (_turns[2 * k + 1], _turns[2 * k]) = Math.SinCos(-2 * Math.PI * k / _half);
        for (int k = 0; k <= _half; k++)
            (_splitSin[k], _splitCos[k]) = Math.SinCos(-2 * Math.PI * k / size);
    }

    /// <summary>Samples of a signal.</summary>
    public int Size { get; }

    /// <summary>Bins of a spectrum: 0 … size/2.</summary>
    public int Bins => _half + 1;

    /// <summary>Forward transform, unscaled: X[k] = Σ x[n]·e^(−2πikn/size).</summary>
    /// <param name="samples">A vector of lanes for each sample, <paramref name="sampleStride"/> apart.</param>
    /// <param name="sampleStride">From one sample to the next.</param>
    /// <param name="bins">Takes <see cref="Bins"/> vectors of real parts, <paramref name="binStride"/> apart, and as far after each as
    /// <paramref name="imaginary"/> says its imaginary part.</param>
    /// <param name="binStride">From one bin to the next.</param>
    /// <param name="imaginary">From a real part to its imaginary part.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Forward(ReadOnlySpan<double> samples, int sampleStride, Span<double> bins, int binStride, int imaginary)
    {
        _ = samples[(Size - 1) * sampleStride + Vector<double>.Count - 1];
        _ = bins[_half * binStride + imaginary + Vector<double>.Count - 1];
        ref double x = ref MemoryMarshal.GetReference(samples),
            y = ref MemoryMarshal.GetReference(bins);
        for (int k = 0, at = 0; k < _half; k++, at += 2 * sampleStride)
        {
            _re[k] = Vector.LoadUnsafe(ref x, (nuint)at);
            _im[k] = Vector.LoadUnsafe(ref x, (nuint)(at + sampleStride));
        }
        Transform();
        for (int k = 0; k <= _half; k++)
        {
            // E and O are the spectra of the even and the odd samples.
            int one = k == _half ? 0 : k,
                mirror = k == 0 ? 0 : _half - k;
            Vector<double> half = new(0.5),
                re = _re[one],
                im = _im[one],
                mirrorRe = _re[mirror],
                mirrorIm = _im[mirror];
            Vector<double> eRe = (re + mirrorRe) * half,
                eIm = (im - mirrorIm) * half,
                oRe = (im + mirrorIm) * half,
                oIm = (mirrorRe - re) * half;
            Vector<double> c = new(_splitCos[k]),
                s = new(_splitSin[k]);
            (eRe + oRe * c - oIm * s).StoreUnsafe(ref y, (nuint)(k * binStride));
            (eIm + oRe * s + oIm * c).StoreUnsafe(ref y, (nuint)(k * binStride + imaginary));
        }
    }

    /// <summary>Inverse of <see cref="Forward"/>, scaled by <see cref="Size"/>.</summary>
    /// <param name="bins">As <see cref="Forward"/> gives them.</param>
    /// <param name="binStride">From one bin to the next.</param>
    /// <param name="imaginary">From a real part to its imaginary part.</param>
    /// <param name="samples">Takes size·x[n].</param>
    /// <param name="sampleStride">From one sample to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Inverse(ReadOnlySpan<double> bins, int binStride, int imaginary, Span<double> samples, int sampleStride)
    {
        _ = samples[(Size - 1) * sampleStride + Vector<double>.Count - 1];
        _ = bins[_half * binStride + imaginary + Vector<double>.Count - 1];
        ref double y = ref MemoryMarshal.GetReference(bins),
            x = ref MemoryMarshal.GetReference(samples);
        // The inverse complex transform is the forward one with the roles of the real and imaginary parts exchanged.
        for (int k = 0; k < _half; k++)
        {
            Vector<double> re = Vector.LoadUnsafe(ref y, (nuint)(k * binStride)),
                im = Vector.LoadUnsafe(ref y, (nuint)(k * binStride + imaginary));
            Vector<double> mirrorRe = Vector.LoadUnsafe(ref y, (nuint)((_half - k) * binStride)),
                mirrorIm = Vector.LoadUnsafe(ref y, (nuint)((_half - k) * binStride + imaginary));
            Vector<double> eRe = re + mirrorRe,
                eIm = im - mirrorIm,
                dRe = re - mirrorRe,
                dIm = im + mirrorIm;
            Vector<double> c = new(_splitCos[k]),
                s = new(_splitSin[k]);
            Vector<double> oRe = dRe * c + dIm * s,
                oIm = dIm * c - dRe * s;
            _re[k] = eIm + oRe;
            _im[k] = eRe - oIm;
        }
        Transform();
        for (int k = 0, at = 0; k < _half; k++, at += 2 * sampleStride)
        {
            _im[k].StoreUnsafe(ref x, (nuint)at);
            _re[k].StoreUnsafe(ref x, (nuint)(at + sampleStride));
        }
    }

    private void Transform()
    {
        int n = _half,
            stride = 1;
        for (; n >= 4; n /= 4, stride *= 4)
        {
            RadixFour(n / 4, stride);
            Exchange();
        }
        if (n == 2)
        {
            RadixTwo(stride);
            Exchange();
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RadixFour(int quarter, int stride)
    {
        ref Vector<double> fromRe = ref MemoryMarshal.GetArrayDataReference(_re),
            fromIm = ref MemoryMarshal.GetArrayDataReference(_im);
        ref Vector<double> toRe = ref MemoryMarshal.GetArrayDataReference(_otherRe),
            toIm = ref MemoryMarshal.GetArrayDataReference(_otherIm);
        int apart = quarter * stride;
        for (int p = 0; p < quarter; p++)
        {
            int turn = 2 * p * stride;
            Vector<double> c1 = new(_turns[turn]),
                s1 = new(_turns[turn + 1]);
            Vector<double> c2 = new(_turns[2 * turn]),
                s2 = new(_turns[2 * turn + 1]);
            Vector<double> c3 = new(_turns[3 * turn]),
                s3 = new(_turns[3 * turn + 1]);
            for (int q = 0, from = p * stride, to = 4 * p * stride; q < stride; q++, from++, to++)
            {
                Vector<double> aRe = Unsafe.Add(ref fromRe, from),
                    aIm = Unsafe.Add(ref fromIm, from);
                Vector<double> bRe = Unsafe.Add(ref fromRe, from + apart),
                    bIm = Unsafe.Add(ref fromIm, from + apart);
                Vector<double> cRe = Unsafe.Add(ref fromRe, from + 2 * apart),
                    cIm = Unsafe.Add(ref fromIm, from + 2 * apart);
                Vector<double> dRe = Unsafe.Add(ref fromRe, from + 3 * apart),
                    dIm = Unsafe.Add(ref fromIm, from + 3 * apart);
                Vector<double> acRe = aRe + cRe,
                    acIm = aIm + cIm,
                    bdRe = bRe + dRe,
                    bdIm = bIm + dIm;
                Vector<double> uRe = aRe - cRe,
                    uIm = aIm - cIm,
                    vRe = dIm - bIm,
                    vIm = bRe - dRe;
                Unsafe.Add(ref toRe, to) = acRe + bdRe;
                Unsafe.Add(ref toIm, to) = acIm + bdIm;
                Vector<double> re = uRe - vRe,
                    im = uIm - vIm;
                Unsafe.Add(ref toRe, to + stride) = re * c1 - im * s1;
                Unsafe.Add(ref toIm, to + stride) = re * s1 + im * c1;
                (re, im) = (acRe - bdRe, acIm - bdIm);
                Unsafe.Add(ref toRe, to + 2 * stride) = re * c2 - im * s2;
                Unsafe.Add(ref toIm, to + 2 * stride) = re * s2 + im * c2;
                (re, im) = (uRe + vRe, uIm + vIm);
                Unsafe.Add(ref toRe, to + 3 * stride) = re * c3 - im * s3;
                Unsafe.Add(ref toIm, to + 3 * stride) = re * s3 + im * c3;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RadixTwo(int stride)
    {
        for (int q = 0; q < stride; q++)
        {
            (_otherRe[q], _otherRe[q + stride]) = (_re[q] + _re[q + stride], _re[q] - _re[q + stride]);
            (_otherIm[q], _otherIm[q + stride]) = (_im[q] + _im[q + stride], _im[q] - _im[q + stride]);
        }
    }

    private void Exchange()
    {
        (_re, _otherRe) = (_otherRe, _re);
        (_im, _otherIm) = (_otherIm, _im);
    }
}
