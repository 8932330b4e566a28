namespace DemucsPS.Engine.Models.Installation;

/// <summary>What an installation is at.</summary>
public enum ModelInstallStage
{
    /// <summary>Waits for another process that installs the same model.</summary>
    Waiting,

    /// <summary>Fetches files.</summary>
    Fetching,

    /// <summary>Computes hashes.</summary>
    Verifying,

    /// <summary>Makes the prepared copy.</summary>
    Preparing,
}
