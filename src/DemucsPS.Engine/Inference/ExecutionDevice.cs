namespace DemucsPS.Engine.Inference;

/// <summary>Something that could run models, and whether it can.</summary>
public sealed record ExecutionDevice
{
    /// <summary>The execution provider to ask for.</summary>
    public required ExecutionProvider ExecutionProvider { get; init; }

    /// <summary>What ONNX Runtime calls the provider, such as OpenVINOExecutionProvider; null where nothing is known of it.</summary>
    public string? Provider { get; init; }

    /// <summary>The provider's version; null where it is not known.</summary>
    public string? Version { get; init; }

    /// <summary>The device's name, by which <see cref="ProviderLibraries.DeviceOption"/> chooses it, such as CPU or GPU.1; null where it is not known.</summary>
    public string? Device { get; init; }

    /// <summary>The device's maker; null where it is not known.</summary>
    public string? Vendor { get; init; }

    /// <summary>What its maker calls it; null where it is not known.</summary>
    public string? Description { get; init; }

    /// <summary>The device's memory in bytes, of a processor what this process may have; null where it is not known.</summary>
    public long? Memory { get; init; }

    /// <summary>The precisions in which it computes by itself.</summary>
    public IReadOnlyList<ModelPrecision> Precisions { get; init; } = [];

    /// <summary>Full path of its plug-in library; null where it is compiled into ONNX Runtime's library, or there is none.</summary>
    public string? Library { get; init; }

    /// <summary>Whether a model of one node runs on it.</summary>
    public bool Usable => Reason is null;

    /// <summary>Why it cannot be used; null where it can.</summary>
    public string? Reason { get; init; }
}
