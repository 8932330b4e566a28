using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Spectral;

/// <summary>
/// Complex Fourier transform of several signals at once, a lane of the vectors each: Stockham's autosort with radix 4 and one radix-2 step
/// where log2(size) is odd, so it needs no bit reversal. For sizes whose data stay in the first cache; <see cref="LaneFft"/> puts larger
/// ones together. Twiddles are computed in double. Not thread-safe: an instance owns its two buffers.
/// </summary>
internal sealed class StockhamLanes
{
    private readonly int _size;
    private readonly float[] _cos;
    private readonly float[] _sin;
    private readonly Parts _signal,
        _other;

    /// <param name="size">A power of two, at least 1.</param>
    public StockhamLanes(int size)
    {
        _size = size;
        // Three twiddles (w, w², w³) for each butterfly position p of each radix-4 stage, one stage after another.
        List<float> cos = [],
            sin = [];
        for (int n = size; n >= 4; n /= 4)
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
        _cos = [.. cos];
        _sin = [.. sin];
        _signal = new Parts(new Vector<float>[size], new Vector<float>[size]);
        _other = new Parts(new Vector<float>[size], new Vector<float>[size]);
    }

    /// <summary>Real parts to transform.</summary>
    public Span<Vector<float>> Re => _signal.Re;

    /// <summary>Imaginary parts to transform.</summary>
    public Span<Vector<float>> Im => _signal.Im;

    /// <summary>Transforms what is in <see cref="Re"/> and <see cref="Im"/>, which holds nothing of use afterwards.</summary>
    /// <param name="im">The imaginary parts, until the next transform.</param>
    /// <returns>The real parts, likewise.</returns>
    public ReadOnlySpan<Vector<float>> Transform(out ReadOnlySpan<Vector<float>> im)
    {
        Parts from = _signal,
            to = _other;
        int stride = 1,
            twiddle = 0;
        for (; 4 * stride <= _size; stride *= 4)
        {
            int quarter = _size / (4 * stride);
            RadixFour(from, to, quarter, stride, twiddle);
            twiddle += 3 * quarter;
            (from, to) = (to, from);
        }
        if (2 * stride == _size)
        {
            RadixTwo(from, to, stride);
            (from, to) = (to, from);
        }
        im = from.Im;
        return from.Re;
    }

    // References instead of spans in the steps: the inner loops have one to sixteen rounds, where slicing would cost more than the
    // arithmetic. Every index is under the size, which all four buffers have.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void RadixFour(Parts x, Parts y, int quarter, int stride, int twiddle)
    {
        ref Vector<float> xRe = ref MemoryMarshal.GetArrayDataReference(x.Re),
            xIm = ref MemoryMarshal.GetArrayDataReference(x.Im);
        ref Vector<float> yRe = ref MemoryMarshal.GetArrayDataReference(y.Re),
            yIm = ref MemoryMarshal.GetArrayDataReference(y.Im);
        int step = stride * quarter;
        for (int p = 0; p < quarter; p++, twiddle += 3)
        {
            Vector<float> c1 = new(_cos[twiddle]),
                s1 = new(_sin[twiddle]);
            Vector<float> c2 = new(_cos[twiddle + 1]),
                s2 = new(_sin[twiddle + 1]);
            Vector<float> c3 = new(_cos[twiddle + 2]),
                s3 = new(_sin[twiddle + 2]);
            for (int from = stride * p, end = from + stride, to = 4 * stride * p; from < end; from++, to++)
            {
                Vector<float> aRe = Unsafe.Add(ref xRe, from),
                    aIm = Unsafe.Add(ref xIm, from);
                Vector<float> bRe = Unsafe.Add(ref xRe, from + step),
                    bIm = Unsafe.Add(ref xIm, from + step);
                Vector<float> cRe = Unsafe.Add(ref xRe, from + 2 * step),
                    cIm = Unsafe.Add(ref xIm, from + 2 * step);
                Vector<float> dRe = Unsafe.Add(ref xRe, from + 3 * step),
                    dIm = Unsafe.Add(ref xIm, from + 3 * step);
                Vector<float> sumAcRe = aRe + cRe,
                    sumAcIm = aIm + cIm,
                    difAcRe = aRe - cRe,
                    difAcIm = aIm - cIm;
                Vector<float> sumBdRe = bRe + dRe,
                    sumBdIm = bIm + dIm,
                    difBdRe = bRe - dRe,
                    difBdIm = bIm - dIm;

                Unsafe.Add(ref yRe, to) = sumAcRe + sumBdRe;
                Unsafe.Add(ref yIm, to) = sumAcIm + sumBdIm;

                Vector<float> tRe = difAcRe + difBdIm,
                    tIm = difAcIm - difBdRe;
                Unsafe.Add(ref yRe, to + stride) = Vector.MultiplyAddEstimate(-tIm, s1, tRe * c1);
                Unsafe.Add(ref yIm, to + stride) = Vector.MultiplyAddEstimate(tIm, c1, tRe * s1);

                tRe = sumAcRe - sumBdRe;
                tIm = sumAcIm - sumBdIm;
                Unsafe.Add(ref yRe, to + 2 * stride) = Vector.MultiplyAddEstimate(-tIm, s2, tRe * c2);
                Unsafe.Add(ref yIm, to + 2 * stride) = Vector.MultiplyAddEstimate(tIm, c2, tRe * s2);

                tRe = difAcRe - difBdIm;
                tIm = difAcIm + difBdRe;
                Unsafe.Add(ref yRe, to + 3 * stride) = Vector.MultiplyAddEstimate(-tIm, s3, tRe * c3);
                Unsafe.Add(ref yIm, to + 3 * stride) = Vector.MultiplyAddEstimate(tIm, c3, tRe * s3);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RadixTwo(Parts x, Parts y, int stride)
    {
        for (int q = 0; q < stride; q++)
        {
            (y.Re[q], y.Re[q + stride]) = (x.Re[q] + x.Re[q + stride], x.Re[q] - x.Re[q + stride]);
            (y.Im[q], y.Im[q + stride]) = (x.Im[q] + x.Im[q + stride], x.Im[q] - x.Im[q + stride]);
        }
    }

    /// <summary>Real and imaginary parts.</summary>
    private readonly record struct Parts(Vector<float>[] Re, Vector<float>[] Im);
}
