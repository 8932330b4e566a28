using System.Globalization;

namespace DemucsPS.Engine.Quality;

/// <summary>How close an estimated stem is to its reference. Figures are in dB; null if not requested or undefined.</summary>
public sealed record StemQuality
{
    /// <summary>The track that it is of.</summary>
    public required string Track { get; init; }

    /// <summary>As that of the track.</summary>
    public string? Model { get; init; }

    /// <summary>Such as <c>vocals</c>.</summary>
    public required string StemName { get; init; }

    /// <summary>Signal to distortion ratio of BSS Eval v4: median of the windows.</summary>
    public double? Sdr { get; init; }

    /// <summary>Image to spatial distortion ratio of BSS Eval v4: median of the windows.</summary>
    public double? Isr { get; init; }

    /// <summary>Signal to interference ratio of BSS Eval v4: median of the windows.</summary>
    public double? Sir { get; init; }

    /// <summary>Signal to artifacts ratio of BSS Eval v4: median of the windows.</summary>
    public double? Sar { get; init; }

    /// <summary>
    /// Signal to distortion ratio of the music demixing challenge, over the whole track: 10·log₁₀((Σr² + 1e-7) / (Σ(r − e)² + 1e-7)).
    /// </summary>
    public double? NSdr { get; init; }

    /// <summary>
    /// Scale-invariant signal to distortion ratio, over the whole track and all channels: 10·log₁₀(Σ(α·r)² / Σ(α·r − e)²), α = Σe·r / Σr².
    /// </summary>
    public double? SiSdr { get; init; }

    /// <summary>The windows; empty if no figure of windows was requested.</summary>
    public required FrameQualities Frames { get; init; }

    /// <summary>Full path of the estimate.</summary>
    public required string EstimatePath { get; init; }

    /// <summary>
    /// Full path of the reference; for <c>no_NAME</c> those of all others, which are summed up, with semicolons between them.
    /// </summary>
    public required string ReferencePath { get; init; }

    /// <summary>The stem and its first figure.</summary>
    public override string ToString() =>
        (Sdr ?? NSdr ?? SiSdr) is { } figure ? string.Create(CultureInfo.InvariantCulture, $"{StemName} {figure:F2}") : StemName;

    /// <summary>The median as museval takes it: of figures rounded to 5 decimals, without those that are none or infinite.</summary>
    /// <param name="figures">Those of the windows.</param>
    /// <returns>Null if nothing is left.</returns>
    internal static double? Median(IEnumerable<double?> figures)
    {
        double[] finite = [.. figures.OfType<double>().Where(double.IsFinite).Select(f => Math.Round(f, 5)).Order()];
        return finite.Length == 0 ? null : (finite[(finite.Length - 1) / 2] + finite[finite.Length / 2]) / 2;
    }
}
