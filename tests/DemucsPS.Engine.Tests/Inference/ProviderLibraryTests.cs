using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Models.Weights;
using DemucsPS.Engine.Tests.Separation;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>Plug-in libraries of execution providers, by one that is made for these tests.</summary>
[Collection("The folder of execution providers")]
public sealed class ProviderLibraryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_runs_on_it_with_its_options()
    {
        float[] expected = Run(new OnnxSessionOptions()),
            same = Run(Options()),
            doubled = Run(Options(("scale", "2")));
        Assert.Contains(expected, x => x != 0);
        Assert.Equal(expected, same);
        Assert.Equal(expected.Select(x => 2 * x), doubled);
    }

    [Fact]
    public void Its_devices_are_listed()
    {
        IReadOnlyList<ExecutionDevice> devices = ExecutionDevices.List([
            TestProvider.Library(),
            TestProvider.Library("NO_DEVICE"),
            _folder["none.so"],
        ]);
        Assert.Equal(
            (ExecutionProvider.Cpu, "CPU", OnnxRuntimeLibrary.Version, null),
            (devices[0].ExecutionProvider, devices[0].Device, devices[0].Version, devices[0].Reason)
        );
        ExecutionDevice own = Assert.Single(devices, device => device.Library == TestProvider.Library());
        Assert.Equal(
            (ExecutionProvider.Plugin, "TestExecutionProvider", "1.2.3", "CPU"),
            (own.ExecutionProvider, own.Provider, own.Version, own.Device)
        );
        Assert.True(own.Usable, own.Reason);
        Assert.True(own.Memory > 0);
        Assert.Contains(
            "finds no supported hardware",
            Assert.Single(devices, device => device.Library == TestProvider.Library("NO_DEVICE")).Reason,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "does not exist",
            Assert.Single(devices, device => device.Library == _folder["none.so"]).Reason,
            StringComparison.Ordinal
        );
        Assert.All(devices, device => Assert.Equal(device.Reason is null, device.Usable));
        // Each that the engine knows has its line, usable or not.
        Assert.Empty(
            Enum.GetValues<ExecutionProvider>().Except([ExecutionProvider.Auto]).Except(devices.Select(device => device.ExecutionProvider))
        );
    }

    [Theory]
    [InlineData("missing", DemucsError.ProviderLibraryInvalid, "does not exist. Correct the path")]
    [InlineData("text", DemucsError.ProviderLibraryInvalid, "cannot be loaded: it is not a library for this platform")]
    [InlineData("other", DemucsError.ProviderLibraryInvalid, "is a library, but not a plug-in library of execution providers")]
    [InlineData("TOO_OLD", DemucsError.ProviderLibraryInvalid, "does not start with ONNX Runtime 1.")]
    [InlineData("NO_DEVICE", DemucsError.ExecutionProviderUnavailable, "This machine has: CPU of ")]
    public void One_that_cannot_be_used_is_named_with_the_fault_and_the_remedy(string kind, DemucsError error, string says)
    {
        string library = kind switch
        {
            "missing" => _folder["missing.so"],
            "text" => _folder["text.so"],
            "other" => OnnxRuntimeLibrary.Path,
            _ => TestProvider.Library(kind),
        };
        if (kind == "text")
            File.WriteAllText(library, "no library, though of some length: a loader reads a head first, and finds none here.");
        for (int again = 0; again < 2; again++)
        {
            DemucsException e = Assert.Throws<DemucsException>(() =>
                Run(new OnnxSessionOptions { ExecutionProvider = ExecutionProvider.Plugin, ProviderLibrary = library })
            );
            Assert.Equal((error, library), (e.Error, e.Path));
            Assert.StartsWith($"The plug-in library '{library}' ", e.Message, StringComparison.Ordinal);
            Assert.Contains(says, e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_library_that_is_cut_off_is_not_loaded()
    {
        // Whole, all that its headers speak of is there; of a part, its length says so.
        byte[] whole = File.ReadAllBytes(TestProvider.Library());
        Assert.InRange(LibraryFile.ExpectedLength(TestProvider.Library()), whole.Length - 64, whole.Length);
        Assert.InRange(LibraryFile.ExpectedLength(OnnxRuntimeLibrary.Path), 1_000_000, new FileInfo(OnnxRuntimeLibrary.Path).Length);
        File.WriteAllBytes(_folder["part"], whole[..(whole.Length / 2)]);
        Assert.Equal(LibraryFile.ExpectedLength(TestProvider.Library()), LibraryFile.ExpectedLength(_folder["part"]));
        File.WriteAllText(_folder["text"], new string('x', 1000));
        Assert.Equal(0, LibraryFile.ExpectedLength(_folder["text"]));

        // A head without anything behind it, which a loader refuses as well, is told apart from a file that is no library; also where it
        // lies beside the library.
        byte[] head = new byte[64];
        ((byte[])[0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1]).CopyTo(head, 0);
        head[40] = 200;
        head[58] = 64;
        head[60] = 1;
        Directory.CreateDirectory(_folder["alone"]);
        Directory.CreateDirectory(_folder["beside"]);
        File.WriteAllBytes(_folder["alone", "provider.so"], head);
        File.WriteAllText(_folder["beside", "provider.so"], "no library");
        File.WriteAllBytes(_folder["beside", "libother.so.12"], head);
        foreach ((string library, string cut) in new[] { (_folder["alone", "provider.so"], "it"), (_folder["beside", "provider.so"], $"'{_folder["beside", "libother.so.12"]}'") })
        {
            DemucsException e = Assert.Throws<DemucsException>(() =>
                Run(new OnnxSessionOptions { ExecutionProvider = ExecutionProvider.Plugin, ProviderLibrary = library })
            );
            Assert.Equal((DemucsError.ProviderLibraryInvalid, library), (e.Error, e.Path));
            Assert.Contains($"{cut} is cut off. It should have at least 264 bytes, and has 64.", e.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_it_does_not_have_is_said_with_what_it_has()
    {
        Assert.Contains(
            "does not contain the execution provider OpenVINO. It contains TestExecutionProvider.",
            Refused(Options() with { ExecutionProvider = ExecutionProvider.OpenVINO }, DemucsError.ExecutionProviderUnavailable),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no device 'GPU' here. It has CPU.",
            Refused(Options(("device", "GPU")), DemucsError.ExecutionProviderUnavailable),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "scale must not be 0",
            Refused(Options(("scale", "0")), DemucsError.ExecutionProviderUnavailable),
            StringComparison.Ordinal
        );
        _ = Run(Options(("device", "cpu")));
    }

    [Fact]
    public void Parameters_that_nothing_would_take_are_refused()
    {
        foreach (ExecutionProvider provider in (ExecutionProvider[])[ExecutionProvider.Cpu, ExecutionProvider.Auto])
        {
            Assert.Contains(
                "Choose the execution provider as well",
                Refused(
                    new OnnxSessionOptions { ExecutionProvider = provider, ProviderLibrary = _folder["any.so"] },
                    DemucsError.ParameterInvalid
                ),
                StringComparison.Ordinal
            );
            Assert.Contains(
                "Choose the execution provider as well",
                Refused(
                    new OnnxSessionOptions
                    {
                        ExecutionProvider = provider,
                        ExecutionProviderOptions = new Dictionary<string, string> { ["a"] = "b" },
                    },
                    DemucsError.ParameterInvalid
                ),
                StringComparison.Ordinal
            );
        }
        Assert.Contains(
            "Name the library",
            Refused(new OnnxSessionOptions { ExecutionProvider = ExecutionProvider.Plugin }, DemucsError.ParameterInvalid),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void It_is_registered_once_however_many_use_it()
    {
        string library = TestProvider.Library();
        float[][] results = new float[8][];
        Parallel.For(0, results.Length, i => results[i] = Run(Options()));
        Assert.All(results, result => Assert.Equal(results[0], result));
        Assert.Same(PluginLibraries.Devices(library), PluginLibraries.Devices(library));
        Assert.Single(PluginLibraries.Devices(library));
    }

    [Fact]
    public void Libraries_are_looked_for_in_a_folder_and_its_folders()
    {
        Assert.Empty(ProviderLibraries.Find(_folder["none"]));
        string suffix =
            OperatingSystem.IsWindows() ? ".dll"
            : OperatingSystem.IsMacOS() ? ".dylib"
            : ".so";
        string[] names =
        [
            "libonnxruntime_providers_b" + suffix,
            Path.Combine("maker", "onnxruntime_providers_openvino_plugin" + suffix),
            "libonnxruntime_providers_shared" + suffix,
            "libopenvino" + suffix,
            Path.Combine("maker", "deep", "libonnxruntime_providers_c" + suffix),
        ];
        foreach (string name in names)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
            File.WriteAllText(_folder[name], "");
        }
        Assert.Equal([_folder[names[0]], _folder[names[1]]], ProviderLibraries.Find(_folder.Path));
        Assert.Equal(ExecutionProvider.OpenVINO, ProviderLibraries.NamedBy(names[1]));
        Assert.Equal(ExecutionProvider.Plugin, ProviderLibraries.NamedBy(names[0]));
    }

    [Fact]
    public void One_that_fails_in_the_middle_of_a_track_is_tried_again_and_the_processor_can_go_on()
    {
        string library = TestProvider.Library();
        InterruptedTrack.WriteNoise(_folder["noise.wav"], 200_000);
        Separate(new OnnxSessionOptions(), "whole", resume: false);
        // Two multiplications a chunk.
        OnnxSessionOptions failing = Options(("fail", "31"));
        DemucsException e = Assert.Throws<DemucsException>(() => Separate(failing, "out", resume: false));
        Assert.Equal(DemucsError.ExecutionProviderFailed, e.Error);
        Assert.Matches(
            @"^Chunk 1\d \(of 0 to 25\) of noise\.wav could not be separated in 3 attempts\. The execution provider Plugin \(TestExecutionProvider 1\.2\.3, CPU\) fail=31 failed .*the device is gone",
            e.Message
        );
        Assert.Equal([Remedy.Resume], e.Remedies);
        // Another accelerator is no way on.
        Assert.Equal(DemucsError.ResumeMismatch, Assert.Throws<DemucsException>(() => Separate(Options(), "out", resume: true)).Error);
        SeparationResult result = Separate(new OnnxSessionOptions(), "out", resume: true);
        Assert.True(result.Resumed);
        string runtime = SeparationProvenance.Read(result.ProvenancePath).Separation.Runtime;
        Assert.Matches(
            @"^ONNX Runtime [\d.]+, Plugin \(TestExecutionProvider 1\.2\.3, CPU\) fail=31, \d+ threads?; continued by ONNX Runtime [\d.]+, Cpu, \d+ threads?$",
            runtime
        );
        foreach (StemFile stem in result.Stems)
            Assert.Equal(
                File.ReadAllBytes(
                    stem.FilePath.Replace(
                        $"{Path.DirectorySeparatorChar}out{Path.DirectorySeparatorChar}",
                        $"{Path.DirectorySeparatorChar}whole{Path.DirectorySeparatorChar}",
                        StringComparison.Ordinal
                    )
                ),
                File.ReadAllBytes(stem.FilePath)
            );
        Assert.True(File.Exists(library));
    }

    [Fact]
    public void One_that_computes_otherwise_than_the_processor_is_refused_with_the_figure_until_that_is_not_asked()
    {
        // A thousandth is 60 dB, a ten-thousandth 80; each model of its own, so that nothing is remembered of another test.
        File.Copy(SmallModels.File, _folder["model.onnx"]);
        List<string> told = [];
        Load(("scale", "1.00001"));
        Assert.Matches(
            @"^Plugin \(TestExecutionProvider 1\.2\.3, CPU\) scale=1\.00001 agrees with the CPU on model .* to (99|100)\.\d dB\.$",
            Assert.Single(told)
        );
        Load(("scale", "1.00001"));
        Assert.Single(told);
        for (int again = 0; again < 2; again++)
        {
            DemucsException e = Assert.Throws<DemucsException>(() => Load(("scale", "1.001")));
            Assert.Equal(DemucsError.ProviderRefused, e.Error);
            Assert.Contains("it agrees with the CPU to 60.0 dB, but at least 80 dB are expected", e.Message, StringComparison.Ordinal);
            Assert.Equal([Remedy.SkipProviderCheck], e.Remedies);
        }
        Assert.Equal(2, told.Count);
        using ModelBag skipping = ModelBag.Load(
            [ModelSource.Find(_folder["model.onnx"])],
            null,
            Options(("scale", "1.001")) with
            {
                SkipProviderCheck = true,
            }
        );

        // A plan computes nothing.
        int sessions = OnnxSession.CountOfThread;
        using (
            ModelBag plan = ModelBag.Open(
                new ModelSelection { Models = [ModelSource.Find(_folder["model.onnx"])] },
                null,
                Options(("scale", "1.002"))
            )
        )
            Assert.Equal(sessions, OnnxSession.CountOfThread);

        void Load(params (string, string)[] options)
        {
            using ModelBag bag = ModelBag.Load([ModelSource.Find(_folder["model.onnx"])], null, Options(options), tell: told.Add);
        }
    }

    [Fact]
    public void What_is_remembered_of_a_check_is_of_one_batch_size()
    {
        ModelSource model = ModelSource.Find(SmallModels.File);
        string[] names = [.. new[] { 1, 2, 1 }.Select(Name)];
        Assert.NotEqual(names[0], names[1]);
        Assert.Equal(names[0], names[2]);

        string Name(int batch) =>
            ProviderCheck.NameOf(model, new OnnxSessionOptions { BatchSize = batch }, "a provider", prepare: true, CancellationToken.None);
    }

    [Fact]
    public void Its_copy_of_a_model_is_another_than_the_processors_and_foreseen()
    {
        ModelSource[] models = [ModelSource.Find(LittleModel.File)];
        using ModelBag bag = ModelBag.Load(models, null, Options() with { SkipProviderCheck = true }),
            foreseen = ModelBag.Open(new ModelSelection { Models = models }, null, Options()),
            processor = ModelBag.Open(new ModelSelection { Models = models }, null, new OnnxSessionOptions());
        string made = Copy(bag.Identify(default));
        Assert.Equal(made, Copy(foreseen.Foresee([], default)));
        Assert.NotEqual(made, Copy(processor.Foresee([], default)));

        static string Copy(IReadOnlyList<ModelIdentity> identities) => identities[0].Files[1].ToString();
    }

    [Fact]
    public void It_runs_the_next_chunk_while_the_processor_works_on_what_it_gave()
    {
        using ModelBag bag = ModelBag.Load([ModelSource.Find(SmallModels.File)], null, Options());
        MemoryTrack track = MemoryTrack.Noise(100000, 9);
        TrackStatistics statistics = TrackStatistics.Measure(track.Restarted(), "track");
        using ManualResetEventSlim second = new();
        int runs = 0,
            done = 0;
        Separator separator = new(bag, StemMatrix.Choose(bag.Contract.Stems, ["bass"]), new SeparationOptions())
        {
            Observe = step =>
            {
                if (step == ChunkStep.Running && Interlocked.Increment(ref runs) == 2)
                    second.Set();
                // The first chunk is not done before the second has its turn.
                if (step == ChunkStep.Done && Interlocked.Increment(ref done) == 1)
                    Assert.True(second.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
            },
        };
        MemorySink sink = new(1);
        separator.Separate(track.Restarted(), "track", statistics, sink, null, TestContext.Current.CancellationToken);
        Assert.Equal(13, runs);

        // The same bits as on the processor.
        using ModelBag processor = ModelBag.Load([ModelSource.Find(SmallModels.File)], null, new OnnxSessionOptions());
        MemorySink expected = new(1);
        new Separator(processor, StemMatrix.Choose(bag.Contract.Stems, ["bass"]), new SeparationOptions()).Separate(
            track.Restarted(),
            "track",
            statistics,
            expected,
            null,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(expected.Interleaved(0), sink.Interleaved(0));
    }

    [Theory]
    [InlineData(null, ModelPrecision.Full, """{"CPU":{"INFERENCE_PRECISION_HINT":"f32","INFERENCE_NUM_THREADS":"3"}}""")]
    [InlineData(
        """{"CPU":{"INFERENCE_NUM_THREADS":"1"},"GPU":{"A":"B"}}""",
        ModelPrecision.Full,
        """{"CPU":{"INFERENCE_NUM_THREADS":"1","INFERENCE_PRECISION_HINT":"f32"},"GPU":{"A":"B"}}"""
    )]
    [InlineData(
        """{"CPU":{"INFERENCE_PRECISION_HINT":"F32"}}""",
        ModelPrecision.Full,
        """{"CPU":{"INFERENCE_PRECISION_HINT":"f32","INFERENCE_NUM_THREADS":"3"}}"""
    )]
    [InlineData(null, ModelPrecision.BFloat16, """{"CPU":{"INFERENCE_PRECISION_HINT":"bf16","INFERENCE_NUM_THREADS":"3"}}""")]
    public void OpenVINO_is_always_told_the_precision(string? given, ModelPrecision precision, string expected)
    {
        Dictionary<string, string> options = new() { ["other"] = "1" };
        if (given is not null)
            options["load_config"] = given;
        Dictionary<string, string> complete = OpenVinoSettings.Complete(options, OpenVino("FP32 BF16 INT8"), precision, 3);
        Assert.Equal(expected, complete["load_config"]);
        Assert.Equal("1", complete["other"]);
    }

    [Fact]
    public void OpenVINO_is_not_told_what_contradicts_the_precision()
    {
        foreach (string config in (string[])["""{"CPU":{"INFERENCE_PRECISION_HINT":"bf16"}}""", "{", "[]", "1"])
        {
            Assert.Equal(
                DemucsError.ParameterInvalid,
                Assert
                    .Throws<DemucsException>(() =>
                        OpenVinoSettings.Complete(
                            new Dictionary<string, string> { ["load_config"] = config },
                            OpenVino("FP32 BF16"),
                            ModelPrecision.Full,
                            1
                        )
                    )
                    .Error
            );
        }
        DemucsException e = Assert.Throws<DemucsException>(() =>
            OpenVinoSettings.Complete(new Dictionary<string, string>(), OpenVino("FP32 INT8"), ModelPrecision.BFloat16, 1)
        );
        Assert.Equal(DemucsError.ExecutionProviderUnavailable, e.Error);
        Assert.Contains("does not support bfloat16", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExecutionProvider.Cpu)]
    [InlineData(ExecutionProvider.Cuda)]
    [InlineData(ExecutionProvider.Auto)]
    public void BFloat16_is_OpenVINOs(ExecutionProvider provider)
    {
        DemucsException e = Assert.Throws<DemucsException>(() =>
            SeparationModel.CheckOptions(
                ModelSource.Find(SmallModels.File),
                new OnnxSessionOptions { ExecutionProvider = provider, Precision = ModelPrecision.BFloat16 },
                prepare: false
            )
        );
        Assert.Equal(DemucsError.ParameterInvalid, e.Error);
        Assert.Contains($"not with {provider}", e.Message, StringComparison.Ordinal);
        SeparationModel.CheckOptions(
            ModelSource.Find(SmallModels.File),
            new OnnxSessionOptions { ExecutionProvider = ExecutionProvider.OpenVINO, Precision = ModelPrecision.BFloat16 },
            prepare: false
        );
    }

    private static PluginDevice OpenVino(string capabilities) =>
        new()
        {
            Provider = "OpenVINOExecutionProvider",
            ProviderMetadata = new Dictionary<string, string> { ["ov_device"] = "CPU", ["OPTIMIZATION_CAPABILITIES"] = capabilities },
            Kind = "CPU",
            Vendor = "Intel",
            HardwareMetadata = new Dictionary<string, string>(),
        };

    private static OnnxSessionOptions Options(params (string Key, string Value)[] options) =>
        new()
        {
            ExecutionProvider = ExecutionProvider.Plugin,
            ProviderLibrary = TestProvider.Library(),
            ExecutionProviderOptions = options.ToDictionary(option => option.Key, option => option.Value),
        };

    private static string Refused(OnnxSessionOptions options, DemucsError error)
    {
        DemucsException e = Assert.Throws<DemucsException>(() => Run(options));
        Assert.Equal(error, e.Error);
        // A plan finds it out, too.
        Assert.Equal(
            error,
            Assert
                .Throws<DemucsException>(() =>
                {
                    using ModelBag bag = ModelBag.Open(new ModelSelection { Models = [ModelSource.Find(SmallModels.File)] }, null, options);
                    bag.Check();
                })
                .Error
        );
        return e.Message;
    }

    /// <summary>The first stem's left channel of noise.</summary>
    private static float[] Run(OnnxSessionOptions options)
    {
        using SeparationModel model = SeparationModel.Load(ModelSource.Find(SmallModels.File), options);
        ModelTensors tensors = new(model.Contract);
        Random random = new(1);
        foreach (ref float sample in tensors.Segment(0).Left)
            sample = random.NextSingle() - 0.5f;
        model.Run(tensors, CancellationToken.None);
        return tensors.Segment(0).StemWaveform(0, 0).ToArray();
    }

    private SeparationResult Separate(OnnxSessionOptions options, string destination, bool resume)
    {
        using ModelBag bag = ModelBag.Load([ModelSource.Find(SmallModels.File)], null, options);
        return new FileSeparator(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, null),
            new SeparationOptions(),
            new StemOutput(new StemNames(_folder[destination]), new StemFormat()) { Resume = resume }
        ).Separate(new TrackSource(_folder["noise.wav"]));
    }
}
