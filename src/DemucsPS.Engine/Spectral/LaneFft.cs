using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Spectral;

/// <summary>
/// Fourier transform of real frames, several frames at once: element k of a buffer is a vector whose lane j belongs to
/// frame j. No shuffles are needed, and the lanes are stored side by side in a [bins][frames] spectrogram.
/// </summary>
/// <remarks>
/// A real transform of n samples is a complex one of n/2 (even samples real, odd samples imaginary) and a split step.
/// The complex transform is Stockham's autosort with radix 4 and one radix-2 step where log2(n/2) is odd, so it needs no
/// bit reversal. Twiddles are computed in double. Not thread-safe: an instance owns its scratch; make one a thread.
/// </remarks>
internal sealed class LaneFft
{
    private readonly int _half;
    private readonly float[] _stageCos;
    private readonly float[] _stageSin;
    private readonly float[] _splitCos;
    private readonly float[] _splitSin;
    private readonly Vector<float>[] _otherRe;
    private readonly Vector<float>[] _otherIm;

    /// <summary>Prepares transforms of <paramref name="size"/> samples.</summary>
    /// <param name="size">Frame length in samples: a power of two, at least 4.</param>
    public LaneFft(int size)
    {
        if (size < 4 || !BitOperations.IsPow2(size))
            throw new ArgumentOutOfRangeException(nameof(size), size, "The transform size must be a power of two and at least 4.");
        Size = size;
        _half = size / 2;

        // Three twiddles (w, w², w³) for each butterfly position p of each radix-4 stage, one stage after another.
        List<float> cos = [], sin = [];
        for (int n = _half; n >= 4; n /= 4)
        {
            for (int p = 0; p < n / 4; p++)
            {
                for (int power = 1; power <= 3; power++)
                {
                    double angle = -2 * Math.PI * p * power / n;
                    cos.Add((float)Math.Cos(angle));
                    sin.Add((float)Math.Sin(angle));
                }
            }
        }
        _stageCos = [.. cos];
        _stageSin = [.. sin];

        _splitCos = new float[_half];
        _splitSin = new float[_half];
        for (int k = 0; k < _half; k++)
        {
            double angle = -2 * Math.PI * k / size;
            _splitCos[k] = (float)Math.Cos(angle);
            _splitSin[k] = (float)Math.Sin(angle);
        }
        _otherRe = new Vector<float>[_half];
        _otherIm = new Vector<float>[_half];
    }

    /// <summary>Frame length in samples.</summary>
    public int Size { get; }

    /// <summary>
    /// Forward transform, unscaled: X[k] = Σ x[n]·e^(−2πikn/size). In: <paramref name="re"/>[m] = x[2m],
    /// <paramref name="im"/>[m] = x[2m+1], size/2 elements each. Out: bins 0 … size/2 − 1 in place; the Nyquist bin is not kept.
    /// </summary>
    public void Forward(Span<Vector<float>> re, Span<Vector<float>> im)
    {
        Transform(re, im);
        Vector<float> half = new(0.5f);
        Vector<float> dc = re[0] + im[0];
        re[0] = dc;
        im[0] = Vector<float>.Zero;
        for (int k = 1, mirror = _half - 1; k <= mirror; k++, mirror--)
        {
            // E and O are the spectra of the even and the odd samples; bins k and half − k come from the same pair.
            Vector<float> eRe = (re[k] + re[mirror]) * half;
            Vector<float> eIm = (im[k] - im[mirror]) * half;
            Vector<float> oRe = (im[k] + im[mirror]) * half;
            Vector<float> oIm = (re[mirror] - re[k]) * half;
            Vector<float> c = new(_splitCos[k]), s = new(_splitSin[k]);
            Vector<float> tRe = oRe * c - oIm * s;
            Vector<float> tIm = oRe * s + oIm * c;
            re[k] = eRe + tRe;
            im[k] = eIm + tIm;
            re[mirror] = eRe - tRe;
            im[mirror] = tIm - eIm;
        }
    }

    /// <summary>
    /// Inverse of <see cref="Forward"/> for a zero Nyquist bin, scaled by <c>size</c>: in are bins 0 … size/2 − 1, out is
    /// size·x[2m] in <paramref name="re"/>[m] and size·x[2m+1] in <paramref name="im"/>[m]. The imaginary part of bin 0 is ignored,
    /// as every complex-to-real transform does.
    /// </summary>
    public void Inverse(Span<Vector<float>> re, Span<Vector<float>> im)
    {
        im[0] = re[0];
        for (int k = 1, mirror = _half - 1; k <= mirror; k++, mirror--)
        {
            Vector<float> eRe = re[k] + re[mirror];
            Vector<float> eIm = im[k] - im[mirror];
            Vector<float> dRe = re[k] - re[mirror];
            Vector<float> dIm = im[k] + im[mirror];
            Vector<float> c = new(_splitCos[k]), s = new(_splitSin[k]);
            Vector<float> oRe = dRe * c + dIm * s;
            Vector<float> oIm = dIm * c - dRe * s;
            re[k] = eRe - oIm;
            im[k] = eIm + oRe;
            re[mirror] = eRe + oIm;
            im[mirror] = oRe - eIm;
        }
        // The inverse complex transform is the forward one with the roles of the real and imaginary parts exchanged.
        Transform(im, re);
    }

