using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DemucsPS.Engine.Audio.Resampling;

/// <summary>
/// The filters of a rational change of rate: one row of weights for each of the output's phases. The formula is that of
/// julius (resample_frac, the resampler official Demucs uses), with its zeros, rolloff and window or others; see the remarks.
/// </summary>
/// <remarks>
/// Both rates are divided by their gcd to old and new. With r = rolloff·min(old, new) and z zeros, output frame n = b·new + i is the sum
/// over k of x[b·old + k]·h_i(k), where h_i(k) = sinc(πt)·window(t/z) at t = (k/old − i/new)·r for |t| ≤ z, each row divided
/// by its sum. Rows are computed in double and stored as floats; the zeros at both ends of a row are not stored.
/// Rows are kept for the whole stream when together they take at most <see cref="MaxTableBytes"/>: so for every pair of
/// usual rates (48,000 to 44,100: 33 KB) and for any source up to 150 kHz to 44,100. Beyond it (say 191,999 Hz to 44,100)
/// each row is computed when it is needed: the same values, far more slowly, in the memory of one row.
/// </remarks>
internal sealed class ResamplerKernel
{
    /// <summary>The maximum memory that precomputed rows may take.</summary>
    public const int MaxTableBytes = 32 * 1024 * 1024;

    /// <summary>Rows are padded with zeros to a multiple of this, the width of the sum in <see cref="Dot"/>.</summary>
    public const int Lanes = 8;

    private readonly ResamplerFilter _filter;
    private readonly double _cutoff;
    private readonly float[] _rows;
    private readonly double[] _scratch;
    private readonly bool _precomputed;
    private int _current = -1;

    /// <param name="sourceRate">Frames per second of the input.</param>
    /// <param name="targetRate">Frames per second of the output.</param>
    /// <param name="filter">How sharp.</param>
    /// <param name="maxTableBytes">The maximum memory for rows; another value only in tests.</param>
    public ResamplerKernel(int sourceRate, int targetRate, ResamplerFilter filter, int maxTableBytes = MaxTableBytes)
    {
        _filter = filter;
        int divisor = Gcd(sourceRate, targetRate);
        Old = sourceRate / divisor;
        New = targetRate / divisor;
        _cutoff = Math.Min(Old, New) * filter.Rolloff;
        double halfWidth = filter.Zeros * Old / _cutoff;
        Width = (int)Math.Ceiling(halfWidth);
        int taps = (int)Math.Floor(2 * halfWidth) + 1;
        Taps = (taps + Lanes - 1) / Lanes * Lanes;

        _scratch = new double[Taps];
        _precomputed = (long)New * Taps * sizeof(float) <= maxTableBytes;
        _rows = new float[_precomputed ? New * Taps : Taps];
        if (_precomputed)
        {
            for (int phase = 0; phase < New; phase++)
                Compute(phase, _rows.AsSpan(phase * Taps, Taps));
        }
    }

    /// <summary>The input rate divided by the greatest common divisor.</summary>
    public int Old { get; }

    /// <summary>The output rate divided by the greatest common divisor, which is the number of rows.</summary>
    public int New { get; }

    /// <summary>How many input frames a filter can reach to the left of its block.</summary>
    public int Width { get; }

    /// <summary>Weights in a row, a multiple of <see cref="Lanes"/>.</summary>
    public int Taps { get; }

    /// <summary>The input frame of a row's first weight, relative to the start of the block: -Width or more.</summary>
    public int First(int phase) => Math.Max(-Width, (int)Math.Ceiling(((double)phase / New - (_filter.Zeros / _cutoff)) * Old));

    /// <summary>The weights of an output frame. The span is valid until the next call.</summary>
    public ReadOnlySpan<float> Row(int phase)
    {
        if (_precomputed)
            return _rows.AsSpan(phase * Taps, Taps);
        if (phase != _current)
        {
            Compute(phase, _rows);
            _current = phase;
        }

        return _rows;
    }

    /// <summary>
    /// The sum of products of two rows. Eight partial sums are formed and added in a fixed order without fused multiply-add, so
    /// that every processor gives the same bits.
    /// </summary>
    /// <param name="weights">A row of <see cref="Taps"/> weights.</param>
    /// <param name="samples">As many samples.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Dot(ReadOnlySpan<float> weights, ReadOnlySpan<float> samples)
    {
        ref float w = ref MemoryMarshal.GetReference(weights);
        ref float x = ref MemoryMarshal.GetReference(samples[..weights.Length]);
        nuint count = (nuint)weights.Length;
        Vector256<float> even = Vector256<float>.Zero;
        Vector256<float> odd = even;
        nuint at = 0;
        for (; at + (2 * Lanes) <= count; at += 2 * Lanes)
        {
            even += Vector256.LoadUnsafe(ref w, at) * Vector256.LoadUnsafe(ref x, at);
            odd += Vector256.LoadUnsafe(ref w, at + Lanes) * Vector256.LoadUnsafe(ref x, at + Lanes);
        }

        if (at < count)
            even += Vector256.LoadUnsafe(ref w, at) * Vector256.LoadUnsafe(ref x, at);
        even += odd;
        Vector128<float> half = even.GetLower() + even.GetUpper();
        return (half[0] + half[2]) + (half[1] + half[3]);
    }

    private void Compute(int phase, Span<float> row)
    {
        int first = First(phase);
        double sum = 0;
        for (int tap = 0; tap < Taps; tap++)
        {
            double t = ((double)(first + tap) / Old - ((double)phase / New)) * _cutoff;
            double weight = 0;
            if (Math.Abs(t) < _filter.Zeros)
            {
                weight = _filter.Window(t / _filter.Zeros) * (t == 0 ? 1 : Math.Sin(Math.PI * t) / (Math.PI * t));
            }

            _scratch[tap] = weight;
            sum += weight;
        }

        for (int tap = 0; tap < Taps; tap++)
            row[tap] = (float)(_scratch[tap] / sum);
    }

    private static int Gcd(int a, int b)
    {
        while (b != 0)
            (a, b) = (b, a % b);
        return a;
    }
}
