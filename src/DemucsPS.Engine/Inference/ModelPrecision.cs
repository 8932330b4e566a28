namespace DemucsPS.Engine.Inference;

/// <summary>The precision in which a model is computed.</summary>
public enum ModelPrecision
{
    /// <summary>The numbers the model was exported with: usually 32-bit floats.</summary>
    Full,

    /// <summary>
    /// Products with constant matrices, which are most of a transformer, in 8-bit integers; the rest as in <see cref="Full"/>. Quicker,
    /// with a loss that depends on the model and that the check of a model measures. On the CPU only.
    /// </summary>
    Int8,

    /// <summary>
    /// 16-bit floats with eight bits of mantissa, where a device multiplies them faster than 32-bit ones. On the execution provider
    /// <see cref="ExecutionProvider.OpenVINO"/>, and only on devices that say
    /// they compute so, since others imitate it slowly. The loss depends on the model, as of <see cref="Int8"/>.
    /// </summary>
    BFloat16,
}
