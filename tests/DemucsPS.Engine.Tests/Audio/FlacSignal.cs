using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>
/// The integers in the FLAC fixtures, made by formula: a triangle wave, for every further channel a little of another one,
/// and noise from a linear congruential generator. Only integer arithmetic, so every platform agrees.
/// </summary>
internal static class FlacSignal
{
    public static int[] Make(int frames, int channels, int bits, int wasted = 0, bool noiseOnly = false)
    {
        long half = 1L << (bits - 1 - wasted);
        uint state = 12345;
        int[] samples = new int[frames * channels];
        for (int i = 0; i < samples.Length; i++)
        {
            int frame = i / channels;
            int channel = i % channels;
            state = (state * 1664525) + 1013904223;
            long wave = (Triangle(frame * 37) * 8) + (channel * Triangle(frame * 11));
            int noiseBits = bits - wasted - 6;
            long value = (wave * half >> 14) + (noiseBits > 0 ? (int)state >> (32 - noiseBits) : 0);
            if (noiseOnly)
                value = ((state >> 8) - (1L << 23)) * half >> 23;
            samples[i] = (int)(value << wasted);
        }

        return samples;
    }

    public static byte[] Bytes(int[] samples, int sampleBytes)
    {
        byte[] bytes = new byte[samples.Length * sampleBytes];
        for (int i = 0; i < bytes.Length; i++)
            bytes[i] = (byte)(samples[i / sampleBytes] >> (8 * (i % sampleBytes)));
        return bytes;
    }

    /// <summary>The digest that STREAMINFO has of samples.</summary>
    [SuppressMessage("Security", "CA5351", Justification = "MD5 is what FLAC defines; it finds damage, not attacks.")]
    public static byte[] Digest(int[] samples, int sampleBytes) => MD5.HashData(Bytes(samples, sampleBytes));

    private static long Triangle(int phase) => Math.Abs((phase % 2048) - 1024) - 512;
}
