namespace DemucsPS.Engine.Chunking;

/// <summary>
/// Where a track is cut: chunk i starts at i·stride, stride = int((1 − overlap)·segment), and is one segment long or ends with the track.
/// Source: <c>apply_model</c> of facebookresearch/demucs.
/// </summary>
public sealed class ChunkPlan
{
    /// <summary>
    /// The greatest overlap. The number of chunks grows as 1 / (1 − overlap): here it is a hundred times that without, which some wait for;
    /// beyond, a slip of the keyboard makes years of it.
    /// </summary>
    public const double MaxOverlap = 0.99;

    private ChunkPlan(long trackFrames, int segmentFrames, int stride, double overlap)
    {
        TrackFrames = trackFrames;
        SegmentFrames = segmentFrames;
        Stride = stride;
        Overlap = overlap;
        Count = checked((int)((trackFrames + stride - 1) / stride));
    }

    /// <summary>Length of the track in frames.</summary>
    public long TrackFrames { get; }

    /// <summary>Length of the model's input in frames.</summary>
    public int SegmentFrames { get; }

    /// <summary>Frames from the start of one chunk to the start of the next.</summary>
    public int Stride { get; }

    /// <summary>The share of a segment that neighboring chunks have in common.</summary>
    public double Overlap { get; }

    /// <summary>Number of chunks.</summary>
    public int Count { get; }

    /// <summary>The chunk with that number.</summary>
    /// <param name="index">0 … <see cref="Count"/> − 1.</param>
    public ChunkSpan this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfNegative(index);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            long offset = (long)index * Stride;
            int length = (int)Math.Min(SegmentFrames, TrackFrames - offset);
            return new ChunkSpan(index, offset, length, offset - (SegmentFrames - length) / 2);
        }
    }

    /// <summary>Plans a track.</summary>
    /// <param name="trackFrames">Length of the track in frames, at least 1.</param>
    /// <param name="segmentFrames">Length of the model's input in frames.</param>
    /// <param name="overlap">0 … <see cref="MaxOverlap"/>. The project's default is 0.05, the official one 0.25.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the overlap is out of range.</exception>
    public static ChunkPlan Create(long trackFrames, int segmentFrames, double overlap)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(trackFrames, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(segmentFrames, 2);
        CheckOverlap(overlap);
        int stride = Math.Max(1, (int)((1 - overlap) * segmentFrames));
        return new ChunkPlan(trackFrames, segmentFrames, stride, overlap);
    }

    /// <summary>Refuses an overlap that is not in [0, <see cref="MaxOverlap"/>].</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public static void CheckOverlap(double overlap)
    {
        if (!(overlap >= 0 && overlap <= MaxOverlap))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                FormattableString.Invariant($"The overlap is {overlap}; it must be from 0 to {MaxOverlap} (0.05 and 0.25 are usual).")
            )
            {
                Parameter = EngineParameter.Overlap,
            };
    }
}
