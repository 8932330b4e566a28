namespace DemucsPS.Pictures;

/// <summary>
/// Where things are in a picture, in its pixels from the upper left. Panels lie below each other over one time axis, each under a strip
/// with its name.
/// </summary>
internal sealed record PictureLayout
{
    /// <summary>Width of the picture.</summary>
    public required int Width { get; init; }

    /// <summary>Height of the picture.</summary>
    public required int Height { get; init; }

    /// <summary>Pixels of a point of 1/96 inch: what text and lines are multiplied by.</summary>
    public required double Scale { get; init; }

    /// <summary>Panels.</summary>
    public required int Panels { get; init; }

    /// <summary>Pixels left of the panels.</summary>
    public required int Left { get; init; }

    /// <summary>Pixels above the first strip.</summary>
    public required int Top { get; init; }

    /// <summary>Width of the panels.</summary>
    public required int Columns { get; init; }

    /// <summary>Height of a panel.</summary>
    public required int Rows { get; init; }

    /// <summary>Height of a strip.</summary>
    public required int Strip { get; init; }

    /// <summary>Pixels right of the panels.</summary>
    public int Right => Width - Left - Columns;

    /// <summary>Pixels below the last panel.</summary>
    public int Bottom => Height - Top - DataHeight;

    /// <summary>Height of all strips and panels.</summary>
    public int DataHeight => Panels * (Strip + Rows);

    /// <summary>Lays a picture out.</summary>
    /// <param name="width">Its width in pixels.</param>
    /// <param name="height">Its height in pixels.</param>
    /// <param name="scale">Pixels of a point of 1/96 inch.</param>
    /// <param name="panels">How many there are.</param>
    /// <param name="hasTitle">Whether there is a line above all.</param>
    /// <returns>The layout; <see cref="Columns"/> or <see cref="Rows"/> are less than 1 where there is no room.</returns>
    public static PictureLayout Of(int width, int height, double scale, int panels, bool hasTitle)
    {
        int left = Pixels(66),
            right = Pixels(96),
            bottom = Pixels(50),
            top = Pixels(hasTitle ? 34 : 10),
            strip = Pixels(22);
        int rows = (height - top - bottom) / panels - strip;
        return new PictureLayout
        {
            Width = width,
            Height = height,
            Scale = scale,
            Panels = panels,
            Left = left,
            // What does not divide evenly goes above.
            Top = height - bottom - panels * (strip + rows),
            Columns = width - left - right,
            Rows = rows,
            Strip = strip,
        };

        int Pixels(double points) => (int)Math.Round(points * scale);
    }

    /// <summary>The uppermost pixel of a panel.</summary>
    /// <param name="panel">Its number, from 0, from above.</param>
    public int PanelTop(int panel) => Top + panel * (Strip + Rows) + Strip;
}
