using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>Decodes the subframes of a FLAC frame: one channel each (RFC 9639, section 9.2).</summary>
/// <remarks>
/// Samples of up to 32 bits are decoded into ints. Only the side channel of a 32-bit stream has 33 bits; it is decoded into
/// longs, plainly. Arithmetic wraps: a stream whose predictions overflow is refused by nothing here, but its MD5 tells.
/// </remarks>
internal sealed class FlacSubframeDecoder(FlacBitReader bits)
{
    /// <summary>
    /// How many elements must precede the first sample of a span given to <see cref="Decode"/>. Predictors are padded with
    /// zero coefficients to a few lengths that are unrolled, so they may reach before the samples they need.
    /// </summary>
    public const int Margin = MaxOrder;

    private const int MaxOrder = 32;
    private readonly int[] _coefficients = new int[MaxOrder];
    private int[] _residuals = [];

    /// <summary>Decodes a subframe of up to 32 bits.</summary>
    /// <param name="storage">Receives the samples from index <see cref="Margin"/> on.</param>
    /// <param name="count">Samples in the frame.</param>
    /// <param name="width">Bits of a sample, 4 to 32.</param>
    /// <returns>What is wrong with the subframe; null when nothing is.</returns>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public string? Decode(int[] storage, int count, int width)
    {
        Span<int> samples = storage.AsSpan(Margin, count);
        string? defect = ReadHeader(count, ref width, out int type, out int wasted, out int order);
        if (defect is not null)
            return defect;
        switch (type)
        {
            case SubframeType.Constant:
                samples.Fill((int)bits.ReadSigned(width));
                break;
            case SubframeType.Verbatim:
                ReadPlain(samples, width);
                break;
            case SubframeType.Fixed:
                ReadPlain(samples[..order], width);
                defect = ReadResiduals(samples, order);
                if (defect is null)
                    RestoreFixed(samples, order);
                break;
            default:
                ReadPlain(samples[..order], width);
                defect = ReadPredictor(order, out int shift) ?? ReadResiduals(samples, order);
                if (defect is null)
                    RestoreLinear(ref MemoryMarshal.GetReference(samples), count, order, _coefficients, shift);
                break;
        }

        if (wasted > 0)
        {
            foreach (ref int sample in samples)
                sample <<= wasted;
        }

        return defect;
    }

    /// <summary>Decodes a subframe of 33 bits.</summary>
    /// <param name="samples">Receives the samples.</param>
    /// <param name="width">Bits of a sample.</param>
    /// <returns>What is wrong with the subframe; null when nothing is.</returns>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public string? DecodeWide(Span<long> samples, int width)
    {
        string? defect = ReadHeader(samples.Length, ref width, out int type, out int wasted, out int order);
        if (defect is not null)
            return defect;
        if (type == SubframeType.Constant)
        {
            samples.Fill(bits.ReadSigned(width));
        }
        else
        {
            int plain = type == SubframeType.Verbatim ? samples.Length : order;
            for (int i = 0; i < plain; i++)
                samples[i] = bits.ReadSigned(width);
            if (type != SubframeType.Verbatim)
                defect = PredictWide(samples, type, order);
        }

        foreach (ref long sample in samples)
            sample <<= wasted;
        return defect;
    }

    private string? ReadHeader(int count, ref int width, out int type, out int wasted, out int order)
    {
        uint header = bits.ReadBits(8);
        int code = (int)(header >> 1) & 63;
        wasted = 0;
        order = 0;
        type = code switch
        {
            0 => SubframeType.Constant,
            1 => SubframeType.Verbatim,
            >= 8 and <= 12 => SubframeType.Fixed,
            >= 32 => SubframeType.Linear,
            _ => SubframeType.Reserved,
        };
        if (header >= 128 || type == SubframeType.Reserved)
            return "a subframe has a reserved type";
        if (type == SubframeType.Fixed)
            order = code - 8;
        else if (type == SubframeType.Linear)
            order = code - 31;
        if (order > count)
            return "a predictor is longer than its frame";
        if ((header & 1) == 0)
            return null;

        long more = bits.ReadUnary(width);
        if (more + 1 >= width)
            return "a subframe declares more wasted bits than it has";
        wasted = (int)more + 1;
        width -= wasted;
        return null;
    }

