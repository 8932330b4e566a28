using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tests.Tracks;
using DemucsPS.Engine.Tracks;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>The small model's stem k is (k + 1) times the mix, so every output is a known multiple of it.</summary>
public sealed class StemMatrixTests
{
    private static readonly string[] s_four = ["drums", "bass", "other", "vocals"];

    public static TheoryData<string, StemRequest, string[], float[]> Outputs =>
        new()
        {
            {
                "minus",
                new() { TwoStems = "BASS", TwoStemsMethod = TwoStemsMethod.Minus },
                ["bass", "no_bass"],
                [2, -1]
            },
            {
                "add",
                new() { TwoStems = "bass" },
                ["bass", "no_bass"],
                [2, 8]
            },
            {
                "residual of all",
                new() { Residual = true },
                ["drums", "bass", "other", "vocals", "residual"],
                [1, 2, 3, 4, -9]
            },
            {
                "residual of some",
                new() { Stems = ["drums", "vocals"], Residual = true },
                ["drums", "vocals", "residual"],
                [1, 4, -4]
            },
            {
                "residual of two",
                new() { TwoStems = "bass", Residual = true },
                ["bass", "no_bass", "residual"],
                [2, 8, -9]
            },
            {
                "karaoke",
                new() { Mixdown = StemGains.Parse("vocals=-inf") },
                ["mixdown"],
                [6]
            },
            {
                "practice",
                new() { Mixdown = StemGains.Parse("Vocals = -20, drums=20dB,bass=0") },
                ["mixdown"],
                [10 + 2 + 3 + 0.4f]
            },
            {
                "mixdown beside a stem",
                new() { Stems = ["drums"], Mixdown = StemGains.Parse("other=-inf,vocals=-inf") },
                ["drums", "mixdown"],
                [1, 3]
            },
            {
                "mixdown and residual",
                new() { Residual = true, Mixdown = StemGains.Parse("other=-inf") },
                ["drums", "bass", "other", "vocals", "residual", "mixdown"],
                [1, 2, 3, 4, -9, 7]
            },
            {
                "stem file",
                new() { StemMp4 = true },
                ["mix", "drums", "bass", "other", "vocals"],
                [1, 1, 2, 3, 4]
            },
        };

    [Theory]
    [MemberData(nameof(Outputs))]
    public void Outputs_are_sums_of_the_mix_and_the_stems(string what, StemRequest choice, string[] names, float[] factors)
    {
        Assert.NotEmpty(what);
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        MemoryTrack track = MemoryTrack.Noise(60_000, 21);
        StemMatrix selection = choice.Select(bag.Contract.Stems);
        Assert.Equal(names, selection.Names);
        foreach (
            SeparationOptions options in new SeparationOptions[]
            {
                new(),
                new() { Overlap = 0.4, Jobs = 3 },
                new() { Shifts = 2, Seed = 4 },
            }
        )
        {
            MemorySink sink = new(names.Length);
            new Separator(bag, selection, options).Separate(
                track.Restarted(),
                "track",
                TrackStatistics.Measure(track.Restarted(), "track"),
                sink,
                null,
                CancellationToken.None
            );
            for (int output = 0; output < names.Length; output++)
            {
                // The model multiplies what is normalized, so it multiplies the difference from the mean.
                float mean = (float)TrackStatistics.Measure(track.Restarted(), "track").Mean;
                StemRow row = selection.Rows[output];
                float constant = row.Stems.Sum(s => s.Weight * mean * (1 - (s.Stem + 1)));
                float[] got = sink.Interleaved(output);
                Assert.Equal(2 * track.Frames, got.Length);
                for (int i = 0; i < track.Frames; i += 7)
                {
                    Assert.Equal(factors[output] * track.Left[i] + constant, got[2 * i], 2e-5f * 20);
                    Assert.Equal(factors[output] * track.Right[i] + constant, got[2 * i + 1], 2e-5f * 20);
                }
            }
        }
    }

