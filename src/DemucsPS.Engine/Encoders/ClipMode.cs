namespace DemucsPS.Engine.Encoders;

/// <summary>What happens to samples beyond full scale.</summary>
public enum ClipMode
{
    /// <summary>
    /// All stems of a track are divided by max(1.01·peak over all of them, 1), so that none clips and they still sum to the (scaled) mix.
    /// The official tool scales each stem alone.
    /// </summary>
    Rescale,

    /// <summary>Samples are limited to ±0.99.</summary>
    Clamp,

    /// <summary>Nothing: floats go beyond ±1, integers are clipped at full scale (the result counts those samples).</summary>
    None,
}
