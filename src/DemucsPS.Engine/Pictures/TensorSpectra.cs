using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Spectral;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Pictures;

/// <summary>The spectra of a chunk as they are in its spectrogram, edits included; frame size and hop are the model's.</summary>
internal sealed class TensorSpectra(ChunkSpectrogram spectrogram) : ISpectra
{
    private double Step => spectrogram.FrameStep;

    /// <inheritdoc/>
    public double Start => spectrogram.FrameTime(0).TotalSeconds - Step / 2;

    /// <inheritdoc/>
    public double Seconds => spectrogram.Frames * Step;

    /// <inheritdoc/>
    public double Nyquist => DemucsAudio.SampleRate / 2.0;

    /// <inheritdoc/>
    public IReadOnlyList<string> Warnings => [];

    /// <inheritdoc/>
    public void Open(CancellationToken cancellationToken) { }

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
        PictureColumns columns = new(rows, count, start, seconds, options.PixelPower, SegmentSpectrogram.Bins, spectrogram.BinWidth);
        ReadOnlySpan<float> tensor = spectrogram.RawTensor().Span;
        int frames = spectrogram.Frames,
            plane = SegmentSpectrogram.Bins * frames;
        double scale = spectrogram.Chunk.Track.Normalization.Scale / ChunkSpectrogram.FullScale;
        float factor = (float)(scale * scale / 2);
        float[] powers = new float[SegmentSpectrogram.Bins];
        for (int frame = 0; frame < frames; frame++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            for (int bin = 0; bin < powers.Length; bin++)
            {
                float sum = 0;
                for (int at = bin * frames + frame; at < tensor.Length; at += plane)
                    sum += tensor[at] * tensor[at];
                powers[bin] = sum * factor;
            }
            columns.Add(spectrogram.FrameTime(frame).TotalSeconds, Step, powers, 1);
        }
        columns.Complete();
        return columns.Levels;
    }
}
