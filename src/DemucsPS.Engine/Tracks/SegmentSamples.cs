using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// The samples that a spectrogram gives back, in the track's level: those of its chunk, without what precedes and follows it in the
/// segment. Immutable.
/// </summary>
/// <remarks>
/// The official spectrogram lacks the outermost frames, so the first 1,536 samples of a segment and those after 1024·T − 1,536 (for
/// htdemucs the last 1,452) come back attenuated; a round trip is exact from <see cref="ExactFrom"/> to <see cref="ExactEnd"/>, up to
/// rounding and to the Nyquist bin (what lies within 20 Hz of 22,050 Hz), which the spectrogram leaves out.
/// </remarks>
public sealed class SegmentSamples
{
    private readonly float[][] _channels;

    internal SegmentSamples(AudioChunk chunk, float[] left, float[] right)
    {
        Chunk = chunk;
        _channels = [left, right];
    }

    /// <summary>The chunk.</summary>
    public AudioChunk Chunk { get; }

    /// <summary>Length in frames: the chunk's.</summary>
    public int Frames => _channels[0].Length;

    /// <summary>Length.</summary>
    public TimeSpan Duration => Chunk.Duration;

    /// <summary>First frame that a round trip gives back whole.</summary>
    public int ExactFrom => Math.Clamp(SegmentSpectrogram.EdgeFrames - Chunk.Span.Trim, 0, Frames);

    /// <summary>First frame after <see cref="ExactFrom"/> that a round trip does not give back whole, or <see cref="Frames"/>.</summary>
    public int ExactEnd =>
        Math.Clamp(
            SegmentSpectrogram.FrameCount(Chunk.SegmentFrames) * SegmentSpectrogram.Hop - SegmentSpectrogram.EdgeFrames - Chunk.Span.Trim,
            ExactFrom,
            Frames
        );

    /// <summary>
    /// How far the samples are from the chunk's own where a round trip is exact: greatest absolute difference over both channels in dB of
    /// full scale. About −100 for an unedited spectrogram of music that ends below 22 kHz, about −65 where there is noise up to 22,050 Hz;
    /// −200 for no difference.
    /// </summary>
    public double DifferenceDb
    {
        get
        {
            float greatest = 0;
            for (int channel = 0; channel < 2; channel++)
            {
                ReadOnlySpan<float> own = Chunk.Samples(channel).Span;
                for (int i = ExactFrom; i < ExactEnd; i++)
                    greatest = Math.Max(greatest, Math.Abs(_channels[channel][i] - own[i]));
            }
            return Math.Max(-200, 20 * Math.Log10(greatest));
        }
    }

    /// <summary>The samples of a channel. Not copied; do not write to them.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    public ReadOnlyMemory<float> Samples(int channel) => _channels[channel];

    /// <summary>One sample.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="frame">0 … <see cref="Frames"/> − 1.</param>
    public float GetSample(int channel, int frame) => _channels[channel][frame];
}
