namespace DemucsPS.Engine.Audio.Resampling;

/// <summary>
/// Changes the rate of a stream with the windowed sinc of <see cref="ResamplerKernel"/>. The first and the last frame are
/// repeated beyond the edges, as in julius; n frames become ⌊n·target/source⌋.
/// </summary>
/// <remarks>
/// Write frames, read what has become available, and so on; after the last frame <see cref="Complete"/>, then read the rest.
/// Every output frame is the same sum of the same products however the calls are cut, so its bits are the same, too. Memory
/// is the kernel's rows (see there) and one filter length plus 4,096 frames a channel.
/// </remarks>
internal sealed class Resampler
{
    private const int BlockFrames = 4096;
    private readonly ResamplerKernel _kernel;
    private readonly float[][] _input;

    // Absolute input index of the first buffered frame, and how many are buffered.
    private long _inputStart;
    private int _inputCount;
    private long _written;

    // The next output frame is _block·New + _phase.
    private long _block;
    private int _phase;
    private bool _completed;
    private long _outputTotal = long.MaxValue;

    /// <param name="sourceRate">Frames per second of the input.</param>
    /// <param name="targetRate">Frames per second of the output.</param>
    /// <param name="channels">1 or 2.</param>
    /// <param name="filter">How sharp; null for <see cref="ResamplerFilter.Demucs"/>.</param>
    /// <param name="maxTableBytes">The maximum memory for filter rows; another value only in tests.</param>
    public Resampler(
        int sourceRate,
        int targetRate,
        int channels,
        ResamplerFilter? filter = null,
        int maxTableBytes = ResamplerKernel.MaxTableBytes
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(sourceRate, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(targetRate, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, 2);
        _kernel = new ResamplerKernel(sourceRate, targetRate, filter ?? ResamplerFilter.Demucs, maxTableBytes);
        _input = new float[channels][];
        for (int channel = 0; channel < channels; channel++)
            _input[channel] = new float[_kernel.Width + _kernel.Taps + BlockFrames];
    }

    /// <summary>Frames after the change of rate.</summary>
    public static long OutputLength(long frames, int sourceRate, int targetRate)
    {
        // Whole seconds first, so that no count of frames overflows.
        (long seconds, long rest) = Math.DivRem(frames, sourceRate);
        return (seconds * targetRate) + (rest * targetRate / sourceRate);
    }

    /// <summary>Takes frames, as many as there is room for.</summary>
    /// <param name="interleaved">Whole frames.</param>
    /// <param name="stride">Channels in such a frame; the first ones are used.</param>
    /// <returns>The number of frames taken. It is 0 only when output is waiting to be read.</returns>
    public int Write(ReadOnlySpan<float> interleaved, int stride)
    {
        if (_completed)
            throw new InvalidOperationException("The stream is complete.");
        if (interleaved.IsEmpty)
            return 0;
        if (_written == 0)
            RepeatFirst(interleaved);
        Compact();

        int frames = Math.Min(interleaved.Length / stride, _input[0].Length - _inputCount);
        for (int channel = 0; channel < _input.Length; channel++)
        {
            Span<float> destination = _input[channel].AsSpan(_inputCount, frames);
            for (int i = 0; i < frames; i++)
                destination[i] = interleaved[(i * stride) + channel];
        }

        _inputCount += frames;
        _written += frames;
        return frames;
    }

    /// <summary>Says that no more frames come.</summary>
    /// <param name="outputFrames">Frames to give in all, with the last frame of the input going on as long as they need; null for
    /// ⌊n·target/source⌋.</param>
    public void Complete(long? outputFrames = null)
    {
        _completed = true;
        _outputTotal = _written == 0 ? 0 : outputFrames ?? OutputLength(_written, _kernel.Old, _kernel.New);
    }

    /// <summary>True when the stream is complete and all of it was read.</summary>
    public bool IsAtEnd => _completed && (_block * _kernel.New) + _phase >= _outputTotal;

    /// <summary>Reads the frames that can be computed so far.</summary>
    /// <param name="left">Receives the first channel.</param>
    /// <param name="right">As long; receives the second channel, or the first again.</param>
    /// <returns>The number of frames read; 0 when more input is needed, or at the end.</returns>
    public int Read(Span<float> left, Span<float> right)
    {
        int done = 0;
        while (done < left.Length && (_block * _kernel.New) + _phase < _outputTotal)
        {
            long start = (_block * _kernel.Old) + _kernel.First(_phase);
            if (start + _kernel.Taps > _inputStart + _inputCount)
            {
                if (!_completed)
                    break;
                RepeatLast();
                continue;
            }

            int offset = (int)(start - _inputStart);
            ReadOnlySpan<float> row = _kernel.Row(_phase);
            float value = ResamplerKernel.Dot(row, _input[0].AsSpan(offset, row.Length));
            left[done] = value;
            right[done] = _input.Length == 1 ? value : ResamplerKernel.Dot(row, _input[1].AsSpan(offset, row.Length));
            done++;
            if (++_phase == _kernel.New)
            {
                _phase = 0;
                _block++;
            }
        }

        return done;
    }

    private void RepeatFirst(ReadOnlySpan<float> interleaved)
    {
        for (int channel = 0; channel < _input.Length; channel++)
            _input[channel].AsSpan(0, _kernel.Width).Fill(interleaved[channel]);
        _inputStart = -_kernel.Width;
        _inputCount = _kernel.Width;
    }

    private void RepeatLast()
    {
        Compact();
        foreach (float[] channel in _input)
            channel.AsSpan(_inputCount).Fill(channel[_inputCount - 1]);
        _inputCount = _input[0].Length;
    }

    /// <summary>Drops the frames that no later output needs.</summary>
    private void Compact()
    {
        long needed = (_block * _kernel.Old) + _kernel.First(_phase);

        // One frame is always kept: the last one is what the end is continued with.
        int drop = (int)Math.Min(needed - _inputStart, _inputCount - 1);
        if (drop <= 0)
            return;
        foreach (float[] channel in _input)
            channel.AsSpan(drop, _inputCount - drop).CopyTo(channel);
        _inputStart += drop;
        _inputCount -= drop;
    }
}
