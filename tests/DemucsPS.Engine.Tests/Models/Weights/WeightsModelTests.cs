using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Checks;
using DemucsPS.Engine.Models.Installation;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Models.Weights;

/// <summary>Models whose files hold weights: found, run, kept, converted and installed.</summary>
public sealed class WeightsModelTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("little")]
    [LongInlineData("little-segment")]
    [LongInlineData("little-bag")]
    public void Stems_are_as_exact_as_the_official_codes(string name)
    {
        ReferenceCase expected = ReferenceCase.LoadOfficial(name);
        using ModelBag bag = Load(Path.Combine(LittleModel.Folder, expected.Models.Single()));
        foreach (((string stem, double snr), double official) in expected.Compare(bag).Zip(expected.OfficialDb!))
        {
            output.WriteLine($"{name} {stem}: {snr:F1} dB, official float32 {official:F1} dB");
            // So small a model's sums are short, and float32 is more exact than what is asked for anywhere.
            Assert.True(snr >= Math.Min(official - 1, 120), $"{name} {stem}: {snr:F1} dB, official float32 {official:F1} dB");
        }
    }

    [Fact]
    public void A_bag_s_segment_shortens_the_model_and_one_that_is_longer_does_not()
    {
        using TemporaryFolder folder = new();
        File.Copy(LittleModel.File, folder["little.safetensors"]);
        foreach ((string segment, int frames) in new[] { ("1.25", 55_125), ("1.5", 66_150), ("7", 66_150), ("null", 66_150) })
        {
            File.WriteAllText(folder["bag.yaml"], $"models: [little]\nsegment: {segment}\n");
            ModelSelection selection = Select(folder["bag.yaml"]);
            Assert.Equal("bag", selection.Name);
            using ModelBag bag = ModelBag.Open(selection, null, new OnnxSessionOptions());
            Assert.Equal(frames, bag.Contract.SegmentFrames);
        }
    }

    [Fact]
    public void The_graph_is_written_once_and_found_again_also_for_the_same_model_saved_anew()
    {
        using TemporaryFolder folder = new();
        PreparationCache cache = PreparationCache.Open(folder["cache"]);
        File.Copy(LittleModel.File, folder["little.safetensors"]);
        ModelSource source = ModelSource.Find(folder["little.safetensors"]);
        string name;
        using (PreparedModel made = WeightsModel.Prepare(source, GraphTarget.Cpu, cache, Unexpected, renew: false, default))
        {
            Assert.False(made.WasFound);
            Assert.True(made.IsIntact(default));
            name = made.Name;
        }
        File.WriteAllBytes(folder["little.safetensors"], LittleModel.SavedAnew());
        using (PreparedModel found = WeightsModel.Prepare(source, GraphTarget.Cpu, cache, Unexpected, renew: false, default))
            Assert.True(found.WasFound);
        Assert.NotEqual(name, WeightsModel.NameOf(source.Shortened(1), GraphTarget.Cpu, default));
        File.WriteAllBytes(folder["little.safetensors"], LittleModel.With("t_weight_pos_embed", 0.5));
        Assert.NotEqual(name, WeightsModel.NameOf(source, GraphTarget.Cpu, default));
        Assert.Equal([name], Directory.GetFiles(cache.Folder).Select(f => Path.GetFileName(f)));
        WeightsModel.Prepare(source, GraphTarget.Cpu with { Form = GraphForm.CompiledReduced }, cache, Unexpected, renew: false, default).Dispose();
        Assert.Equal(
            [(ModelPrecision.Full, "Cpu"), (ModelPrecision.BFloat16, "Compiled")],
            cache.List().Select(copy => (copy.Precision, copy.Form)).Order()
        );
    }

    [Fact]
    public void A_cache_that_cannot_be_written_to_is_told_and_does_not_matter()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["cache"], "no folder");
        List<string> warnings = [];
        using PreparedModel made = WeightsModel.Prepare(
            ModelSource.Find(LittleModel.File),
            GraphTarget.Cpu,
            PreparationCache.Open(folder["cache"]),
            warnings.Add,
            renew: false,
            default
        );
        Assert.Null(made.Path);
        Assert.True(made.IsIntact(default));
        Assert.Contains("made again each time, in memory", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Preparation_that_is_not_wanted_and_copies_that_tests_refuse_change_nothing_of_it()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        ModelSource source = ModelSource.Find(LittleModel.File);
        using ModelBag prepared = ModelBag.Load([source], null, new OnnxSessionOptions(), prepare: true, Unexpected),
            bare = ModelBag.Load([source], null, new OnnxSessionOptions(), prepare: false, Unexpected);
        Assert.Equal(JsonSerializer.Serialize(prepared.Identify(default)), JsonSerializer.Serialize(bare.Identify(default)));
        Assert.True(prepared.IsPrepared && bare.IsPrepared);
        using ModelBag foreseen = ModelBag.Open(new ModelSelection { Models = [source] }, null, new OnnxSessionOptions());
        Assert.Equal(JsonSerializer.Serialize(prepared.Identify(default)), JsonSerializer.Serialize(foreseen.Foresee([], default)));
    }

    [Fact]
    public void What_is_not_understood_is_refused_before_anything_is_written()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["other.safetensors"], LittleModel.With("t_emb", "cape"));
        DemucsException error = Assert.Throws<DemucsException>(() =>
            ModelBag.Open(Select(folder["other.safetensors"]), null, new OnnxSessionOptions())
        );
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Contains("t_emb", error.Message, StringComparison.Ordinal);
        // Its architecture has a bottleneck of another width.
        File.WriteAllBytes(folder["other.safetensors"], LittleModel.With("bottom_channels", 16));
        error = Assert.Throws<DemucsException>(() => Load(folder["other.safetensors"]));
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Matches("its tensor '.+' has the shape .+, but its architecture needs", error.Message);
        byte[] cut = File.ReadAllBytes(LittleModel.File)[..^100];
        File.WriteAllBytes(folder["other.safetensors"], cut);
        Assert.Contains(
            "cut off or damaged",
            Assert.Throws<DemucsException>(() => Load(folder["other.safetensors"])).Message,
            StringComparison.Ordinal
        );
        byte[] broken = File.ReadAllBytes(LittleModel.File);
        (broken[^2], broken[^1]) = (0x00, 0x7E);
        File.WriteAllBytes(folder["other.safetensors"], broken);
        Assert.Contains(
            "infinite or NaN",
            Assert.Throws<DemucsException>(() => Load(folder["other.safetensors"])).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("models: [little, gone]", DemucsError.DemucsModelNotFound, "needs 'gone.safetensors'")]
    [InlineData("models: [little, old]", DemucsError.DemucsModelInvalid, "'old-0123abcd.th' is a PyTorch checkpoint")]
    [InlineData("models: [little, other]", DemucsError.DemucsModelInvalid, "'other.safetensors' cannot be used")]
    [InlineData("models: [little]\nweights: [[1, 0]]", DemucsError.ParameterInvalid, "A row of weights has 2 numbers")]
    [InlineData("models: [little]\nweights: [[1, 0, 1, 1]]", DemucsError.ParameterInvalid, "weight above 0 for the stem 'bass'")]
    public void A_bag_whose_models_are_not_there_or_do_not_fit_is_refused(string bag, DemucsError error, string message)
    {
        using TemporaryFolder folder = new();
        File.Copy(LittleModel.File, folder["little.safetensors"]);
        File.WriteAllText(folder["other.safetensors"], "no weights at all");
        File.WriteAllText(folder["old-0123abcd.th"], "");
        File.WriteAllText(folder["bag.yaml"], bag);
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            ModelBag.Open(Select(folder["bag.yaml"]), null, new OnnxSessionOptions()).Dispose()
        );
        Assert.Equal(error, refused.Error);
        Assert.Contains(
            message,
            refused.Message.Replace(folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_precision_that_would_change_nothing_is_refused()
    {
        DemucsException error = Assert.Throws<DemucsException>(() =>
            ModelBag
                .Load(
                    [ModelSource.Find(LittleModel.File)],
                    null,
                    new OnnxSessionOptions(),
                    prepare: true,
                    Unexpected,
                    precision: ModelPrecision.Int8
                )
                .Dispose()
        );
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains("worth computing in 8 bits", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bag_s_file_stands_alone()
    {
        ModelLibrary library = Library();
        foreach (
            Action two in (Action[])
                [
                    () => library.Select([LittleModel.Bag, LittleModel.File], null, p => p),
                    () =>
                        library.Select(
                            [LittleModel.Bag],
                            [
                                [1, 1, 1, 1],
                            ],
                            p => p
                        ),
                ]
        )
            Assert.Contains("itself a bag of models (little)", Assert.Throws<DemucsException>(two).Message, StringComparison.Ordinal);
        Assert.Contains(
            "a single model is needed",
            Assert.Throws<DemucsException>(() => ModelSource.Find(LittleModel.Bag)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Converted_weights_run_as_they_are_and_give_the_same_stems()
    {
        using TemporaryFolder folder = new();
        ModelConversion conversion = Assert.Single(ModelConversion.Plan(Select(LittleModel.File), folder.Path, overwrite: false));
        Assert.Equal(folder["little.onnx"], conversion.Destination);
        conversion.Run(Unexpected);
        Assert.Equal(["little.onnx"], folder.Files());
        // There is nothing to prepare.
        Assert.Null(
            PreparedModel.Prepare(folder["little.onnx"], GraphTarget.Cpu, PreparationCache.Open(folder["cache"]), Unexpected, default)
        );
        Assert.Contains(
            "is optimized for full precision",
            Assert
                .Throws<DemucsException>(() =>
                    PreparedModel.Prepare(
                        folder["little.onnx"],
                        GraphTarget.CpuInt8,
                        PreparationCache.Open(folder["cache"]),
                        Unexpected,
                        default
                    )
                )
                .Message,
            StringComparison.Ordinal
        );
        // Nor is it looked for, by what the runtime would make of it.
        Assert.False(Directory.Exists(folder["cache"]));
        ReferenceCase few = ReferenceCase.LoadOfficial("little-segment");
        using ModelBag weights = Load(LittleModel.File),
            converted = Load(folder["little.onnx"]);
        Assert.False(converted.IsPrepared);
        Assert.Equal(few.Compare(weights), few.Compare(converted));

        Assert.Equal(
            [Remedy.Replace],
            Assert
                .Throws<DemucsException>(() => ModelConversion.Plan(Select(LittleModel.File), folder["little.onnx"], overwrite: false))
                .Remedies
        );
        Assert.Single(ModelConversion.Plan(Select(LittleModel.File), folder["little.onnx"], overwrite: true)).Run(Unexpected);
        foreach (string name in (string[])["little.ort", "x", "x.prepared.onnx"])
            Assert.Equal(
                DemucsError.ParameterInvalid,
                Assert.Throws<DemucsException>(() => ModelConversion.Plan(Select(LittleModel.File), folder[name], overwrite: true)).Error
            );
        Assert.Contains(
            "already has a graph",
            Assert
                .Throws<DemucsException>(() => ModelConversion.Plan(Select(folder["little.onnx"]), folder["y.onnx"], overwrite: true))
                .Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'baseline' already has a graph",
            Assert.Throws<DemucsException>(() => ModelConversion.Plan(Select("baseline"), folder["y.onnx"], overwrite: true)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_conversion_that_fails_leaves_nothing_and_a_bag_s_models_become_a_file_each()
    {
        using TemporaryFolder folder = new();
        byte[] broken = File.ReadAllBytes(LittleModel.File);
        (broken[^2], broken[^1]) = (0x00, 0x7E);
        Directory.CreateDirectory(folder["weights"]);
        File.WriteAllBytes(folder["weights", "broken.safetensors"], broken);
        File.Copy(LittleModel.File, folder["weights", "a1.safetensors"]);
        File.WriteAllText(folder["weights", "pair.yaml"], "models: [a1, broken]");
        IReadOnlyList<ModelConversion> both = ModelConversion.Plan(
            Select(folder["weights", "pair.yaml"]),
            folder["out", "two.onnx"],
            overwrite: false
        );
        Assert.Equal([folder["out", "two.a1.onnx"], folder["out", "two.broken.onnx"]], both.Select(c => c.Destination));
        both[0].Run(Unexpected);
        Assert.Throws<DemucsException>(() => both[1].Run(Unexpected));
        Assert.Equal(["two.a1.onnx"], Directory.GetFiles(folder["out"]).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public void The_record_names_the_file_of_weights_and_a_file_saved_anew_is_the_same_model()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        File.Copy(LittleModel.File, folder["little.safetensors"]);
        InterruptedTrack.WriteNoise(folder["noise.wav"], 30_000);
        SeparationResult result;
        using (ModelBag bag = Load(folder["little.safetensors"]))
            result = Separator(bag, folder, skip: false).Separate(new TrackSource(folder["noise.wav"]));
        JsonNode model = JsonNode.Parse(File.ReadAllText(result.ProvenancePath))!["separation"]!["models"]![0]!;
        Assert.Equal("little.safetensors", (string?)model["files"]![0]!["name"]);
        Assert.Equal(
            Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(LittleModel.File))),
            (string?)model["files"]![0]!["sha256"]
        );
        Assert.EndsWith(".prepared.onnx", (string?)model["files"]![1]!["name"], StringComparison.Ordinal);
        Assert.True((bool)model["prepared"]!);

        File.WriteAllBytes(folder["little.safetensors"], LittleModel.SavedAnew());
        using (ModelBag bag = Load(folder["little.safetensors"]))
        {
            Assert.True(Separator(bag, folder, skip: true).Rehearse(new TrackSource(folder["noise.wav"])).Skips);
            Assert.True(Separator(bag, folder, skip: true).Separate(new TrackSource(folder["noise.wav"])).Skipped);
        }
        File.WriteAllBytes(folder["little.safetensors"], LittleModel.With("t_weight_pos_embed", 0.5));
        using ModelBag other = Load(folder["little.safetensors"]);
        Assert.Contains(
            "'little.safetensors' of model little changed",
            Assert
                .Throws<DemucsException>(() => Separator(other, folder, skip: true).Rehearse(new TrackSource(folder["noise.wav"])))
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task The_author_s_file_is_fetched_from_the_hub_resumed_verified_and_separated_with()
    {
        using TemporaryFolder folder = new();
        byte[] weights = File.ReadAllBytes(LittleModel.File);
        using LoopbackServer server = new(LoopbackServer.BreakOff(weights, 50_000), LoopbackServer.File(weights));
        ModelLibrary library = Library(folder, server.Address);
        ModelInstaller installer = new(library, new TransferSettings { Delay = (_, _) => Task.CompletedTask });
        await Assert.ThrowsAsync<DemucsException>(() => installer.InstallAsync("htlittle", new ModelInstallOptions(), null, default));
        ModelInfo installed = await installer.InstallAsync(
            "htlittle",
            new ModelInstallOptions { AcceptLicense = true, Warn = Unexpected },
            null,
            default
        );
        Assert.True(installed is { Installed: true, Verified: true });
        Assert.Equal(folder["models", "htlittle", "0a1b2c3d.safetensors"], installed.Path);
        Assert.Equal([null, 50_000], server.Requests.Select(r => r.From));
        Assert.EndsWith($"/owner/HTLittle/resolve/{Revision}/0a1b2c3d.safetensors", server.Requests[0].Path, StringComparison.Ordinal);

        ModelSelection selection = library.Select(["htlittle"], null, p => p);
        ModelTestResult test = ModelCheck.Run(
            library,
            selection.Models[0],
            new OnnxSessionOptions(),
            true,
            ModelPrecision.Full,
            null,
            default
        );
        Assert.True(test is { Passed: true, HashMatches: true, NotRecomputed: null, IsWrittenFromWeights: true });
        // Against the graph's own form in float64: nothing was exported.
        Assert.Equal(Enum.GetValues<TestChunk>(), test.Preparation.Select(chunk => chunk.Chunk));
        Assert.All(test.Preparation, chunk => Assert.True(chunk is { PreparedDb: > 80, DifferenceDb: null, ExportedDb: null }, $"{chunk}"));
        InterruptedTrack.WriteNoise(folder["noise.wav"], 30_000);
        using ModelBag bag = ModelBag.Load(selection, null, new OnnxSessionOptions(), prepare: true, Unexpected);
        SeparationResult result = Separator(bag, folder, skip: false).Separate(new TrackSource(folder["noise.wav"]));
        Assert.StartsWith(folder["out", "htlittle"], result.Stems[0].FilePath, StringComparison.Ordinal);
        JsonNode file = JsonNode.Parse(File.ReadAllText(result.ProvenancePath))!["separation"]!["models"]![0]!["files"]![0]!;
        Assert.Equal("0a1b2c3d.safetensors", (string?)file["name"]);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(weights)), (string?)file["sha256"]);
    }

    [Theory]
    [InlineData("0a1b2c3d.safetensors", "")]
    [InlineData($"models--owner--HTLittle/snapshots/{Revision}/0a1b2c3d.safetensors", "")]
    [InlineData($"hub/models--owner--HTLittle/snapshots/{Revision}/0a1b2c3d.safetensors", "")]
    [InlineData($"models--owner--HTLittle/snapshots/{Revision}/0a1b2c3d.safetensors", "models--owner--HTLittle")]
    [InlineData($"models--owner--HTLittle/snapshots/{Revision}/0a1b2c3d.safetensors", $"models--owner--HTLittle/snapshots/{Revision}")]
    [InlineData("models--owner--HTLittle/blobs/SHA256", "")]
    [InlineData("models--owner--HTLittle/blobs/SHA256", "models--owner--HTLittle")]
    public async Task It_is_installed_without_a_network_from_a_folder_as_people_and_the_hub_s_cache_lay_it_out(string file, string given)
    {
        using TemporaryFolder folder = new();
        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(LittleModel.File))),
            path = folder["share", file.Replace("SHA256", hash, StringComparison.Ordinal)];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        bool isLink = file.Contains("/snapshots/", StringComparison.Ordinal) && !OperatingSystem.IsWindows();
        if (isLink)
        {
            // A link to a blob, as there. Windows asks for a right to make links.
            string blobs = Path.GetFullPath(Path.Combine(path, "..", "..", "..", "blobs"));
            Directory.CreateDirectory(blobs);
            File.Copy(LittleModel.File, Path.Combine(blobs, hash));
            File.CreateSymbolicLink(path, Path.Combine("..", "..", "blobs", hash));
        }
        else
        {
            File.Copy(LittleModel.File, path);
        }
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(path)!, "htlittle.yaml"), "models: ['0a1b2c3d']");
        ModelLibrary library = Library(folder, new Uri("https://hub.invalid/"));
        ModelInfo installed = await new ModelInstaller(library).InstallAsync(
            "htlittle",
            new ModelInstallOptions
            {
                AcceptLicense = true,
                Prepare = false,
                Source = given.Length == 0 ? folder["share"] : folder["share", given],
            },
            null,
            default
        );
        Assert.True(installed.Verified);
        Assert.Null(new FileInfo(installed.Path!).LinkTarget);
    }

    [Fact]
    public async Task Weights_of_one_s_own_are_installed_under_a_name_and_removed_with_their_graph()
    {
        using TemporaryFolder folder = new();
        // A model of its own, since the cache is that of all tests.
        byte[] weights = LittleModel.With("t_weight_pos_embed", 0.875);
        File.WriteAllBytes(folder["own.safetensors"], weights);
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        ModelInfo installed = await new ModelInstaller(library).InstallAsync(
            "mine",
            new ModelInstallOptions { Source = folder["own.safetensors"] },
            null,
            default
        );
        Assert.Equal(
            (folder["models", "mine", "mine.safetensors"], "split", LittleModel.Segment),
            (installed.Path, installed.Contract, installed.SegmentFrames)
        );
        Assert.Contains(PreparationCache.Open().List(), copy => copy.Model == "mine");
        new ModelInstaller(library).Remove("mine");
        Assert.DoesNotContain(PreparationCache.Open().List(), copy => copy.Model == "mine");
        Assert.False(Directory.Exists(folder["models", "mine"]));
    }

    private const string Revision = "bf35a81b663819a8255c8fefee17f9d812b786b5";

    /// <summary>A library whose catalog has the little model as the author's repository has his.</summary>
    private static ModelLibrary Library(TemporaryFolder folder, Uri hub)
    {
        byte[] weights = File.ReadAllBytes(LittleModel.File);
        object entry = new
        {
            name = "htlittle",
            contract = "split",
            stems = new[] { "drums", "bass", "other", "vocals" },
            segment = LittleModel.Segment,
            license = "Only for tests.",
            files = new[]
            {
                new
                {
                    name = "0a1b2c3d.safetensors",
                    url = new Uri(hub, $"owner/HTLittle/resolve/{Revision}/0a1b2c3d.safetensors").AbsoluteUri,
                    size = weights.Length,
                    sha256 = Convert.ToHexStringLower(SHA256.HashData(weights)),
                },
            },
        };
        File.WriteAllText(folder["catalog.json"], JsonSerializer.Serialize(new { version = 1, models = new[] { entry } }));
        return ModelLibrary.Open(folder["models"], folder["catalog.json"]);
    }

    private static ModelLibrary Library() => ModelLibrary.Open(Path.Combine(Path.GetTempPath(), "demucsps-no-models"));

    private static ModelSelection Select(string model) => Library().Select([model], null, p => p);

    private static ModelBag Load(string model) => ModelBag.Load(Select(model), null, new OnnxSessionOptions(), prepare: true, Unexpected);

    private static FileSeparator Separator(ModelBag bag, TemporaryFolder folder, bool skip) =>
        new(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, null),
            new SeparationOptions(),
            new StemOutput(new StemNames(folder["out"]), new StemFormat()) { SkipExisting = skip }
        );

    private static void Unexpected(string warning) => Assert.Fail(warning);
}
