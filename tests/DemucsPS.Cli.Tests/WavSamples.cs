using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DemucsPS.Cli.Tests;

/// <summary>Reads and writes WAV files byte by byte, without the product's own code.</summary>
internal static class WavSamples
{
    /// <summary>The samples of a 32-bit float file, interleaved.</summary>
    public static float[] ReadFloat(string path) => MemoryMarshal.Cast<byte, float>(Data(path, 3, 32)).ToArray();

    /// <summary>The samples of a 16-bit file as floats, interleaved.</summary>
    public static float[] Read16(string path)
    {
        ReadOnlySpan<short> samples = MemoryMarshal.Cast<byte, short>(Data(path, 1, 16));
        float[] result = new float[samples.Length];
        for (int i = 0; i < result.Length; i++)
            result[i] = samples[i] / 32768f;
        return result;
    }

    /// <summary>Writes a 32-bit float file.</summary>
    public static void WriteFloat(string path, float[] samples, int channels = 2, int rate = 44100)
    {
        using BinaryWriter writer = new(File.Create(path));
        writer.Write("RIFF"u8);
        writer.Write(36 + 4 * samples.Length);
        writer.Write("WAVEfmt "u8);
        writer.Write(16);
        writer.Write((short)3);
        writer.Write((short)channels);
        writer.Write(rate);
        writer.Write(rate * channels * 4);
        writer.Write((short)(channels * 4));
        writer.Write((short)32);
        writer.Write("data"u8);
        writer.Write(4 * samples.Length);
        writer.Write(MemoryMarshal.AsBytes<float>(samples));
    }

    /// <summary>A quiet sine of that many stereo frames.</summary>
    public static float[] Sine(int frames)
    {
        float[] samples = new float[2 * frames];
        for (int i = 0; i < frames; i++)
            samples[2 * i] = samples[2 * i + 1] = 0.1f * MathF.Sin(2 * MathF.PI * 440 * i / 44100);
        return samples;
    }

    /// <summary>Quiet noise of that many stereo frames, the same every time.</summary>
    public static float[] Noise(int frames)
    {
        Random random = new(11);
        float[] samples = new float[2 * frames];
        for (int i = 0; i < samples.Length; i++)
            samples[i] = 0.2f * (random.NextSingle() - 0.5f);
        return samples;
    }

    private static byte[] Data(string path, int format, int bits)
    {
        byte[] bytes = File.ReadAllBytes(path);
        Assert.True(bytes.AsSpan(0, 4).SequenceEqual("RIFF"u8));
        for (int at = 12; at + 8 <= bytes.Length;)
        {
            ReadOnlySpan<byte> id = bytes.AsSpan(at, 4);
            int size = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 4));
            if (id.SequenceEqual("fmt "u8))
            {
                Assert.Equal(format, BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(at + 8)));
                Assert.Equal(bits, BinaryPrimitives.ReadInt16LittleEndian(bytes.AsSpan(at + 22)));
            }
            if (id.SequenceEqual("data"u8))
                return bytes[(at + 8)..(at + 8 + size)];
            at += 8 + size + (size & 1);
        }
        Assert.Fail($"{path} has no data chunk.");
        return [];
    }
}
