using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// The spectrogram of a chunk as an htdemucs model takes it: of the whole segment around the chunk, normalized by the track's mean and
/// deviation. 4096-point frames every 1024 samples under a periodic Hann window; see <see cref="SegmentSpectrogram"/>. Immutable: edits
/// give a new object. Memory: 11 MB for htdemucs.
/// </summary>
/// <remarks>
/// Levels in dB are those of the track, not of the normalized segment: a sine at full scale in the middle of a bin reads 0 dB in it. (The
/// normalization takes the mean away, which shows in the lowest two bins only.) Frame t is centered on sample 1024·t + 512 of the segment.
/// </remarks>
public sealed class ChunkSpectrogram
{
    // The level of silence, so that no minus infinity gets into tables.
    private const double FloorDb = -200;

    // A sine of amplitude A in the middle of a bin gives |X| = A/2 · Σ window / √4096 = A/2 · 2048 / 64.
    internal const double FullScale = 16;

    private readonly float[] _original;
    private readonly float[] _tensor;

    private ChunkSpectrogram(AudioChunk chunk, float[] original, float[] tensor)
    {
        Chunk = chunk;
        _original = original;
        _tensor = tensor;
    }

    /// <summary>The chunk.</summary>
    public AudioChunk Chunk { get; }

    /// <summary>Frequency bins: 2,048. Bin k is centered on k·<see cref="BinWidth"/>.</summary>
    public int Bins { get; } = SegmentSpectrogram.Bins;

    /// <summary>Spectrogram frames: ⌈segment/1024⌉; 336 for htdemucs.</summary>
    public int Frames => SegmentSpectrogram.FrameCount(Chunk.SegmentFrames);

    /// <summary>From one bin to the next in Hz: 10.77.</summary>
    public double BinWidth { get; } = (double)DemucsAudio.SampleRate / SegmentSpectrogram.FrameSize;

    /// <summary>From one frame to the next in seconds: 0.0232.</summary>
    public double FrameStep { get; } = (double)SegmentSpectrogram.Hop / DemucsAudio.SampleRate;

    /// <summary>Whether this is an edited copy.</summary>
    public bool IsEdited => _original != _tensor;

    /// <summary>Computes the spectrogram of a chunk.</summary>
    public static ChunkSpectrogram Compute(AudioChunk chunk)
    {
        SegmentSpectrogram transform = new(chunk.SegmentFrames);
        float[] left = new float[chunk.SegmentFrames],
            right = new float[chunk.SegmentFrames],
            tensor = new float[transform.TensorLength];
        chunk.CopySegment(chunk.Track.Normalization, left, right);
        transform.Forward(left, right, tensor);
        return new ChunkSpectrogram(chunk, tensor, tensor);
    }

    /// <summary>The samples whose spectrogram this is.</summary>
    public SegmentSamples ToSamples()
    {
        float[] left = new float[Chunk.SegmentFrames],
            right = new float[Chunk.SegmentFrames];
        new SegmentSpectrogram(Chunk.SegmentFrames).AddInverse(_tensor, left, right);
        return new SegmentSamples(Chunk, Own(left), Own(right));

        float[] Own(float[] samples)
        {
            float[] own = new float[Chunk.Length];
            Chunk.Track.Normalization.AddUndone(samples.AsSpan(Chunk.Span.Trim, Chunk.Length), own);
            return own;
        }
    }

    /// <summary>The level of one bin in one frame in dB; 0 is a sine at full scale, silence is −200.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="bin">0 … <see cref="Bins"/> − 1.</param>
    /// <param name="frame">0 … <see cref="Frames"/> − 1.</param>
    public double MagnitudeDb(int channel, int bin, int frame)
    {
        Check(channel, 2, nameof(channel));
        Check(bin, Bins, nameof(bin));
        Check(frame, Frames, nameof(frame));
        int at = (2 * channel * Bins + bin) * Frames + frame;
        double magnitude = double.Hypot(_tensor[at], _tensor[at + Bins * Frames]) * Chunk.Track.Normalization.Scale / FullScale;
        return Math.Max(20 * Math.Log10(magnitude), FloorDb);
    }

    /// <summary>The levels of all bins in one frame in dB, from the lowest.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="frame">0 … <see cref="Frames"/> − 1.</param>
    public double[] GetFrame(int channel, int frame) => [.. Enumerable.Range(0, Bins).Select(bin => MagnitudeDb(channel, bin, frame))];

