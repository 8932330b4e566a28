using System.Reflection;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Audio;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>What is written beside the stems, and what is made of it later.</summary>
public sealed class ProvenanceTests
{
    private static readonly string s_small = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    [Fact]
    public void It_says_what_the_stems_were_made_of_and_how()
    {
        using InterruptedTrack track = new(s_small);
        SeparationResult result = track.Separate(
            "out",
            new SeparationOptions
            {
                Overlap = 0.25,
                Shifts = 1,
                Seed = 9,
            }
        );
        JsonNode json = JsonNode.Parse(File.ReadAllText(track.Folder["out", "small", "noise", "demucsps.json"]))!;
        JsonNode separation = json["separation"]!;
        Assert.Equal(track.SourcePath, (string?)separation["source"]!["path"]);
        Assert.Equal(Hash(track.SourcePath), (string?)separation["source"]!["sha256"]);
        Assert.Equal(Hash(s_small), (string?)separation["models"]![0]!["files"]![0]!["sha256"]);
        Assert.Equal("0.25", (string?)separation["parameters"]!["overlap"]);
        Assert.Equal("9", (string?)separation["parameters"]!["seed"]);
        Assert.Equal("Full", (string?)separation["parameters"]!["precision"]);
        Assert.Contains("Cpu", (string?)separation["runtime"], StringComparison.Ordinal);
        Assert.Equal(result.Stems.Count, json["stems"]!.AsArray().Count);
        foreach ((JsonNode? stem, StemFile file) in json["stems"]!.AsArray().Zip(result.Stems))
        {
            Assert.Equal(Hash(file.FilePath), (string?)stem!["sha256"]);
            Assert.Equal(file.Peak, (float)stem["peak"]!);
            Assert.InRange((double)stem["rms"]!, 0.01, file.Peak);
        }
    }

