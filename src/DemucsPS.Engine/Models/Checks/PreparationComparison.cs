namespace DemucsPS.Engine.Models.Checks;

/// <summary>
/// How exact a model and its prepared copy are on one chunk: ratios of signal to difference in dB of the stem that is worst off. The
/// higher, the closer; a stem more than 60 dB below the loudest is judged as if it were 60 dB below it.
/// </summary>
public sealed record PreparationComparison
{
    /// <summary>The chunk.</summary>
    public required TestChunk Chunk { get; init; }

    /// <summary>
    /// The prepared copy against the model as exported; null if one of them gives values that are not finite, and of weights by themselves,
    /// which never were exported.
    /// </summary>
    public double? DifferenceDb { get; init; }

    /// <summary>The model as exported against its graph in float64; null if that cannot be computed.</summary>
    public double? ExportedDb { get; init; }

    /// <summary>
    /// The prepared copy against the exported graph in float64, or the graph that was written from weights against its own form in float64;
    /// null if that cannot be computed.
    /// </summary>
    public double? PreparedDb { get; init; }
}
