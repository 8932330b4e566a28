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
            half = size / 2;
        int hop = options.Hop ?? (int)Math.Clamp(seconds * Rate / count, Math.Max(1, size / 64), size / 4);
        PictureColumns columns = new(rows, count, start, seconds, options.PixelPower, half, (double)Rate / size);
        // Frames stand with their middle on every hop-th sample of the range; before and after the track it is silent.
        long first = Math.Max(0, (long)Math.Round((start - Start) * Rate)),
            end = Math.Min(Frames, (long)Math.Round((start + seconds - Start) * Rate));
        if (first >= end)
            return columns.Levels;
        long last = first + (end - 1 - first) / hop * hop,
            skipped = Math.Max(0, first - half),
            total = Math.Min(Frames, last + half);
        using IDisposable? opened = OpenAt(skipped, cancellationToken, out IStereoSource source);
        FramePowers powers = new(size);
        int block = (FramePowers.FramesAtOnce - 1) * hop + size;
        float[] left = new float[block],
            right = new float[block];
        // What is in the block: samples from at on, of which the first ones may lie before the track.
        long at = first - half,
            read = skipped;
        int filled = (int)(skipped - at);
        for (long middle = first; middle <= last;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            while (filled < block && read < total)
            {
                int got = source.Read(
                    left.AsSpan(filled, (int)Math.Min(block - filled, total - read)),
                    right.AsSpan(filled, (int)Math.Min(block - filled, total - read))
                );
                if (got == 0)
                {
                    EndedAt(read);
                    total = read;
                    last = Math.Min(last, first + Math.Max(0, read - 1 - first) / hop * hop);
                    break;
                }
                read += got;
                filled += got;
            }
            left.AsSpan(filled).Clear();
            right.AsSpan(filled).Clear();
            int frames = (int)Math.Min(FramePowers.FramesAtOnce, (last - middle) / hop + 1);
            if (frames < 1 || middle >= total)
                break;
            ReadOnlySpan<float> found = powers.Compute(left, right, hop, frames);
            for (int t = 0; t < frames; t++, middle += hop)
                columns.Add(Start + (double)middle / Rate, (double)hop / Rate, found[t..], FramePowers.FramesAtOnce);
            int used = Math.Min(filled, frames * hop);
            left.AsSpan(used, filled - used).CopyTo(left);
            right.AsSpan(used, filled - used).CopyTo(right);
            filled -= used;
            at += used;
            progress?.Report(
                new SeparationProgress(
                    SeparationStage.Measuring,
                    (long)((double)(read - skipped) / Rate * DemucsAudio.SampleRate),
                    (long)((double)(total - skipped) / Rate * DemucsAudio.SampleRate),
                    null
                )
            );
        }
        columns.Complete();
        return columns.Levels;
    }

    /// <summary>Opens the samples at a frame.</summary>
    /// <returns>What is to be disposed, if anything.</returns>
    protected abstract IDisposable? OpenAt(long frame, CancellationToken cancellationToken, out IStereoSource source);

    /// <summary>There are fewer frames than was said.</summary>
    protected virtual void EndedAt(long frames) { }
}
