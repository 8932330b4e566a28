using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Checks;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Models.Installation;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tests.Models;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>What a test of a model tells apart.</summary>
public sealed class ModelCheckTests
{
    [Fact]
    public void Good_models_pass()
    {
        using TemporaryFolder folder = new();
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        File.Copy(RepositoryFiles.TinyModel, folder["tiny.onnx"]);
        ModelTestResult tiny = Check(library, ModelSource.Find(folder["tiny.onnx"]));
        Assert.Empty(tiny.Problems);
        Assert.True(tiny.Passed);
        Assert.Null(tiny.HashMatches);
        Assert.Equal(64, tiny.Sha256!.Length);
        Assert.Equal(["drums", "bass", "other", "vocals"], tiny.Stems);
        Assert.Equal(343980, tiny.SegmentFrames);
        Assert.True(tiny.LevelDb > -60 && tiny.RunTime > TimeSpan.Zero && tiny.LoadTime > TimeSpan.Zero);
        // It is the growth of the process, which other tests that end meanwhile can outweigh.
        Assert.NotNull(tiny.Memory);
        Assert.Equal((ModelContractKind.Split, ExecutionProvider.Cpu), (tiny.Contract, tiny.ExecutionProvider));
        ModelTestResult baseline = Check(library, ModelSource.Find("baseline"));
        Assert.Empty(baseline.Problems);
        Assert.Null(baseline.Path);
    }

    [Fact]
    public async Task A_changed_file_is_known_by_its_hash_from_the_catalog_or_from_installation()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(LoopbackServer.File(SmallModels.Split()));
        ModelLibrary library = ModelInstallerTests.Library(folder, server.Address, content: SmallModels.Split());
        ModelInstaller installer = new(library);
        ModelInfo tiny = await installer.InstallAsync("tiny", new ModelInstallOptions { AcceptLicense = true }, null, default);
        ModelTestResult good = Check(library, library.Select(["tiny"], null, Path.GetFullPath).Models[0]);
        Assert.Empty(good.Problems);
        Assert.True(good.HashMatches);
        // A model of the catalog is known wherever it lies.
        File.Copy(tiny.Path!, folder["elsewhere.onnx"]);
        Assert.True(Check(library, ModelSource.Find(folder["elsewhere.onnx"])).HashMatches);
        // A good model, but another one.
        File.WriteAllBytes(tiny.Path!, SmallModels.Split(factor: 2));
        ModelTestResult other = Check(library, library.Select(["tiny"], null, Path.GetFullPath).Models[0]);
        Assert.False(other.HashMatches);
        Assert.Contains(other.Problems, p => p.Contains("SHA-256", StringComparison.Ordinal));

