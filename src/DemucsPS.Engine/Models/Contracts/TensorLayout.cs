namespace DemucsPS.Engine.Models.Contracts;

/// <summary>How a tensor's elements lie, compared with <see cref="ModelTensors"/>' own order.</summary>
internal enum TensorLayout
{
    /// <summary>As there: waveforms [channel][frame], spectrograms [channel][part][bin][frame].</summary>
    Whole,

    /// <summary>The real parts only, [channel][bin][frame].</summary>
    Real,

    /// <summary>The imaginary parts only, [channel][bin][frame].</summary>
    Imaginary,

    /// <summary>Both parts of a value side by side, [channel][bin][frame][part].</summary>
    PartsLast,
}