    [Fact]
    public void What_is_wrong_with_the_source_is_in_the_result_and_on_record()
    {
        using TemporaryFolder folder = new();
        byte[] frame = FlacBits.Frame(8192, 0, bits => bits.Verbatim(Enumerable.Range(0, 8192).Select(i => i * 7L % 5001), 16));
        File.WriteAllBytes(folder["joined.flac"], FlacBits.Stream(FlacBits.StreamInfo(1, 16, 8192), frame, frame));
        using ModelBag bag = ModelBag.Load([ModelSource.Find(s_small)], null, new OnnxSessionOptions());
        FileSeparator separator = new(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, null),
            new SeparationOptions(),
            new StemOutput(new StemNames(folder["out"]), new StemFormat())
        );
        SeparationResult result = separator.Separate(new TrackSource(folder["joined.flac"]));
        Assert.Equal(16384, result.Frames);
        string warning = Assert.Single(result.Warnings, w =>
            w.Contains("declares 8192 frames, but there are 16384", StringComparison.Ordinal)
        );
        Assert.Equal([warning], SeparationProvenance.Read(result.ProvenancePath).Warnings);
    }

    [Fact]
    public void It_says_in_what_precision_the_stems_were_computed_and_names_the_copy_that_ran()
    {
        using TemporaryFolder folder = new();
        File.Copy(RepositoryFiles.TinyModel, folder["tiny.onnx"]);
        InterruptedTrack.WriteNoise(folder["noise.wav"], 30_000);
        using ModelBag bag = ModelBag.Load(
            [ModelSource.Find(folder["tiny.onnx"])],
            null,
            new OnnxSessionOptions(),
            prepare: true,
            precision: ModelPrecision.Int8
        );
        FileSeparator separator = new(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, ["bass"]),
            new SeparationOptions(),
            new StemOutput(new StemNames(folder["out"]), new StemFormat())
        );
        Assert.Contains("1 chunk in Int8, ", separator.Plan(new TrackSource(folder["noise.wav"])).Work, StringComparison.Ordinal);
        SeparationResult result = separator.Separate(new TrackSource(folder["noise.wav"]));
        Assert.Equal(ModelPrecision.Int8, result.Precision);
        JsonNode separation = JsonNode.Parse(File.ReadAllText(result.ProvenancePath))!["separation"]!;
        Assert.Equal("Int8", (string?)separation["parameters"]!["precision"]);
        Assert.True((bool)separation["models"]![0]!["prepared"]!);
        JsonNode copy = Assert.Single(separation["models"]![0]!["files"]!.AsArray(), f =>
            ((string?)f!["name"])!.EndsWith(".int8.prepared.onnx", StringComparison.Ordinal)
        )!;
        Assert.Equal(Hash(Path.Combine(PreparationCache.Open().Folder, (string)copy["name"]!)), (string?)copy["sha256"]);
        Assert.True(SeparationVerification.Verify(result.ProvenancePath).IsIntact);
    }

    [Fact]
    public void The_null_test_is_that_of_all_stems_against_the_mix()
    {
        using InterruptedTrack noise = new(ModelSource.BaselineName, frames: 100_000);
        Assert.InRange(noise.Separate("out", new SeparationOptions()).NullTestDb!.Value, double.NegativeInfinity, -100);
        // Stem k is k + 1 times the mix: four of them are ten times the mix, nine times too much.
        using InterruptedTrack multiples = new(s_small);
        Assert.Equal(20 * Math.Log10(9), multiples.Separate("out", new SeparationOptions()).NullTestDb!.Value, 0.001);
    }

    [Fact]
    public void Whatever_can_change_a_bit_of_the_stems_is_on_record()
    {
        // A parameter that is added must be added to SeparationParameters, or to what does not matter here; else a separation would be
        // continued with another value of it.
        Assert.Equal(
            ["Overlap", "Seed", "Segment", "Shifts", "TransitionPower"],
            Names(typeof(SeparationOptions)).Except(["Jobs", "RetryCount"])
        );
        Assert.Equal(["BitRate", "Clip", "Dither", "File", "KeepMono", "Quality", "Sample", "SampleRate"], Names(typeof(StemFormat)));
        Assert.Equal(["CopyTags", "Format"], Names(typeof(StemOutput)).Except(["Names", "Overwrite", "Resume", "SkipExisting"]));
        // Of a selection of models its weights and precision; names and files are identities of their own, and batches belong to what runs
        // them.
        Assert.Equal(
            ["BagName", "BatchSize", "Models", "Name", "Precision", "StemNames", "Stems", "Weights"],
            Names(typeof(ModelSelection))
        );
        Assert.Equal(
            ["Channels", "LateStart", "Range", "StreamIndex", "Tags", "TrackName"],
            Names(typeof(TrackSource)).Except(["IsPreEmphasized", "Name", "OnDamage", "Path"])
        );
        using ModelBag bag = ModelBag.Load([ModelSource.Find(s_small)], null, new OnnxSessionOptions());
        StemMatrix selection = StemMatrix.Choose(bag.Contract.Stems, null);
        SeparationOptions options = new();
        StemFormat format = new(),
            mp3 = new() { File = StemFileFormat.Mp3 };
        TrackSource track = new(Path.GetFullPath("song.wav"));
        StemOutput output = new(new StemNames(Path.GetTempPath()), format);
        List<SortedDictionary<string, string>> all =
        [
            SeparationParameters.Describe(track, bag, selection, options, output),
            SeparationParameters.Describe(track with { StreamIndex = 1 }, bag, selection, options, output),
            SeparationParameters.Describe(track with { Channels = new ChannelPair(2, 3, "BL BR") }, bag, selection, options, output),
            SeparationParameters.Describe(track with { Range = new FrameRange(10, null) }, bag, selection, options, output),
            SeparationParameters.Describe(track with { Range = new FrameRange(10, 20) }, bag, selection, options, output),
            SeparationParameters.Describe(track, bag, selection, options, output, silence: 22050),
            SeparationParameters.Describe(track with { TrackName = "01 Song" }, bag, selection, options, output),
            SeparationParameters.Describe(track with { Tags = new TrackTags([new("title", "Song")]) }, bag, selection, options, output),
            SeparationParameters.Describe(track, bag, selection, options, output with { Format = format with { SampleRate = null } }),
            SeparationParameters.Describe(track, bag, selection, options, output with { Format = format with { SampleRate = 48000 } }),
            SeparationParameters.Describe(track, bag, selection, options, output with { Format = format with { KeepMono = true } }),
            SeparationParameters.Describe(track, bag, selection, options with { Overlap = 0.1 }, output),
            SeparationParameters.Describe(track, bag, selection, options with { Seed = 1 }, output),
            SeparationParameters.Describe(track, bag, selection, options with { Segment = 0.1 }, output),
            SeparationParameters.Describe(track, bag, selection, options with { Shifts = 1 }, output),
            SeparationParameters.Describe(track, bag, selection, options with { TransitionPower = 2 }, output),
            SeparationParameters.Describe(track, bag, selection, options, output with { Format = format with { Clip = ClipMode.Clamp } }),
            SeparationParameters.Describe(track, bag, selection, options, output with { Format = format with { Dither = true } }),
            SeparationParameters.Describe(
                track,
                bag,
                selection,
                options,
                output with
                {
                    Format = format with { Sample = WavSampleFormat.Pcm16 },
                }
            ),
            SeparationParameters.Describe(
                track,
                bag,
                selection,
                options,
                output with
                {
                    Format = format with { File = StemFileFormat.Flac },
                }
            ),
            SeparationParameters.Describe(track, bag, selection, options, output with { Format = mp3 }),
            SeparationParameters.Describe(track, bag, selection, options, output with { Format = mp3 with { BitRate = 128 } }),
            SeparationParameters.Describe(track, bag, selection, options, output with { Format = mp3 with { Quality = 2 } }),
            SeparationParameters.Describe(track, bag, selection, options, output with { CopyTags = false }),
            SeparationParameters.Describe(
                track,
                bag,
                StemMatrix.TwoStems(bag.Contract.Stems, bag.Contract.Stems[0], TwoStemsMethod.Minus),
                options,
                output
            ),
            SeparationParameters.Describe(track, bag, selection.WithResidual(), options, output),
            SeparationParameters.Describe(
                track,
                bag,
                StemMatrix.None.WithMixdown(bag.Contract.Stems, StemGains.Parse(bag.Contract.Stems[0] + "=-6")),
                options,
                output
            ),
            SeparationParameters.Describe(
                track,
                bag,
                StemMatrix.None.WithMixdown(bag.Contract.Stems, StemGains.Parse(bag.Contract.Stems[0] + "=-3")),
                options,
                output
            ),
            SeparationParameters.Describe(track, bag, StemMatrix.TwoStems(bag.Contract.Stems, bag.Contract.Stems[0]), options, output),
        ];
        Assert.Equal(all.Count, all.Select(p => string.Join('\n', p)).Distinct().Count());

        static IEnumerable<string> Names(Type type) =>
            type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(p => p.Name).Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("../other/bass.wav")]
    [InlineData("/etc/passwd")]
    [InlineData("a/../../bass.wav")]
    [InlineData("C:bass.wav")]
    [InlineData("..\\bass.wav")]
    [InlineData("")]
    public void It_cannot_lead_out_of_its_folder(string file)
    {
        using InterruptedTrack track = new(s_small);
        string path = track.Separate("out", new SeparationOptions()).ProvenancePath;
        JsonNode json = JsonNode.Parse(File.ReadAllText(path))!;
        json["stems"]![0]!["file"] = file;
        File.WriteAllText(path, json.ToJsonString());
        DemucsException e = Assert.Throws<DemucsException>(() => SeparationVerification.Verify(path));
        Assert.Equal(DemucsError.ProvenanceInvalid, e.Error);
        Assert.Contains("outside its folder", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void It_is_read_strictly_and_only_up_to_a_length()
    {
        using InterruptedTrack track = new(s_small);
        string path = track.Separate("out", new SeparationOptions()).ProvenancePath,
            content = File.ReadAllText(path);
        string[] damaged =
        [
            "",
            "null",
            "[]",
            "{}",
            content[..^3],
            content + "x",
            content.Replace("\"schema\": 1", "\"schema\": 2", StringComparison.Ordinal),
            content.Replace("\"schema\": 1", "\"schema\": 1, \"more\": 1", StringComparison.Ordinal),
            content.Replace("\"schema\": 1", "\"schema\": 1, \"schema\": 1", StringComparison.Ordinal),
            content.Replace("\"gain\":", "\"profit\":", StringComparison.Ordinal),
            content + new string(' ', RecordFile.MaxBytes),
        ];
        foreach (string text in damaged)
        {
            File.WriteAllText(path, text);
            Assert.Equal(DemucsError.ProvenanceInvalid, Assert.Throws<DemucsException>(() => SeparationVerification.Verify(path)).Error);
        }
        // And it is not taken for a reason to skip a track.
        Assert.Equal(
            DemucsError.StemExists,
            Assert
                .Throws<DemucsException>(() =>
                    track.Separate("out", new SeparationOptions(), output => output with { SkipExisting = true })
                )
                .Error
        );
        File.WriteAllText(path, content);
        Assert.True(track.Separate("out", new SeparationOptions(), output => output with { SkipExisting = true }).Skipped);
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