    private void Transform(Span<Vector<float>> re, Span<Vector<float>> im)
    {
        if (re.Length < _half || im.Length < _half)
            throw new ArgumentException($"A transform of {Size} samples needs {_half} elements.");

        // References instead of spans: the first stages have inner loops of one and four rounds, where slicing would cost more than the arithmetic.
        // Every index below is under _half, the length that was just checked and that the scratch has.
        ref Vector<float> xRe = ref MemoryMarshal.GetReference(re), xIm = ref MemoryMarshal.GetReference(im);
        ref Vector<float> yRe = ref MemoryMarshal.GetArrayDataReference(_otherRe), yIm = ref MemoryMarshal.GetArrayDataReference(_otherIm);
        int n = _half, stride = 1, twiddle = 0, swaps = 0;
        for (; n >= 4; n /= 4, stride *= 4, swaps++)
        {
            int quarter = n / 4, step = stride * quarter;
            for (int p = 0; p < quarter; p++, twiddle += 3)
            {
                Vector<float> c1 = new(_stageCos[twiddle]), s1 = new(_stageSin[twiddle]);
                Vector<float> c2 = new(_stageCos[twiddle + 1]), s2 = new(_stageSin[twiddle + 1]);
                Vector<float> c3 = new(_stageCos[twiddle + 2]), s3 = new(_stageSin[twiddle + 2]);
                for (int from = stride * p, end = from + stride, to = 4 * stride * p; from < end; from++, to++)
                {
                    Vector<float> aRe = Unsafe.Add(ref xRe, from), aIm = Unsafe.Add(ref xIm, from);
                    Vector<float> bRe = Unsafe.Add(ref xRe, from + step), bIm = Unsafe.Add(ref xIm, from + step);
                    Vector<float> cRe = Unsafe.Add(ref xRe, from + 2 * step), cIm = Unsafe.Add(ref xIm, from + 2 * step);
                    Vector<float> dRe = Unsafe.Add(ref xRe, from + 3 * step), dIm = Unsafe.Add(ref xIm, from + 3 * step);
                    Vector<float> sumAcRe = aRe + cRe, sumAcIm = aIm + cIm, difAcRe = aRe - cRe, difAcIm = aIm - cIm;
                    Vector<float> sumBdRe = bRe + dRe, sumBdIm = bIm + dIm, difBdRe = bRe - dRe, difBdIm = bIm - dIm;

                    Unsafe.Add(ref yRe, to) = sumAcRe + sumBdRe;
                    Unsafe.Add(ref yIm, to) = sumAcIm + sumBdIm;

                    Vector<float> tRe = difAcRe + difBdIm, tIm = difAcIm - difBdRe;
                    Unsafe.Add(ref yRe, to + stride) = tRe * c1 - tIm * s1;
                    Unsafe.Add(ref yIm, to + stride) = tRe * s1 + tIm * c1;

                    tRe = sumAcRe - sumBdRe;
                    tIm = sumAcIm - sumBdIm;
                    Unsafe.Add(ref yRe, to + 2 * stride) = tRe * c2 - tIm * s2;
                    Unsafe.Add(ref yIm, to + 2 * stride) = tRe * s2 + tIm * c2;

                    tRe = difAcRe - difBdIm;
                    tIm = difAcIm + difBdRe;
                    Unsafe.Add(ref yRe, to + 3 * stride) = tRe * c3 - tIm * s3;
                    Unsafe.Add(ref yIm, to + 3 * stride) = tRe * s3 + tIm * c3;
                }
            }
            ref Vector<float> swap = ref xRe;
            xRe = ref yRe;
            yRe = ref swap;
            swap = ref xIm;
            xIm = ref yIm;
            yIm = ref swap;
        }
        if (n == 2)
        {
            swaps++;
            for (int q = 0; q < stride; q++)
            {
                Vector<float> aRe = Unsafe.Add(ref xRe, q), aIm = Unsafe.Add(ref xIm, q), bRe = Unsafe.Add(ref xRe, q + stride), bIm = Unsafe.Add(ref xIm, q + stride);
                Unsafe.Add(ref yRe, q) = aRe + bRe;
                Unsafe.Add(ref yIm, q) = aIm + bIm;
                Unsafe.Add(ref yRe, q + stride) = aRe - bRe;
                Unsafe.Add(ref yIm, q + stride) = aIm - bIm;
            }
        }
        if (swaps % 2 != 0)
        {
            _otherRe.CopyTo(re);
            _otherIm.CopyTo(im);
        }
    }
}
