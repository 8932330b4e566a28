namespace DemucsPS.Engine.Inference;

/// <summary>Something that could run models, and whether it can.</summary>
public sealed record ExecutionDevice
{
    /// <summary>The execution provider to choose.</summary>
    public required ExecutionProvider ExecutionProvider { get; init; }

    /// <summary>What ONNX Runtime calls the provider, such as OpenVINOExecutionProvider; null if nothing is known of it.</summary>
    public string? Provider { get; init; }

    /// <summary>The provider's version; null if unknown.</summary>
    public string? Version { get; init; }

    /// <summary>
    /// The device's name, by which <see cref="ProviderLibraries.DeviceOption"/> chooses it, such as CPU or GPU.1; null if unknown.
    /// </summary>
    public string? Device { get; init; }

    /// <summary>The device's vendor; null if unknown.</summary>
    public string? Vendor { get; init; }

    /// <summary>What its vendor calls it; null if unknown.</summary>
    public string? Description { get; init; }

    /// <summary>The device's memory in bytes, of a processor what this process may have; null if unknown.</summary>
    public long? Memory { get; init; }

    /// <summary>The precisions it supports natively.</summary>
    public IReadOnlyList<ModelPrecision> Precisions { get; init; } = [];

    /// <summary>Full path of its plug-in library; null if it is compiled into ONNX Runtime's library, or there is none.</summary>
    public string? Library { get; init; }

    /// <summary>Whether a model of one node runs on it.</summary>
    public bool Usable => Reason is null;

    /// <summary>Why it cannot be used; null if it can.</summary>
    public string? Reason { get; init; }
}
