namespace DemucsPS.Engine.Tracks;

/// <summary>What became of one chunk.</summary>
/// <param name="Chunk">The chunk.</param>
/// <param name="Stems">Its stems, in the order wanted; empty where every attempt failed.</param>
/// <param name="Failures">The messages of the attempts that failed.</param>
/// <param name="Error">Why there are no stems; null where there are.</param>
public sealed record ChunkResult(AudioChunk Chunk, IReadOnlyList<StemChunk> Stems, IReadOnlyList<string> Failures, DemucsException? Error);
