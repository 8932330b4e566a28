namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>Adds the nodes that give some rows of a spectrogram's layer.</summary>
/// <param name="first">The first row.</param>
/// <param name="end">The row after the last one.</param>
internal delegate Signal RowSource(int first, int end);
