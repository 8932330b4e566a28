using System.Text.Json;
using System.Text.Json.Serialization;
using DemucsPS.Engine.Quality;

namespace DemucsPS.Engine.Tests.Quality;

public sealed class StemEvaluationTests
{
    // Figures above are rounding noise, museval's too.
    private const double Meaningful = 100;

    private static readonly JsonSerializerOptions s_options = new() { NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static TheoryData<string> Cases => [.. "abcdefghijklmnopq".Select(c => c.ToString())];

    /// <summary>museval 0.4.1 gave the expected figures.</summary>
    [Theory]
    [MemberData(nameof(Cases))]
    public void FiguresAreThoseOfMuseval(string name)
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        MusevalCase given = MusevalCase.Of(name);
        int channels = given.References[0].Length;
        StemEvaluation evaluation = StemEvaluation.Compute(
            () => new ArrayFrames(given.References, given.Estimates),
            [true, true, true, true],
            channels,
            given.Window,
            given.Hop,
            filters: true,
            windows: true,
            threads: 2,
            progress: null,
            lengths: null,
            new EvaluationPool(),
            TestContext.Current.CancellationToken
        );

        JsonElement expected = Expected(name);
        Assert.Equal(expected.GetProperty("frames").GetInt32(), evaluation.Windows.Count);
        Assert.Equal(expected.GetProperty("samples").GetInt64(), evaluation.Frames);
        foreach ((int stem, JsonProperty figures) in expected.GetProperty("stems").EnumerateObject().Index())
        {
            for (int frame = 0; frame < evaluation.Windows.Count; frame++)
            {
                WindowSums? sums = evaluation.Windows[frame].Sums?[stem];
                Same("SDR", sums?.Sdr);
                Same("ISR", sums?.Isr);
                Same("SIR", sums?.Sir);
                Same("SAR", sums?.Sar);

                void Same(string metric, double? actual)
                {
                    double? wanted = figures.Value.GetProperty(metric)[frame].Deserialize<double?>(s_options);
                    string what = $"{name}, {figures.Name}, {metric} of frame {frame}: {actual} for {wanted}";
                    Assert.True(wanted.HasValue == actual.HasValue, what);
                    if (wanted is { } figure)
                        Assert.True(figure < Meaningful ? Math.Abs(figure - actual!.Value) <= 0.01 : actual > Meaningful - 10, what);
                }
            }
            Median("SDR", s => s.Sdr);
            Median("ISR", s => s.Isr);
            Median("SIR", s => s.Sir);
            Median("SAR", s => s.Sar);
            Close("nSDR", evaluation.NSdr[stem]);
            Close("SI-SDR", evaluation.SiSdr[stem]);

            void Median(string metric, Func<WindowSums, double> of)
            {
                double? wanted = figures.Value.GetProperty("median").GetProperty(metric).Deserialize<double?>(s_options),
                    actual = StemQuality.Median(evaluation.Windows.Select(w => w.Sums is { } s ? of(s[stem]) : (double?)null));
                Assert.True(
                    wanted is null ? actual is null : wanted >= Meaningful || Math.Abs(wanted.Value - actual!.Value) <= 0.01,
                    $"{name}, {figures.Name}, median {metric}: {actual} for {wanted}"
                );
            }

            void Close(string metric, double actual)
            {
                double wanted = figures.Value.GetProperty(metric).Deserialize<double>(s_options);
                Assert.True(
                    wanted == actual || Math.Abs(wanted - actual) <= 1e-6,
                    $"{name}, {figures.Name}, {metric}: {actual} for {wanted}"
                );
            }
        }
    }

    /// <summary>Signals of many lengths, windows that overlap, filters of several lengths: as the definition says it.</summary>
    [Theory]
    [InlineData(2, 2, 5, 16, 600, 150, 60)]
    [InlineData(1, 1, 3, 8, 97, 97, 97)]
    [InlineData(3, 1, 24, 64, 1000, 333, 333)]
    [InlineData(2, 2, 20, 32, 500, 1000, 1000)]
    [InlineData(5, 1, 1, 4, 70, 7, 3)]
    public void FiguresAreThoseOfTheDefinition(int stems, int channels, int taps, int size, int frames, int window, int hop)
    {
        Random random = new(stems * 1000 + frames);
        double[][][] references = Signals(),
            estimates = Signals();
        for (int stem = 0; stem < stems; stem++)
        {
            for (int channel = 0; channel < channels; channel++)
            {
                for (int n = 0; n < frames; n++)
                    estimates[stem][channel][n] =
                        0.1 * estimates[stem][channel][n]
                        + 0.8 * references[stem][channel][n]
                        + 0.2 * references[(stem + 1) % stems][0][Math.Max(0, n - 1)];
            }
        }
        StemEvaluation evaluation = StemEvaluation.Compute(
            () => new ArrayFrames(references, estimates),
            [.. Enumerable.Repeat(true, stems)],
            channels,
            window >= frames ? null : window,
            hop,
            filters: true,
            windows: true,
            threads: 2,
            progress: null,
            new FilterLengths(taps, size),
            new EvaluationPool(),
            TestContext.Current.CancellationToken
        );
        int length = Math.Min(window, frames);
        Assert.Equal((frames - length) / hop + 1, evaluation.Windows.Count);
        foreach ((long start, WindowSums[]? sums) in evaluation.Windows)
        {
            WindowSums[] expected = LeastSquares.Measure(references, estimates, taps, (int)start, length);
            for (int stem = 0; stem < stems; stem++)
            {
                Assert.Equal(expected[stem].Sdr, sums![stem].Sdr, 1e-7);
                Assert.Equal(expected[stem].Isr, sums[stem].Isr, 1e-7);
                Assert.Equal(expected[stem].Sar, sums[stem].Sar, 1e-7);
                if (stems > 1)
                    Assert.Equal(expected[stem].Sir, sums[stem].Sir, 1e-7);
            }
        }

        double[][][] Signals() =>
            [
                .. Enumerable
                    .Range(0, stems)
                    .Select(_ =>
                        Enumerable
                            .Range(0, channels)
                            .Select(_ => Enumerable.Range(0, frames).Select(_ => random.NextDouble() - 0.5).ToArray())
                            .ToArray()
                    ),
            ];
    }

    /// <summary>Not in a single bit.</summary>
    [Fact]
    public void FiguresDoNotDependOnThreads()
    {
        Random random = new(5);
        double[][][] references =
        [
            .. Enumerable.Range(0, 2).Select(_ => new[] { Enumerable.Range(0, 700).Select(_ => random.NextDouble()).ToArray() }),
        ];
        double[][][] estimates = [.. references.Reverse()];
        (long, WindowSums)[][] runs =
        [
            .. new[] { 1, 2, 3 }.Select(threads =>
                StemEvaluation
                    .Compute(
                        () => new ArrayFrames(references, estimates),
                        [true, true],
                        1,
                        300,
                        100,
                        filters: true,
                        windows: true,
                        threads,
                        progress: null,
                        new FilterLengths(40, 64),
                        new EvaluationPool(),
                        TestContext.Current.CancellationToken
                    )
                    .Windows.Select(w => (w.Start, w.Sums![0]))
                    .ToArray()
            ),
        ];
        Assert.Equal(runs[0], runs[1]);
        Assert.Equal(runs[0], runs[2]);
    }

    private static JsonElement Expected(string name)
    {
        using JsonDocument document = JsonDocument.Parse(
            File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "bss-eval", "cases.json"))
        );
        return document.RootElement.GetProperty("cases").EnumerateArray().Single(c => c.GetProperty("name").GetString() == name).Clone();
    }
}
