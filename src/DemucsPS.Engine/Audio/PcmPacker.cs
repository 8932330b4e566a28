using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Makes bytes of samples. Integers are sample · gain · 2^(bits−1), exactly rounded to nearest, ties to even, and set to full scale beyond it. The one place with this arithmetic, so that stems have the
/// same samples in every lossless format.
/// </summary>
/// <param name="path">The file that is written, for messages.</param>
/// <param name="packing">How samples lie.</param>
/// <param name="ditherSeed">With a seed, integers get triangular dither of two quantisation steps peak to peak before rounding; null, and floats always: none.</param>
internal sealed class PcmPacker(string path, PcmPacking packing, int? ditherSeed)
{
    private readonly bool _dithered = ditherSeed.HasValue && packing != PcmPacking.Float32;
    private TriangularDither _dither = new(ditherSeed.GetValueOrDefault());

    /// <summary>Samples that lay beyond full scale after rounding and were set to it; always 0 for floats.</summary>
    public long ClippedSamples { get; private set; }

    /// <summary>Bytes of a sample.</summary>
    public int SampleBytes => packing switch
    {
        PcmPacking.Int16 => 2,
        PcmPacking.Int24 => 3,
        _ => 4,
    };

    /// <summary>Packs samples.</summary>
    /// <param name="samples">Nominally −1 … 1.</param>
    /// <param name="gain">A factor for every sample.</param>
    /// <param name="bytes">Receives them; <see cref="SampleBytes"/> for each.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: a sample that is not a number is to become an integer.</exception>
    public void Pack(ReadOnlySpan<float> samples, float gain, Span<byte> bytes)
    {
        switch (packing)
        {
            case PcmPacking.Int16:
                for (int i = 0; i < samples.Length; i++)
                    BinaryPrimitives.WriteInt16LittleEndian(bytes[(2 * i)..], (short)Quantise(samples[i], gain, 32_768));
                break;
            case PcmPacking.Int24:
                for (int i = 0; i < samples.Length; i++)
                {
                    int value = Quantise(samples[i], gain, 8_388_608);
                    int at = 3 * i;
                    bytes[at] = (byte)value;
                    bytes[at + 1] = (byte)(value >> 8);
                    bytes[at + 2] = (byte)(value >> 16);
                }

                break;
            case PcmPacking.Int24In32:
                for (int i = 0; i < samples.Length; i++)
                    BinaryPrimitives.WriteInt32LittleEndian(bytes[(4 * i)..], Quantise(samples[i], gain, 8_388_608) << 8);
                break;
            case PcmPacking.Float32 when gain == 1f && BitConverter.IsLittleEndian:
                MemoryMarshal.AsBytes(samples).CopyTo(bytes);
                break;
            default:
                for (int i = 0; i < samples.Length; i++)
                    BinaryPrimitives.WriteSingleLittleEndian(bytes[(4 * i)..], samples[i] * gain);
                break;
        }
    }

    private int Quantise(float sample, float gain, int fullScale)
    {
        // In double precision the product of two floats is exact, so there is one rounding only.
        double value = (double)sample * gain * fullScale;
        if (_dithered)
            value += _dither.Next();
        value = Math.Round(value, MidpointRounding.ToEven);
        if (value >= -fullScale && value <= fullScale - 1)
            return (int)value;
        if (double.IsNaN(value))
        {
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"'{path}' cannot be written: a sample is not a number, and integers have no such value.",
                path);
        }

        ClippedSamples++;
        return value < 0 ? -fullScale : fullScale - 1;
    }
}
