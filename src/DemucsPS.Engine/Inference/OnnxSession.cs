using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// A loaded model. Thread-safe: several threads may run it at once over their own tensors. Disposing during a run is safe; the native session
/// is released when the last run has returned.
/// </summary>
public sealed unsafe class OnnxSession : IDisposable
{
    [ThreadStatic]
    private static int t_count;

    private readonly OrtApi _api;
    private readonly OrtHandle _session;

    private OnnxSession(OrtApi api, OrtHandle session)
    {
        _api = api;
        _session = session;
        using OrtHandle.Lease lease = session.Use();
        nint pointer = lease.Pointer;
        nint found;
        api.Check(api.GetAllocatorWithDefaultOptions(&found));
        nint allocator = found;
        nuint count;
        api.Check(api.SessionGetInputCount(pointer, &count));
        Inputs = Describe(count, input: true);
        api.Check(api.SessionGetOutputCount(pointer, &count));
        Outputs = Describe(count, input: false);
        Metadata = ReadMetadata(pointer, allocator);

        OnnxTensorInfo[] Describe(nuint number, bool input)
        {
            OnnxTensorInfo[] result = new OnnxTensorInfo[number];
            for (nuint i = 0; i < number; i++)
            {
                byte* name;
                api.Check(input ? api.SessionGetInputName(pointer, i, allocator, &name) : api.SessionGetOutputName(pointer, i, allocator, &name));
                string text = TakeText(allocator, name);
                nint info;
                api.Check(input ? api.SessionGetInputTypeInfo(pointer, i, &info) : api.SessionGetOutputTypeInfo(pointer, i, &info));
                using OrtHandle owner = new(info, api.ReleaseTypeInfo);
                result[i] = DescribeType(text, info);
            }
            return result;
        }
    }

    /// <summary>Whether the library finds the weights files of a model that is loaded from memory, see <see cref="OnnxSessionOptions.WeightsFolder"/>.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: no usable library.</exception>
    public static bool FindsWeightsElsewhere => OnnxRuntimeLibrary.Load().MinorVersion >= 21;

    /// <summary>Sessions that this thread has created so far: lets tests see that none was.</summary>
    internal static int CountOfThread => t_count;

    /// <summary>Threads that the runtime asked for and did not get, see <see cref="OnnxSessionOptions.CallersOnly"/>.</summary>
    internal int WithheldThreads { get; private init; }

    /// <summary>The model's inputs.</summary>
    public IReadOnlyList<OnnxTensorInfo> Inputs { get; }

    /// <summary>The model's outputs.</summary>
    public IReadOnlyList<OnnxTensorInfo> Outputs { get; }

