namespace DemucsPS.Engine.Pictures;

/// <summary>How frequencies are spread over an axis.</summary>
public enum FrequencyScale
{
    /// <summary>Octave after octave.</summary>
    Log,

    /// <summary>As heard: mel = 2595·log₁₀(1 + f/700) (O'Shaughnessy, as HTK has it).</summary>
    Mel,

    /// <summary>Hertz after hertz.</summary>
    Linear,
}
