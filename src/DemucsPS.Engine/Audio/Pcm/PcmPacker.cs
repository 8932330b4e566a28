using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>
/// Makes bytes of samples. Integers are sample · gain · 2^(bits−1), exactly rounded to nearest, ties to even, and set to full scale beyond
/// it. The one place with this arithmetic, so that stems have the same samples in every lossless format.
/// </summary>
/// <param name="path">The file that is written, for messages.</param>
/// <param name="packing">How samples lie.</param>
/// <param name="ditherSeed">With a seed, integers get triangular dither of two quantization steps peak to peak before rounding; null, and
/// floats always: none.</param>
internal sealed class PcmPacker(string path, PcmPacking packing, int? ditherSeed)
{
    private const int BlockSamples = 512;

    private readonly bool _dithered = ditherSeed.HasValue && packing != PcmPacking.Float32;
    private TriangularDither _dither = new(ditherSeed.GetValueOrDefault());

    /// <summary>Samples that lay beyond full scale after rounding and were set to it; always 0 for floats.</summary>
    public long ClippedSamples { get; private set; }

    /// <summary>Bytes of a sample.</summary>
    public int SampleBytes =>
        packing switch
        {
            PcmPacking.Int16 => 2,
            PcmPacking.Int24 => 3,
            _ => 4,
        };

    /// <summary>Packs samples.</summary>
    /// <param name="samples">Nominally −1 … 1.</param>
    /// <param name="gain">A factor for every sample.</param>
    /// <param name="bytes">Receives them; <see cref="SampleBytes"/> for each.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: a sample that is not a number is to become an
    /// integer.</exception>
    public void Pack(ReadOnlySpan<float> samples, float gain, Span<byte> bytes)
    {
        if (packing == PcmPacking.Float32)
        {
            PackFloats(samples, gain, bytes);
            return;
        }
        int fullScale = packing == PcmPacking.Int16 ? 32_768 : 8_388_608;
        Span<int> values = stackalloc int[BlockSamples];
        for (int at = 0; at < samples.Length; at += BlockSamples)
        {
            ReadOnlySpan<float> block = samples.Slice(at, Math.Min(BlockSamples, samples.Length - at));
            Quantize(block, gain, fullScale, values);
            PackIntegers(values[..block.Length], bytes[(SampleBytes * at)..]);
        }
    }

    private static void PackFloats(ReadOnlySpan<float> samples, float gain, Span<byte> bytes)
    {
        if (gain == 1f && BitConverter.IsLittleEndian)
        {
            MemoryMarshal.AsBytes(samples).CopyTo(bytes);
            return;
        }
        for (int i = 0; i < samples.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes[(4 * i)..], samples[i] * gain);
    }

    // Compiled at once, like the next one: a file may be written before the runtime finds that this is worth it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void PackIntegers(ReadOnlySpan<int> values, Span<byte> bytes)
    {
        switch (packing)
        {
            case PcmPacking.Int16:
                for (int i = 0; i < values.Length; i++)
                    BinaryPrimitives.WriteInt16LittleEndian(bytes.Slice(2 * i, 2), (short)values[i]);
                break;
            case PcmPacking.Int24:
                for (int i = 0; i < values.Length; i++)
                {
                    Span<byte> three = bytes.Slice(3 * i, 3);
                    three[0] = (byte)values[i];
                    three[1] = (byte)(values[i] >> 8);
                    three[2] = (byte)(values[i] >> 16);
                }

                break;
            default:
                for (int i = 0; i < values.Length; i++)
                    BinaryPrimitives.WriteInt32LittleEndian(bytes.Slice(4 * i, 4), values[i] << 8);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Quantize(ReadOnlySpan<float> samples, float gain, int fullScale, Span<int> values)
    {
        // In double precision the product of two floats is exact, so there is one rounding only.
        Span<double> noise = stackalloc double[BlockSamples];
        if (_dithered)
            _dither.Fill(noise[..samples.Length]);
        else
            noise.Clear();
        Vector<double> factor = new(gain),
            scale = new(fullScale),
            least = new(-fullScale),
            most = new(fullScale - 1);
        int i = 0;
        for (; i <= samples.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(samples[i..]), out Vector<double> low, out Vector<double> high);
            low = Vector.Round(low * factor * scale + new Vector<double>(noise[i..]));
            high = Vector.Round(high * factor * scale + new Vector<double>(noise[(i + Vector<double>.Count)..]));
            // Numbers of up to 24 bits are exact as floats. What is not a number fails the comparison.
            if (
                Vector.GreaterThanOrEqualAll(low, least)
                && Vector.GreaterThanOrEqualAll(high, least)
                && Vector.LessThanOrEqualAll(low, most)
                && Vector.LessThanOrEqualAll(high, most)
            )
                Vector.ConvertToInt32(Vector.Narrow(low, high)).CopyTo(values[i..]);
            else
                QuantizeEach(samples.Slice(i, Vector<float>.Count), gain, fullScale, noise[i..], values[i..]);
        }
        QuantizeEach(samples[i..], gain, fullScale, noise[i..], values[i..]);
    }

    private void QuantizeEach(ReadOnlySpan<float> samples, float gain, int fullScale, ReadOnlySpan<double> noise, Span<int> values)
    {
        for (int i = 0; i < samples.Length; i++)
        {
            double value = Math.Round((double)samples[i] * gain * fullScale + noise[i], MidpointRounding.ToEven);
            if (double.IsNaN(value))
                throw new DemucsException(
                    DemucsError.StemWriteFailed,
                    $"'{path}' cannot be written: a sample is NaN, which integer formats cannot store.",
                    path
                );
            double clipped = Math.Clamp(value, -fullScale, fullScale - 1);
            if (clipped != value)
                ClippedSamples++;
            values[i] = (int)clipped;
        }
    }
}