    // One file for all needs ffmpeg, and its streams are checked elsewhere. Export-Stem mixes the stems that come, and writes all or none
    // of them.
    public static IEnumerable<TheoryDataRow<string, StemRequest, string[], float[]>> OutputsOfBothRoutes =>
        Outputs.Where(row => !row.Data.Item2.StemMp4 && (row.Data.Item2.Stems is null || row.Data.Item2.Mixdown is null));

    [Theory]
    [MemberData(nameof(OutputsOfBothRoutes))]
    public void Both_routes_write_the_same_bytes(string what, StemRequest choice, string[] names, float[] factors)
    {
        Assert.NotEmpty(what);
        Assert.Equal(names.Length, factors.Length);
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        using (
            WavWriter writer = WavWriter.Create(
                folder["song.wav"],
                44100,
                2,
                WavSampleFormat.Float32,
                tags: new Dictionary<string, string> { ["title"] = "A Song", ["artist"] = "x" }
            )
        )
        {
            MemoryTrack noise = MemoryTrack.Noise(30_000, 22);
            writer.Write([.. noise.Left.Zip(noise.Right, (l, r) => new[] { l, r }).SelectMany(f => f)]);
            writer.Complete();
        }
        foreach (int bits in new[] { 24, 32 })
        {
            StemOutput Output(string to) =>
                new(
                    new StemNames(folder[to + bits], FileNameTemplate.Parse("{title} ({stem})")),
                    StemFormat.Create(StemFileFormat.Wav, bits)
                );
            SeparationResult streamed = new FileSeparator(
                bag,
                choice.Select(bag.Contract.Stems),
                new SeparationOptions(),
                Output("a")
            ).Separate(new TrackSource(folder["song.wav"]), cancellationToken: CancellationToken.None);
            List<Stem> stems = StageChain.Join(
                StageChain.Separate(bag, AudioTrack.Import(new TrackSource(folder["song.wav"])).Split(length: SmallModels.Segment))
            );
            // Of this route the stems are chosen before.
            StemExportResult exported = new StemExporter(Output("b"), choice with { Stems = null }).Write(
                [.. stems.Where(s => choice.Stems?.Contains(s.StemName) != false)],
                CancellationToken.None
            );
            Assert.Equal(names, exported.Stems.Select(s => s.StemName));
            Assert.Equal(streamed.Gain, exported.Gain);
            for (int i = 0; i < names.Length; i++)
            {
                Assert.Equal($"A Song ({names[i]}).wav", Path.GetFileName(streamed.Stems[i].FilePath));
                Assert.Equal(File.ReadAllBytes(streamed.Stems[i].FilePath), File.ReadAllBytes(exported.Stems[i].FilePath));
            }
        }
    }

