using System.Buffers;
using System.Runtime.InteropServices;
using DemucsPS.Engine.Machine;
using DemucsPS.Engine.Onnx;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// A loaded model. Thread-safe: several threads may run it at once over their own tensors. Disposing during a run is safe; the native
/// session is released when the last run has returned.
/// </summary>
internal sealed class OnnxSession : IDisposable
{
    [ThreadStatic]
    private static int s_countOfThread;

    private readonly RuntimeSession _session;

    private OnnxSession(RuntimeSession session)
    {
        _session = session;
        Inputs = [.. session.Inputs.Select(Describe)];
        Outputs = [.. session.Outputs.Select(Describe)];

        static OnnxTensorInfo Describe(TensorDescription tensor) => new(tensor.Name, (OnnxElementType)tensor.ElementType, tensor.Shape);
    }

    /// <summary>Sessions that this thread has created so far: lets tests see that none was.</summary>
    internal static int CountOfThread => s_countOfThread;

    /// <summary>Threads that the runtime asked for and did not get, see <see cref="OnnxSessionOptions.CallersOnly"/>.</summary>
    internal int WithheldThreads => _session.WithheldThreads;

    /// <summary>The model's inputs.</summary>
    public IReadOnlyList<OnnxTensorInfo> Inputs { get; }

    /// <summary>The model's outputs.</summary>
    public IReadOnlyList<OnnxTensorInfo> Outputs { get; }

    /// <summary>The model's custom metadata (<c>metadata_props</c>).</summary>
    public IReadOnlyDictionary<string, string> Metadata => _session.Metadata;

