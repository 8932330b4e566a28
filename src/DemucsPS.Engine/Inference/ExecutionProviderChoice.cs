using DemucsPS.Engine.Onnx;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Inference;

/// <summary>What the runtime calls an execution provider, what it needs there, and whether it is available.</summary>
internal static class ExecutionProviderChoice
{
    /// <summary>What <see cref="ExecutionProvider.Auto"/> tries on this system, in order.</summary>
    public static IReadOnlyList<ExecutionProvider> Candidates { get; } =
        OperatingSystem.IsWindows() ? [ExecutionProvider.Cuda, ExecutionProvider.DirectML, ExecutionProvider.Cpu]
        : OperatingSystem.IsMacOS() ? [ExecutionProvider.CoreML, ExecutionProvider.Cpu]
        : [ExecutionProvider.Cuda, ExecutionProvider.Cpu];

    /// <summary>The name by which a session asks for it; null for the CPU, which is always there.</summary>
    public static string? SessionName(ExecutionProvider provider) =>
        provider switch
        {
            ExecutionProvider.Cuda => "CUDA",
            ExecutionProvider.DirectML => "DML",
            ExecutionProvider.CoreML => "CoreML",
            ExecutionProvider.WebGpu => "WebGPU",
            _ => null,
        };

    /// <summary>The name under which a library lists it.</summary>
    public static string ListedName(ExecutionProvider provider) =>
        provider switch
        {
            ExecutionProvider.Cuda => "CUDAExecutionProvider",
            ExecutionProvider.DirectML => "DmlExecutionProvider",
            ExecutionProvider.CoreML => "CoreMLExecutionProvider",
            ExecutionProvider.WebGpu => "WebGpuExecutionProvider",
            ExecutionProvider.OpenVINO => "OpenVINOExecutionProvider",
            _ => "CPUExecutionProvider",
        };

    /// <summary>The options with what the provider needs to be right.</summary>
    public static OnnxSessionOptions Suit(OnnxSessionOptions options) =>
        options.ExecutionProvider switch
        {
            // Of plug-ins the options may be others.
            ExecutionProvider.Cuda when options.ProviderLibrary is not null => options,
            // TensorFloat-32, the default, has ten bits of mantissa: some 60 dB.
            ExecutionProvider.Cuda => options with { ExecutionProviderOptions = With(options.ExecutionProviderOptions, "use_tf32", "0") },
            // Fused graphs of htdemucs come out wrong (microsoft/onnxruntime#21007). DirectML refuses memory patterns and anything but
            // sequential execution, the default here.
            ExecutionProvider.DirectML => options with
            {
                MemoryPattern = false,
                ConfigEntries = With(options.ConfigEntries, "ep.dml.disable_graph_fusion", "1"),
            },
            ExecutionProvider.WebGpu when options.OptimizationLevel > OnnxOptimizationLevel.Basic => options with
            {
                OptimizationLevel = OnnxOptimizationLevel.Basic,
            },
            _ => options,
        };

    /// <summary>
    /// Makes <see cref="ExecutionProvider.Auto"/> a certain provider: the first candidate on which a model of one node runs. Others stay.
    /// </summary>
    /// <param name="options">The options.</param>
    /// <param name="tell">Receives messages about what is taken and what is not, and why; null to go without.</param>
    public static OnnxSessionOptions Resolve(OnnxSessionOptions options, Action<string>? tell)
    {
        ProviderLibraries.CheckUse(options);
        if (options.ExecutionProvider != ExecutionProvider.Auto)
            return options;
        foreach (ExecutionProvider candidate in Candidates)
        {
            OnnxSessionOptions resolved = options with { ExecutionProvider = candidate };
            if (candidate != ExecutionProvider.Cpu && WhyNot(resolved) is { } reason)
            {
                tell?.Invoke($"Execution provider {candidate} is not used: {reason}");
                continue;
            }
            tell?.Invoke($"Execution provider {candidate} is used.");
            return resolved;
        }
        throw new InvalidOperationException("The CPU is always a candidate.");
    }

    /// <summary>Finds out whether a provider that was requested by name is available.</summary>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ExecutionProviderUnavailable"/>: it cannot; <see cref="DemucsError.OnnxRuntimeUnavailable"/> or
    /// <see cref="DemucsError.ProviderLibraryInvalid"/>: no usable library;
    /// <see cref="DemucsError.ParameterInvalid"/>: options that do not go together.
    /// </exception>
    public static void Check(OnnxSessionOptions options)
    {
        ProviderLibraries.CheckUse(options);
        if (options.ExecutionProvider is ExecutionProvider.Cpu or ExecutionProvider.Auto)
            return;
        PluginDevice? device = ProviderLibraries.DeviceFor(options);
        // Errors in the options are reported unchanged.
        _ = OnnxSession.Settings(Suit(options), device);
        if (device is null && !OnnxRuntimeLibrary.AvailableProviders.Contains(ListedName(options.ExecutionProvider)))
            throw NotListed(options.ExecutionProvider);
        if (WhyNot(options) is { } reason)
            throw NotStarted(options, reason, null);
    }

