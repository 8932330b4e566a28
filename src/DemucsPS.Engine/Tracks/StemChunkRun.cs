using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Tracks;

/// <summary>What the stems of one run of one chunk have in common.</summary>
/// <param name="ModelName">The model's name; several, joined by +, for a bag.</param>
/// <param name="IsDemucs">False if the built-in baseline took part.</param>
/// <param name="ExecutionProvider">What ran the model.</param>
/// <param name="Precision">The precision in which the model was computed.</param>
/// <param name="StemNames">All stems that the run gives: those that belong in one set of files.</param>
/// <param name="Elapsed">Time it took.</param>
/// <param name="Attempt">Which attempt it was, from 1.</param>
internal sealed record StemChunkRun(
    string ModelName,
    bool IsDemucs,
    ExecutionProvider ExecutionProvider,
    ModelPrecision Precision,
    IReadOnlyList<string> StemNames,
    TimeSpan Elapsed,
    int Attempt
);
