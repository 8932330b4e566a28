using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Quality;

/// <summary>
/// References and estimates of the cases that museval was run on: formulas over the stems of the sample song, as
/// tests/fixtures/bss-eval/README.md has them.
/// </summary>
internal sealed record MusevalCase(double[][][] References, double[][][] Estimates, long? Window, long Hop)
{
    private const int Length = 882000,
        Second = 44100,
        Stems = 4;

    private static readonly string[] s_names = ["drums", "bass", "other", "vocals"];

    private static readonly Lazy<double[][][]> s_song = new(() => [.. s_names.Select(Read)]);

    public static MusevalCase Of(string name)
    {
        double[][][] r = s_song.Value;
        return name switch
        {
            "a" => new(r, Map((k, n, c) => Leak(r, k, n, c)), Second, Second),
            "b" => new(r, Map((k, n, c) => At(r, k, n - 7, c)), Second, Second),
            "c" => new(r, Map((k, n, c) => 0.5 * At(r, k, n, c) + 0.05 * At(r, k + 1, n, c)), Second, Second),
            "d" => new(r, Map((k, n, c) => Dull(r, k, n, c) + 0.2 * At(r, k + 1, n, c)), Second, Second),
            "e" => new(r, Map((k, n, c) => At(r, k, n, 1 - c) + 0.05 * At(r, k + 1, n, c)), Second, Second),
            "f" => new(r, Map((k, n, c) => k == 3 && n is >= 5 * Second and < 7 * Second ? 0 : Leak(r, k, n, c)), Second, Second),
            "g" => new(
                Map((k, n, c) => k == 1 && n is >= 10 * Second and < 12 * Second ? 0 : At(r, k, n, c)),
                Map((k, n, c) => Leak(r, k, n, c)),
                Second,
                Second
            ),
            "h" => new(Cut(r, 100000, 110250), Cut(Map((k, n, c) => Leak(r, k, n, c)), 100000, 110250), Second, Second),
            "i" => new(
                [.. r.Select(stem => new[] { stem[0] })],
                [.. Map((k, n, c) => Leak(r, k, n, c)).Select(stem => new[] { stem[0] })],
                Second,
                Second
            ),
            "j" => new(r, Map((k, n, c) => At(r, k, n, c) + 0.01 * Sawtooth(n, c)), Second, Second),
            "k" => new(
                r,
                Map((k, n, c) => Round16(Dull(r, k, n, c) + 0.1 * At(r, k + 1, n, c) + 0.05 * At(r, k + 2, n, c) + 0.003 * Noise(k, n, c))),
                Second,
                Second
            ),
            "l" => new(Cut(r, 0, 132300), Cut(r, 0, 132300), Second, Second),
            "m" => Sides(),
            "n" => new(Cut(r, 100000, 22050), Cut(Map((k, n, c) => Real(r, k, n, c)), 100000, 22050), Second, Second),
            "o" => new(r, Map((k, n, c) => Real(r, k, n, c)), null, Second),
            "p" => new(r, Cut(Map((k, n, c) => Real(r, k, n, c)), 0, 850000), Second, Second),
            "q" => new(Cut(r, 0, 220500), Cut(Map((k, n, c) => Real(r, k, n, c)), 0, 220500), 88200, 22050),
            _ => throw new ArgumentOutOfRangeException(nameof(name), name, "There is no such case."),
        };
    }

    private static MusevalCase Sides()
    {
        double[][][] r = Cut(s_song.Value, 0, 176400);
        for (int n = Second; n < 2 * Second; n++)
            r[2][1][n] = -r[2][0][n];
        return new(r, Cut(Map((k, n, c) => Real(r, k, n, c)), 0, 176400), Second, Second);
    }

    private static double At(double[][][] r, int k, int n, int c) => n < 0 || n >= r[0][0].Length ? 0 : r[k % Stems][c][n];

    private static double Dull(double[][][] r, int k, int n, int c) =>
        0.6 * At(r, k, n, c) + 0.3 * At(r, k, n - 1, c) + 0.1 * At(r, k, n - 2, c);

    private static double Leak(double[][][] r, int k, int n, int c)
    {
        double others = 0;
        for (int j = 0; j < Stems; j++)
            others += j == k ? 0 : At(r, j, n, c);
        return At(r, k, n, c) + 0.1 * others;
    }

    private static double Real(double[][][] r, int k, int n, int c) => Dull(r, k, n, c) + 0.2 * At(r, k + 1, n, c) + 0.01 * Noise(k, n, c);

    private static double Sawtooth(int n, int c) => ((2L * n + c) * 1103515245 + 12345) % (1L << 31) / (double)(1 << 30) - 1;

    private static double Noise(int k, int n, int c)
    {
        uint x = unchecked(((2 * (uint)n + (uint)c) * 4 + (uint)k + 1) * 2654435761);
        x ^= x >> 16;
        x = unchecked(x * 2246822519);
        x ^= x >> 13;
        x = unchecked(x * 3266489917);
        x ^= x >> 16;
        return x / (double)(1L << 31) - 1;
    }

    private static double Round16(double x) => Math.Clamp(Math.Round(32768 * x, MidpointRounding.ToEven), -32768, 32767) / 32768;

    private static double[][][] Map(Func<int, int, int, double> sample) =>
        [
            .. Enumerable
                .Range(0, Stems)
                .Select(k =>
                    Enumerable
                        .Range(0, 2)
                        .Select(c =>
                        {
                            double[] samples = new double[Length];
                            for (int n = 0; n < Length; n++)
                                samples[n] = sample(k, n, c);
                            return samples;
                        })
                        .ToArray()
                ),
        ];

    private static double[][][] Cut(double[][][] stems, int first, int count) =>
        [.. stems.Select(stem => stem.Select(channel => channel[first..(first + count)]).ToArray())];

    private static double[][] Read(string stem)
    {
        using AudioReader reader = AudioFile.Open(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", stem + ".flac"));
        float[] samples = new float[Length * 2];
        int frames = 0;
        for (int count; frames < Length && (count = reader.Read(samples.AsSpan(frames * 2))) > 0; frames += count) { }
        Assert.Equal(Length, frames);
        return [.. Enumerable.Range(0, 2).Select(c => Enumerable.Range(0, Length).Select(n => (double)samples[2 * n + c]).ToArray())];
    }
}
