using DemucsPS.Engine.Levels;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// A sliding view of a track that is read once, forwards: normalized samples from half a segment before the current chunk to the end of its
/// segment. Outside the track it is zero, in the normalized domain, as the official padding is. Memory: one and a half segments.
/// </summary>
internal sealed class TrackWindow
{
    private readonly MeasuredSource _source;
    private readonly MixNormalization _normalization;
    private readonly int _segment;
    private readonly float[] _left;
    private readonly float[] _right;
    private long _start;
    private int _count;

    /// <param name="source">The track, at its start.</param>
    /// <param name="segment">Frames of a segment.</param>
    /// <param name="normalization">Applied to every sample of the track.</param>
    public TrackWindow(MeasuredSource source, int segment, MixNormalization normalization)
    {
        _source = source;
        _segment = segment;
        _normalization = normalization;
        _left = new float[segment + segment / 2 + 1];
        _right = new float[segment + segment / 2 + 1];
    }

    /// <summary>Copies one segment. Segments come in the order of their chunks' offsets.</summary>
    /// <param name="offset">The chunk's first frame; no later segment starts more than half a segment before it.</param>
    /// <param name="inputStart">First frame of the segment.</param>
    /// <param name="left">Receives the left channel.</param>
    /// <param name="right">Receives the right channel.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: the track is shorter than in the first
    /// pass.</exception>
    public void CopySegment(long offset, long inputStart, Span<float> left, Span<float> right)
    {
        Forget(Math.Max(0, offset - _segment / 2));
        long end = Math.Min(_source.Frames, inputStart + _segment);
        Fill(end);
        long first = Math.Max(0, inputStart);
        left.Clear();
        right.Clear();
        if (end <= first)
            return;
        int count = (int)(end - first),
            from = (int)(first - _start),
            to = (int)(first - inputStart);
        _left.AsSpan(from, count).CopyTo(left[to..]);
        _right.AsSpan(from, count).CopyTo(right[to..]);
    }

    private void Forget(long before)
    {
        int drop = (int)Math.Clamp(before - _start, 0, _count);
        if (drop > 0)
        {
            _left.AsSpan(drop, _count - drop).CopyTo(_left);
            _right.AsSpan(drop, _count - drop).CopyTo(_right);
            _start += drop;
            _count -= drop;
        }
        // Frames that no segment needs, before the first chunk of a resumed separation, are read and let go.
        for (int skip; (skip = (int)Math.Min(before - _start, _left.Length)) > 0 && _count == 0; _start += skip)
            _source.Read(_left.AsSpan(0, skip), _right.AsSpan(0, skip));
    }

    private void Fill(long end)
    {
        int wanted = (int)(end - _start - _count);
        if (wanted <= 0)
            return;
        Span<float> left = _left.AsSpan(_count, wanted),
            right = _right.AsSpan(_count, wanted);
        _source.Read(left, right);
        _normalization.Apply(left);
        _normalization.Apply(right);
        _count += wanted;
    }
}
