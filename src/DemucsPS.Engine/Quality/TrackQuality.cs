namespace DemucsPS.Engine.Quality;

/// <summary>How close the estimated stems of a track are to the references.</summary>
public sealed record TrackQuality
{
    /// <summary>The track's name.</summary>
    public required string Track { get; init; }

    /// <summary>
    /// The folders between the one that was named and the track's, which is the model's name in OUTPUT/MODEL/TRACK; null if there are none.
    /// </summary>
    public string? Model { get; init; }

    /// <summary>The stems, in the order of their names.</summary>
    public required IReadOnlyList<StemQuality> Stems { get; init; }

    /// <summary>Mean over the stems of their medians, as far as there are any.</summary>
    public double? Sdr => Mean(s => s.Sdr);

    /// <summary>Mean over the stems of their medians, as far as there are any.</summary>
    public double? Isr => Mean(s => s.Isr);

    /// <summary>Mean over the stems of their medians, as far as there are any.</summary>
    public double? Sir => Mean(s => s.Sir);

    /// <summary>Mean over the stems of their medians, as far as there are any.</summary>
    public double? Sar => Mean(s => s.Sar);

    /// <summary>Mean over the stems, which is the challenge's figure of a track.</summary>
    public double? NSdr => Mean(s => s.NSdr);

    /// <summary>Mean over the stems, as far as there are any.</summary>
    public double? SiSdr => Mean(s => s.SiSdr);

    /// <summary>
    /// Power of what the sum of the estimates has more or less than the references' mix, against the mix, in dB; null if there is no mix,
    /// or not an estimate for every reference.
    /// </summary>
    public double? NullTestDb { get; init; }

    /// <summary>Frames per second.</summary>
    public required int SampleRate { get; init; }

    /// <summary>Channels of each stem.</summary>
    public required int Channels { get; init; }

    /// <summary>Length of the references.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Time it took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Whether it was not measured now, but taken from what was measured before.</summary>
    public bool Resumed { get; init; }

    /// <summary>What the user should know.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }

    private double? Mean(Func<StemQuality, double?> figure)
    {
        double[] figures = [.. Stems.Select(figure).OfType<double>()];
        return figures.Length == 0 ? null : figures.Average();
    }
}
