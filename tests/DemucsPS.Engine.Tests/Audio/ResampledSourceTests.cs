using System.Numerics;
using DemucsPS.Engine.Audio.Resampling;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class ResampledSourceTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(48000)]
    [InlineData(96000)]
    [InlineData(192000)]
    [InlineData(22050)]
    [InlineData(8000)]
    [InlineData(44101)]
    public void There_and_back_gives_exactly_as_many_frames_and_no_delay(int rate)
    {
        // Not a multiple of anything, so that the way there rounds down.
        const int Frames = 20_011;
        float[] left = new float[Frames],
            right = new float[Frames];
        for (int i = 0; i < Frames; i++)
        {
            // Below 3 kHz, which every rate here can carry.
            left[i] = (float)(0.4 * Math.Sin(2 * Math.PI * 997 * i / rate) + 0.3 * Math.Sin(2 * Math.PI * 2503 * i / rate));
            right[i] = (float)(0.5 * Math.Cos(2 * Math.PI * 441 * i / rate));
        }
        ResampledSource there = new(new MemoryTrack(left, right), rate, 44100, Resampler.OutputLength(Frames, rate, 44100));
        ResampledSource back = new(there, 44100, rate, Frames);
        (float[] backLeft, float[] backRight) = ReadAll(back, 3001);
        Assert.Equal(Frames, backLeft.Length);
        // The edges are continued with their last sample both times; what is further from them than the two filters reach must be the same
        // again.
        int edge = 3 * 60 * Math.Max(1, rate / 44100 + 1);
        double signal = 0,
            error = 0;
        for (int i = edge; i < Frames - edge; i++)
        {
            signal += left[i] * left[i] + right[i] * right[i];
            error += Math.Pow(left[i] - backLeft[i], 2) + Math.Pow(right[i] - backRight[i], 2);
        }
        double snr = 10 * Math.Log10(signal / error);
        output.WriteLine($"{rate} Hz there and back: {snr:F1} dB");
        Assert.InRange(snr, 80, double.PositiveInfinity);
        Assert.All(backLeft, x => Assert.InRange(Math.Abs(x), 0, 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void The_end_is_continued_however_many_frames_are_missing(int frames)
    {
        (float[] left, float[] right) = ReadAll(
            new ResampledSource(new MemoryTrack([.. Enumerable.Repeat(0.5f, frames)], new float[frames]), 44100, 384000, 10_000),
            77
        );
        Assert.Equal(10_000, left.Length);
        Assert.All(left, x => Assert.Equal(0.5f, x, 1e-6f));
        Assert.All(right, x => Assert.Equal(0, x));
    }

    [Fact]
    public void Nothing_stays_nothing() => Assert.Empty(ReadAll(new ResampledSource(new MemoryTrack([], []), 44100, 48000, 10), 10).Left);

    /// <summary>The figures that the documentation states of the resampler, measured with tones as they stand in it.</summary>
    [Theory]
    [InlineData(48000, 44100, true, 0.88, 1.05)]
    [InlineData(96000, 44100, true, 0.88, 1.05)]
    [InlineData(44100, 48000, false, 0.93, 1.0)]
    [InlineData(44100, 96000, false, 0.93, 1.0)]
    [InlineData(44100, 22050, false, 0.93, 1.0)]
    public void The_pass_band_is_flat_and_what_cannot_be_carried_is_gone(int from, int to, bool isWayIn, double flatTo, double goneFrom)
    {
        ResamplerFilter filter = isWayIn ? ResamplerFilter.Demucs : ResamplerFilter.Output;
        double nyquist = Math.Min(from, to) / 2.0;
        double worst = 0;
        foreach (double share in new[] { 0.01, 0.05, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.88, 0.9, 0.93 }.Where(s => s <= flatTo))
            worst = Math.Max(worst, Math.Abs(20 * Math.Log10(LevelOf(share * nyquist, from, to, share * nyquist, filter))));
        output.WriteLine($"{from} to {to}: ripple up to {flatTo} of the lower Nyquist frequency: {worst:F4} dB");
        foreach (double share in new[] { 0.9, 0.907, 0.945, 0.969 })
            output.WriteLine($"  {share}: {20 * Math.Log10(LevelOf(share * nyquist, from, to, share * nyquist, filter)):F2} dB");
        Assert.InRange(worst, 0, isWayIn ? 0.021 : 0.003);

        // Going down, tones above the new Nyquist frequency come back below it; going up, images of tones appear above the old one.
        double alias = double.NegativeInfinity;
        foreach (double share in new[] { 1.001, 1.01, 1.03, 1.05, 1.08 })
        {
            double level =
                from > to
                    ? LevelOf(share * nyquist, from, to, to - (share * nyquist), filter)
                    : LevelOf((2 - share) * nyquist, from, to, share * nyquist, filter);
            output.WriteLine($"  {share:F3} of the Nyquist frequency: {20 * Math.Log10(level):F1} dB");
            if (share >= goneFrom)
                alias = Math.Max(alias, 20 * Math.Log10(level));
        }
        Assert.InRange(alias, double.NegativeInfinity, isWayIn ? -60 : -75);
    }

    /// <summary>The level at one frequency of what becomes of a tone of level 1.</summary>
    private static double LevelOf(double tone, int from, int to, double at, ResamplerFilter filter)
    {
        const int Frames = 60_000;
        float[] left = new float[Frames];
        for (int i = 0; i < Frames; i++)
            left[i] = (float)Math.Cos((2 * Math.PI * tone * i / from) + 0.3);
        (float[] got, _) = ReadAll(
            new ResampledSource(new MemoryTrack(left, new float[Frames]), from, to, Resampler.OutputLength(Frames, from, to), filter),
            5000
        );
        // A Blackman-Harris window, which leaves 92 dB to other frequencies; the ends, where the tone begins and ends, are cut off first.
        Complex sum = 0;
        double weights = 0;
        int first = 2000,
            count = got.Length - 4000;
        for (int i = 0; i < count; i++)
        {
            double x = 2 * Math.PI * i / count;
            double window = 0.35875 - 0.48829 * Math.Cos(x) + 0.14128 * Math.Cos(2 * x) - 0.01168 * Math.Cos(3 * x);
            sum += window * got[first + i] * Complex.FromPolarCoordinates(1, -2 * Math.PI * at * (first + i) / to);
            weights += window;
        }
        return 2 * sum.Magnitude / weights;
    }

    private static (float[] Left, float[] Right) ReadAll(ResampledSource source, int block)
    {
        List<float> allLeft = [],
            allRight = [];
        float[] left = new float[block],
            right = new float[block];
        for (int frames; (frames = source.Read(left, right)) > 0;)
        {
            allLeft.AddRange(left.AsSpan(0, frames));
            allRight.AddRange(right.AsSpan(0, frames));
        }
        return ([.. allLeft], [.. allRight]);
    }
}
