namespace DemucsPS.Pictures;

/// <summary>What is to be drawn.</summary>
internal sealed record PictureContent
{
    /// <summary>Where things are.</summary>
    public required PictureLayout Layout { get; init; }

    /// <summary>The line above all; null for none.</summary>
    public string? Title { get; init; }

    /// <summary>The panels, from above.</summary>
    public required IReadOnlyList<PicturePanel> Panels { get; init; }

    /// <summary>Marks of the time axis.</summary>
    public required IReadOnlyList<PictureTick> TimeTicks { get; init; }

    /// <summary>What the time axis says.</summary>
    public required string TimeLabel { get; init; }

    /// <summary>Marks of each frequency axis, from below.</summary>
    public required IReadOnlyList<PictureTick> FrequencyTicks { get; init; }

    /// <summary>What the frequency axis says.</summary>
    public required string FrequencyLabel { get; init; }

    /// <summary>Marks of the color bar, from below.</summary>
    public required IReadOnlyList<PictureTick> LevelTicks { get; init; }

    /// <summary>What the color bar says.</summary>
    public required string LevelLabel { get; init; }

    /// <summary>The level of the lowest color in dB.</summary>
    public required double MinDb { get; init; }

    /// <summary>The level of the highest color in dB.</summary>
    public required double MaxDb { get; init; }

    /// <summary>The colors: one of <see cref="PictureDrawing.ColorMapNames"/>.</summary>
    public required string ColorMap { get; init; }

    /// <summary>Whether it is bright on dark.</summary>
    public required bool IsDark { get; init; }
}
