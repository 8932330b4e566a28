namespace DemucsPS.Engine.Audio.Flac;

/// <summary>What the samples of a FLAC frame are. Nearly always that of the whole stream; FLAC lets every frame have its own.</summary>
/// <param name="SampleRate">Frames per second.</param>
/// <param name="Channels">1 to 8.</param>
/// <param name="BitsPerSample">4 to 32.</param>
internal readonly record struct FlacForm(int SampleRate, int Channels, int BitsPerSample);
