using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Pictures;

/// <summary>The spectra of samples, which are read once, forwards, and never held: memory does not depend on their length.</summary>
internal abstract class SampledSpectra : ISpectra
{
    /// <inheritdoc/>
    public virtual double Start => 0;

    /// <inheritdoc/>
    public double Seconds => (double)Frames / Rate;

    /// <inheritdoc/>
    public double Nyquist => Rate / 2.0;

    /// <inheritdoc/>
    public virtual IReadOnlyList<string> Warnings => [];

    /// <summary>Frames per second.</summary>
    protected abstract int Rate { get; }

    /// <summary>Length in frames.</summary>
    protected abstract long Frames { get; }

    /// <inheritdoc/>
    public virtual void Open(CancellationToken cancellationToken) { }

    /// <inheritdoc/>
    public float[] Read(
        double start,
        double seconds,
        int count,
        FrequencyRows rows,
        SpectrogramOptions options,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        int size = options.FrameSize,
            half = size / 2,
            hop = options.Hop ?? (int)Math.Clamp(seconds * Rate / count, Math.Max(1, size / 64), size / 4);
        PictureColumns columns = new(rows, count, start, seconds, options.PixelPower, half, (double)Rate / size);
        // Frames stand with their middle on every hop-th sample of the range; before and after the track it is silent.
        long first = Math.Max(0, (long)Math.Round((start - Start) * Rate)),
            end = Math.Min(Frames, (long)Math.Round((start + seconds - Start) * Rate));
        if (first >= end)
            return columns.Levels;
        long last = first + (end - 1 - first) / hop * hop,
            skipped = Math.Max(0, first - half);
        using IDisposable? opened = OpenAt(skipped, cancellationToken, out IStereoSource source);
        FramePowers powers = new(size);
        SampleBlock block = new(source, (FramePowers.FramesAtOnce - 1) * hop + size, first - half, Math.Min(Frames, last + half));
        for (long middle = first; middle <= last;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!block.TryFill())
            {
                EndedAt(block.Position);
                last = Math.Min(last, first + Math.Max(0, block.Position - 1 - first) / hop * hop);
            }
            int frames = (int)Math.Min(FramePowers.FramesAtOnce, (last - middle) / hop + 1);
            if (frames < 1 || middle >= block.End)
                break;
            ReadOnlySpan<float> found = powers.Compute(block.Left, block.Right, hop, frames);
            for (int t = 0; t < frames; t++, middle += hop)
                columns.Add(Start + (double)middle / Rate, (double)hop / Rate, found[t..], FramePowers.FramesAtOnce);
            block.MoveOn(frames * hop);
            progress?.Report(
                new SeparationProgress(SeparationStage.Measuring, Measured(block.Position - skipped), Measured(block.End - skipped), null)
            );
        }
        columns.Complete();
        return columns.Levels;

        long Measured(long frames) => (long)((double)frames / Rate * DemucsAudio.SampleRate);
    }

    /// <summary>Opens the samples at a frame.</summary>
    /// <returns>What is to be disposed, if anything.</returns>
    protected abstract IDisposable? OpenAt(long frame, CancellationToken cancellationToken, out IStereoSource source);

    /// <summary>There are fewer frames than was said.</summary>
    protected virtual void EndedAt(long frames) { }

    /// <summary>A block that moves over samples up to an end. It may begin before the track; there and past its end it is silent.</summary>
    private sealed class SampleBlock(IStereoSource source, int length, long start, long end)
    {
        private int _filled = (int)(Math.Max(0, start) - start);

        public float[] Left { get; } = new float[length];

        public float[] Right { get; } = new float[length];

        /// <summary>The sample that the source gives next.</summary>
        public long Position { get; private set; } = Math.Max(0, start);

        public long End { get; private set; } = end;

        /// <summary>Reads what is missing. False when the source ends too early: then that is the end.</summary>
        public bool TryFill()
        {
            bool isWhole = true;
            while (_filled < length && Position < End)
            {
                int wanted = (int)Math.Min(length - _filled, End - Position),
                    got = source.Read(Left.AsSpan(_filled, wanted), Right.AsSpan(_filled, wanted));
                if (got == 0)
                {
                    isWhole = false;
                    End = Position;
                }
                Position += got;
                _filled += got;
            }
            Left.AsSpan(_filled).Clear();
            Right.AsSpan(_filled).Clear();
            return isWhole;
        }

        public void MoveOn(int samples)
        {
            int used = Math.Min(_filled, samples);
            Left.AsSpan(used, _filled - used).CopyTo(Left);
            Right.AsSpan(used, _filled - used).CopyTo(Right);
            _filled -= used;
        }
    }
}
