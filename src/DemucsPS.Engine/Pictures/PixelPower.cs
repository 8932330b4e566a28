namespace DemucsPS.Engine.Pictures;

/// <summary>What a pixel shows of the levels in it.</summary>
public enum PixelPower
{
    /// <summary>The loudest: a click in three hours is seen, and so is a line among high frequencies.</summary>
    Max,

    /// <summary>The mean power.</summary>
    Mean,
}
