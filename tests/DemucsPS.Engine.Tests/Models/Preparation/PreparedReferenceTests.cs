using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>What preparation is for: stems that agree with the official PyTorch pipeline to 100 dB.</summary>
public sealed class PreparedReferenceTests(PreparedReferenceModels models, ITestOutputHelper output)
    : IClassFixture<PreparedReferenceModels>
{
    [Theory]
    [InlineData("short")]
    [InlineData("quiet-offset")]
    [LongInlineData("six-stems")]
    public void A_prepared_tiny_model_is_exact(string name) => Check(name, models);

    [Fact]
    public void The_prepared_real_size_model_is_exact()
    {
        using PreparedReferenceModels real = new(ReferenceCase.RealModelFolder());
        Check("full-song", real);
    }

    /// <summary>
    /// Whether the rewrites find what they are for in a graph as PyTorch exports it: a rewrite that finds nothing fails no other test.
    /// </summary>
    [Fact]
    public void A_prepared_tiny_model_holds_what_the_rewrites_write()
    {
        using PreparedModel? prepared = PreparedModel.Prepare(
            RepositoryFiles.TinyModel,
            GraphTarget.Cpu,
            PreparationCache.Open(),
            warning => Assert.Fail(warning),
            CancellationToken.None
        );
        string[] types = SmallGraph.Operators(prepared!.ToBytes());
        Assert.Equal(10, types.Count(type => type == "MultiHeadAttention"));
        Assert.DoesNotContain("Softmax", types);
        Assert.DoesNotContain("ConvTranspose", types);
        Assert.DoesNotContain("InstanceNormalization", types);
        // Of the spectrogram's decoders only the deepest has channels enough for tiles.
        Assert.Single(types, "DepthToSpace");
        // Eight put constant taps in order, and four lay the spectrogram's rows side by side.
        Assert.Equal(8 + 4, types.Count(type => type == "Gather"));
    }

    /// <summary>What runs on other providers: the same model in their operators.</summary>
    [Theory]
    [InlineData(ExecutionProvider.Cuda, ModelPrecision.Full, false, true)]
    [InlineData(ExecutionProvider.DirectML, ModelPrecision.Full, false, true)]
    [InlineData(ExecutionProvider.CoreML, ModelPrecision.Full, false, false)]
    [InlineData(ExecutionProvider.Plugin, ModelPrecision.Full, false, false)]
    [InlineData(ExecutionProvider.OpenVINO, ModelPrecision.Full, false, false)]
    [InlineData(ExecutionProvider.OpenVINO, ModelPrecision.BFloat16, false, false)]
    public void A_prepared_model_suits_its_provider(ExecutionProvider provider, ModelPrecision precision, bool tiles, bool attention)
    {
        using PreparedModel? prepared = PreparedModel.Prepare(
            RepositoryFiles.TinyModel,
            GraphTarget.For(provider, precision, batch: 1),
            PreparationCache.Open(),
            warning => Assert.Fail(warning),
            CancellationToken.None
        );
        string[] types = SmallGraph.Operators(prepared!.ToBytes());
        Assert.Equal(tiles ? 1 : 0, types.Count(type => type == "DepthToSpace"));
        Assert.Equal(attention ? 10 : 0, types.Count(type => type == "MultiHeadAttention"));
        Assert.Equal(attention ? 0 : 10, types.Count(type => type == "Softmax"));
        // ONNX Runtime's accelerators get slices, since DirectML has computed gated linear units behind a Split wrongly.
        Assert.Equal(!attention, types.Contains("Split"));
        Assert.DoesNotContain("ConvTranspose", types);
        // In bfloat16, sums that are divided gain nothing.
        Assert.Equal(precision == ModelPrecision.BFloat16, types.Contains("InstanceNormalization"));
    }

    // The reference models' transformers, with their random weights, change the stems little, and so does rounding in them; real models
    // lose more.
    [Theory]
    [InlineData("six-stems")]
    [LongInlineData("song-overlap05")]
    public void A_tiny_model_in_8_bits_comes_near(string name) => CheckInt8(name, RepositoryFiles.Reference("models"), 80);

    [Fact]
    public void The_real_size_model_in_8_bits_comes_near() => CheckInt8("full-song", ReferenceCase.RealModelFolder(), 65);

    private void CheckInt8(string name, string modelFolder, double leastDb)
    {
        ReferenceCase expected = ReferenceCase.Load(name);
        ModelSource[] models = [.. expected.Models.Select(model => ModelSource.Find(Path.Combine(modelFolder, model)))];
        using ModelBag bag = ModelBag.Load(
            models,
            expected.Weights,
            new OnnxSessionOptions(),
            prepare: true,
            warning => Assert.Fail(warning),
            precision: ModelPrecision.Int8
        );
        Assert.Equal(ModelPrecision.Int8, bag.Precision);
        foreach ((string stem, double snr) in expected.Compare(bag))
        {
            output.WriteLine($"{expected.Name} {stem} in 8 bits: {snr:F1} dB");
            Assert.InRange(snr, leastDb, double.PositiveInfinity);
        }
    }

    private void Check(string name, PreparedReferenceModels models)
    {
        ReferenceCase expected = ReferenceCase.Load(name);
        foreach ((string stem, double snr) in expected.Compare(models.Bag(expected)))
        {
            output.WriteLine($"{expected.Name} {stem}: {snr:F1} dB");
            Assert.InRange(snr, 100, double.PositiveInfinity);
        }
    }
}
