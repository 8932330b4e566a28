namespace DemucsPS.Engine.Inference;

/// <summary>How a session runs. The defaults are those measured to suit htdemucs on a CPU.</summary>
public sealed record OnnxSessionOptions
{
    /// <summary>
    /// Threads inside one operator; 0 stands for the processors this process may use (affinity and container limits included).
    /// </summary>
    public int IntraOpThreads { get; init; }

    /// <summary>
    /// Whether a run is computed by the thread that calls it alone. Operators are divided as for <see cref="IntraOpThreads"/> anyway, so
    /// results are the same bits as with that many threads. For as many runs at once as there are processors: none then waits for another.
    /// </summary>
    public bool CallersOnly { get; init; }

    /// <summary>Threads across operators. htdemucs has no branches worth it; 1 is the runtime's sequential executor.</summary>
    public int InterOpThreads { get; init; } = 1;

    /// <summary>How far the runtime rewrites the graph at load.</summary>
    public OnnxOptimizationLevel OptimizationLevel { get; init; } = OnnxOptimizationLevel.All;

    /// <summary>Keep freed memory in an arena: faster, but memory is only given back with the session.</summary>
    public bool CpuArena { get; init; } = true;

    /// <summary>
    /// Allocate all activations as one planned block. Off by default: on the real-size htdemucs it costs 3.2 instead of 1.9 GB and gains
    /// nothing.
    /// </summary>
    public bool MemoryPattern { get; init; }

    /// <summary>Full path of a file into which the runtime writes the graph as it has rewritten it at load; null for none.</summary>
    public string? OptimizedModelPath { get; init; }

    /// <summary>Full path of the folder with the weights files of a model that is loaded from memory; null for none.</summary>
    public string? WeightsFolder { get; init; }

    /// <summary>Further entries of the runtime's session configuration, such as <c>session.set_denormal_as_zero</c> = <c>1</c>.</summary>
    public IReadOnlyDictionary<string, string> ConfigEntries { get; init; } = new Dictionary<string, string>();

    /// <summary>Called just before the runtime loads the model: lets tests cancel then.</summary>
    internal Action? Creating { get; init; }

    /// <summary>What runs the model, where it can; what a provider needs besides is set at load.</summary>
    public ExecutionProvider ExecutionProvider { get; init; }

    /// <summary>
    /// Full path of the plug-in library that has the execution provider. Null for one that is compiled into ONNX Runtime's library or, if
    /// there is none, lies in <see cref="ProviderLibraries.Folder"/>.
    /// </summary>
    public string? ProviderLibrary { get; init; }

    /// <summary>
    /// Whether models go without being compared, at their first use on an execution provider other than the processor, with what the
    /// processor computes.
    /// </summary>
    public bool SkipProviderCheck { get; init; }

    /// <summary>In what numbers the execution provider computes, where it has a choice.</summary>
    internal ModelPrecision Precision { get; init; }

    /// <summary>Segments that the model computes at once, at least 1.</summary>
    internal int BatchSize { get; init; } = 1;

    /// <summary>
    /// Options of the execution provider, such as <c>device_id</c> = <c>0</c>. Of a plug-in library
    /// <see cref="ProviderLibraries.DeviceOption"/> chooses the device; the others are the provider's own.
    /// </summary>
    public IReadOnlyDictionary<string, string> ExecutionProviderOptions { get; init; } = new Dictionary<string, string>();

    /// <summary>The same on the processor, in full precision and one segment at a time: what others are compared with.</summary>
    internal OnnxSessionOptions ForCpu() =>
        this with
        {
            ExecutionProvider = ExecutionProvider.Cpu,
            ProviderLibrary = null,
            ExecutionProviderOptions = new OnnxSessionOptions().ExecutionProviderOptions,
            Precision = ModelPrecision.Full,
            BatchSize = 1,
        };
}
