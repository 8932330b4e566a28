using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace DemucsPS.OnnxRuntime;

/// <summary>A loaded model. Several threads may run it at once; disposing during a run is safe.</summary>
internal sealed class RuntimeSession : IDisposable
{
    private readonly SessionHandle _handle;

    private RuntimeSession(SessionHandle handle, int withheldThreads)
    {
        _handle = handle;
        WithheldThreads = withheldThreads;
        using SessionHandle.Lease lease = handle.Use();
        InferenceSession session = lease.Session;
        Inputs = Describe(session.InputNames, session.InputMetadata);
        Outputs = Describe(session.OutputNames, session.OutputMetadata);
        Metadata = session.ModelMetadata.CustomMetadataMap;

        static TensorDescription[] Describe(IReadOnlyList<string> names, IReadOnlyDictionary<string, NodeMetadata> nodes) =>
            [
                .. names.Select(name =>
                    nodes[name] is { IsTensor: true } tensor
                        ? new TensorDescription(name, (int)tensor.ElementDataType, Array.ConvertAll(tensor.Dimensions, d => (long)d))
                        : new TensorDescription(name, 0, [])
                ),
            ];
    }

    /// <summary>The model's inputs.</summary>
    public IReadOnlyList<TensorDescription> Inputs { get; }

    /// <summary>The model's outputs.</summary>
    public IReadOnlyList<TensorDescription> Outputs { get; }

    /// <summary>The model's custom metadata.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Threads that the runtime asked for and did not get.</summary>
    public int WithheldThreads { get; }

    /// <summary>Loads a model file.</summary>
    /// <param name="path">Its full path.</param>
    /// <param name="settings">How it will run.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    /// <exception cref="RuntimeException">The runtime refuses the model or a setting.</exception>
    /// <exception cref="ProviderException">It refuses the execution provider.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public static RuntimeSession Load(string path, SessionSettings settings, CancellationToken cancellationToken) =>
        Create(options => new InferenceSession(path, options), null, settings, cancellationToken);

    /// <summary>Loads a model from memory.</summary>
    /// <inheritdoc cref="Load(string, SessionSettings, CancellationToken)"/>
    /// <param name="model">The model.</param>
    /// <param name="weights">Its weights, where they do not lie in the model; not needed afterwards. Null if they do.</param>
    /// <param name="settings">How it will run.</param>
    /// <param name="cancellationToken">Ends the loading.</param>
    public static RuntimeSession Load(
        byte[] model,
        WeightsInMemory? weights,
        SessionSettings settings,
        CancellationToken cancellationToken
    ) => Create(options => new InferenceSession(model, options), weights, settings, cancellationToken);

    /// <summary>Runs the model once. Blocks until the outputs are written.</summary>
    /// <param name="inputs">A tensor for every input.</param>
    /// <param name="outputs">A tensor for every output that is wanted.</param>
    /// <param name="shrink">Whether the arena gives back, when this run has ended, what no other run needs then.</param>
    /// <param name="cancellationToken">Ends the run between two operators.</param>
    /// <exception cref="RuntimeException">The run failed.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public void Run(IReadOnlyList<BoundTensor> inputs, IReadOnlyList<BoundTensor> outputs, bool shrink, CancellationToken cancellationToken)
    {
        using SessionHandle.Lease lease = _handle.Use();
        InferenceSession session = lease.Session;
        List<OrtValue> values = new(inputs.Count + outputs.Count);
        try
        {
            RuntimeException.Translate(() =>
            {
                foreach (BoundTensor tensor in inputs.Concat(outputs))
                    values.Add(
                        OrtValue.CreateTensorValueWithData(
                            OrtMemoryInfo.DefaultInstance,
                            (TensorElementType)tensor.ElementType,
                            tensor.Shape,
                            tensor.Address,
                            tensor.ByteLength
                        )
                    );
                using RunOptions options = new() { LogSeverityLevel = NativeRuntime.FatalOnly };
                if (shrink)
                    options.AddRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");
                // Disposing a registration waits for a callback that is under way, so the options outlive it.
                using (cancellationToken.UnsafeRegister(static state => ((RunOptions)state!).Terminate = true, options))
                    session.Run(
                        options,
                        [.. inputs.Select(i => i.Name)],
                        values[..inputs.Count],
                        [.. outputs.Select(o => o.Name)],
                        values[inputs.Count..]
                    );
            });
        }
        catch (RuntimeException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            foreach (OrtValue value in values)
                value.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private static RuntimeSession Create(
        Func<SessionOptions, InferenceSession> create,
        WeightsInMemory? weights,
        SessionSettings settings,
        CancellationToken cancellationToken
    )
    {
        using SessionOptions options = RuntimeException.Translate(() => Configure(settings));
        weights?.GiveTo(options);
        AppendProvider(options, settings);
        using WithheldWorkers? withheld = settings.CallersOnly ? new WithheldWorkers(options) : null;
        if (settings.CpuArena)
            RuntimeException.Translate(() => SharedArena.Take(options));
        SessionHandle handle;
        try
        {
            // Disposing a registration waits for a callback that is under way, so the options outlive it.
            using (cancellationToken.UnsafeRegister(static state => ((SessionOptions)state!).SetLoadCancellationFlag(true), options))
            {
                settings.Creating?.Invoke();
                handle = new SessionHandle(RuntimeException.Translate(() => create(options)), settings.CpuArena);
            }
        }
        catch (Exception e)
        {
            if (settings.CpuArena)
                SharedArena.GiveBack();
            if (e is RuntimeException && cancellationToken.IsCancellationRequested)
                throw new OperationCanceledException(cancellationToken);
            throw;
        }
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return RuntimeException.Translate(() => new RuntimeSession(handle, withheld?.Count ?? 0));
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    private static SessionOptions Configure(SessionSettings settings)
    {
        SessionOptions options = new()
        {
            LogSeverityLevel = NativeRuntime.FatalOnly,
            IntraOpNumThreads = settings.IntraOpThreads,
            InterOpNumThreads = settings.InterOpThreads,
            GraphOptimizationLevel = (GraphOptimizationLevel)settings.OptimizationLevel,
            EnableCpuMemArena = settings.CpuArena,
            EnableMemoryPattern = settings.MemoryPattern,
        };
        try
        {
            if (settings.OptimizedModelPath is not null)
                options.OptimizedModelFilePath = settings.OptimizedModelPath;
            foreach ((string key, string value) in settings.ConfigEntries)
                options.AddSessionConfigEntry(key, value);
            return options;
        }
        catch
        {
            options.Dispose();
            throw;
        }
    }

    private static void AppendProvider(SessionOptions options, SessionSettings settings)
    {
        Dictionary<string, string> given = new(settings.ProviderOptions);
        try
        {
            RuntimeException.Translate(() =>
            {
                if (settings.Device is { } device)
                {
                    options.AppendExecutionProvider(OrtEnv.Instance(), [device.Handle!], given);
                }
                // The one compiled-in provider that the general call does not know.
                else if (settings.Provider == "CUDA")
                {
                    using OrtCUDAProviderOptions cuda = new();
                    if (given.Count > 0)
                        cuda.UpdateOptions(given);
                    options.AppendExecutionProvider_CUDA(cuda);
                }
                else if (settings.Provider is { } provider)
                {
                    options.AppendExecutionProvider(provider, given);
                }
            });
        }
        catch (RuntimeException e)
        {
            throw new ProviderException(e);
        }
    }
}
