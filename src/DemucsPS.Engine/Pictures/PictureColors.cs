namespace DemucsPS.Engine.Pictures;

/// <summary>
/// The colors of levels, from the lowest to the highest. All but the last are perceptual: equal steps of level look like equal steps of
/// color.
/// </summary>
public enum PictureColors
{
    /// <summary>Black, purple, pink, cream.</summary>
    Magma,

    /// <summary>Black, purple, orange, yellow.</summary>
    Inferno,

    /// <summary>Purple, blue, green, yellow; told apart by color-blind people, too.</summary>
    Viridis,

    /// <summary>Blue, purple, orange, yellow.</summary>
    Plasma,

    /// <summary>Black to white.</summary>
    Grayscale,
}
