namespace DemucsPS.Engine.Tracks;

/// <summary>The result of one chunk.</summary>
/// <param name="Chunk">The chunk.</param>
/// <param name="Stems">Its stems, in the order wanted; empty if every attempt failed.</param>
/// <param name="Failures">The messages of the attempts that failed.</param>
/// <param name="Error">Why there are no stems; null if there are.</param>
public sealed record ChunkResult(AudioChunk Chunk, IReadOnlyList<StemChunk> Stems, IReadOnlyList<string> Failures, DemucsException? Error);
