namespace DemucsPS.Pictures;

/// <summary>One spectrogram of a picture.</summary>
/// <param name="Name">What it says above it.</param>
/// <param name="Levels">Row after row from the highest frequency down, a value a column: dB. No number where there is nothing to
/// show.</param>
/// <param name="Zones">Where chunks meet.</param>
internal sealed record PicturePanel(string Name, float[] Levels, IReadOnlyList<PictureZone> Zones);
