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
    private readonly Vector<float>[] _re,
        _im,
        _otherRe,
        _otherIm;

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
        _re = new Vector<float>[size];
        _im = new Vector<float>[size];
        _otherRe = new Vector<float>[size];
        _otherIm = new Vector<float>[size];
    }

    /// <summary>Real parts to transform.</summary>
    public Span<Vector<float>> Re => _re;

    /// <summary>Imaginary parts to transform.</summary>
    public Span<Vector<float>> Im => _im;

    /// <summary>Transforms what is in <see cref="Re"/> and <see cref="Im"/>, which holds nothing of use afterwards.</summary>
    /// <param name="im">The imaginary parts, until the next transform.</param>
    /// <returns>The real parts, likewise.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public ReadOnlySpan<Vector<float>> Transform(out ReadOnlySpan<Vector<float>> im)
    {
        // References instead of spans: the inner loops have one to sixteen rounds, where slicing would cost more than the arithmetic. Every
        // index is under the size, which all four buffers have.
        ref Vector<float> xRe = ref MemoryMarshal.GetArrayDataReference(_re),
            xIm = ref MemoryMarshal.GetArrayDataReference(_im);
        ref Vector<float> yRe = ref MemoryMarshal.GetArrayDataReference(_otherRe),
            yIm = ref MemoryMarshal.GetArrayDataReference(_otherIm);
        int n = _size,
            stride = 1,
            twiddle = 0,
            swaps = 0;
        for (; n >= 4; n /= 4, stride *= 4, swaps++)
        {
            RadixFour(ref xRe, ref xIm, ref yRe, ref yIm, n / 4, stride, twiddle);
            twiddle += 3 * (n / 4);
            ref Vector<float> swap = ref xRe;
            xRe = ref yRe;
            yRe = ref swap;
            swap = ref xIm;
            xIm = ref yIm;
            yIm = ref swap;
        }
        if (n == 2)
        {
            RadixTwo(ref xRe, ref xIm, ref yRe, ref yIm, stride);
            swaps++;
        }
        im = swaps % 2 == 0 ? _im : _otherIm;
        return swaps % 2 == 0 ? _re : _otherRe;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void RadixFour(
        ref Vector<float> xRe,
        ref Vector<float> xIm,
        ref Vector<float> yRe,
        ref Vector<float> yIm,
        int quarter,
        int stride,
        int twiddle
    )
    {
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RadixTwo(ref Vector<float> xRe, ref Vector<float> xIm, ref Vector<float> yRe, ref Vector<float> yIm, int stride)
    {
        for (int q = 0; q < stride; q++)
        {
            Vector<float> aRe = Unsafe.Add(ref xRe, q),
                aIm = Unsafe.Add(ref xIm, q),
                bRe = Unsafe.Add(ref xRe, q + stride),
                bIm = Unsafe.Add(ref xIm, q + stride);
            Unsafe.Add(ref yRe, q) = aRe + bRe;
            Unsafe.Add(ref yIm, q) = aIm + bIm;
            Unsafe.Add(ref yRe, q + stride) = aRe - bRe;
            Unsafe.Add(ref yIm, q + stride) = aIm - bIm;
        }
    }
}
