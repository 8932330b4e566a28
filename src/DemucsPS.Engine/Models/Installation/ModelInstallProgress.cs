namespace DemucsPS.Engine.Models.Installation;

/// <summary>How far an installation is.</summary>
/// <param name="Model">The model's name; of a bag, the one that is being installed.</param>
/// <param name="Stage">What it is at.</param>
/// <param name="Done">Bytes fetched so far, of all of the model's files.</param>
/// <param name="Total">Bytes of all of the model's files.</param>
public sealed record ModelInstallProgress(string Model, ModelInstallStage Stage, long Done, long Total)
{
    /// <summary>What is going on, for people.</summary>
    public string Status =>
        Stage switch
        {
            ModelInstallStage.Waiting => "waiting for another installation",
            ModelInstallStage.Verifying => "checking SHA-256",
            ModelInstallStage.Preparing => "preparing",
            _ => FormattableString.Invariant($"{Done / 1e6:F0} of {Total / 1e6:F0} MB"),
        };
}
