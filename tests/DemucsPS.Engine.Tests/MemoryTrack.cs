using System.Runtime.InteropServices;
using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Tests;

/// <summary>A track in memory, given out in blocks of odd sizes so that nobody relies on full reads.</summary>
internal sealed class MemoryTrack(float[] left, float[] right) : IStereoSource
{
    private int _position;

    public int Frames => left.Length;

    public float[] Left => left;

    public float[] Right => right;

    public int Read(Span<float> intoLeft, Span<float> intoRight)
    {
        int count = Math.Min(Math.Min(intoLeft.Length, 10007), left.Length - _position);
        left.AsSpan(_position, count).CopyTo(intoLeft);
        right.AsSpan(_position, count).CopyTo(intoRight);
        _position += count;
        return count;
    }

    public MemoryTrack Restarted() => new(left, right);

    /// <summary>The sample song, read without the product's own reader: its header is the plain 44 bytes.</summary>
    public static MemoryTrack Song(int start = 0, int? frames = null, float gain = 1, float add = 0, int zerosAfter = 0)
    {
        byte[] bytes = File.ReadAllBytes(RepositoryFiles.Song);
        ReadOnlySpan<short> samples = MemoryMarshal.Cast<byte, short>(bytes.AsSpan(44));
        int count = frames ?? samples.Length / 2 - start;
        float[] left = new float[count + zerosAfter],
            right = new float[count + zerosAfter];
        for (int i = 0; i < count; i++)
        {
            left[i] = samples[2 * (start + i)] / 32768f * gain + add;
            right[i] = samples[2 * (start + i) + 1] / 32768f * gain + add;
        }
        return new MemoryTrack(left, right);
    }

    /// <summary>Uniform noise with a seed.</summary>
    public static MemoryTrack Noise(int frames, int seed)
    {
        Random random = new(seed);
        float[] left = new float[frames],
            right = new float[frames];
        for (int i = 0; i < frames; i++)
        {
            left[i] = random.NextSingle() * 2 - 1;
            right[i] = random.NextSingle() * 2 - 1;
        }
        return new MemoryTrack(left, right);
    }
}
