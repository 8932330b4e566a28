using System.Numerics;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Tests.Spectral;

public sealed class LaneFftTests
{
    [Theory]
    [InlineData(4)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(128)]
    [InlineData(512)]
    [InlineData(1024)]
    [InlineData(4096)]
    public void The_forward_transform_agrees_with_a_direct_one(int size)
    {
        double[][] frames = Frames(size);
        (Vector<float>[] re, Vector<float>[] im) = Pack(frames);
        Forward(new LaneFft(size), re, im);
        for (int lane = 0; lane < frames.Length; lane++)
        {
            double peak = 0,
                worst = 0;
            for (int k = 0; k < size / 2; k++)
            {
                Complex expected = Direct(frames[lane], k);
                peak = Math.Max(peak, expected.Magnitude);
                worst = Math.Max(worst, (expected - new Complex(re[k][lane], im[k][lane])).Magnitude);
            }
            Assert.True(worst <= 1e-5 * peak, $"lane {lane}: error {worst}, peak {peak}");
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(512)]
    [InlineData(4096)]
    public void The_inverse_transform_undoes_the_forward_one(int size)
    {
        double[][] frames = Frames(size);
        foreach (double[] frame in frames)
        {
            // The Nyquist bin is not kept, so the frame must have none.
            double nyquist = frame.Select((x, n) => n % 2 == 0 ? x : -x).Sum() / size;
            for (int n = 0; n < size; n++)
                frame[n] -= n % 2 == 0 ? nyquist : -nyquist;
        }
        (Vector<float>[] re, Vector<float>[] im) = Pack(frames);
        LaneFft fft = new(size);
        Forward(fft, re, im);
        Inverse(fft, re, im);
        for (int lane = 0; lane < frames.Length; lane++)
        {
            for (int m = 0; m < size / 2; m++)
            {
                Assert.Equal(frames[lane][2 * m], re[m][lane] / size, 1e-5);
                Assert.Equal(frames[lane][2 * m + 1], im[m][lane] / size, 1e-5);
            }
        }
    }

    [Fact]
    public void The_inverse_transform_ignores_the_imaginary_part_of_bin_0()
    {
        Vector<float>[] re = new Vector<float>[8],
            im = new Vector<float>[8];
        re[0] = Vector<float>.One;
        im[0] = new Vector<float>(123);
        Inverse(new LaneFft(16), re, im);
        Assert.All(re, v => Assert.Equal(Vector<float>.One, v));
        Assert.All(im, v => Assert.Equal(Vector<float>.One, v));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(12)]
    public void Sizes_that_are_no_power_of_two_are_refused(int size) => Assert.Throws<ArgumentOutOfRangeException>(() => new LaneFft(size));

    [Theory]
    [InlineData(4)]
    [InlineData(64)]
    [InlineData(4096)]
    public void Two_groups_give_what_each_gives_by_itself(int size)
    {
        int half = size / 2;
        Vector<float>[] re = new Vector<float>[2 * half],
            im = new Vector<float>[2 * half];
        Random random = new(3);
        for (int i = 0; i < re.Length; i++)
        {
            re[i] = new Vector<float>([.. Enumerable.Range(0, Vector<float>.Count).Select(_ => random.NextSingle())]);
            im[i] = new Vector<float>([.. Enumerable.Range(0, Vector<float>.Count).Select(_ => random.NextSingle())]);
        }
        Vector<float>[] bothRe = [.. re],
            bothIm = [.. im];
        LaneFft fft = new(size);
        fft.Forward(2, new Lanes(bothRe, bothIm, half), new Lanes(bothRe, bothIm, half));
        for (int group = 0; group < 2; group++)
        {
            Vector<float>[] oneRe = re[(group * half)..((group + 1) * half)],
                oneIm = im[(group * half)..((group + 1) * half)];
            Forward(fft, oneRe, oneIm);
            Assert.Equal(oneRe, bothRe[(group * half)..((group + 1) * half)]);
            Assert.Equal(oneIm, bothIm[(group * half)..((group + 1) * half)]);
        }
        re = [.. bothRe];
        im = [.. bothIm];
        fft.Inverse(2, new Lanes(bothRe, bothIm, half), new Lanes(bothRe, bothIm, half));
        for (int group = 0; group < 2; group++)
        {
            Vector<float>[] oneRe = re[(group * half)..((group + 1) * half)],
                oneIm = im[(group * half)..((group + 1) * half)];
            Inverse(fft, oneRe, oneIm);
            Assert.Equal(oneRe, bothRe[(group * half)..((group + 1) * half)]);
            Assert.Equal(oneIm, bothIm[(group * half)..((group + 1) * half)]);
        }
    }

    private static void Forward(LaneFft fft, Vector<float>[] re, Vector<float>[] im) =>
        fft.Forward(1, new Lanes(re, im, re.Length), new Lanes(re, im, re.Length));

    private static void Inverse(LaneFft fft, Vector<float>[] re, Vector<float>[] im) =>
        fft.Inverse(1, new Lanes(re, im, re.Length), new Lanes(re, im, re.Length));

    private readonly struct Lanes(Vector<float>[] re, Vector<float>[] im, int half) : ILaneReader, ILaneWriter
    {
        public void Load(int group, int index, out Vector<float> first, out Vector<float> second) =>
            (first, second) = (re[group * half + index], im[group * half + index]);

        public void Store(int group, int index, Vector<float> first, Vector<float> second) =>
            (re[group * half + index], im[group * half + index]) = (first, second);
    }

    private static double[][] Frames(int size)
    {
        Random random = new(size);
        return
        [
            .. Enumerable
                .Range(0, Vector<float>.Count)
                .Select(_ => Enumerable.Range(0, size).Select(_ => random.NextDouble() * 2 - 1).ToArray()),
        ];
    }

    private static (Vector<float>[] Re, Vector<float>[] Im) Pack(double[][] frames)
    {
        int half = frames[0].Length / 2;
        Vector<float>[] re = new Vector<float>[half],
            im = new Vector<float>[half];
        for (int m = 0; m < half; m++)
        {
            re[m] = new Vector<float>([.. frames.Select(f => (float)f[2 * m])]);
            im[m] = new Vector<float>([.. frames.Select(f => (float)f[2 * m + 1])]);
        }
        return (re, im);
    }

    private static Complex Direct(double[] frame, int k)
    {
        Complex sum = 0;
        for (int n = 0; n < frame.Length; n++)
            sum += (float)frame[n] * Complex.FromPolarCoordinates(1, -2 * Math.PI * ((long)k * n % frame.Length) / frame.Length);
        return sum;
    }
}
