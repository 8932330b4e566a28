using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Passes a track on and remembers its frames until the stems have come as far: outputs such as mix − X need both. Memory: as many frames
/// as the separation reads ahead, some segments.
/// </summary>
/// <param name="source">The track, at its start.</param>
/// <param name="firstFrame">The first frame to remember; those before it, which a resumed separation has written already, are passed on
/// only.</param>
internal sealed class RecordedMix(IStereoSource source, long firstFrame = 0) : IStereoSource
{
    private readonly float[][] _channels = [new float[1 << 16], new float[1 << 16]];
    private long _start = firstFrame;
    private long _skip = firstFrame;
    private int _count;

    /// <inheritdoc/>
    public int Read(Span<float> left, Span<float> right)
    {
        int read = source.Read(left, right);
        int skipped = (int)Math.Min(_skip, read);
        _skip -= skipped;
        Append(0, left[skipped..read]);
        Append(1, right[skipped..read]);
        _count += read - skipped;
        return read;
    }

    /// <summary>Frames of a channel that were read and not forgotten.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="first">The first frame.</param>
    /// <param name="count">How many.</param>
    public ReadOnlySpan<float> Frames(int channel, long first, int count) =>
        _channels[channel].AsSpan(0, _count).Slice((int)(first - _start), count);

    /// <summary>Forgets what lies before a frame.</summary>
    public void Forget(long before)
    {
        int drop = (int)Math.Clamp(before - _start, 0, _count);
        foreach (float[] channel in _channels)
            channel.AsSpan(drop, _count - drop).CopyTo(channel);
        _start += drop;
        _count -= drop;
    }

    private void Append(int channel, ReadOnlySpan<float> samples)
    {
        if (_count + samples.Length > _channels[channel].Length)
            Array.Resize(ref _channels[channel], Math.Max(_count + samples.Length, 2 * _channels[channel].Length));
        samples.CopyTo(_channels[channel].AsSpan(_count));
    }
}
