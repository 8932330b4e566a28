namespace DemucsPS.Engine.Pictures;

/// <summary>A drawn picture.</summary>
/// <param name="Width">Pixels in a row.</param>
/// <param name="Height">Rows.</param>
/// <param name="Rgb">Red, green and blue of each pixel, row after row from the upper left. Not to be written to.</param>
public sealed record PicturePixels(int Width, int Height, ReadOnlyMemory<byte> Rgb);
