using System.Runtime.InteropServices;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Tests.Spectral;

public sealed class SegmentSpectrogramTests
{
    private const int Segment = 343980;

    [Fact]
    public void The_song_gives_the_spectrogram_of_the_official_code()
    {
        MemoryTrack song = MemoryTrack.Song(0, Segment);
        SegmentSpectrogram spectrogram = new(Segment);
        float[] tensor = new float[spectrogram.TensorLength];
        spectrogram.Forward(song.Left, song.Right, tensor);

        float[] expected = MemoryMarshal
            .Cast<byte, float>(File.ReadAllBytes(RepositoryFiles.Reference("expected", "spectrogram.f32")))
            .ToArray();
        float[] probes = [.. Enumerable.Range(0, expected.Length).Select(i => tensor[i * 61])];
        Assert.Equal(336, spectrogram.Frames);
        Assert.InRange(Decibels.Snr(expected, probes), 110, double.PositiveInfinity);
    }

    [Theory]
    [InlineData(343980)] // htdemucs, 7.8 s
    [InlineData(441000)] // exports of 10 s: 431 frames, not a multiple of the vector width
    [InlineData(4096)]
    [InlineData(5000)]
    public void Noise_survives_the_round_trip(int segment)
    {
        MemoryTrack noise = MemoryTrack.Noise(segment, 1);
        SegmentSpectrogram spectrogram = new(segment);
        float[] tensor = new float[spectrogram.TensorLength];
        float[] left = new float[segment],
            right = new float[segment];
        // The Nyquist bin is dropped by definition, so the noise is made without any: (x[n-1] + 2x[n] + x[n+1])/4 is zero there.
        float[] smoothLeft = Smooth(noise.Left),
            smoothRight = Smooth(noise.Right);
        spectrogram.Forward(smoothLeft, smoothRight, tensor);
        spectrogram.AddInverse(tensor, left, right);

        // Next to the ends, frames that the official code replaces by zeros are missing; chunks fade out there.
        Range whole = 1536..Math.Min(segment, 1024 * spectrogram.Frames - 1536);
        Assert.InRange(Decibels.Snr(smoothLeft.AsSpan(whole), left.AsSpan(whole)), 110, double.PositiveInfinity);
        Assert.InRange(Decibels.Snr(smoothRight.AsSpan(whole), right.AsSpan(whole)), 110, double.PositiveInfinity);
    }

    [Fact]
    public void The_inverse_is_added_with_its_weight()
    {
        MemoryTrack noise = MemoryTrack.Noise(8192, 2);
        SegmentSpectrogram spectrogram = new(8192);
        float[] tensor = new float[spectrogram.TensorLength];
        spectrogram.Forward(noise.Left, noise.Right, tensor);
        float[] once = new float[8192],
            rest = new float[8192],
            sum = new float[8192];
        spectrogram.AddInverse(tensor, once, rest);
        Array.Fill(sum, 1f);
        spectrogram.AddInverse(tensor, sum, rest, 0.25f);
        Assert.All(sum.Zip(once), p => Assert.Equal(1 + 0.25f * p.Second, p.First, 1e-6f));
    }

    [Fact]
    public void A_silent_channel_stays_silent_beside_a_loud_one()
    {
        MemoryTrack noise = MemoryTrack.Noise(8192, 3);
        SegmentSpectrogram spectrogram = new(8192);
        float[] tensor = new float[spectrogram.TensorLength];
        spectrogram.Forward(noise.Left, new float[8192], tensor);
        Assert.All(tensor[(tensor.Length / 2)..], x => Assert.Equal(0, x));
    }

    [Fact]
    public void Transforms_allocate_nothing()
    {
        MemoryTrack noise = MemoryTrack.Noise(8192, 4);
        SegmentSpectrogram spectrogram = new(8192);
        float[] tensor = new float[spectrogram.TensorLength];
        spectrogram.Forward(noise.Left, noise.Right, tensor);
        spectrogram.AddInverse(tensor, noise.Left, noise.Right);
        long before = GC.GetAllocatedBytesForCurrentThread();
        spectrogram.Forward(noise.Left, noise.Right, tensor);
        spectrogram.AddInverse(tensor, noise.Left, noise.Right);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Lengths_that_do_not_fit_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new SegmentSpectrogram(4095));
        SegmentSpectrogram spectrogram = new(8192);
        Assert.Throws<ArgumentException>(() => spectrogram.Forward(new float[8191], new float[8192], new float[spectrogram.TensorLength]));
        Assert.Throws<ArgumentException>(() => spectrogram.AddInverse(new float[3], new float[8192], new float[8192]));
    }

    private static float[] Smooth(float[] x)
    {
        float[] y = new float[x.Length];
        for (int i = 0; i < x.Length; i++)
            y[i] = (x[Math.Abs(i - 1)] + 2 * x[i] + x[i + 1 < x.Length ? i + 1 : x.Length - 2]) / 4;
        return y;
    }
}
