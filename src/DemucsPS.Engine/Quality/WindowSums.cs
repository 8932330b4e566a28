namespace DemucsPS.Engine.Quality;

/// <summary>Sums of squares of a stem in a window.</summary>
/// <param name="Reference">|s|²</param>
/// <param name="Error">|e − s|²</param>
/// <param name="Target">|Pⱼ|²: of what the estimate's own reference explains of it.</param>
/// <param name="Spatial">|Pⱼ − s|²</param>
/// <param name="Interference">|P − Pⱼ|²</param>
/// <param name="Explained">|P|²: of what all references explain of it.</param>
/// <param name="Artifact">|e − P|²</param>
internal readonly record struct WindowSums(
    double Reference,
    double Error,
    double Target,
    double Spatial,
    double Interference,
    double Explained,
    double Artifact
)
{
    /// <summary>Sums how many there are.</summary>
    public const int Count = 7;

    /// <summary>Signal to distortion ratio in dB.</summary>
    public double Sdr => Decibels(Reference, Error);

    /// <summary>Image (spatial) to distortion ratio in dB.</summary>
    public double Isr => Decibels(Reference, Spatial);

    /// <summary>Signal to interference ratio in dB.</summary>
    public double Sir => Decibels(Target, Interference);

    /// <summary>Signal to artifacts ratio in dB.</summary>
    public double Sar => Decibels(Explained, Artifact);

    private static double Decibels(double signal, double noise) => noise == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / noise);
}
