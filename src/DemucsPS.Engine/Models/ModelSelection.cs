using System.Globalization;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Models;

/// <summary>What a user chose to separate with: a model, or several that are averaged.</summary>
public sealed record ModelSelection
{
    /// <summary>The largest batch.</summary>
    public const int LargestBatch = 64;

    /// <summary>The models, at least one.</summary>
    public required IReadOnlyList<ModelSource> Models { get; init; }

    /// <summary>One row a model, one weight a stem; null for equal weights.</summary>
    public IReadOnlyList<IReadOnlyList<double>>? Weights { get; init; }

    /// <summary>A bag's own name; null if the models' names, joined by +, stand for it.</summary>
    public string? BagName { get; init; }

    /// <summary>The stems, where they are known without loading a model; else null.</summary>
    public IReadOnlyList<string>? Stems { get; init; }

    /// <summary>Names that the user gives the stems of every model, in its order; null for those that models say.</summary>
    public IReadOnlyList<string>? StemNames { get; init; }

    /// <summary>The precision in which the models are computed.</summary>
    public ModelPrecision Precision { get; init; }

    /// <summary>
    /// Chunks that a model computes at once, from 1 to <see cref="LargestBatch"/>. More than 1 takes models that are their author's
    /// weights.
    /// </summary>
    public int BatchSize { get; init; } = 1;

    /// <summary>Names the output folder.</summary>
    public string Name => BagName ?? string.Join('+', Models.Select(m => m.Name));

    /// <summary>Refuses a batch size that is out of range.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public static void CheckBatchSize(int value)
    {
        if (value is >= 1 and <= LargestBatch)
            return;
        throw new DemucsException(
            DemucsError.ParameterInvalid,
            string.Create(CultureInfo.InvariantCulture, $"{value} is not a batch size. It must be from 1 to {LargestBatch}.")
        )
        {
            Parameter = EngineParameter.BatchSize,
        };
    }
}
