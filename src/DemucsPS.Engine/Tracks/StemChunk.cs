using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;

namespace DemucsPS.Engine.Tracks;

/// <summary>One stem of one chunk: what a model made of it. Immutable. Memory: 16 bytes a frame, 5.5 MB for htdemucs.</summary>
/// <remarks>
/// The samples are kept as the model gives them, normalized, because that is how they are joined; methods give them in the track's level.
/// </remarks>
public sealed class StemChunk
{
    private readonly float[][] _samples;
    private readonly float[][]? _time;

    /// <param name="chunk">The chunk.</param>
    /// <param name="stemName">The stem.</param>
    /// <param name="run">The run that made it.</param>
    /// <param name="normalization">Undone to get the track's level.</param>
    /// <param name="samples">Per channel the chunk's own frames; kept.</param>
    /// <param name="time">What the time branch has in them; kept. Null if the model does not show it.</param>
    internal StemChunk(
        AudioChunk chunk,
        string stemName,
        StemChunkRun run,
        MixNormalization normalization,
        float[][] samples,
        float[][]? time
    )
    {
        Chunk = chunk;
        StemName = stemName;
        Run = run;
        Normalization = normalization;
        _samples = samples;
        _time = time;
        (Peak, Rms) = Measure();
    }

    /// <summary>Such as <c>vocals</c>.</summary>
    public string StemName { get; }

    /// <summary>The chunk.</summary>
    public AudioChunk Chunk { get; }

    /// <summary>The model's name; several, joined by +, for a bag.</summary>
    public string ModelName => Run.ModelName;

    /// <summary>False if the built-in baseline took part, which is not Demucs.</summary>
    public bool IsDemucs => Run.IsDemucs;

    /// <summary>What ran the model.</summary>
    public ExecutionProvider ExecutionProvider => Run.ExecutionProvider;

    /// <summary>The precision in which the model was computed.</summary>
    public ModelPrecision Precision => Run.Precision;

    /// <summary>Greatest absolute sample of both channels; 1 is full scale.</summary>
    public float Peak { get; }

    /// <summary>Root of the mean square over both channels; 1 is full scale.</summary>
    public double Rms { get; }

    /// <summary>Time the chunk took, for all its stems together.</summary>
    public TimeSpan Elapsed => Run.Elapsed;

    /// <summary>Which attempt succeeded, from 1.</summary>
    public int Attempt => Run.Attempt;

    internal StemChunkRun Run { get; }

    internal MixNormalization Normalization { get; }

    /// <summary>The samples of a channel, in the track's level. Computed again at every call; keep what you got.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    public ReadOnlyMemory<float> Samples(int channel) => Array.ConvertAll(_samples[channel], Normalization.Undo);

    /// <summary>One sample, in the track's level.</summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <param name="frame">0 … the chunk's length − 1.</param>
    public float GetSample(int channel, int frame) => Normalization.Undo(_samples[channel][frame]);

    /// <summary>
    /// What the model's time branch (the part that works on the waveform) has in the samples, in the track's level, with the track's mean:
    /// the mean counts as the time branch's, so that both branches sum to the samples, up to rounding.
    /// </summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the model, or one of the bag, gives whole stems
    /// only.</exception>
    public ReadOnlyMemory<float> TimeBranch(int channel) => Array.ConvertAll((_time ?? throw NoBranches())[channel], Normalization.Undo);

    /// <summary>
    /// What the model's frequency branch (the part that works on the spectrogram) has in the samples, in the track's level, without the
    /// track's mean.
    /// </summary>
    /// <param name="channel">0 left, 1 right.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the model, or one of the bag, gives whole stems
    /// only.</exception>
    public ReadOnlyMemory<float> FrequencyBranch(int channel)
    {
        float[] samples = _samples[channel],
            time = (_time ?? throw NoBranches())[channel],
            frequency = new float[samples.Length];
        for (int i = 0; i < frequency.Length; i++)
            frequency[i] = (samples[i] - time[i]) * Normalization.Scale;
        return frequency;
    }

    /// <summary>A copy with other samples, for repairs by hand. Where branches are shown, the time branch is all of them.</summary>
    /// <param name="left">Left channel in the track's level, as long as the chunk; copied.</param>
    /// <param name="right">Right channel, as long.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: another length, or samples that are not finite
    /// numbers.</exception>
    public StemChunk WithSamples(ReadOnlyMemory<float> left, ReadOnlyMemory<float> right)
    {
        float[][] samples = [left.ToArray(), right.ToArray()];
        if (samples.Any(channel => channel.Length != Chunk.Length || !Array.TrueForAll(channel, float.IsFinite)))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The channels have {left.Length} and {right.Length} samples; each needs {Chunk.Length} finite numbers."
            );
        return new StemChunk(Chunk, StemName, Run, MixNormalization.None, samples, _time is null ? null : samples);
    }

    /// <summary>For people: <c>vocals of chunk 3 (of 0 to 11) of song.wav</c>.</summary>
    public override string ToString() => $"{StemName} of {Chunk}";

    /// <summary>
    /// The samples of a channel in the scale of some normalization: as they are if it is this chunk's own, converted otherwise.
    /// </summary>
    internal ReadOnlySpan<float> SamplesIn(MixNormalization normalization, int channel)
    {
        if (normalization == Normalization)
            return _samples[channel];
        float[] samples = Array.ConvertAll(_samples[channel], Normalization.Undo);
        normalization.Apply(samples);
        return samples;
    }

    private DemucsException NoBranches() =>
        new(
            DemucsError.ParameterInvalid,
            $"{this} has no separate branches: '{ModelName}' only gives whole stems. Use a model that gives spectrograms as well as waveforms."
        );

    private (float Peak, double Rms) Measure()
    {
        float peak = 0;
        double squares = 0;
        foreach (float[] channel in _samples)
        {
            foreach (float normalized in channel)
            {
                float sample = Normalization.Undo(normalized);
                peak = Math.Max(peak, Math.Abs(sample));
                squares += (double)sample * sample;
            }
        }
        return (peak, Math.Sqrt(squares / (2.0 * _samples[0].Length)));
    }
}
