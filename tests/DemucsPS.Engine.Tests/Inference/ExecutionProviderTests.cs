using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>Only the CPU can be had where these tests run; what can be shown is that nothing else is taken for it.</summary>
public sealed class ExecutionProviderTests
{
    [Theory]
    [InlineData(ExecutionProvider.Cuda)]
    [InlineData(ExecutionProvider.DirectML)]
    [InlineData(ExecutionProvider.CoreML)]
    [InlineData(ExecutionProvider.WebGpu)]
    public void One_that_cannot_be_had_is_refused_with_what_there_is(ExecutionProvider provider)
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["model.onnx"], SmallModels.Split());
        OnnxSessionOptions options = new() { ExecutionProvider = provider };
        if (ExecutionProviderChoice.WhyNot(options) is null)
            Assert.Skip($"{provider} can be had here.");
        DemucsException error = Assert.Throws<DemucsException>(() => SeparationModel.Load(ModelSource.Find(folder["model.onnx"]), options));
        Assert.Equal(DemucsError.ExecutionProviderUnavailable, error.Error);
        Assert.StartsWith($"The execution provider {provider} is ", error.Message, StringComparison.Ordinal);
        bool listed = OnnxRuntimeLibrary.AvailableProviders.Contains(ExecutionProviderChoice.ListedName(provider));
        Assert.Contains(
            listed ? "does not start. It needs" : "to the full path of a library, version 1.31 or newer, that has",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(OnnxRuntimeLibrary.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(string.Join(", ", OnnxRuntimeLibrary.AvailableProviders), error.Message, StringComparison.Ordinal);
        Assert.Contains("$DEMUCSPS_ONNXRUNTIME", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bad_model_is_not_the_providers_fault()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["model.onnx"], "nonsense");
        DemucsException error = Assert.Throws<DemucsException>(() =>
            SeparationModel.Load(
                ModelSource.Find(folder["model.onnx"]),
                new OnnxSessionOptions { ExecutionProvider = ExecutionProvider.Auto }
            )
        );
        Assert.Equal(DemucsError.DemucsModelInvalid, error.Error);
    }

    [Fact]
    public void Auto_says_what_it_takes_and_why_not_the_others()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["model.onnx"], SmallModels.Split());
        List<string> told = [];
        using ModelBag bag = ModelBag.Load(
            [ModelSource.Find(folder["model.onnx"]), ModelSource.Find(folder["model.onnx"])],
            null,
            new OnnxSessionOptions { ExecutionProvider = ExecutionProvider.Auto },
            tell: told.Add
        );
        Assert.NotEqual(ExecutionProvider.Auto, bag.ExecutionProvider);
        // Each candidate before the one taken is told once, with a reason, and then that one.
        int taken = ExecutionProviderChoice.Candidates.ToList().IndexOf(bag.ExecutionProvider);
        Assert.Equal(taken + 1, told.Count);
        for (int i = 0; i < taken; i++)
            Assert.Matches($"^Execution provider {ExecutionProviderChoice.Candidates[i]} is not used: .{{10}}", told[i]);
        Assert.Equal($"Execution provider {bag.ExecutionProvider} is used.", told[taken]);
    }

    [Fact]
    public void Auto_ends_with_the_CPU() => Assert.Equal(ExecutionProvider.Cpu, ExecutionProviderChoice.Candidates[^1]);

    [Fact]
    public void A_session_takes_no_provider_that_is_not_chosen() =>
        Assert.Throws<ArgumentException>(() =>
            OnnxSession.FromBytes(SmallModels.Split(), new OnnxSessionOptions { ExecutionProvider = ExecutionProvider.Auto })
        );

    [Fact]
    public void A_provider_gets_what_it_needs()
    {
        OnnxSessionOptions asked = new()
        {
            MemoryPattern = true,
            ConfigEntries = new Dictionary<string, string> { ["a"] = "b" },
        };
        Assert.Same(asked, ExecutionProviderChoice.Suit(asked));

        OnnxSessionOptions directML = ExecutionProviderChoice.Suit(asked with { ExecutionProvider = ExecutionProvider.DirectML });
        Assert.False(directML.MemoryPattern);
        Assert.Equal("1", directML.ConfigEntries["ep.dml.disable_graph_fusion"]);
        Assert.Equal("b", directML.ConfigEntries["a"]);

        Assert.Equal(
            OnnxOptimizationLevel.Basic,
            ExecutionProviderChoice.Suit(asked with { ExecutionProvider = ExecutionProvider.WebGpu }).OptimizationLevel
        );
        Assert.Equal(
            OnnxOptimizationLevel.None,
            ExecutionProviderChoice
                .Suit(asked with { ExecutionProvider = ExecutionProvider.WebGpu, OptimizationLevel = OnnxOptimizationLevel.None })
                .OptimizationLevel
        );

        OnnxSessionOptions cuda = asked with { ExecutionProvider = ExecutionProvider.Cuda };
        Assert.Equal("0", ExecutionProviderChoice.Suit(cuda).ExecutionProviderOptions["use_tf32"]);
        Assert.Equal(
            "1",
            ExecutionProviderChoice
                .Suit(cuda with { ExecutionProviderOptions = new Dictionary<string, string> { ["use_tf32"] = "1" } })
                .ExecutionProviderOptions["use_tf32"]
        );
    }

    [Fact]
    public void What_runs_a_model_is_told()
    {
        using SeparationModel model = SeparationModel.Load(ModelSource.Find("baseline"), new OnnxSessionOptions());
        Assert.Equal(ExecutionProvider.Cpu, model.ExecutionProvider);
    }
}
