namespace DemucsPS.Engine.Audio.Resampling;

/// <summary>The windowed sinc of a change of rate.</summary>
/// <param name="Zeros">Zero crossings on each side; time grows with it.</param>
/// <param name="Rolloff">Cutoff (−6 dB) as a share of the lower Nyquist frequency.</param>
/// <param name="KaiserBeta">β of a Kaiser window, I₀(β·√(1 − u²))/I₀(β) for u from −1 to 1; null for cos²(πu/2), as in julius.</param>
internal readonly record struct ResamplerFilter(int Zeros, double Rolloff, double? KaiserBeta)
{
    /// <summary>
    /// That of official Demucs, for what the models get. It loses 0.5 dB at 0.9 of the Nyquist frequency, 19.8 kHz at 44,100 Hz.
    /// </summary>
    public static ResamplerFilter Demucs { get; } = new(24, 0.945, null);

    /// <summary>
    /// For stems on their way back to the rate of their source: flat up to 0.94 of the Nyquist frequency (20.7 kHz), and 80 dB down above
    /// it.
    /// </summary>
    public static ResamplerFilter Output { get; } = new(96, 0.97, 8);

    /// <summary>The window.</summary>
    /// <param name="u">−1 to 1.</param>
    public double Window(double u)
    {
        if (KaiserBeta is { } beta)
            return Bessel(beta * Math.Sqrt(Math.Max(0, 1 - (u * u)))) / Bessel(beta);
        double half = Math.Cos(Math.PI * u / 2);
        return half * half;
    }

    /// <summary>I₀, by its power series Σ ((x/2)^k/k!)².</summary>
    private static double Bessel(double x)
    {
        double sum = 1,
            term = 1;
        for (int k = 1; term > 1e-17 * sum; k++)
            sum += (term *= x / 2 / k * (x / 2 / k));
        return sum;
    }
}
