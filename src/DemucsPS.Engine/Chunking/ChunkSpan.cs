namespace DemucsPS.Engine.Chunking;

/// <summary>One chunk of a plan, in frames of the track.</summary>
/// <param name="Index">Its number, from 0.</param>
/// <param name="Offset">Its first frame.</param>
/// <param name="Length">Its frames; less than a segment only where the track ends.</param>
/// <param name="InputStart">
/// First frame of the segment that the model gets. A chunk of n &lt; L frames is centered in it: the input starts (L − n)/2 frames (rounded
/// down) before the chunk, holds the track's real frames where it has any, and zeros elsewhere. May be negative.
/// </param>
public readonly record struct ChunkSpan(int Index, long Offset, int Length, long InputStart)
{
    /// <summary>Frames of the model's output that precede the chunk and are cut off.</summary>
    public int Trim => (int)(Offset - InputStart);
}
