namespace DemucsPS.Engine.Pictures;

/// <summary>What is around spectrograms.</summary>
public enum PictureTheme
{
    /// <summary>Bright text on dark.</summary>
    Dark,

    /// <summary>Dark text on white, for paper.</summary>
    Light,
}
