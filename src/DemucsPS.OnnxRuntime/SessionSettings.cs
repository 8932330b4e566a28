namespace DemucsPS.OnnxRuntime;

/// <summary>How a session runs, in the runtime's own terms.</summary>
internal sealed record SessionSettings
{
    /// <summary>Threads inside one operator.</summary>
    public required int IntraOpThreads { get; init; }

    /// <summary>Threads across operators.</summary>
    public required int InterOpThreads { get; init; }

    /// <summary>The runtime's <c>GraphOptimizationLevel</c>.</summary>
    public required int OptimizationLevel { get; init; }

    /// <summary>Whether freed memory is kept in an arena.</summary>
    public required bool CpuArena { get; init; }

    /// <summary>Whether all activations are planned as one block.</summary>
    public required bool MemoryPattern { get; init; }

    /// <summary>Whether no worker is started, see <see cref="WithheldWorkers"/>.</summary>
    public required bool CallersOnly { get; init; }

    /// <summary>Full path of the file for the graph as the runtime has rewritten it; null for none.</summary>
    public string? OptimizedModelPath { get; init; }

    /// <summary>Entries of the session's configuration.</summary>
    public required IReadOnlyDictionary<string, string> ConfigEntries { get; init; }

    /// <summary>The name by which a session asks for its execution provider; null for the CPU.</summary>
    public string? Provider { get; init; }

    /// <summary>The device of a plug-in library's provider; null for a provider that is compiled in.</summary>
    public PluginDevice? Device { get; init; }

    /// <summary>Options of the execution provider.</summary>
    public required IReadOnlyDictionary<string, string> ProviderOptions { get; init; }

    /// <summary>Called just before the runtime loads the model.</summary>
    public Action? Creating { get; init; }
}