    /// <summary>The levels of one bin in all frames in dB, from the first.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="bin">0 … <see cref="Bins"/> − 1.</param>
    public double[] GetBin(int channel, int bin) => [.. Enumerable.Range(0, Frames).Select(frame => MagnitudeDb(channel, bin, frame))];

    /// <summary>The bin that a frequency falls into.</summary>
    /// <param name="frequency">Hz; limited to the bins there are.</param>
    public int BinOf(double frequency) => (int)Math.Clamp(Math.Round(frequency / BinWidth), 0, Bins - 1);

    /// <summary>Where the middle of a frame lies in the track; before its start, or after its end, where the segment goes beyond.</summary>
    /// <param name="frame">0 … <see cref="Frames"/> − 1.</param>
    public TimeSpan FrameTime(int frame) =>
        TimeSpan.FromSeconds(
            (Chunk.Span.InputStart + (double)SegmentSpectrogram.Hop * frame + SegmentSpectrogram.Hop / 2) / DemucsAudio.SampleRate
        );

    /// <summary>
    /// The tensor as the model takes it, [left real, left imaginary, right real, right imaginary][<see cref="Bins"/>][<see cref="Frames"/>]
    /// in C order, normalized. Not copied; do not write to it.
    /// </summary>
    public ReadOnlyMemory<float> RawTensor() => _tensor;

    /// <summary>
    /// A copy in which a band is louder or softer: every bin whose center is in the band, ends included, is multiplied by 10^(dB/20) in all
    /// frames of both channels. The band has hard edges (no ramp), so a strong change rings for up to a frame's length, 93 ms.
    /// </summary>
    /// <param name="fromHz">Lower end of the band in Hz.</param>
    /// <param name="toHz">Upper end in Hz, not below the lower one.</param>
    /// <param name="decibels">Change; minus infinity removes the band. Up to 100.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the band is upside down, or the change is not a number
    /// or too large.</exception>
    public ChunkSpectrogram WithGain(double fromHz, double toHz, double decibels)
    {
        if (!(fromHz <= toHz) || !(decibels <= 100))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                FormattableString.Invariant(
                    $"A gain of {decibels} dB from {fromHz} to {toHz} Hz cannot be applied: the band must go from low to high, and the gain must be at most 100 dB."
                )
            );
        float factor = (float)Math.Pow(10, decibels / 20);
        float[] tensor = [.. _tensor];
        int first = (int)Math.Clamp(Math.Ceiling(fromHz / BinWidth), 0, Bins),
            end = (int)Math.Clamp(Math.Floor(toHz / BinWidth) + 1, first, Bins);
        for (int plane = 0; plane < SegmentSpectrogram.Planes; plane++)
        {
            foreach (ref float value in tensor.AsSpan((plane * Bins + first) * Frames, (end - first) * Frames))
                value *= factor;
        }
        return new ChunkSpectrogram(Chunk, _original, tensor);
    }

    /// <summary>A copy with another tensor, for edits of any other kind.</summary>
    /// <param name="tensor">Shape and scale as of <see cref="RawTensor"/>; it is copied.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: another number of values, or values that are not
    /// finite.</exception>
    public ChunkSpectrogram WithTensor(ReadOnlyMemory<float> tensor)
    {
        if (tensor.Length != _tensor.Length)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The tensor has {tensor.Length} values, but 4 x {Bins} x {Frames} = {_tensor.Length} are needed."
            );
        foreach (float value in tensor.Span)
        {
            if (!float.IsFinite(value))
                throw new DemucsException(DemucsError.ParameterInvalid, "The tensor has values that are not finite.");
        }
        return new ChunkSpectrogram(Chunk, _original, tensor.ToArray());
    }

    /// <summary>What edits have changed, in the scale of the segment that a model takes; empty for an unedited spectrogram.</summary>
    /// <param name="normalized">Whether that segment is normalized.</param>
    internal float[] Change(bool normalized)
    {
        if (!IsEdited)
            return [];
        float scale = normalized ? 1 : Chunk.Track.Normalization.Scale;
        float[] change = new float[_tensor.Length];
        for (int i = 0; i < change.Length; i++)
            change[i] = (_tensor[i] - _original[i]) * scale;
        return change;
    }

    private static void Check(int value, int count, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(value, name);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(value, count, name);
    }
}