    [Fact]
    public void Rescaled_stems_and_their_residual_sum_to_the_rescaled_mix()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder);
        MemoryTrack noise = MemoryTrack.Noise(30_000, 23);
        float[] mix = [.. noise.Left.Zip(noise.Right, (l, r) => new[] { l, r }).SelectMany(f => f)];
        using (WavWriter writer = WavWriter.Create(folder["song.wav"], 44100, 2, WavSampleFormat.Float32))
        {
            writer.Write(mix);
            writer.Complete();
        }
        StemOutput output = new(new StemNames(folder["out"]), StemFormat.Create(StemFileFormat.Wav, 24));
        SeparationResult result = new FileSeparator(
            bag,
            new StemRequest { Residual = true }.Select(bag.Contract.Stems),
            new SeparationOptions(),
            output
        ).Separate(new TrackSource(folder["song.wav"]), cancellationToken: CancellationToken.None);
        Assert.InRange(result.Gain, 0.05f, 0.12f);
        float[][] files = [.. result.Stems.Select(s => Encoders.EncodedSong.Samples(s.FilePath))];
        Assert.Equal(5, files.Length);
        for (int i = 0; i < mix.Length; i++)
            Assert.Equal(mix[i] * result.Gain, files.Sum(f => f[i]), 5.1f / 8_388_608);
    }

    [Fact]
    public void Only_what_is_needed_is_computed()
    {
        Assert.Equal(
            [1],
            new StemRequest { TwoStems = "bass", TwoStemsMethod = TwoStemsMethod.Minus }
                .Select(s_four)
                .ModelStems
        );
        Assert.Equal(
            [0, 1, 2],
            new StemRequest { Mixdown = StemGains.Parse("vocals=-inf") }
                .Select(s_four)
                .ModelStems
        );
        Assert.Equal(
            [3],
            new StemRequest { Stems = ["vocals"], Residual = true }
                .Select(s_four)
                .ModelStems
        );
        Assert.False(new StemRequest().Select(s_four).UsesMix);
    }

    [Fact]
    public void One_stem_is_enough_for_minus() =>
        Assert.Equal(
            ["vocals", "no_vocals"],
            new StemRequest { TwoStems = "vocals", TwoStemsMethod = TwoStemsMethod.Minus }
                .Select(["vocals"])
                .Names
        );

    [Fact]
    public void Stem_files_have_their_stems_in_the_usual_order()
    {
        Assert.Equal(
            ["mix", "drums", "bass", "other", "vocals"],
            new StemRequest { StemMp4 = true }
                .Select(["vocals", "other", "Bass", "drums"])
                .Names,
            StringComparer.OrdinalIgnoreCase
        );
        Assert.Equal(
            ["mix", "a", "b", "c", "d"],
            new StemRequest { StemMp4 = true }
                .Select(["a", "b", "c", "d"])
                .Names
        );
    }

    public static TheoryData<string, StemRequest> Contradictions =>
        new()
        {
            {
                "cannot be combined",
                new() { Stems = ["bass"], TwoStems = "bass" }
            },
            {
                "The residual cannot be combined",
                new()
                {
                    TwoStems = "bass",
                    TwoStemsMethod = TwoStemsMethod.Minus,
                    Residual = true,
                }
            },
            {
                "Name the stem",
                new() { TwoStemsMethod = TwoStemsMethod.Minus }
            },
            {
                "no stem 'kazoo'",
                new() { TwoStems = "kazoo" }
            },
            {
                "no stem 'kazoo'",
                new() { Mixdown = StemGains.Parse("kazoo=1") }
            },
            {
                "silences every stem",
                new() { Mixdown = StemGains.Parse("drums=-inf,bass=-inf,other=-inf,vocals=-Infinity") }
            },
            {
                "all four stems",
                new() { StemMp4 = true, Residual = true }
            },
            {
                "all four stems",
                new() { StemMp4 = true, Stems = ["bass"] }
            },
        };

    [Theory]
    [MemberData(nameof(Contradictions))]
    public void Contradictions_are_refused(string because, StemRequest choice)
    {
        DemucsException error = Assert.Throws<DemucsException>(() => choice.Select(s_four));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains(because, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(6)]
    public void A_stem_file_needs_four_stems(int count) =>
        Assert.Contains(
            "four stems",
            Assert
                .Throws<DemucsException>(() =>
                    new StemRequest { StemMp4 = true }.Select([.. Enumerable.Range(0, count).Select(i => $"s{i}")])
                )
                .Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("", "names no stem")]
    [InlineData("vocals", "not a stem with a gain")]
    [InlineData("vocals=", "not a stem with a gain")]
    [InlineData("=-6", "not a stem with a gain")]
    [InlineData("vocals=loud", "not a number")]
    [InlineData("vocals=-6,Vocals=0", "two gains")]
    [InlineData("vocals=41", "-inf to 40")]
    [InlineData("vocals=NaN", "-inf to 40")]
    [InlineData("vocals=inf", "not a number")]
    public void Gains_that_are_none_are_refused(string text, string because)
    {
        DemucsException error = Assert.Throws<DemucsException>(() => StemGains.Parse(text));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains(because, error.Message, StringComparison.Ordinal);
    }
}
