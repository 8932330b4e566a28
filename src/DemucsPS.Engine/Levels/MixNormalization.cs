namespace DemucsPS.Engine.Levels;

/// <summary>
/// How a mix is brought to mean 0 and deviation 1 over its whole track and the stems back: x' = (x − μ)/(σ + 1e-8), y = y'·(σ + 1e-8) + μ,
/// in float32 as in <c>demucs.separate</c>. The one place with this arithmetic, so that all routes give the same bits.
/// </summary>
/// <param name="Mean">μ.</param>
/// <param name="Scale">σ + 1e-8.</param>
internal readonly record struct MixNormalization(float Mean, float Scale)
{
    /// <summary>For models that take the unchanged mix.</summary>
    public static MixNormalization None => new(0, 1);

    /// <summary>The normalization of a track.</summary>
    /// <param name="mean">Mean over the track of (left + right)/2.</param>
    /// <param name="deviation">Its deviation.</param>
    public static MixNormalization Create(double mean, double deviation) => new((float)mean, (float)(deviation + 1e-8));

    /// <summary>Normalizes samples where they are.</summary>
    public void Apply(Span<float> samples)
    {
        for (int i = 0; i < samples.Length; i++)
            samples[i] = (samples[i] - Mean) / Scale;
    }

    /// <summary>One sample back in the level of the track.</summary>
    public float Undo(float sample) => sample * Scale + Mean;

    /// <summary>Adds samples, back in the level of the track and weighted, to every n-th sample of a target.</summary>
    /// <param name="samples">Normalized samples.</param>
    /// <param name="target">Where to; the first sample goes to its start.</param>
    /// <param name="step">From one sample's place to the next: 1 planar, 2 interleaved.</param>
    /// <param name="weight">Their weight.</param>
    public void AddUndone(ReadOnlySpan<float> samples, Span<float> target, int step = 1, float weight = 1)
    {
        for (int i = 0; i < samples.Length; i++)
            target[i * step] += weight * Undo(samples[i]);
    }
}
