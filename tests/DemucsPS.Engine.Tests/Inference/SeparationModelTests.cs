using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Inference;

public sealed class SeparationModelTests
{
    [Fact]
    public void The_small_models_that_the_cmdlets_tests_use_are_what_the_code_writes()
    {
        Assert.Equal(SmallModels.Split(), File.ReadAllBytes(SmallModels.File));
        // With segments of htdemucs's length, for tests in which much is separated and the stems do not matter.
        Assert.Equal(
            SmallModels.Split(spectrogramFrames: 336, segment: 343_980),
            File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "quick.onnx"))
        );
        Assert.Equal(SmallModels.Normalizing(), File.ReadAllBytes(SmallModels.NormalizingFile));
    }

    [Fact]
    public void The_split_contract_is_recognized_by_shapes()
    {
        using TemporaryFolder folder = new();
        using SeparationModel model = Load(folder, SmallModels.Split());
        Assert.Equal(SmallModels.Segment, model.Contract.SegmentFrames);
        Assert.Equal(SmallModels.Frames, model.Contract.SpectrogramFrames);
        Assert.Equal(["drums", "bass", "other", "vocals"], model.Contract.Stems);
        Assert.True(model.Contract.NormalizesMix);
        Assert.True(model.IsDemucs);
        Assert.Equal("model", model.Name);
    }

    [Fact]
    public void Stem_names_and_normalization_come_from_the_metadata()
    {
        using TemporaryFolder folder = new();
        using SeparationModel model = Load(folder, SmallModels.Split(stems: 2, sources: "voice, rest", normalization: "none"));
        Assert.Equal(["voice", "rest"], model.Contract.Stems);
        Assert.False(model.Contract.NormalizesMix);
    }

    [Fact]
    public void Six_stems_have_their_usual_names()
    {
        using SeparationModel model = SeparationModel.Load(
            ModelSource.Find(RepositoryFiles.Reference("models", "htdemucs-tiny-6s.onnx")),
            new OnnxSessionOptions()
        );
        Assert.Equal(["drums", "bass", "other", "vocals", "guitar", "piano"], model.Contract.Stems);
    }

    [Fact]
    public void The_built_in_model_is_no_Demucs_and_takes_the_mix_as_it_is()
    {
        using SeparationModel model = SeparationModel.Load(ModelSource.Find("Baseline"), new OnnxSessionOptions());
        Assert.False(model.IsDemucs);
        Assert.False(model.Contract.NormalizesMix);
        Assert.Equal(343980, model.Contract.SegmentFrames);
        Assert.Null(model.Path);
    }

    public static TheoryData<string, string> Misfits =>
        new()
        {
            { "another contract", "found inputs:  x float32[3,3]" },
            { "five nameless stems", "does not name them" },
            { "too few names", "'sources' is 'a,b'" },
            { "doubled names", "'sources' is 'a,a,b,c'" },
            { "names that are paths", "'sources' is 'a,b,c,../d'" },
            { "unknown normalization", "'normalization' = 'loudness'" },
            { "wrong spectrogram length", "8192 frames has 8 spectrogram frames" },
        };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void What_fits_no_contract_is_refused_with_what_was_found(string kind, string says)
    {
        using TemporaryFolder folder = new();
        byte[] bytes = kind switch
        {
            "another contract" => SmallModels.Slow(3, 1),
            "five nameless stems" => SmallModels.Split(stems: 5),
            "too few names" => SmallModels.Split(sources: "a,b"),
            "doubled names" => SmallModels.Split(sources: "a,a,b,c"),
            "names that are paths" => SmallModels.Split(sources: "a,b,c,../d"),
            "unknown normalization" => SmallModels.Split(normalization: "loudness"),
            _ => SmallModels.Split(spectrogramFrames: 9),
        };
        DemucsException error = Assert.Throws<DemucsException>(() => Load(folder, bytes));
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Contains(says, error.Message, StringComparison.Ordinal);
        Assert.Contains(folder["model.onnx"], error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_truncated_model_is_refused()
    {
        using TemporaryFolder folder = new();
        DemucsException error = Assert.Throws<DemucsException>(() =>
            Load(folder, File.ReadAllBytes(RepositoryFiles.TinyModel)[..3_000_000])
        );
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Contains("Copy or download it again.", error.Message, StringComparison.Ordinal);
        Assert.Contains(folder["model.onnx"], error.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, string> Newer =>
        new()
        {
            {
                "IR version",
                $"is too new for ONNX Runtime {OnnxRuntimeLibrary.Version}: its IR version is 99, and that library reads up to "
            },
            {
                "operator set",
                $"is too new for ONNX Runtime {OnnxRuntimeLibrary.Version}: it uses operator set 99 of ai.onnx, and that library has up to "
            },
            { "operator", $"uses the operator Mxl, which ONNX Runtime {OnnxRuntimeLibrary.Version} lacks" },
            { "operator of another set", $"uses the operator RMSNormalization, which ONNX Runtime {OnnxRuntimeLibrary.Version} lacks" },
            {
                "runtime's own format",
                $"is in a version of ONNX Runtime's own format (99) that ONNX Runtime {OnnxRuntimeLibrary.Version} does not read"
            },
        };

    [Theory]
    [MemberData(nameof(Newer))]
    public void A_model_that_is_newer_than_the_runtime_is_not_called_damaged(string what, string says)
    {
        using TemporaryFolder folder = new();
        byte[] model = SmallModels.Split();
        string name = "model.onnx";
        switch (what)
        {
            // The first field, the last one's last byte, an operator's name.
            case "IR version":
                model[1] = 99;
                break;
            case "operator set":
                model[^1] = 99;
                break;
            case "operator":
                model[IndexOf(model, "\u0003Mul"u8) + 2] = (byte)'x';
                break;
            case "operator of another set":
                OnnxGraphWriter graph = new("newer");
                graph.Output(
                    "waves",
                    graph.Node("RMSNormalization", [graph.Input("mix", 1, 2, SmallModels.Segment), graph.Constant([1f], [1])]),
                    1,
                    2,
                    SmallModels.Segment
                );
                model = graph.ToBytes("tests", "");
                break;
            default:
                name = "model.ort";
                OnnxSession
                    .FromBytes(
                        model,
                        new OnnxSessionOptions
                        {
                            OptimizedModelPath = folder[name],
                            ConfigEntries = new Dictionary<string, string> { ["session.save_model_format"] = "ORT" },
                        }
                    )
                    .Dispose();
                model = File.ReadAllBytes(folder[name]);
                // InferenceSession.ort_version, a string with its length before it.
                int version = IndexOf(model, [1, 0, 0, 0, (byte)'6', 0]);
                model = [.. model];
                (model[version], model[version + 4], model[version + 5]) = (2, (byte)'9', (byte)'9');
                break;
        }
        File.WriteAllBytes(folder[name], model);
        foreach (bool prepare in new[] { true, false })
        {
            DemucsException error = Assert.Throws<DemucsException>(() =>
                SeparationModel.Load(ModelSource.Find(folder[name]), new OnnxSessionOptions(), prepare)
            );
            Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
            Assert.StartsWith($"Model '{folder[name]}' {says}", error.Message, StringComparison.Ordinal);
            Assert.Contains("DEMUCSPS_ONNXRUNTIME", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("damaged", error.Message, StringComparison.Ordinal);
        }

        static int IndexOf(byte[] bytes, ReadOnlySpan<byte> part) =>
            bytes.AsSpan().IndexOf(part) is >= 0 and int at ? at : throw new InvalidDataException("The model has another form.");
    }

    [Fact]
    public void Missing_external_weights_are_named()
    {
        using TemporaryFolder folder = new();
        DemucsException error = Assert.Throws<DemucsException>(() => Load(folder, SmallModels.WithOutsideWeights("model.onnx.data")));
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
        Assert.Contains("model.onnx.data", error.Message, StringComparison.Ordinal);
        Assert.Contains("must be in the same folder", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bag_of_unlike_models_is_refused()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["model.onnx"], SmallModels.Split());
        DemucsException segments = Assert.Throws<DemucsException>(() =>
            ModelBag.Load(
                [ModelSource.Find(folder["model.onnx"]), ModelSource.Find(RepositoryFiles.TinyModel)],
                null,
                new OnnxSessionOptions()
            )
        );
        Assert.Equal(DemucsError.DemucsModelInvalid, segments.Error);
        Assert.Contains("8192 and 343980", segments.Message, StringComparison.Ordinal);
        DemucsException stems = Assert.Throws<DemucsException>(() =>
            ModelBag.Load(
                [
                    ModelSource.Find(RepositoryFiles.TinyModel),
                    ModelSource.Find(RepositoryFiles.Reference("models", "htdemucs-tiny-6s.onnx")),
                ],
                null,
                new OnnxSessionOptions()
            )
        );
        Assert.Contains("guitar", stems.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_precision_that_does_not_fit_is_refused()
    {
        using TemporaryFolder folder = new();
        File.Copy(RepositoryFiles.TinyModel, folder["model.onnx"]);
        ModelSource model = ModelSource.Find(folder["model.onnx"]),
            baseline = ModelSource.Find(ModelSource.BaselineName);
        Refused("built-in", baseline, prepare: true, ExecutionProvider.Cpu);
        Refused("without preparation", model, prepare: false, ExecutionProvider.Cpu);
        Refused("execution provider Cpu, not with Cuda", model, prepare: true, ExecutionProvider.Cuda);
        Refused("execution provider Cpu, not with Auto", model, prepare: true, ExecutionProvider.Auto);
        Assert.Single(folder.Files());

        // A bag is computed in one precision.
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert
                .Throws<DemucsException>(() =>
                    ModelBag.Load([model, baseline], null, new OnnxSessionOptions(), prepare: true, precision: ModelPrecision.Int8)
                )
                .Error
        );
        string copy = folder["model.0123456789abcdef.int8.prepared.onnx"];
        File.Copy(RepositoryFiles.TinyModel, copy);
        DemucsException taken = Assert.Throws<DemucsException>(() =>
            SeparationModel.Load(ModelSource.Find(copy), new OnnxSessionOptions())
        );
        Assert.Equal(DemucsError.ParameterInvalid, taken.Error);
        Assert.Contains("Give the original model", taken.Message, StringComparison.Ordinal);

        static void Refused(string says, ModelSource source, bool prepare, ExecutionProvider provider)
        {
            DemucsException e = Assert.Throws<DemucsException>(() =>
                SeparationModel.Load(
                    source,
                    new OnnxSessionOptions { ExecutionProvider = provider },
                    prepare,
                    precision: ModelPrecision.Int8
                )
            );
            Assert.Equal(DemucsError.ParameterInvalid, e.Error);
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
        }
    }

    private static SeparationModel Load(TemporaryFolder folder, byte[] model)
    {
        File.WriteAllBytes(folder["model.onnx"], model);
        return SeparationModel.Load(ModelSource.Find(folder["model.onnx"]), new OnnxSessionOptions());
    }
}
