namespace DemucsPS.Engine.Inference;

/// <summary>Resources of a run while other runs are active. They do not affect the bits of its results.</summary>
/// <param name="OwnThreadOnly">
/// Whether it keeps to the thread that calls: right where there are as many runs as threads, wasteful where there are fewer.
/// </param>
/// <param name="ReleasesMemory">Whether memory is given back when it has ended, since runs of the other kind come next.</param>
internal readonly record struct RunResources(bool OwnThreadOnly, bool ReleasesMemory);
