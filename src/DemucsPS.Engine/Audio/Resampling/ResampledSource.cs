namespace DemucsPS.Engine.Audio.Resampling;

/// <summary>
/// A source at another rate and of a given length: what takes stems back to the rate of their track. The rate of the separation has
/// ⌊n·44,100/rate⌋ frames for n of the track, so the way back would lack a frame or few of its end: they are computed with the last frame
/// going on, as at any edge.
/// </summary>
internal sealed class ResampledSource : IStereoSource
{
    private const int BlockFrames = 4096;
    private readonly IStereoSource _source;
    private readonly Resampler _resampler;
    private readonly long _frames;
    private readonly float[] _left = new float[BlockFrames];
    private readonly float[] _right = new float[BlockFrames];
    private readonly float[] _block = new float[2 * BlockFrames];
    private int _blockStart;
    private int _blockEnd;
    private long _given;
    private bool _ended;

    /// <param name="source">The frames; at least one.</param>
    /// <param name="sourceRate">Their rate in Hz.</param>
    /// <param name="targetRate">The rate to give in Hz.</param>
    /// <param name="frames">The number of frames to give.</param>
    /// <param name="filter">How sharp; null for <see cref="ResamplerFilter.Output"/>.</param>
    public ResampledSource(IStereoSource source, int sourceRate, int targetRate, long frames, ResamplerFilter? filter = null)
    {
        _source = source;
        _resampler = new Resampler(sourceRate, targetRate, 2, filter ?? ResamplerFilter.Output);
        _frames = frames;
    }

    public int Read(Span<float> left, Span<float> right)
    {
        int wanted = (int)Math.Min(left.Length, _frames - _given);
        int done = 0;
        while (done < wanted)
        {
            int frames = _resampler.Read(left[done..wanted], right[done..wanted]);
            done += frames;
            if (frames > 0)
                continue;
            if (_blockStart == _blockEnd && !_ended)
                Fill();
            if (_blockStart < _blockEnd)
                _blockStart += _resampler.Write(_block.AsSpan(2 * _blockStart, 2 * (_blockEnd - _blockStart)), 2);
            else if (_resampler.IsAtEnd)
                break;
        }

        _given += done;
        return done;
    }

    private void Fill()
    {
        _blockStart = 0;
        _blockEnd = _source.Read(_left, _right);
        for (int i = 0; i < _blockEnd; i++)
        {
            _block[2 * i] = _left[i];
            _block[(2 * i) + 1] = _right[i];
        }

        if (_blockEnd > 0)
            return;
        _ended = true;
        _resampler.Complete(_frames);
    }
}
