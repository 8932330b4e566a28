using DemucsPS.Engine.Stems;

namespace DemucsPS.Engine.Batch;

/// <summary>A set of stems that was written.</summary>
/// <param name="Stems">The files.</param>
/// <param name="Gain">Factor that all of them were multiplied by so that none clips; 1 for none.</param>
/// <param name="Warnings">What the user should know.</param>
public sealed record StemExportResult(IReadOnlyList<StemFile> Stems, float Gain, IReadOnlyList<string> Warnings);