        // Weights in a second file, of a model that is in no catalog.
        File.WriteAllBytes(folder["own.onnx"], SmallModels.WithUnusedOutsideWeight("own.data"));
        File.WriteAllBytes(folder["own.data"], BitConverter.GetBytes(2f));
        await installer.InstallAsync("mine", new ModelInstallOptions { Source = folder["own.onnx"] }, null, default);
        ModelSource mine = library.Select(["mine"], null, Path.GetFullPath).Models[0];
        Assert.True(Check(library, mine).HashMatches);
        File.WriteAllBytes(folder["models", "mine", "own.data"], BitConverter.GetBytes(3f));
        ModelTestResult swapped = Check(library, mine);
        Assert.False(swapped.Passed);
        Assert.Contains(folder["models", "mine", "own.data"], Assert.Single(swapped.Problems), StringComparison.Ordinal);
        File.Delete(folder["models", "mine", "own.data"]);
        Assert.False(Check(library, mine).Passed);
    }

    [Fact]
    public void A_model_cut_short_fails()
    {
        byte[] model = File.ReadAllBytes(RepositoryFiles.TinyModel);
        Fails(model[..(model.Length / 2)], "damaged");
        Fails([], "");
    }

    [Fact]
    public void Weights_that_are_no_numbers_fail() => Fails(SmallModels.Split(factor: float.NaN), "not finite");

    [Fact]
    public void Silence_fails() => Fails(SmallModels.Split(factor: 0), "silent");

    [Fact]
    public void Stems_without_names_fail() => Fails(SmallModels.Split(stems: 5), "5 stems");

    [Fact]
    public async Task Another_number_of_stems_than_was_installed_fails()
    {
        using TemporaryFolder folder = new();
        using LoopbackServer server = new(LoopbackServer.File(SmallModels.Split(stems: 6)));
        // The catalog says four stems of a model that has six.
        ModelLibrary library = ModelInstallerTests.Library(folder, server.Address, content: SmallModels.Split(stems: 6));
        await new ModelInstaller(library).InstallAsync("tiny", new ModelInstallOptions { AcceptLicense = true }, null, default);
        ModelTestResult result = Check(library, library.Select(["tiny"], null, Path.GetFullPath).Models[0]);
        Assert.True(result.HashMatches);
        Assert.Contains("guitar", Assert.Single(result.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void Stems_of_two_sessions_are_compared_in_decibels()
    {
        float[][] some =
        [
            [1, 0, -1],
            [0.5f, 0, 0],
        ];
        Assert.Equal(double.PositiveInfinity, TestSegment.Agreement(some, some));
        Assert.Equal(
            40,
            TestSegment.Agreement(
                some,
                [
                    [1.01f, 0, -1.01f],
                    [0.505f, 0, 0],
                ]
            ),
            1e-3
        );
        Assert.True(
            double.IsNaN(
                TestSegment.Agreement(
                    some,
                    [
                        [float.NaN, 0, 0],
                        [0, 0, 0],
                    ]
                )
            )
        );

        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["m.onnx"], SmallModels.Split());
        ModelTestResult compared = ModelCheck.Run(
            ModelLibrary.Open(folder["models"]),
            ModelSource.Find(folder["m.onnx"]),
            new OnnxSessionOptions { IntraOpThreads = 2 },
            new OnnxSessionOptions { IntraOpThreads = 1 },
            prepare: false,
            ModelPrecision.Full,
            null,
            CancellationToken.None
        );
        Assert.True(compared.DifferenceDb > 100);
        Assert.True(compared.Passed);
    }

    [Fact]
    public void The_loss_of_a_precision_is_said_in_decibels()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        File.Copy(RepositoryFiles.TinyModel, folder["tiny.onnx"]);
        ModelLibrary library = ModelLibrary.Open(folder["models"]);
        ModelTestResult result = ModelCheck.Run(
            library,
            ModelSource.Find(folder["tiny.onnx"]),
            new OnnxSessionOptions(),
            prepare: true,
            ModelPrecision.Int8,
            null,
            CancellationToken.None
        );
        Assert.Empty(result.Problems);
        Assert.Equal(ModelPrecision.Int8, result.Precision);
        // That of floats, summed in another order, is above 130 dB.
        Assert.InRange(result.DifferenceDb!.Value, 80, 125);
        Assert.True(result.ReferenceRunTime > TimeSpan.Zero);
        Assert.Single(folder.Files());

        File.WriteAllBytes(folder["small.onnx"], SmallModels.Split());
        ModelTestResult full = Check(library, ModelSource.Find(folder["small.onnx"]), prepare: true);
        Assert.Equal((ModelPrecision.Full, null, null), (full.Precision, full.DifferenceDb, full.ReferenceRunTime));
    }

    [Fact]
    public void The_test_segment_is_the_same_everywhere()
    {
        (float[] left, float[] right) = TestSegment.Create(44100);
        Assert.Equal(0, left.Concat(right).Average(), 1e-4);
        Assert.Equal(1, Math.Sqrt(left.Concat(right).Average(x => (double)x * x)), 1e-4);
        Assert.NotEqual(left, right);
        Assert.Equal(left, TestSegment.Create(44100).Left);
    }

    private static void Fails(byte[] model, string says)
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["bad.onnx"], model);
        ModelTestResult result = Check(ModelLibrary.Open(folder["models"]), ModelSource.Find(folder["bad.onnx"]));
        Assert.False(result.Passed);
        Assert.Contains(says, string.Join(" ", result.Problems), StringComparison.Ordinal);
        Assert.Equal(["bad.onnx"], folder.Files());
    }

    private static ModelTestResult Check(ModelLibrary library, ModelSource source, bool prepare = false) =>
        ModelCheck.Run(library, source, new OnnxSessionOptions(), prepare, ModelPrecision.Full, null, CancellationToken.None);
}
