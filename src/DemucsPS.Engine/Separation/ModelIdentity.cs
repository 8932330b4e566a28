namespace DemucsPS.Engine.Separation;

/// <summary>A model by what is in its files.</summary>
/// <param name="Name">The model's name.</param>
/// <param name="Prepared">Whether its prepared copy runs.</param>
/// <param name="Files">The file that runs, then those with its weights; for a built-in model the bytes it is built of.</param>
internal sealed record ModelIdentity(string Name, bool Prepared, IReadOnlyList<FileIdentity> Files);
