using System.Globalization;

namespace DemucsPS.Engine.Quality;

/// <summary>What is measured of a track, and how.</summary>
public sealed record QualityOptions
{
    /// <summary>Windows that may overlap at one place; each is filtered on its own.</summary>
    internal const int MaxOverlappingWindows = 64;

    /// <summary>Length of a window in seconds; 0 for one over the whole track. BSS Eval v4 takes 1.</summary>
    public double Window { get; init; } = 1;

    /// <summary>Seconds from one window to the next; null for windows that follow each other without overlap.</summary>
    public double? Hop { get; init; }

    /// <summary>
    /// The figures wanted. Without <see cref="QualityMetric.Isr"/>, <see cref="QualityMetric.Sir"/> and <see cref="QualityMetric.Sar"/>,
    /// which need filters, it takes a fraction of the time.
    /// </summary>
    public QualityMetric Metrics { get; init; } = QualityMetric.All;

    /// <summary>Threads that may work on one track; 0 for one for each processor. The figures do not depend on it.</summary>
    public int Threads { get; init; }

    /// <summary>Finds out whether the values are in range.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: they are not.</exception>
    public void Check()
    {
        if (!(Window is 0 or >= 0.01 and <= 86400))
            throw Invalid(
                $"The window is {Number(Window)} s; it must be 0.01 to 86400 s, or 0 for one window over the whole track.",
                EngineParameter.Window
            );
        if (Hop is { } hop && !(hop >= 0.01 && hop <= 86400))
            throw Invalid($"The hop is {Number(hop)} s; it must be 0.01 to 86400 s.", EngineParameter.Hop);
        if (Hop is { } step && Window / step > MaxOverlappingWindows)
            throw Invalid(
                $"Windows of {Number(Window)} s every {Number(step)} s overlap more than {MaxOverlappingWindows} times. Give a longer hop.",
                EngineParameter.Hop
            );
        if ((Metrics & QualityMetric.All) == 0)
            throw Invalid("No metric is chosen. Name at least one: Sdr, Isr, Sir, Sar, NSdr, SiSdr.", EngineParameter.Metric);
        if (Threads is < 0 or > 1024)
            throw Invalid(
                $"The number of threads is {Threads}; it must be 1 to 1024, or 0 for one per processor.",
                EngineParameter.Threads
            );
    }

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static DemucsException Invalid(string message, EngineParameter parameter) =>
        new(DemucsError.ParameterInvalid, message) { Parameter = parameter };
}
