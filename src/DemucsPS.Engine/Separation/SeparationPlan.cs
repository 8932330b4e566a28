namespace DemucsPS.Engine.Separation;

/// <summary>What a separation would do, from the source's header alone.</summary>
/// <param name="SourcePath">Full path of the source.</param>
/// <param name="StemPaths">Full paths of the files that would be written.</param>
/// <param name="Frames">Length by the source's header; null where it does not say.</param>
/// <param name="Chunks">Chunks to separate, over all shifts; null where the length is not known.</param>
/// <param name="Bytes">Bytes to write; null where the length is not known.</param>
public sealed record SeparationPlan(string SourcePath, IReadOnlyList<string> StemPaths, long? Frames, int? Chunks, long? Bytes);
