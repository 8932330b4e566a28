using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Checks;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>That a test of a model says what its preparation changes, and refuses one that loses.</summary>
public sealed class PreparationCheckTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static PreparationCache Cache => PreparationCache.Open();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_copy_and_the_model_are_compared_with_each_other_and_with_float64_on_three_chunks()
    {
        ModelTestResult result = Check(OfItsOwn());
        Assert.Empty(result.Problems);
        Assert.Equal([TestChunk.Music, TestChunk.MostlySilence, TestChunk.Offset], result.Preparation.Select(chunk => chunk.Chunk));
        Assert.Null(result.NotRecomputed);
        Assert.False(result.PreparationRefused);
        Assert.All(result.Preparation, chunk =>
        {
            Assert.InRange(chunk.PreparedDb!.Value, 120, double.PositiveInfinity);
            Assert.InRange(chunk.ExportedDb!.Value, 90, double.PositiveInfinity);
            Assert.InRange(chunk.DifferenceDb!.Value, 90, double.PositiveInfinity);
        });
        // What has nothing to prepare, runs without or is asked for another thing has nothing to compare.
        File.WriteAllBytes(_folder["plain.onnx"], SmallModels.Split());
        Assert.Empty(Check(ModelSource.Find(_folder["plain.onnx"])).Preparation);
        Assert.Empty(Check(OfItsOwn(), prepare: false).Preparation);
        Assert.Empty(Check(ModelSource.Find("baseline")).Preparation);
    }

    [Theory]
    [LongInlineData("tiny-opset23")]
    public void Preparation_is_closer_to_float64_than_the_exports_are(string name)
    {
        File.Copy(OfficialFiles.Find("exports", name + ".onnx"), _folder["model.onnx"]);
        ModelTestResult result = Check(ModelSource.Find(_folder["model.onnx"]));
        Assert.Empty(result.Problems);
        Assert.Equal(3, result.Preparation.Count);
        // The position embeddings of an export are of float32, which alone costs 108 to 113 dB of these figures.
        Assert.All(result.Preparation, chunk =>
            Assert.True(
                chunk.PreparedDb > 105
                    && chunk.PreparedDb > chunk.ExportedDb + 10
                    && Math.Abs(chunk.ExportedDb!.Value - chunk.DifferenceDb!.Value) < 1,
                chunk.ToString()
            )
        );
    }

    [Theory]
    [InlineData("other numbers")]
    [InlineData("no numbers")]
    [InlineData("silence")]
    public void A_preparation_broken_on_purpose_is_refused_until_a_test_finds_a_good_one(string fault)
    {
        ModelSource model = OfItsOwn();
        Break(model, fault);
        ModelTestResult result = Check(model);
        Assert.False(result.Passed);
        Assert.True(result.PreparationRefused);
        Assert.Equal(DemucsError.PreparationRefused, result.Refusal!.Error);
        Assert.Equal([Remedy.NoPreparation], result.Refusal.Remedies);
        Assert.Equal(result.Refusal.Message, Assert.Single(result.Problems));
        Assert.Contains($"'{model.Path}'", result.Refusal.Message, StringComparison.Ordinal);
        Assert.Matches(
            fault == "no numbers"
                ? "For a chunk with music, it gives values that are not finite"
                : @"For a chunk with music, its stems agree with a float64 computation to -?\d+\.\d dB, those of the model as exported to \d+\.\d dB",
            result.Refusal.Message
        );

        // Nothing runs it any more, in whatever precision, and nothing is written; as it was exported the model runs.
        CachedCopy note = Assert.Single(Cache.List(), copy => copy.Model == model.Name);
        Assert.True(note.IsRefused);
        foreach (ModelPrecision precision in (ModelPrecision[])[ModelPrecision.Full, ModelPrecision.Int8])
        {
            DemucsException error = Assert.Throws<DemucsException>(() =>
                SeparationModel.Load(model, new OnnxSessionOptions(), prepare: true, precision: precision)
            );
            Assert.Equal((DemucsError.PreparationRefused, result.Refusal.Message), (error.Error, error.Message));
        }
        // Plans know it, too.
        Assert.Equal(
            DemucsError.PreparationRefused,
            Assert
                .Throws<DemucsException>(() =>
                    ModelBag.Open(new ModelSelection { Models = [model] }, null, new OnnxSessionOptions(), prepare: true)
                )
                .Error
        );
        ModelBag.Open(new ModelSelection { Models = [model] }, null, new OnnxSessionOptions()).Dispose();
        Assert.Equal(note.Path, Assert.Single(Cache.List(), copy => copy.Model == model.Name).Path);
        SeparationModel.Load(model, new OnnxSessionOptions()).Dispose();

        // The broken one is gone with it.
        Assert.Empty(Check(model).Problems);
        Assert.False(Assert.Single(Cache.List(), copy => copy.Model == model.Name).IsRefused);
        SeparationModel.Load(model, new OnnxSessionOptions(), prepare: true).Dispose();
    }

    [Fact]
    public void A_refusal_is_lifted_where_its_note_or_its_model_is_removed()
    {
        ModelSource model = OfItsOwn();
        Refuse(model);
        Cache.Remove(Assert.Single(Cache.List(), copy => copy.Model == model.Name));
        SeparationModel.Load(model, new OnnxSessionOptions(), prepare: true).Dispose();
        Refuse(model);
        Cache.RemoveOf(model.Path!, Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(model.Path!))));
        Assert.DoesNotContain(Cache.List(), copy => copy.Model == model.Name);

        void Refuse(ModelSource model)
        {
            PreparedModel.Refuse(model.Path!, Cache, "It is bad.", CancellationToken.None);
            Assert.Contains(
                "It is bad.",
                Assert.Throws<DemucsException>(() => SeparationModel.Load(model, new OnnxSessionOptions(), prepare: true)).Message,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void A_refusal_that_cannot_be_noted_says_so()
    {
        ModelSource model = OfItsOwn();
        File.WriteAllText(_folder["file"], "");
        DemucsException refusal = PreparedModel.Refuse(
            model.Path!,
            PreparationCache.Open(_folder["file", "cache"]),
            "It is bad.",
            CancellationToken.None
        );
        Assert.Contains("cannot be recorded in the cache", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_pipe_in_place_of_a_note_is_not_waited_for()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no pipes among its files.");
        PreparationCache cache = PreparationCache.Open(_folder["cache"]);
        string name = PreparationCache.NameOf("m.onnx", new byte[32], new byte[32], GraphTarget.Cpu);
        cache.Refuse(name, "It is bad.");
        string note = cache.List()[0].Path;
        File.Delete(note);
        using NamedPipe pipe = new(note);
        Assert.NotNull(cache.ReasonAgainst(name));
        Assert.False(pipe.WasOpened);
    }

    [Fact]
    public void What_cannot_be_computed_in_float64_is_said_and_only_what_is_far_apart_is_refused()
    {
        ModelSource model = OfItsOwn();
        PreparationFindings little = PreparationCheck.Run(
            model,
            new OnnxSessionOptions(),
            Stems(model),
            null,
            memory: 1000,
            CancellationToken.None
        );
        Assert.Null(little.Loss);
        Assert.Contains("GB of memory", little.NotRecomputed, StringComparison.Ordinal);
        Assert.All(little.Comparisons, chunk => Assert.True(chunk is { PreparedDb: null, ExportedDb: null, DifferenceDb: > 90 }));
        Assert.Null(
            PreparationCheck.Run(model, new OnnxSessionOptions(), Stems(model), null, memory: null, CancellationToken.None).NotRecomputed
        );

        float[][]?[] others =
        [
            .. Stems(model).Select(stems => stems!.Select(channel => channel.Select(x => 1.02f * x).ToArray()).ToArray()),
        ];
        PreparationFindings far = PreparationCheck.Run(model, new OnnxSessionOptions(), others, null, memory: 1000, CancellationToken.None);
        Assert.Contains("agree with those of the model as exported only to 34.0 dB", far.Loss, StringComparison.Ordinal);
    }

    [Theory]
    // Closer than the export, and no loss where nobody could hear it or where both are alike.
    [InlineData(60.0, 120.0, 60.0, false)]
    [InlineData(101.0, 101.0, 140.0, false)]
    [InlineData(55.0, 55.0, 60.0, false)]
    [InlineData(90.0, 90.0, 120.0, true)]
    [InlineData(30.0, 30.0, 60.0, true)]
    [InlineData(double.NaN, double.NaN, 120.0, true)]
    // Without float64.
    [InlineData(40.5, null, null, false)]
    [InlineData(39.5, null, null, true)]
    public void Preparation_loses_where_it_is_farther_from_float64_than_the_export_and_that_counts(
        double difference,
        double? prepared,
        double? exported,
        bool loses
    ) =>
        Assert.Equal(
            loses,
            PreparationCheck.Loss(
                new PreparationComparison
                {
                    Chunk = TestChunk.Music,
                    DifferenceDb = difference,
                    PreparedDb = prepared,
                    ExportedDb = exported,
                },
                isFinite: true
            )
                is not null
        );

    [Fact]
    public void The_stem_that_is_worst_off_counts_unless_it_is_next_to_silent()
    {
        float[][] exact =

            [
                [1, 0],
                [0, 0],
                [0.5f, 0],
                [0, 0],
                [1e-6f, 0],
                [0, 0],
            ],
            off =

            [
                [1, 0],
                [0, 0],
                [0.5f, 0.005f],
                [0, 0],
                [1e-6f, 1e-6f],
                [0, 0],
            ];
        Assert.Equal(double.PositiveInfinity, PreparationCheck.Worst(exact, exact));
        Assert.Equal(40, PreparationCheck.Worst(exact, off), 1e-3);
        Assert.True(
            double.IsNegativeInfinity(
                PreparationCheck.Worst(
                    [
                        [0],
                        [0],
                    ],
                    [
                        [0],
                        [1],
                    ]
                )
            )
        );
    }

    [Fact]
    public void What_the_chunks_are()
    {
        (float[] left, float[] right) = ModelCheck.Samples(TestChunk.MostlySilence, 1600);
        Assert.Equal(TestSegment.Create(1600).Left[..100], left[..100]);
        Assert.All(left.Concat(right).Where((_, i) => i % 1600 >= 100), x => Assert.Equal(0, x));
        (left, right) = ModelCheck.Samples(TestChunk.Offset, 1600);
        Assert.Equal(1, left.Concat(right).Average(), 1e-3);
        Assert.Equal(TestSegment.Create(1600).Right, ModelCheck.Samples(TestChunk.Music, 1600).Right);
    }

    /// <summary>A model that nobody else uses, so that its copy is its own.</summary>
    private ModelSource OfItsOwn()
    {
        string name = Guid.NewGuid().ToString("N");
        // A field that says who made it, once more: the last one counts.
        File.WriteAllBytes(_folder[name + ".onnx"], [.. SmallModels.Normalizing(), .. new ProtobufMessage().Text(2, name).Bytes]);
        return ModelSource.Find(_folder[name + ".onnx"]);
    }

    /// <summary>Puts another graph in the place of a model's copy.</summary>
    private static void Break(ModelSource model, string fault)
    {
        string path;
        GraphModel graph;
        using (PreparedModel copy = PreparedModel.Prepare(model.Path!, GraphTarget.Cpu, Cache, Assert.Fail, CancellationToken.None)!)
            (path, graph) = (copy.Path!, GraphModel.Parse(copy.ToBytes()));
        int at = graph.Nodes.FindIndex(node => node.Is(fault == "silence" ? "Sub" : "Sqrt"));
        GraphNode node = graph.Nodes[at];
        graph.Nodes.RemoveAt(at);
        graph.Nodes.InsertRange(
            at,
            fault switch
            {
                "silence" => [GraphNode.Create("Sub", [node.Inputs[0], node.Inputs[0]], node.Outputs[0])],
                "no numbers" => [GraphNode.Create("Neg", node.Inputs, "less"), GraphNode.Create("Sqrt", ["less"], node.Outputs[0])],
                _ => [GraphNode.Create("Relu", node.Inputs, node.Outputs[0])],
            }
        );
        // As if it had been made so.
        byte[] whole = graph.ToBytes();
        File.WriteAllBytes(path, GraphModel.Join(CopySeal.Seal([whole.AsMemory()], CancellationToken.None)));
    }

    private static float[][]?[] Stems(ModelSource model)
    {
        using ModelBag bag = ModelBag.Load([model], null, new OnnxSessionOptions(), prepare: true);
        return PreparationCheck.Separate(
            bag,
            ModelCheck.Separate(bag, TestChunk.Music, out _, CancellationToken.None),
            CancellationToken.None
        );
    }

    private ModelTestResult Check(ModelSource model, bool prepare = true) =>
        ModelCheck.Run(
            ModelLibrary.Open(_folder["models"]),
            model,
            new OnnxSessionOptions(),
            prepare,
            ModelPrecision.Full,
            null,
            CancellationToken.None
        );
}
