namespace DemucsPS.Pictures;

/// <summary>A mark of an axis.</summary>
/// <param name="Position">0 at the axis' start to 1 at its end.</param>
/// <param name="Label">What it says; null for a small one that says nothing.</param>
internal readonly record struct PictureTick(double Position, string? Label);