    private void ReadPlain(Span<int> samples, int width)
    {
        foreach (ref int sample in samples)
            sample = (int)bits.ReadSigned(width);
    }

    private string? ReadPredictor(int order, out int shift)
    {
        int precision = (int)bits.ReadBits(4) + 1;
        shift = (int)bits.ReadSigned(5);
        if (precision == 16 || shift < 0)
            return "a predictor has a reserved precision or shift";
        for (int i = 0; i < order; i++)
            _coefficients[i] = (int)bits.ReadSigned(precision);
        _coefficients.AsSpan(order).Clear();
        return null;
    }

    /// <summary>Reads the residuals after the first <paramref name="order"/> samples.</summary>
    private string? ReadResiduals(Span<int> samples, int order)
    {
        uint method = bits.ReadBits(2);
        if (method > 1)
            return "residuals have a reserved coding method";
        int parameterBits = method == 0 ? 4 : 5;
        int escape = (1 << parameterBits) - 1;
        int partitionOrder = (int)bits.ReadBits(4);
        int length = samples.Length >> partitionOrder;
        if (length << partitionOrder != samples.Length || length < order)
            return "a frame cannot be divided into as many partitions as it declares";

        int start = order;
        for (int end = length; end <= samples.Length; end += length)
        {
            Span<int> partition = samples[start..end];
            start = end;
            int parameter = (int)bits.ReadBits(parameterBits);
            if (parameter != escape)
            {
                if (!bits.ReadRice(partition, parameter))
                    return "a residual is too large";
                continue;
            }

            int width = (int)bits.ReadBits(5);
            if (width == 0)
                partition.Clear();
            else
                ReadPlain(partition, width);
        }

        return null;
    }

    private static void RestoreFixed(Span<int> samples, int order)
    {
        switch (order)
        {
            case 1:
                {
                    int a = samples[0];
                    foreach (ref int sample in samples[1..])
                        sample = a += sample;
                    break;
                }

            case 2:
                {
                    (int b, int a) = (samples[0], samples[1]);
                    foreach (ref int sample in samples[2..])
                    {
                        sample += (2 * a) - b;
                        (b, a) = (a, sample);
                    }

                    break;
                }

            case 3:
                {
                    (int c, int b, int a) = (samples[0], samples[1], samples[2]);
                    foreach (ref int sample in samples[3..])
                    {
                        sample += (3 * (a - b)) + c;
                        (c, b, a) = (b, a, sample);
                    }

                    break;
                }

            case 4:
                {
                    (int d, int c, int b, int a) = (samples[0], samples[1], samples[2], samples[3]);
                    foreach (ref int sample in samples[4..])
                    {
                        sample += (4 * (a + c)) - (6 * b) - d;
                        (d, c, b, a) = (c, b, a, sample);
                    }

                    break;
                }
        }
    }

    /// <summary>Adds the prediction Σ c[j]·s[i-1-j] >> shift to every sample from the given order on.</summary>
    private static void RestoreLinear(ref int samples, int count, int order, ReadOnlySpan<int> coefficients, int shift)
    {
        switch (order)
        {
            case <= 4:
                Restore4(ref samples, count, order, coefficients, shift);
                break;
            case <= 8:
                Restore8(ref samples, count, order, coefficients, shift);
                break;
            case <= 12:
                Restore12(ref samples, count, order, coefficients, shift);
                break;
            default:
                for (int i = order; i < count; i++)
                {
                    ref int history = ref Unsafe.Add(ref samples, i - 1);
                    long sum = 0;
                    for (int j = 0; j < order; j++)
                        sum += (long)coefficients[j] * Unsafe.Add(ref history, -j);
                    Unsafe.Add(ref samples, i) += (int)(sum >> shift);
                }

                break;
        }
    }

    private static void Restore4(ref int samples, int count, int order, ReadOnlySpan<int> coefficients, int shift)
    {
        (long c0, long c1, long c2, long c3) = (coefficients[0], coefficients[1], coefficients[2], coefficients[3]);
        long a = Unsafe.Add(ref samples, order - 1);
        for (int i = order; i < count; i++)
        {
            ref int sample = ref Unsafe.Add(ref samples, i);
            long sum = (c3 * Unsafe.Add(ref sample, -4)) + (c2 * Unsafe.Add(ref sample, -3)) + (c1 * Unsafe.Add(ref sample, -2)) + (c0 * a);
            sample += (int)(sum >> shift);
            a = sample;
        }
    }

