using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Models;

/// <summary>A prepared copy of a model in the cache, see <see cref="PreparationCache"/>.</summary>
public sealed record CachedCopy
{
    /// <summary>What the model's file was called when the copy was made, without its extension.</summary>
    public required string Model { get; init; }

    /// <summary>The precision it is for.</summary>
    public required ModelPrecision Precision { get; init; }

    /// <summary>
    /// What it runs on: Cpu; Accelerator, that is ONNX Runtime's own providers for graphics cards (CUDA, DirectML, WebGPU); or Compiled,
    /// that is providers that compile a graph by themselves (OpenVINO, CoreML, plug-ins).
    /// </summary>
    public required string Form { get; init; }

    /// <summary>
    /// Whether this is a record that a test refused the copy, not a copy. Without the record, the copy would be created again.
    /// </summary>
    public bool IsRefused { get; init; }

    /// <summary>Its length in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>When it was last used, in UTC.</summary>
    public required DateTime LastUsed { get; init; }

    /// <summary>Whether this version of the library would use it; false for copies that an older or newer one left.</summary>
    public required bool IsCurrent { get; init; }

    /// <summary>Its full path.</summary>
    public required string Path { get; init; }

    /// <summary>The path: the name is that of a model, and this is none.</summary>
    public override string ToString() => Path;
}