    /// <summary>Loads a model file; weights in a <c>.onnx.data</c> file next to it are found by the runtime.</summary>
    /// <param name="path">Full path of the model.</param>
    /// <param name="options">How it will run.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <exception cref="OnnxRuntimeException">The runtime refuses the model or an option; its own message.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.OnnxRuntimeUnavailable"/>: no usable library; <see cref="DemucsError.ExecutionProviderUnavailable"/>: not in
    /// it; <see cref="DemucsError.ProviderLibraryInvalid"/>: not a usable
    /// plug-in library; <see cref="DemucsError.ParameterInvalid"/>: options that do not go together.
    /// </exception>
    public static OnnxSession FromFile(string path, OnnxSessionOptions options, CancellationToken cancellationToken = default)
    {
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));
        return Create(options, settings => RuntimeSession.Load(path, settings, cancellationToken), cancellationToken);
    }

    /// <summary>Loads a model from memory; the bytes are not needed afterwards.</summary>
    /// <param name="model">An ONNX model; weights in other files are looked for in <see cref="OnnxSessionOptions.WeightsFolder"/>. Copied,
    /// unless it is a whole array.</param>
    /// <param name="options">How it will run.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="OnnxRuntimeException">The runtime refuses the model or an option; its own message.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.OnnxRuntimeUnavailable"/>: no usable library; <see cref="DemucsError.ExecutionProviderUnavailable"/>: not in
    /// it; <see cref="DemucsError.ProviderLibraryInvalid"/>: not a usable
    /// plug-in library; <see cref="DemucsError.ParameterInvalid"/>: options that do not go together.
    /// </exception>
    public static OnnxSession FromBytes(
        ReadOnlyMemory<byte> model,
        OnnxSessionOptions options,
        CancellationToken cancellationToken = default
    )
    {
        byte[] bytes =
            MemoryMarshal.TryGetArray(model, out ArraySegment<byte> part) && part.Count == part.Array!.Length
                ? part.Array
                : model.ToArray();
        return Create(options, settings => RuntimeSession.Load(bytes, null, settings, cancellationToken), cancellationToken);
    }

    /// <summary>Loads a model from memory whose weights are in memory by themselves, as a file.</summary>
    /// <param name="model">An ONNX model; all of its weights that do not lie in itself are in that file.</param>
    /// <param name="file">The file's name, as the model says it.</param>
    /// <param name="address">Where its bytes begin. They are not needed afterwards.</param>
    /// <param name="length">How many they are.</param>
    /// <param name="options">How it will run.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <inheritdoc cref="FromBytes(ReadOnlyMemory{byte}, OnnxSessionOptions, CancellationToken)"/>
    internal static OnnxSession FromBytes(
        byte[] model,
        string file,
        nint address,
        long length,
        OnnxSessionOptions options,
        CancellationToken cancellationToken
    ) =>
        Create(
            options,
            settings => RuntimeSession.Load(model, new WeightsInMemory(file, address, length), settings, cancellationToken),
            cancellationToken
        );

    /// <summary>Has the system take back what the runtime has freed, see <see cref="NativeRuntime.GiveBackFreedMemory"/>.</summary>
    internal static void GiveBackFreedMemory() => NativeRuntime.GiveBackFreedMemory();

    /// <summary>Runs the model once. Blocks until the outputs are written.</summary>
    /// <param name="inputs">A tensor for every input.</param>
    /// <param name="outputs">A tensor for every output that is wanted; what is not requested may not be computed.</param>
    /// <param name="cancellationToken">Ends the run between two operators.</param>
    /// <exception cref="OperationCanceledException">The run was canceled; the outputs' content is undefined.</exception>
    /// <exception cref="OnnxRuntimeException">The run failed; the runtime's own message.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public void Run(IReadOnlyList<OnnxTensor> inputs, IReadOnlyList<OnnxTensor> outputs, CancellationToken cancellationToken = default) =>
        Run(inputs, outputs, shrink: false, cancellationToken);

    /// <summary>As above.</summary>
    /// <param name="inputs">A tensor for every input.</param>
    /// <param name="outputs">A tensor for every output that is wanted.</param>
    /// <param name="shrink">Whether the arena gives back, when this run has ended, what no other run needs then.</param>
    /// <param name="cancellationToken">Ends the run between two operators.</param>
    public void Run(IReadOnlyList<OnnxTensor> inputs, IReadOnlyList<OnnxTensor> outputs, bool shrink, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        List<MemoryHandle> pins = new(inputs.Count + outputs.Count);
        try
        {
            _session.Run(Bind(inputs, pins), Bind(outputs, pins), shrink, cancellationToken);
        }
        catch (RuntimeException e)
        {
            throw new OnnxRuntimeException((OnnxRuntimeErrorCode)e.Code, e.Message, e);
        }
        finally
        {
            foreach (MemoryHandle pin in pins)
                pin.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private static unsafe BoundTensor[] Bind(IReadOnlyList<OnnxTensor> tensors, List<MemoryHandle> pins)
    {
        BoundTensor[] bound = new BoundTensor[tensors.Count];
        for (int i = 0; i < bound.Length; i++)
        {
            OnnxTensor tensor = tensors[i];
            MemoryHandle pin = tensor.Pin();
            pins.Add(pin);
            bound[i] = new BoundTensor(tensor.Name, (int)tensor.ElementType, tensor.Dimensions, (nint)pin.Pointer, tensor.ByteLength);
        }
        return bound;
    }

    private static OnnxSession Create(
        OnnxSessionOptions options,
        Func<SessionSettings, RuntimeSession> load,
        CancellationToken cancellationToken
    )
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (options.ExecutionProvider == ExecutionProvider.Auto)
            throw new ArgumentException("Choose the execution provider first.", nameof(options));
        OnnxRuntimeLibrary.Load();
        PluginDevice? device = ProviderLibraries.DeviceFor(options);
        if (
            options.ExecutionProvider != ExecutionProvider.Cpu
            && device is null
            && !OnnxRuntimeLibrary.AvailableProviders.Contains(ExecutionProviderChoice.ListedName(options.ExecutionProvider))
        )
            throw ExecutionProviderChoice.NotListed(options.ExecutionProvider);
        SessionSettings settings = Settings(ExecutionProviderChoice.Suit(options), device);
        s_countOfThread++;
        try
        {
            return new OnnxSession(load(settings));
        }
        catch (ProviderException e)
        {
            throw ExecutionProviderChoice.NotStarted(options, e.Message, e);
        }
        catch (RuntimeException e)
        {
            throw new OnnxRuntimeException((OnnxRuntimeErrorCode)e.Code, e.Message, e);
        }
    }

    /// <summary>The options in the runtime's own terms.</summary>
    /// <param name="options">Those of a certain provider, with what it needs.</param>
    /// <param name="device">Of a plug-in library; null for a provider that is compiled in.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/> or
    /// <see cref="DemucsError.ExecutionProviderUnavailable"/>: options of the provider that do not fit each other, or the
    /// device.</exception>
    internal static SessionSettings Settings(OnnxSessionOptions options, PluginDevice? device)
    {
        int threads = options.IntraOpThreads > 0 ? options.IntraOpThreads : MachineLimits.Processors;
        Dictionary<string, string> entries = new()
        {
            // By themselves the runtime's threads look out for work for some hundredths of a second after a run, too, when what is done
            // between runs needs the processors.
            ["session.force_spinning_stop"] = "1",
        };
        if (options.WeightsFolder is { } weights)
            entries["session.model_external_initializers_file_folder_path"] = weights;
        foreach ((string key, string value) in options.ConfigEntries)
            entries[key] = value;
        return new SessionSettings
        {
            IntraOpThreads = threads,
            InterOpThreads = options.InterOpThreads,
            OptimizationLevel = (int)options.OptimizationLevel,
            CpuArena = options.CpuArena,
            MemoryPattern = options.MemoryPattern,
            CallersOnly = options.CallersOnly,
            OptimizedModelPath = options.OptimizedModelPath,
            ConfigEntries = entries,
            Provider = ExecutionProviderChoice.SessionName(options.ExecutionProvider),
            Device = device,
            ProviderOptions = device is null ? options.ExecutionProviderOptions : Own(),
            Creating = options.Creating,
        };

        Dictionary<string, string> Own()
        {
            Dictionary<string, string> own = new(options.ExecutionProviderOptions);
            own.Remove(ProviderLibraries.DeviceOption);
            return OpenVinoSettings.Takes(device) ? OpenVinoSettings.Complete(own, device, options.Precision, threads) : own;
        }
    }
}
