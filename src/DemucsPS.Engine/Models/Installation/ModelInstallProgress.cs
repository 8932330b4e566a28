namespace DemucsPS.Engine.Models.Installation;

/// <summary>How far an installation is.</summary>
/// <param name="Model">The model's name; of a bag, the one that is being installed.</param>
/// <param name="Stage">What it is at.</param>
/// <param name="Done">Bytes fetched so far, of all of the model's files.</param>
/// <param name="Total">Bytes of all of the model's files.</param>
public sealed record ModelInstallProgress(string Model, ModelInstallStage Stage, long Done, long Total);
