namespace DemucsPS.Engine.Separation;

/// <summary>How far the separation of one track is.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Done">Frames read (<see cref="SeparationStage.Measuring"/>), chunks blended (<see cref="SeparationStage.Separating"/>) or
/// stems written (<see cref="SeparationStage.Writing"/>).</param>
/// <param name="Total">Of how many; 0 if unknown.</param>
/// <param name="Remaining">Time the remaining chunks will take, from those that are done; null while unknown.</param>
public readonly record struct SeparationProgress(SeparationStage Stage, long Done, long Total, TimeSpan? Remaining);
