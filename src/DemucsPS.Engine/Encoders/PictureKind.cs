namespace DemucsPS.Engine.Encoders;

/// <summary>What a picture is, by its first bytes.</summary>
internal enum PictureKind
{
    /// <summary>Nothing that is known.</summary>
    Unknown,

    /// <summary>JPEG.</summary>
    Jpeg,

    /// <summary>PNG.</summary>
    Png,

    /// <summary>GIF, moving or not.</summary>
    Gif,

    /// <summary>WebP.</summary>
    WebP,

    /// <summary>A Windows bitmap.</summary>
    Bmp,
}
