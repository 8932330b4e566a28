using DemucsPS.Engine.Audio.Resampling;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class ResamplerTests
{
    [Theory]
    [InlineData(48000, 44100)]
    [InlineData(22050, 44100)]
    [InlineData(96000, 44100)]
    [InlineData(44100, 48000)]
    [InlineData(8000, 44100)]
    [InlineData(192000, 44100)]
    [InlineData(44101, 44100)]
    public void Output_is_that_of_the_formula_at_110_dB_or_better_and_of_exact_length(int source, int target)
    {
        float[] input = Noise(6000);
        float[] output = Resample(input, source, target, 1000, 1000).Left;
        double[] expected = Direct(input, source, target);
        Assert.Equal((long)target * input.Length / source, output.Length);
        Assert.Equal(expected.Length, output.Length);
        double signal = expected.Sum(value => value * value);
        double error = expected.Zip(output, (a, b) => (a - b) * (a - b)).Sum();
        Assert.True(10 * Math.Log10(signal / error) >= 110, $"{10 * Math.Log10(signal / error):F1} dB");
    }

    [Theory]
    [InlineData(48000, 44100)]
    [InlineData(22050, 44100)]
    [InlineData(192000, 44100)]
    [InlineData(44101, 44100)]
    public void Bits_do_not_depend_on_the_size_of_blocks(int source, int target)
    {
        float[] input = Noise(9000);
        float[] reference = Resample(input, source, target, 100_000, 100_000).Left;
        foreach ((int write, int read) in ((int, int)[])[(1, 1), (7, 1000), (1000, 3), (4096, 4096), (333, 511)])
            Assert.Equal(
                reference.Select(BitConverter.SingleToInt32Bits),
                Resample(input, source, target, write, read).Left.Select(BitConverter.SingleToInt32Bits)
            );
    }

    [Theory]
    [InlineData(48000, 44100)]
    [InlineData(44101, 44100)]
    public void Rows_that_are_computed_when_needed_give_the_same_bits(int source, int target)
    {
        float[] input = Noise(2000);
        Assert.Equal(Resample(input, source, target, 500, 500).Left, Resample(input, source, target, 500, 500, maxTableBytes: 0).Left);
    }

    [Theory]
    [InlineData(48000, 44100, true)]
    [InlineData(44101, 44100, true)]
    [InlineData(149999, 44100, true)]
    [InlineData(191999, 44100, false)]
    [InlineData(767999, 44100, false)]
    public void Memory_for_rows_stays_within_its_bound(int source, int target, bool precomputed)
    {
        ResamplerKernel kernel = new(source, target, ResamplerFilter.Demucs);
        Assert.Equal(precomputed, (long)kernel.New * kernel.Taps * sizeof(float) <= ResamplerKernel.MaxTableBytes);
        Assert.Equal(1, kernel.Row(kernel.New - 1).ToArray().Sum(weight => (double)weight), 1e-5);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(30)]
    public void Very_short_tracks_keep_their_level_and_length(int frames)
    {
        float[] output = Resample([.. Enumerable.Repeat(0.25f, frames)], 22050, 44100, 100, 100).Left;
        Assert.Equal(2 * frames, output.Length);
        Assert.All(output, value => Assert.Equal(0.25f, value, 1e-6f));
    }

    [Fact]
    public void An_empty_track_stays_empty() => Assert.Empty(Resample([], 48000, 44100, 10, 10).Left);

    [Fact]
    public void The_first_channels_of_wider_frames_are_used_and_mono_fills_both_sides()
    {
        float[] left = Noise(1000);
        float[] right = [.. left.Select(value => value * -0.5f)];
        float[] wide = [.. left.Zip(right).SelectMany(pair => (float[])[pair.First, pair.Second, 9f])];
        Resampler stereo = new(48000, 44100, 2);
        (float[] gotLeft, float[] gotRight) = Run(stereo, wide, 3, 100, 100);
        (float[] mono, float[] copy) = Resample(left, 48000, 44100, 100, 100);
        Assert.Equal(mono, gotLeft);
        Assert.Equal(Resample(right, 48000, 44100, 100, 100).Left, gotRight);
        Assert.Equal(mono, copy);
    }

    [Fact]
    public void Lengths_do_not_overflow() => Assert.Equal(44100L * (1L << 41), Resampler.OutputLength(768000L * (1L << 41), 768000, 44100));

    private static float[] Noise(int frames)
    {
        Random random = new(frames);
        return [.. Enumerable.Range(0, frames).Select(i => (float)((random.NextDouble() - 0.5) + (0.4 * Math.Sin(i * 0.05))))];
    }

    private static (float[] Left, float[] Right) Resample(
        float[] input,
        int source,
        int target,
        int writeFrames,
        int readFrames,
        int maxTableBytes = ResamplerKernel.MaxTableBytes
    ) => Run(new Resampler(source, target, 1, maxTableBytes: maxTableBytes), input, 1, writeFrames, readFrames);

    private static (float[] Left, float[] Right) Run(Resampler resampler, float[] input, int stride, int writeFrames, int readFrames)
    {
        (List<float> allLeft, List<float> allRight) = ([], []);
        (float[] left, float[] right) = (new float[readFrames], new float[readFrames]);
        for (int at = 0; at < input.Length;)
        {
            int count = Math.Min(writeFrames * stride, input.Length - at);
            at += resampler.Write(input.AsSpan(at, count), stride) * stride;
            ReadAvailable();
        }

        resampler.Complete();
        ReadAvailable();
        return ([.. allLeft], [.. allRight]);

        void ReadAvailable()
        {
            int frames;
            while ((frames = resampler.Read(left, right)) > 0)
            {
                allLeft.AddRange(left.AsSpan(0, frames));
                allRight.AddRange(right.AsSpan(0, frames));
            }
        }
    }

    /// <summary>
    /// The formula of NUMERICS, "Resampling", written down once more in double precision without any of the engine's shortcuts:
    /// every tap of the padded filter for every output frame.
    /// </summary>
    private static double[] Direct(float[] input, int sourceRate, int targetRate)
    {
        int divisor = (int)System.Numerics.BigInteger.GreatestCommonDivisor(sourceRate, targetRate);
        int before = sourceRate / divisor;
        int after = targetRate / divisor;
        double rate = Math.Min(before, after) * 0.945;
        int width = (int)Math.Ceiling(24 * before / rate);
        double[] output = new double[(long)after * input.Length / before];
        for (int n = 0; n < output.Length; n++)
        {
            double sum = 0;
            double weights = 0;
            int block = n / after * before;
            for (int index = -width; index < width + before; index++)
            {
                // A window that is zero adds nothing; leaving the tap out only saves the test's time.
                double t = ((-(double)(n % after) / after) + ((double)index / before)) * rate;
                t = Math.Clamp(t, -24, 24) * Math.PI;
                if (Math.Abs(t) >= 24 * Math.PI)
                    continue;
                double window = Math.Pow(Math.Cos(t / 24 / 2), 2);
                double weight = window * (t == 0 ? 1 : Math.Sin(t) / t);
                weights += weight;
                sum += weight * input[Math.Clamp(block + index, 0, input.Length - 1)];
            }

            output[n] = sum / weights;
        }

        return output;
    }
}
