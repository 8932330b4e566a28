namespace DemucsPS.Engine.Inference;

/// <summary>In what numbers a model is computed.</summary>
public enum ModelPrecision
{
    /// <summary>In those the model was exported with: 32-bit floats, for most.</summary>
    Full,

    /// <summary>
    /// Products with constant matrices, which are most of a transformer, in 8-bit integers; the rest as in <see cref="Full"/>. Quicker, with a loss that depends on the model: see
    /// <see cref="Separation.ModelCheck"/>. On the CPU only.
    /// </summary>
    Int8,
}
