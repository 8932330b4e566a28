using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>What is read of a model without the runtime is what the runtime says.</summary>
public sealed class ModelSignatureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Models => ["six stems", "small", "metadata", "weights apart", "old constants", "baseline"];

    [Theory]
    [MemberData(nameof(Models))]
    public void It_is_what_the_runtime_says(string kind)
    {
        byte[] model = kind switch
        {
            "six stems" => File.ReadAllBytes(RepositoryFiles.Reference("models", "htdemucs-tiny-6s.onnx")),
            "metadata" => SmallModels.Split(sources: "a,b,c,d", normalization: "none"),
            "weights apart" => SmallModels.WithUnusedOutsideWeight("w.data"),
            // Before version 4 of the format, constants had to be declared as inputs.
            "old constants" =>
            [
                .. SmallModels.WithUnusedOutsideWeight("w.data"),
                .. new ProtobufMessage().Message(7, new ProtobufMessage().Message(11, Declaration("outside"))).Bytes,
            ],
            "baseline" => BaselineModel.Build(),
            _ => SmallModels.Split(),
        };
        File.WriteAllBytes(_folder["w.data"], BitConverter.GetBytes(2f));
        File.WriteAllBytes(_folder["model.onnx"], model);
        AssertRead(ModelSource.Find(_folder["model.onnx"]));
        if (kind == "baseline")
            AssertSame(SignatureOf(_folder["model.onnx"]), SignatureReader.Read(ModelSource.Find(ModelSource.BaselineName)));
        if (kind == "weights apart")
            return;
        OnnxSession
            .FromFile(
                _folder["model.onnx"],
                new OnnxSessionOptions
                {
                    OptimizedModelPath = _folder["model.ort"],
                    OptimizationLevel = OnnxOptimizationLevel.None,
                    ConfigEntries = new Dictionary<string, string> { ["session.save_model_format"] = "ORT" },
                }
            )
            .Dispose();
        AssertRead(ModelSource.Find(_folder["model.ort"]));
    }

    [Fact]
    public void A_model_in_the_runtimes_own_format_that_is_cut_short_or_damaged_is_said_to_be()
    {
        OnnxSession
            .FromBytes(
                SmallModels.Split(sources: "a,b,c,d"),
                new OnnxSessionOptions
                {
                    OptimizedModelPath = _folder["whole.ort"],
                    ConfigEntries = new Dictionary<string, string> { ["session.save_model_format"] = "ORT" },
                }
            )
            .Dispose();
        byte[] whole = File.ReadAllBytes(_folder["whole.ort"]);
        ModelSource model = Save(whole);
        Random random = new(3);
        int refused = 0;
        for (int i = 0; i < 400; i++)
        {
            byte[] damaged = i % 2 == 0 ? whole[..random.Next(8, whole.Length)] : [.. whole];
            for (int n = 0; n < i % 4; n++)
                damaged[random.Next(8, damaged.Length)] ^= (byte)random.Next(1, 256);
            Save(damaged);
            try
            {
                SignatureReader.Read(model);
            }
            catch (DemucsException e)
            {
                Assert.Equal(DemucsError.DemucsModelInvalid, e.Error);
                Assert.EndsWith(". Copy or download it again.", e.Message, StringComparison.Ordinal);
                refused++;
            }
        }
        Assert.InRange(refused, 50, 400);

        ModelSource Save(byte[] bytes)
        {
            File.WriteAllBytes(_folder["model.ort"], bytes);
            return ModelSource.Find(_folder["model.ort"]);
        }
    }

    [Theory]
    [InlineData(4, -1, 0)]
    [InlineData(-1, 2, 1)]
    public void Shapes_that_a_model_leaves_open_follow_from_the_contract_or_the_runtime_tells_them(int stems, int channels, int sessions)
    {
        int before = OnnxSession.CountOfThread;
        OnnxGraphWriter graph = new("open");
        OnnxValue waveform = graph.Input("mix", 1, 2, SmallModels.Segment);
        graph.Output("waves", graph.Unsqueeze(waveform, 1) * graph.Constant([1f, 2, 3, 4], [1, 4, 1, 1]), 1, stems, channels, -1);
        File.WriteAllBytes(_folder["model.onnx"], graph.ToBytes("tests", ""));
        ModelSource model = ModelSource.Find(_folder["model.onnx"]);
        Assert.True(SignatureReader.Read(model).IsOpen);
        ModelContract contract = SeparationModel.Declare(model, null);
        Assert.Equal((4, SmallModels.Segment), (contract.Stems.Count, contract.SegmentFrames));
        Assert.Equal(sessions, OnnxSession.CountOfThread - before);
        Assert.Equal(["model.onnx"], _folder.Files());
    }

    private static ProtobufMessage Declaration(string name) =>
        new ProtobufMessage()
            .Text(1, name)
            .Message(
                2,
                new ProtobufMessage().Message(
                    1,
                    new ProtobufMessage().Integer(1, 1).Message(2, new ProtobufMessage().Message(1, new ProtobufMessage().Integer(1, 1)))
                )
            );

    private static void AssertRead(ModelSource model)
    {
        int sessions = OnnxSession.CountOfThread;
        ModelSignature read = SignatureReader.Read(model);
        Assert.Equal(sessions, OnnxSession.CountOfThread);
        // PyTorch's exporter leaves the channels of stems open, and the runtime infers them.
        AssertSame(SignatureOf(model.Path!).Completed(), read.Completed());
    }

    private static ModelSignature SignatureOf(string path)
    {
        using OnnxSession session = OnnxSession.FromFile(path, new OnnxSessionOptions { IntraOpThreads = 1 });
        return new ModelSignature(session.Inputs, session.Outputs, session.Metadata);
    }

    private static void AssertSame(ModelSignature expected, ModelSignature actual)
    {
        Assert.Equal(expected.Inputs.Select(i => i.ToString()), actual.Inputs.Select(i => i.ToString()));
        Assert.Equal(expected.Outputs.Select(o => o.ToString()), actual.Outputs.Select(o => o.ToString()));
        Assert.Equal(expected.Metadata.OrderBy(m => m.Key), actual.Metadata.OrderBy(m => m.Key));
        Assert.NotEmpty(actual.Inputs);
    }
}
