using System.Numerics;

namespace DemucsPS.Engine.Chunking;

/// <summary>
/// Joins the chunks of several signals (stems × channels) of one track by weighted overlap-add: out[o + i] += w[i]·y[i], sum[o + i] +=
/// w[i], out /= sum. Chunks come in the order of their offsets, so the result does not depend on how many ran at once, and every frame
/// before the next chunk's offset is final and can be taken. Memory: one segment a signal.
/// </summary>
/// <remarks>Not thread-safe. No call allocates.</remarks>
internal sealed class OverlapAdder
{
    private readonly float[] _weights;
    private readonly float[][] _sums;
    private readonly float[] _weightSum;
    private long _start;

    /// <param name="signals">Number of signals.</param>
    /// <param name="weights">The weights of a segment's frames; see <see cref="TransitionWeights"/>.</param>
    /// <param name="start">The first frame; negative where a shifted view starts before the track.</param>
    public OverlapAdder(int signals, float[] weights, long start = 0)
    {
        _start = start;
        _weights = weights;
        _weightSum = new float[weights.Length];
        _sums = new float[signals][];
        for (int i = 0; i < signals; i++)
            _sums[i] = new float[weights.Length];
    }

    /// <summary>First frame that has not been taken.</summary>
    public long Start => _start;

    /// <summary>Adds the weights of a chunk; once a chunk, before <see cref="AddSignal"/> for each signal.</summary>
    /// <param name="offset">The chunk's first frame, at or after <see cref="Start"/> and within one segment of it.</param>
    /// <param name="length">Its frames.</param>
    public void AddWeights(long offset, int length)
    {
        int at = Position(offset, length);
        Span<float> sum = _weightSum.AsSpan(at, length);
        for (int i = 0; i < length; i++)
            sum[i] += _weights[i];
    }

    /// <summary>Adds one signal of a chunk.</summary>
    /// <param name="signal">The signal's number.</param>
    /// <param name="offset">The chunk's first frame.</param>
    /// <param name="samples">The chunk's samples.</param>
    public void AddSignal(int signal, long offset, ReadOnlySpan<float> samples)
    {
        int at = Position(offset, samples.Length);
        Span<float> target = _sums[signal].AsSpan(at, samples.Length);
        ReadOnlySpan<float> weights = _weights.AsSpan(0, samples.Length);
        int i = 0;
        for (; i <= samples.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(target[i..]) + new Vector<float>(weights[i..]) * new Vector<float>(samples[i..])).CopyTo(target[i..]);
        for (; i < samples.Length; i++)
            target[i] += weights[i] * samples[i];
    }

    /// <summary>
    /// Copies final frames of one signal, divided by the sum of their weights. Nothing is dropped; see <see cref="Advance"/>.
    /// </summary>
    /// <param name="signal">The signal's number.</param>
    /// <param name="first">The first frame wanted, at or after <see cref="Start"/>.</param>
    /// <param name="output">Receives the frames; all of them must be covered by a chunk.</param>
    public void Read(int signal, long first, Span<float> output)
    {
        int at = Position(first, output.Length);
        ReadOnlySpan<float> sums = _sums[signal].AsSpan(at, output.Length),
            weights = _weightSum.AsSpan(at, output.Length);
        int i = 0;
        for (; i <= output.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(sums[i..]) / new Vector<float>(weights[i..])).CopyTo(output[i..]);
        for (; i < output.Length; i++)
            output[i] = sums[i] / weights[i];
    }

    /// <summary>Drops the frames that have been taken.</summary>
    /// <param name="frames">How many; more than a segment where chunks are missing.</param>
    public void Advance(long frames)
    {
        int shift = (int)Math.Min(frames, _weights.Length);
        foreach (float[] sums in _sums)
            Shift(sums, shift);
        Shift(_weightSum, shift);
        _start += frames;
    }

    private int Position(long offset, int length)
    {
        long at = offset - _start;
        if (at < 0 || at + length > _weights.Length)
            throw new ArgumentOutOfRangeException(
                nameof(offset),
                offset,
                $"Chunks must come in order: the window starts at frame {_start}."
            );
        return (int)at;
    }

    private static void Shift(float[] values, int frames)
    {
        values.AsSpan(frames).CopyTo(values);
        Array.Clear(values, values.Length - frames, frames);
    }
}
