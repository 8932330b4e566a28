namespace DemucsPS.Engine.Models.Checks;

/// <summary>What comparing a prepared copy with its model found.</summary>
/// <param name="Comparisons">The figures of each chunk.</param>
/// <param name="Loss">What the copy loses, in sentences; null for nothing.</param>
/// <param name="NotRecomputed">Why there was no float64, or not even the model as exported, to compare with; null if there was.</param>
internal sealed record PreparationFindings(IReadOnlyList<PreparationComparison> Comparisons, string? Loss, string? NotRecomputed);
