using System.Numerics;

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
        Span<Vector<float>> xRe = re[.._half], xIm = im[.._half];
        Span<Vector<float>> yRe = _otherRe, yIm = _otherIm;
        int n = _half, stride = 1, twiddle = 0;
        while (n >= 4)
        {
            int quarter = n / 4;
            for (int p = 0; p < quarter; p++, twiddle += 3)
            {
                Vector<float> c1 = new(_stageCos[twiddle]), s1 = new(_stageSin[twiddle]);
                Vector<float> c2 = new(_stageCos[twiddle + 1]), s2 = new(_stageSin[twiddle + 1]);
                Vector<float> c3 = new(_stageCos[twiddle + 2]), s3 = new(_stageSin[twiddle + 2]);
                int step = stride * quarter;
                ReadOnlySpan<Vector<float>> aRe = xRe.Slice(stride * p, stride), aIm = xIm.Slice(stride * p, stride);
                ReadOnlySpan<Vector<float>> bRe = xRe.Slice(stride * p + step, stride), bIm = xIm.Slice(stride * p + step, stride);
                ReadOnlySpan<Vector<float>> cRe = xRe.Slice(stride * p + 2 * step, stride), cIm = xIm.Slice(stride * p + 2 * step, stride);
                ReadOnlySpan<Vector<float>> dRe = xRe.Slice(stride * p + 3 * step, stride), dIm = xIm.Slice(stride * p + 3 * step, stride);
                Span<Vector<float>> outRe = yRe.Slice(4 * stride * p, 4 * stride), outIm = yIm.Slice(4 * stride * p, 4 * stride);
                for (int q = 0; q < aRe.Length; q++)
                {
                    Vector<float> sumAcRe = aRe[q] + cRe[q], sumAcIm = aIm[q] + cIm[q];
                    Vector<float> difAcRe = aRe[q] - cRe[q], difAcIm = aIm[q] - cIm[q];
                    Vector<float> sumBdRe = bRe[q] + dRe[q], sumBdIm = bIm[q] + dIm[q];
                    Vector<float> difBdRe = bRe[q] - dRe[q], difBdIm = bIm[q] - dIm[q];

                    outRe[q] = sumAcRe + sumBdRe;
                    outIm[q] = sumAcIm + sumBdIm;

                    Vector<float> tRe = difAcRe + difBdIm, tIm = difAcIm - difBdRe;
                    outRe[q + stride] = tRe * c1 - tIm * s1;
                    outIm[q + stride] = tRe * s1 + tIm * c1;

                    tRe = sumAcRe - sumBdRe;
                    tIm = sumAcIm - sumBdIm;
                    outRe[q + 2 * stride] = tRe * c2 - tIm * s2;
                    outIm[q + 2 * stride] = tRe * s2 + tIm * c2;

                    tRe = difAcRe - difBdIm;
                    tIm = difAcIm + difBdRe;
                    outRe[q + 3 * stride] = tRe * c3 - tIm * s3;
                    outIm[q + 3 * stride] = tRe * s3 + tIm * c3;
                }
            }
            n /= 4;
            stride *= 4;
            Span<Vector<float>> swap = xRe;
            xRe = yRe;
            yRe = swap;
            swap = xIm;
            xIm = yIm;
            yIm = swap;
        }
        if (n == 2)
        {
            for (int q = 0; q < stride; q++)
            {
                Vector<float> aRe = xRe[q], aIm = xIm[q], bRe = xRe[q + stride], bIm = xIm[q + stride];
                yRe[q] = aRe + bRe;
                yIm[q] = aIm + bIm;
                yRe[q + stride] = aRe - bRe;
                yIm[q + stride] = aIm - bIm;
            }
            xRe = yRe;
            xIm = yIm;
        }
        if (!xRe[..1].Overlaps(re))
        {
            xRe.CopyTo(re);
            xIm.CopyTo(im);
        }
    }
}
