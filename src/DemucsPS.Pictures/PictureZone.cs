namespace DemucsPS.Pictures;

/// <summary>A part of the time axis in which one chunk fades into the next.</summary>
/// <param name="Start">Where the next chunk begins: 0 at the axis' start, 1 at its end.</param>
/// <param name="End">Where the chunk before ends; the same where chunks do not overlap.</param>
internal readonly record struct PictureZone(double Start, double End);