    private static void Restore8(ref int samples, int count, int order, ReadOnlySpan<int> coefficients, int shift)
    {
        (long c0, long c1, long c2, long c3) = (coefficients[0], coefficients[1], coefficients[2], coefficients[3]);
        (long c4, long c5, long c6, long c7) = (coefficients[4], coefficients[5], coefficients[6], coefficients[7]);
        long a = Unsafe.Add(ref samples, order - 1);
        for (int i = order; i < count; i++)
        {
            ref int sample = ref Unsafe.Add(ref samples, i);
            long sum =
                (c7 * Unsafe.Add(ref sample, -8))
                + (c6 * Unsafe.Add(ref sample, -7))
                + (c5 * Unsafe.Add(ref sample, -6))
                + (c4 * Unsafe.Add(ref sample, -5));
            sum += (c3 * Unsafe.Add(ref sample, -4)) + (c2 * Unsafe.Add(ref sample, -3)) + (c1 * Unsafe.Add(ref sample, -2)) + (c0 * a);
            sample += (int)(sum >> shift);
            a = sample;
        }
    }

    private static void Restore12(ref int samples, int count, int order, ReadOnlySpan<int> coefficients, int shift)
    {
        (long c0, long c1, long c2, long c3) = (coefficients[0], coefficients[1], coefficients[2], coefficients[3]);
        (long c4, long c5, long c6, long c7) = (coefficients[4], coefficients[5], coefficients[6], coefficients[7]);
        (long c8, long c9, long c10, long c11) = (coefficients[8], coefficients[9], coefficients[10], coefficients[11]);
        long a = Unsafe.Add(ref samples, order - 1);
        for (int i = order; i < count; i++)
        {
            ref int sample = ref Unsafe.Add(ref samples, i);
            long sum =
                (c11 * Unsafe.Add(ref sample, -12))
                + (c10 * Unsafe.Add(ref sample, -11))
                + (c9 * Unsafe.Add(ref sample, -10))
                + (c8 * Unsafe.Add(ref sample, -9));
            sum +=
                (c7 * Unsafe.Add(ref sample, -8))
                + (c6 * Unsafe.Add(ref sample, -7))
                + (c5 * Unsafe.Add(ref sample, -6))
                + (c4 * Unsafe.Add(ref sample, -5));
            sum += (c3 * Unsafe.Add(ref sample, -4)) + (c2 * Unsafe.Add(ref sample, -3)) + (c1 * Unsafe.Add(ref sample, -2)) + (c0 * a);
            sample += (int)(sum >> shift);
            a = sample;
        }
    }

    private string? PredictWide(Span<long> samples, int type, int order)
    {
        int shift = 0;
        string? defect = null;
        if (type == SubframeType.Linear)
        {
            defect = ReadPredictor(order, out shift);
        }
        else
        {
            ReadOnlySpan<int> coefficients = order switch
            {
                1 => [1],
                2 => [2, -1],
                3 => [3, -3, 1],
                4 => [4, -6, 4, -1],
                _ => [],
            };
            coefficients.CopyTo(_coefficients);
        }

        if (_residuals.Length < samples.Length)
            _residuals = new int[samples.Length];
        Span<int> residuals = _residuals.AsSpan(0, samples.Length);
        defect ??= ReadResiduals(residuals, order);
        if (defect is not null)
            return defect;
        for (int i = order; i < samples.Length; i++)
        {
            long sum = 0;
            for (int j = 0; j < order; j++)
                sum += _coefficients[j] * samples[i - 1 - j];
            samples[i] = residuals[i] + (sum >> shift);
        }

        return null;
    }

    /// <summary>The kinds of subframe (RFC 9639, section 9.2.1).</summary>
    private static class SubframeType
    {
        public const int Reserved = 0;
        public const int Constant = 1;
        public const int Verbatim = 2;
        public const int Fixed = 3;
        public const int Linear = 4;
    }
}
