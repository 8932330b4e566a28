namespace DemucsPS.Engine.Models.Checks;

/// <summary>How far the test of a model is.</summary>
/// <param name="Model">The model's name.</param>
/// <param name="Stage">What it is at.</param>
public sealed record ModelTestProgress(string Model, ModelTestStage Stage);