    /// <summary>Why models cannot run with these options, found out on a model of one node; null if they can.</summary>
    public static string? WhyNot(OnnxSessionOptions options)
    {
        OnnxGraphWriter graph = new("probe");
        OnnxValue x = graph.Input("x", 4);
        graph.Output("y", x + x, 4);
        try
        {
            using OnnxSession session = OnnxSession.FromBytes(graph.ToBytes("DemucsPS", ""), options with { OptimizedModelPath = null });
            session.Run([OnnxTensor.Create("x", new float[4], 4)], [OnnxTensor.Create("y", new float[4], 4)]);
            return null;
        }
        catch (DemucsException e) when (e.Error is DemucsError.ExecutionProviderUnavailable or DemucsError.ProviderLibraryInvalid)
        {
            return e is { Error: DemucsError.ExecutionProviderUnavailable, InnerException: { } cause } ? OneLine(cause.Message)
                : e.Path == OnnxRuntimeLibrary.Path ? "the ONNX Runtime library was built without it."
                : e.Message;
        }
        catch (OnnxRuntimeException e)
        {
            return OneLine(e.Message);
        }
    }

    /// <summary>The error for a provider that there is no library of.</summary>
    public static DemucsException NotListed(ExecutionProvider provider) =>
        provider == ExecutionProvider.OpenVINO
            ? new(
                DemucsError.ExecutionProviderUnavailable,
                $"The execution provider {provider} is a separate plug-in library, and there is none in '{ProviderLibraries.Folder}'. Install it from its vendor's package, name the library, or use the execution provider Cpu.",
                ProviderLibraries.Folder
            )
            {
                Remedies = [Remedy.InstallProvider],
            }
            : new(
                DemucsError.ExecutionProviderUnavailable,
                $"The execution provider {provider} is not in {Library}. Set ${OnnxRuntimeLibrary.PathVariable} to the full path of a library, version 1.{NativeRuntime.ApiVersion} or newer, that has {ListedName(provider)}: {Need(provider)}. Or use the execution provider Cpu.",
                OnnxRuntimeLibrary.Path
            );

    /// <summary>The error for a provider that there is, but that does not start.</summary>
    public static DemucsException NotStarted(OnnxSessionOptions options, string reason, Exception? cause)
    {
        ExecutionProvider provider = options.ExecutionProvider;
        return ProviderLibraries.DeviceFor(options) is { } device
            ? new(
                DemucsError.ExecutionProviderUnavailable,
                $"The execution provider {provider} ({ProviderLibraries.Describe(device)}) is installed, but does not start. Check its options and the driver of the device, or use the execution provider Cpu. ONNX Runtime reports: {OneLine(reason)}",
                device.ProviderMetadata.GetValueOrDefault("library_path"),
                cause
            )
            : new(
                DemucsError.ExecutionProviderUnavailable,
                $"The execution provider {provider} is in {Library}, but does not start. It needs {Need(provider)}. Provide that, set ${OnnxRuntimeLibrary.PathVariable} to the full path of another library, or use the execution provider Cpu. "
                    + $"ONNX Runtime reports: {OneLine(reason)}",
                OnnxRuntimeLibrary.Path,
                cause
            );
    }

    /// <summary>A certain provider as text, with everything on which its results depend.</summary>
    public static string Describe(OnnxSessionOptions options) =>
        (
            ProviderLibraries.DeviceFor(options) is { } device
                ? $"{options.ExecutionProvider} ({ProviderLibraries.Describe(device)})"
                : options.ExecutionProvider.ToString()
        )
        + string.Concat(
            options
                .ExecutionProviderOptions.OrderBy(option => option.Key, StringComparer.Ordinal)
                .Select(option => $" {option.Key}={option.Value}")
        );

    /// <summary>The runtime's words as part of a sentence.</summary>
    public static string OneLine(string words) => words.ReplaceLineEndings(" ").Trim();

    private static string Library =>
        $"the library '{OnnxRuntimeLibrary.Path}' (ONNX Runtime {OnnxRuntimeLibrary.Version} with {string.Join(", ", OnnxRuntimeLibrary.AvailableProviders)})";

    private static string Need(ExecutionProvider provider) =>
        provider switch
        {
            ExecutionProvider.Cuda =>
                "the GPU build, with its libonnxruntime_providers libraries in the same folder, and the matching CUDA and cuDNN libraries on the system's library path",
            ExecutionProvider.DirectML =>
                "Windows, and a DirectML build with DirectML.dll in the same folder, which the official packages no longer include",
            ExecutionProvider.CoreML => "macOS",
            _ => "a WebGPU build, and a graphics card with its driver",
        };

    private static Dictionary<string, string> With(IReadOnlyDictionary<string, string> entries, string key, string value)
    {
        Dictionary<string, string> result = new(entries);
        result.TryAdd(key, value);
        return result;
    }
}
