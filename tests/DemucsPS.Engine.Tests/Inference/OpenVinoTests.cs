using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Models.Weights;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>
/// OpenVINO's own plug-in library, from the wheel that its maker publishes, where it lies in <c>../shared/providers</c> beside the
/// checkout. It takes hardware of Intel only, so on other processors most is
/// skipped; <c>DEMUCSPS_TEST_OPENVINO</c> names a wheel or a library elsewhere.
/// </summary>
[Collection("The folder of execution providers")]
public sealed class OpenVinoTests(ITestOutputHelper output)
{
    private static readonly string s_wheels = Path.Combine(RepositoryFiles.Root, "..", "shared", "providers");

    private static readonly Lazy<string?> s_library = new(Install);

    private static string Library
    {
        get
        {
            Assert.SkipWhen(s_library.Value is null, $"There is no wheel of OpenVINO's plug-in library in '{s_wheels}'.");
            return s_library.Value!;
        }
    }

    [Fact]
    public void Its_wheel_is_installed_and_says_what_it_can_run_on()
    {
        ExecutionDevice[] devices = [.. ExecutionDevices.InLibrary(Library)];
        Assert.NotEmpty(devices);
        Assert.All(devices, device => Assert.Equal(ExecutionProvider.OpenVINO, device.ExecutionProvider));
        Assert.All(devices, device =>
            Assert.True(device.Usable || device.Reason!.Contains("only Intel processors", StringComparison.Ordinal), device.Reason)
        );
    }

    [Fact]
    public void It_computes_in_32_bits_as_the_processor_does()
    {
        OnnxSessionOptions options = Options();
        List<string> told = [];
        using ModelBag bag = ModelBag.Load([ModelSource.Find(RepositoryFiles.TinyModel)], null, options, prepare: true, tell: told.Add);
        Assert.Matches(@"agrees with the CPU on model .* to (8\d|9\d|1\d\d)\.\d dB", Assert.Single(told));
        Assert.StartsWith(
            $"ONNX Runtime {OnnxRuntimeLibrary.Version}, OpenVINO (OpenVINOExecutionProvider ",
            bag.Runtime,
            StringComparison.Ordinal
        );
    }

    // What was reached, less 3 dB: the worst stem. Of all cases (114 to 148 dB, and 108.3 at real size in float32) those that take little
    // time. In bfloat16 it is tried at real size only: version 1.8.1 computes some convolutions of up to 24 channels wrongly in
    // it, which small models have.
    [Theory]
    [InlineData("short", ModelPrecision.Full, 111)]
    [InlineData("six-stems", ModelPrecision.Full, 113)]
    [InlineData("full", ModelPrecision.BFloat16, 25)]
    public void Stems_of_weights_agree_with_the_official_code(string name, ModelPrecision precision, double least)
    {
        OnnxSessionOptions options = Options();
        using TemporaryFolder folder = new();
        ReferenceCase expected = ReferenceCase.LoadOfficial(name);
        string file = OfficialWeightsTests.Find(expected.Models.Single(), folder);
        Check(name, expected, ModelLibrary.Open(folder["models"]).Select([file], null, p => p) with { Precision = precision }, options, least);
    }

    [Theory]
    [InlineData("short", "tiny", 110)]
    [InlineData("short", "tiny-opset23", 100)]
    public void Stems_of_exports_agree_with_the_official_code(string name, string model, double least)
    {
        OnnxSessionOptions options = Options();
        ModelSource export = ModelSource.Find(OfficialFiles.Find("exports", model + ".onnx"));
        Check($"{name} {model}", ReferenceCase.LoadOfficial(name), new ModelSelection { Models = [export] }, options, least);
    }

    [Fact]
    public void BFloat16_is_had_where_the_processor_has_it()
    {
        OnnxSessionOptions options = Options();
        bool has = ExecutionDevices
            .List([Library])
            .Single(device => device.Library == Library && device.Device == "CPU")
            .Precisions.Contains(ModelPrecision.BFloat16);
        if (has)
        {
            using ModelBag bag = ModelBag.Load(
                [ModelSource.Find(RepositoryFiles.TinyModel)],
                null,
                options,
                prepare: true,
                precision: ModelPrecision.BFloat16
            );
            Assert.Equal(ModelPrecision.BFloat16, bag.Precision);
        }
        else
        {
            Assert.Equal(
                DemucsError.ExecutionProviderUnavailable,
                Assert
                    .Throws<DemucsException>(() =>
                        ModelBag.Load(
                            [ModelSource.Find(RepositoryFiles.TinyModel)],
                            null,
                            options,
                            prepare: true,
                            precision: ModelPrecision.BFloat16
                        )
                    )
                    .Error
            );
        }
    }

    private void Check(string name, ReferenceCase expected, ModelSelection models, OnnxSessionOptions options, double least)
    {
        Assert.SkipWhen(
            models.Precision == ModelPrecision.BFloat16
                && !ExecutionDevices
                    .List([Library])
                    .Single(device => device.Library == Library && device.Device == "CPU")
                    .Precisions.Contains(ModelPrecision.BFloat16),
            "This processor does not compute in bfloat16."
        );
        using ModelBag bag = ModelBag.Load(models, null, options with { SkipProviderCheck = true }, prepare: true, warning =>
            Assert.Fail(warning)
        );
        double worst = expected.Compare(bag).Min(stem => stem.Snr);
        output.WriteLine($"{name} {models.Precision}: {worst:F1} dB");
        Assert.InRange(worst, least, double.PositiveInfinity);
    }

    private static OnnxSessionOptions Options()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        OnnxSessionOptions options = new() { ExecutionProvider = ExecutionProvider.OpenVINO, ProviderLibrary = Library };
        Assert.SkipWhen(
            ExecutionProviderChoice.WhyNot(options) is { } reason && reason.Contains("only Intel processors", StringComparison.Ordinal),
            "This processor is not of Intel, and OpenVINO's plug-in library takes no other."
        );
        return options;
    }

    private static string? Install()
    {
        string? wheel =
            Environment.GetEnvironmentVariable("DEMUCSPS_TEST_OPENVINO") is { Length: > 0 } named ? named
            : OperatingSystem.IsLinux() && Directory.Exists(s_wheels)
                ? Directory.GetFiles(s_wheels, "onnxruntime_ep_openvino-*.whl").FirstOrDefault()
            : null;
        if (wheel is null || !wheel.EndsWith(".whl", StringComparison.Ordinal))
            return wheel;
        string? before = Environment.GetEnvironmentVariable(ProviderLibraries.FolderVariable);
        Environment.SetEnvironmentVariable(ProviderLibraries.FolderVariable, TemporaryFolder.OfProcess().Path);
        try
        {
            return ProviderInstaller.Install(ExecutionProvider.OpenVINO, wheel, replace: false, null, CancellationToken.None);
        }
        finally
        {
            Environment.SetEnvironmentVariable(ProviderLibraries.FolderVariable, before);
        }
    }
}