    /// <summary>The model's custom metadata (<c>metadata_props</c>).</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Loads a model file; weights in a <c>.onnx.data</c> file beside it are found by the runtime.</summary>
    /// <param name="path">Full path of the model.</param>
    /// <param name="options">How it will run.</param>
    /// <param name="cancellationToken">Ends the loading; by ONNX Runtime before 1.22 only when the runtime is done with it.</param>
    /// <exception cref="OnnxRuntimeException">The runtime refuses the model or an option; its own message.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: no usable library; <see cref="DemucsError.ExecutionProviderUnavailable"/>: not in it.</exception>
    public static OnnxSession FromFile(string path, OnnxSessionOptions options, CancellationToken cancellationToken = default)
    {
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));
        return Create(options, (api, native, session) =>
        {
            fixed (byte* text = PathText(path))
                api.Check(api.CreateSession(OnnxRuntimeLibrary.Environment, text, native, session));
        }, cancellationToken);
    }

    /// <summary>Loads a model from memory; the bytes are not needed afterwards.</summary>
    /// <param name="model">An ONNX model; weights in other files are looked for in <see cref="OnnxSessionOptions.WeightsFolder"/>.</param>
    /// <param name="options">How it will run.</param>
    /// <param name="cancellationToken">As for <see cref="FromFile"/>.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="OnnxRuntimeException">The runtime refuses the model or an option; its own message.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.OnnxRuntimeUnavailable"/>: no usable library; <see cref="DemucsError.ExecutionProviderUnavailable"/>: not in it.</exception>
    public static OnnxSession FromBytes(ReadOnlyMemory<byte> model, OnnxSessionOptions options, CancellationToken cancellationToken = default)
    {
        return Create(options, (api, native, session) =>
        {
            using MemoryHandle pin = model.Pin();
            api.Check(api.CreateSessionFromArray(OnnxRuntimeLibrary.Environment, pin.Pointer, (nuint)model.Length, native, session));
        }, cancellationToken);
    }

    /// <summary>Runs the model once. Blocks until the outputs are written.</summary>
    /// <param name="inputs">A tensor for every input.</param>
    /// <param name="outputs">A tensor for every output that is wanted; what is not asked for may not be computed.</param>
    /// <param name="cancellationToken">Ends the run between two operators.</param>
    /// <exception cref="OperationCanceledException">The run was cancelled; the outputs' content is undefined.</exception>
    /// <exception cref="OnnxRuntimeException">The run failed; the runtime's own message.</exception>
    /// <exception cref="ObjectDisposedException">The session is disposed.</exception>
    public void Run(IReadOnlyList<OnnxTensor> inputs, IReadOnlyList<OnnxTensor> outputs, CancellationToken cancellationToken = default) => Run(inputs, outputs, shrink: false, cancellationToken);

    /// <summary>As above.</summary>
    /// <param name="inputs">A tensor for every input.</param>
    /// <param name="outputs">A tensor for every output that is wanted.</param>
    /// <param name="shrink">Whether the arena gives back, when this run has ended, what no other run needs then.</param>
    /// <param name="cancellationToken">Ends the run between two operators.</param>
    public void Run(IReadOnlyList<OnnxTensor> inputs, IReadOnlyList<OnnxTensor> outputs, bool shrink, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using OrtHandle.Lease session = _session.Use();
        nint created;
        _api.Check(_api.CreateRunOptions(&created));
        using OrtHandle options = new(created, _api.ReleaseRunOptions);
        nint runOptions = created;
        _api.Check(_api.RunOptionsSetRunLogSeverityLevel(runOptions, OnnxRuntimeLibrary.FatalOnly));
        if (shrink)
        {
            fixed (byte* key = "memory.enable_memory_arena_shrinkage\0"u8, value = "cpu:0\0"u8)
                _api.Check(_api.AddRunConfigEntry(runOptions, key, value));
        }
        using Bindings bound = new(_api, inputs, outputs);

        // Disposing a registration waits for a callback that is under way, so the options outlive it.
        using (cancellationToken.UnsafeRegister(static state => ((Action)state!)(), (Action)(() => _api.RunOptionsSetTerminate(runOptions))))
        {
            nint status = bound.Run(session.Pointer, runOptions);
            if (status != 0 && cancellationToken.IsCancellationRequested)
            {
                _api.ReleaseStatus(status);
                throw new OperationCanceledException(cancellationToken);
            }
            _api.Check(status);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _session.Dispose();

    private delegate void SessionFactory(OrtApi api, nint options, nint* session);

    private static OnnxSession Create(OnnxSessionOptions options, SessionFactory factory, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (options.ExecutionProvider == ExecutionProvider.Auto)
            throw new ArgumentException("Choose the execution provider first.", nameof(options));
        OrtApi api = OnnxRuntimeLibrary.Load();
        nint created;
        api.Check(api.CreateSessionOptions(&created));
        nint configured = created;
        using OrtHandle native = new(created, api.ReleaseSessionOptions);
        Apply(api, created, ExecutionProviderChoice.Suit(options));
        using WithheldWorkers? withheld = options.CallersOnly ? new WithheldWorkers(api, created) : null;
        nint pointer = 0;
        t_count++;
        // Disposing a registration waits for a callback that is under way, so the options outlive it.
        using (cancellationToken.UnsafeRegister(static state => ((Action)state!)(), (Action)Cancel))
        {
            options.Creating?.Invoke();
            try
            {
                factory(api, created, &pointer);
            }
            catch (OnnxRuntimeException) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(cancellationToken);
            }
        }
        OrtHandle session = new(pointer, api.ReleaseSession);
        try
        {
            cancellationToken.ThrowIfCancellationRequested();
            return new OnnxSession(api, session) { WithheldThreads = withheld?.Count ?? 0 };
        }
        catch
        {
            session.Dispose();
            throw;
        }

        void Cancel()
        {
            if (api.CancelsLoading)
                api.Check(api.SetLoadCancellationFlag(configured, 1));
        }
    }

    private static void Apply(OrtApi api, nint native, OnnxSessionOptions options)
    {
        api.Check(api.SetSessionLogSeverityLevel(native, OnnxRuntimeLibrary.FatalOnly));
        api.Check(api.SetIntraOpNumThreads(native, options.IntraOpThreads > 0 ? options.IntraOpThreads : Environment.ProcessorCount));
        api.Check(api.SetInterOpNumThreads(native, options.InterOpThreads));
        api.Check(api.SetSessionGraphOptimizationLevel(native, (int)options.OptimizationLevel));
        api.Check(options.CpuArena ? api.EnableCpuMemArena(native) : api.DisableCpuMemArena(native));
        api.Check(options.MemoryPattern ? api.EnableMemPattern(native) : api.DisableMemPattern(native));
        if (options.OptimizedModelPath is { } optimized)
        {
            fixed (byte* text = PathText(optimized))
                api.Check(api.SetOptimizedModelFilePath(native, text));
        }
        // By themselves the runtime's threads look out for work for some hundredths of a second after a run, too, when what is done between runs needs the processors.
        Configure("session.force_spinning_stop", "1");
        if (options.WeightsFolder is { } weights)
            Configure("session.model_external_initializers_file_folder_path", weights);
        foreach ((string key, string value) in options.ConfigEntries)
            Configure(key, value);
        if (options.ExecutionProvider != ExecutionProvider.Cpu)
            AppendProvider(api, native, options.ExecutionProvider, options.ExecutionProviderOptions);

        void Configure(string key, string value)
        {
            fixed (byte* k = Text(key), v = Text(value))
                api.Check(api.AddSessionConfigEntry(native, k, v));
        }
    }

    private static void AppendProvider(OrtApi api, nint native, ExecutionProvider provider, IReadOnlyDictionary<string, string> options)
    {
        if (!OnnxRuntimeLibrary.AvailableProviders.Contains(ExecutionProviderChoice.ListedName(provider)))
            throw ExecutionProviderChoice.NotListed(provider);
        byte*[] keys = new byte*[options.Count], values = new byte*[options.Count];
        try
        {
            int i = 0;
            foreach ((string key, string value) in options)
            {
                keys[i] = (byte*)Marshal.StringToCoTaskMemUTF8(key);
                values[i++] = (byte*)Marshal.StringToCoTaskMemUTF8(value);
            }
            fixed (byte** k = keys, v = values)
            {
                // CUDA is the one provider of this API generation that the general call does not know.
                if (provider == ExecutionProvider.Cuda)
                {
                    nint created;
                    api.Check(api.CreateCudaProviderOptions(&created));
                    using OrtHandle cuda = new(created, api.ReleaseCudaProviderOptions);
                    if (options.Count > 0)
                        api.Check(api.UpdateCudaProviderOptions(created, k, v, (nuint)options.Count));
                    api.Check(api.AppendCudaProvider(native, created));
                }
                else
                {
                    fixed (byte* name = Text(ExecutionProviderChoice.SessionName(provider)!))
                        api.Check(api.AppendProvider(native, name, k, v, (nuint)options.Count));
                }
            }
        }
        catch (OnnxRuntimeException e)
        {
            throw ExecutionProviderChoice.NotStarted(provider, e.Message, e);
        }
        finally
        {
            foreach (byte* text in keys)
                Marshal.FreeCoTaskMem((nint)text);
            foreach (byte* text in values)
                Marshal.FreeCoTaskMem((nint)text);
        }
    }

    private OnnxTensorInfo DescribeType(string name, nint info)
    {
        // Null for sequences and maps; the pointer belongs to the type info.
        nint tensor;
        _api.Check(_api.CastTypeInfoToTensorInfo(info, &tensor));
        if (tensor == 0)
            return new OnnxTensorInfo(name, OnnxElementType.Undefined, []);
        int type;
        nuint rank;
        _api.Check(_api.GetTensorElementType(tensor, &type));
        _api.Check(_api.GetDimensionsCount(tensor, &rank));
        long[] shape = new long[rank];
        fixed (long* dimensions = shape)
            _api.Check(_api.GetDimensions(tensor, dimensions, rank));
        return new OnnxTensorInfo(name, (OnnxElementType)type, shape);
    }

    private Dictionary<string, string> ReadMetadata(nint session, nint allocator)
    {
        nint created;
        _api.Check(_api.SessionGetModelMetadata(session, &created));
        using OrtHandle metadata = new(created, _api.ReleaseModelMetadata);
        byte** keys;
        long count;
        _api.Check(_api.ModelMetadataGetCustomMetadataMapKeys(created, allocator, &keys, &count));
        Dictionary<string, string> result = [];
        for (long i = 0; i < count; i++)
        {
            byte* value;
            _api.Check(_api.ModelMetadataLookupCustomMetadataMap(created, allocator, keys[i], &value));
            result[TakeText(allocator, keys[i])] = TakeText(allocator, value);
        }
        if (keys != null)
            _api.Check(_api.AllocatorFree(allocator, keys));
        return result;
    }

    private string TakeText(nint allocator, byte* text)
    {
        if (text == null)
            return "";
        string result = Marshal.PtrToStringUTF8((nint)text) ?? "";
        _api.Check(_api.AllocatorFree(allocator, text));
        return result;
    }

    /// <summary>A path as the runtime takes it, ending in a zero: ORTCHAR_T is wchar_t on Windows and char elsewhere.</summary>
    private static byte[] PathText(string path) => OperatingSystem.IsWindows() ? Encoding.Unicode.GetBytes(path + '\0') : Text(path);

    private static byte[] Text(string text)
    {
        byte[] bytes = new byte[Encoding.UTF8.GetByteCount(text) + 1];
        Encoding.UTF8.GetBytes(text, bytes);
        return bytes;
    }

    /// <summary>The native names and values of one run, over pinned memory.</summary>
    private sealed class Bindings : IDisposable
    {
        private readonly OrtApi _api;
        private readonly int _inputCount;
        private readonly MemoryHandle[] _pins;
        private readonly nint[] _names;
        private readonly nint[] _values;

        public Bindings(OrtApi api, IReadOnlyList<OnnxTensor> inputs, IReadOnlyList<OnnxTensor> outputs)
        {
            _api = api;
            _inputCount = inputs.Count;
            int count = inputs.Count + outputs.Count;
            _pins = new MemoryHandle[count];
            _names = new nint[count];
            _values = new nint[count];
            try
            {
                for (int i = 0; i < count; i++)
                {
                    OnnxTensor tensor = i < _inputCount ? inputs[i] : outputs[i - _inputCount];
                    _names[i] = Marshal.StringToCoTaskMemUTF8(tensor.Name);
                    _pins[i] = tensor.Pin();
                    nint value;
                    fixed (long* shape = tensor.Dimensions)
                        api.Check(api.CreateTensorWithDataAsOrtValue(OnnxRuntimeLibrary.CpuMemory, _pins[i].Pointer, (nuint)tensor.ByteLength, shape, (nuint)tensor.Dimensions.Length, (int)tensor.ElementType, &value));
                    _values[i] = value;
                }
            }
            catch
            {
                Dispose();
                throw;
            }
        }

        public nint Run(nint session, nint options)
        {
            fixed (nint* names = _names, values = _values)
            {
                return _api.Run(session, options, (byte**)names, values, (nuint)_inputCount,
                    (byte**)(names + _inputCount), (nuint)(_values.Length - _inputCount), values + _inputCount);
            }
        }

        public void Dispose()
        {
            for (int i = 0; i < _values.Length; i++)
            {
                if (_values[i] != 0)
                    _api.ReleaseValue(_values[i]);
                _pins[i].Dispose();
                Marshal.FreeCoTaskMem(_names[i]);
            }
        }
    }
}
