namespace DemucsPS.Engine.Models;

/// <summary>What a test of a model wants to run that separations do not.</summary>
internal enum ModelTrial
{
    /// <summary>Nothing else.</summary>
    None,

    /// <summary>The prepared copy also where an earlier test has refused it.</summary>
    EvenIfRefused,

    /// <summary>The exported graph in float64, see <see cref="Quantization.Float64Graph"/>.</summary>
    Float64,
}
