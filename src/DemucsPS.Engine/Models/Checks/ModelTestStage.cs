namespace DemucsPS.Engine.Models.Checks;

/// <summary>What a test of a model is at.</summary>
public enum ModelTestStage
{
    /// <summary>Its files are hashed.</summary>
    Verifying,

    /// <summary>It runs with the requested settings.</summary>
    Running,

    /// <summary>It runs on the CPU, in full precision, to compare with.</summary>
    Comparing,

    /// <summary>It runs as exported.</summary>
    Exported,

    /// <summary>The exported graph is computed in float64.</summary>
    Recomputing,
}
