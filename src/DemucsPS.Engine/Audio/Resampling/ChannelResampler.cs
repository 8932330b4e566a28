namespace DemucsPS.Engine.Audio.Resampling;

/// <summary>A <see cref="Resampler"/> for any number of channels.</summary>
internal sealed class ChannelResampler
{
    /// <summary>The maximum number of frames of a call.</summary>
    public const int BlockFrames = 4096;

    // Enough for every pair of usual rates. More would take seconds to compute, and a stream can demand one table after the other.
    private const int MaxTableBytes = 4 * 1024 * 1024;

    private readonly int _channels;
    private readonly Resampler[] _pairs;
    private readonly float[] _pair = new float[2 * BlockFrames];
    private readonly float[] _left = new float[BlockFrames];
    private readonly float[] _right = new float[BlockFrames];

    /// <param name="sourceRate">Frames per second of the input.</param>
    /// <param name="targetRate">Frames per second of the output.</param>
    /// <param name="channels">1 or more.</param>
    public ChannelResampler(int sourceRate, int targetRate, int channels)
    {
        _channels = channels;
        SourceRate = sourceRate;
        _pairs = new Resampler[(channels + 1) / 2];
        for (int pair = 0; pair < _pairs.Length; pair++)
            _pairs[pair] = new Resampler(sourceRate, targetRate, WidthOf(pair), ResamplerFilter.Output, MaxTableBytes);
    }

    /// <summary>Frames per second of the input.</summary>
    public int SourceRate { get; }

    /// <summary>As <see cref="Resampler.IsAtEnd"/>.</summary>
    public bool IsAtEnd => _pairs[0].IsAtEnd;

    /// <summary>As <see cref="Resampler.Complete"/>.</summary>
    public void Complete()
    {
        foreach (Resampler pair in _pairs)
            pair.Complete();
    }

    /// <summary>Takes frames, as many as there is room for.</summary>
    /// <returns>The number of frames taken; 0 only when output is waiting to be read.</returns>
    public int Write(ReadOnlySpan<float> interleaved)
    {
        int frames = Math.Min(interleaved.Length / _channels, BlockFrames);
        int taken = 0;
        for (int pair = 0; pair < _pairs.Length; pair++)
        {
            int width = WidthOf(pair);
            for (int i = 0; i < frames; i++)
                interleaved.Slice((i * _channels) + (2 * pair), width).CopyTo(_pair.AsSpan(i * width));
            // All of them are at the same place, so all take the same number.
            taken = _pairs[pair].Write(_pair.AsSpan(0, frames * width), width);
        }

        return taken;
    }

    /// <summary>Reads the frames that can be computed so far.</summary>
    /// <returns>The number of frames read; 0 when more input is needed, or at the end.</returns>
    public int Read(Span<float> interleaved)
    {
        int wanted = Math.Min(interleaved.Length / _channels, BlockFrames);
        int frames = 0;
        for (int pair = 0; pair < _pairs.Length; pair++)
        {
            frames = _pairs[pair].Read(_left.AsSpan(0, wanted), _right.AsSpan(0, wanted));
            for (int i = 0; i < frames; i++)
            {
                interleaved[(i * _channels) + (2 * pair)] = _left[i];
                interleaved[(i * _channels) + (2 * pair) + WidthOf(pair) - 1] = WidthOf(pair) == 1 ? _left[i] : _right[i];
            }
        }

        return frames;
    }

    private int WidthOf(int pair) => Math.Min(2, _channels - (2 * pair));
}
