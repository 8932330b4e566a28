using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>A plan is made by reading: no file appears, and the runtime is not asked.</summary>
public sealed class PlanTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(ModelPrecision.Full)]
    [LongInlineData(ModelPrecision.Int8)]
    public void Planning_reads_and_the_first_separation_loads(ModelPrecision precision)
    {
        InterruptedTrack.WriteNoise(_folder["noise.wav"], 30_000);
        // A content that no other test has, so that the cache they share has no copy of it.
        string name = $"{Guid.NewGuid():N}";
        File.WriteAllBytes(_folder[$"{name}.onnx"], [.. File.ReadAllBytes(RepositoryFiles.TinyModel), .. new ProtobufMessage().Text(99, name).Bytes]);
        string[] before = _folder.Files();
        int sessions = OnnxSession.CountOfThread;

        ModelSelection selection = new() { Models = [ModelSource.Find(_folder[$"{name}.onnx"])], Precision = precision };
        using ModelBag bag = ModelBag.Open(selection, ["bass"], new OnnxSessionOptions(), prepare: true, warning => Assert.Fail(warning));
        FileSeparator separator = new(bag, StemSelection.Choose(bag.Contract.Stems, ["bass"]), new SeparationOptions(), new StemOutput(new StemNames(_folder["out"]), new StemFormat()));
        TrackSource track = new(_folder["noise.wav"]);
        SeparationPlan plan = separator.Plan(track);
        Assert.Empty(separator.ClaimAll([track]));
        Assert.Equal((1, precision), (plan.Chunks, plan.Precision));
        Assert.Equal(_folder["out", name, "noise", "bass.wav"], Assert.Single(plan.StemPaths));
        Assert.Equal(sessions, OnnxSession.CountOfThread);
        Assert.Equal(before, _folder.Files());
        Assert.DoesNotContain(PreparationCache.Open().List(), copy => copy.Model == name);
        Assert.Equal((false, 0), (bag.IsLoaded, bag.LoadCount));
        Assert.Throws<InvalidOperationException>(() => bag.ExecutionProvider);

        separator.Separate(track);
        Assert.True(bag.IsLoaded);
        Assert.True(OnnxSession.CountOfThread > sessions);
        Assert.Single(PreparationCache.Open().List(), copy => copy.Model == name);
    }

    [Fact]
    public void What_is_wrong_with_a_model_is_found_by_reading()
    {
        int sessions = OnnxSession.CountOfThread;
        File.WriteAllText(_folder["text.onnx"], "This is no model, whatever it is called.");
        File.WriteAllBytes(_folder["five.onnx"], SmallModels.Split(stems: 5));
        File.WriteAllBytes(_folder["four.onnx"], SmallModels.Split());
        File.WriteAllBytes(_folder["none.onnx"], SmallModels.Split(normalization: "none"));
        foreach ((string[] models, DemucsError error) in new[]
        {
            (new[] { "text.onnx" }, DemucsError.DemucsModelInvalid), (["five.onnx"], DemucsError.DemucsModelInvalid), (["four.onnx", "none.onnx"], DemucsError.DemucsModelInvalid),
        })
        {
            Assert.Equal(error, Assert.Throws<DemucsException>(() => ModelBag.Open(new ModelSelection { Models = [.. models.Select(m => ModelSource.Find(_folder[m]))] }, null, new OnnxSessionOptions(), prepare: true)).Error);
        }
        ModelSelection baseline = new() { Models = [ModelSource.Find(ModelSource.BaselineName)] };
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => ModelBag.Open(baseline with { Precision = ModelPrecision.Int8 }, null, new OnnxSessionOptions(), prepare: true)).Error);
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => ModelBag.Open(baseline with { StemNames = ["one"] }, null, new OnnxSessionOptions())).Error);
        Assert.Equal(sessions, OnnxSession.CountOfThread);
    }

    [Fact]
    public void Loading_that_was_cancelled_can_be_begun_anew()
    {
        using ModelBag bag = ModelBag.Open(new ModelSelection { Models = [ModelSource.Find(ModelSource.BaselineName)] }, null, new OnnxSessionOptions());
        Assert.ThrowsAny<OperationCanceledException>(() => bag.Load(new CancellationToken(canceled: true)));
        Assert.False(bag.IsLoaded);
        bag.Load(CancellationToken.None);
        Assert.Equal(ExecutionProvider.Cpu, bag.ExecutionProvider);
    }
}
