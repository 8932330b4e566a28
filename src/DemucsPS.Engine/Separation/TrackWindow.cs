using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// A sliding view of a track that is read once, forwards: normalised samples from half a segment before the current chunk to the end of its
/// segment. Outside the track it is zero, in the normalised domain, as the official padding is. Memory: one and a half segments.
/// </summary>
internal sealed class TrackWindow
{
    private readonly IStereoSource _source;
    private readonly string _path;
    private readonly long _frames;
    private readonly float _mean;
    private readonly float _scale;
    private readonly int _segment;
    private readonly float[] _left;
    private readonly float[] _right;
    private long _start;
    private int _count;

    /// <param name="source">The track, at its start.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <param name="frames">Its length, found in the first pass.</param>
    /// <param name="segment">Frames of a segment.</param>
    /// <param name="mean">Subtracted from every sample.</param>
    /// <param name="scale">Every sample is divided by it.</param>
    public TrackWindow(IStereoSource source, string path, long frames, int segment, float mean, float scale)
    {
        _source = source;
        _path = path;
        _frames = frames;
        _segment = segment;
        _mean = mean;
        _scale = scale;
        _left = new float[segment + segment / 2 + 1];
        _right = new float[segment + segment / 2 + 1];
    }

    /// <summary>Copies one segment. Segments come in the order of their chunks' offsets.</summary>
    /// <param name="offset">The chunk's first frame; no later segment starts more than half a segment before it.</param>
    /// <param name="inputStart">First frame of the segment.</param>
    /// <param name="left">Receives the left channel.</param>
    /// <param name="right">Receives the right channel.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: the track is shorter than in the first pass.</exception>
    public void CopySegment(long offset, long inputStart, Span<float> left, Span<float> right)
    {
        Forget(Math.Max(0, offset - _segment / 2));
        long end = Math.Min(_frames, inputStart + _segment);
        Fill(end);
        long first = Math.Max(0, inputStart);
        left.Clear();
        right.Clear();
        if (end <= first)
            return;
        int count = (int)(end - first), from = (int)(first - _start), to = (int)(first - inputStart);
        _left.AsSpan(from, count).CopyTo(left[to..]);
        _right.AsSpan(from, count).CopyTo(right[to..]);
    }

    /// <summary>Checks that the source ends where the first pass found its end.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: the track has grown.</exception>
    public void CheckEnd()
    {
        if (_source.Read(_left.AsSpan(0, 1), _right.AsSpan(0, 1)) > 0)
            throw Changed("longer");
    }

    private void Forget(long before)
    {
        int drop = (int)Math.Min(before - _start, _count);
        if (drop <= 0)
            return;
        _left.AsSpan(drop, _count - drop).CopyTo(_left);
        _right.AsSpan(drop, _count - drop).CopyTo(_right);
        _start += drop;
        _count -= drop;
    }

    private void Fill(long end)
    {
        while (_start + _count < end)
        {
            int wanted = (int)(end - _start - _count);
            Span<float> left = _left.AsSpan(_count, wanted), right = _right.AsSpan(_count, wanted);
            int read = _source.Read(left, right);
            if (read == 0)
                throw Changed("shorter");
            for (int i = 0; i < read; i++)
            {
                left[i] = (left[i] - _mean) / _scale;
                right[i] = (right[i] - _mean) / _scale;
            }
            _count += read;
        }
    }

    private DemucsException Changed(string how) => new(DemucsError.AudioTrackCorrupt,
        $"'{_path}' is {how} than when it was first read ({_frames} frames): it was changed during the separation. Try again when nothing writes to it.", _path);
}
