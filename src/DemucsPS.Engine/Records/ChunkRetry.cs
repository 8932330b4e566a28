namespace DemucsPS.Engine.Records;

/// <summary>A chunk that was not separated at the first attempt.</summary>
/// <param name="Chunk">Its number, from 0, over all shifts.</param>
/// <param name="Failures">Why attempts failed, in order.</param>
public sealed record ChunkRetry(int Chunk, IReadOnlyList<string> Failures);
