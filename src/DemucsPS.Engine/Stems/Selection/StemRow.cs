namespace DemucsPS.Engine.Stems.Selection;

/// <summary>One output of a separation: a weighted sum of the mix and of the model's stems.</summary>
/// <param name="Name">Such as <c>vocals</c>, <c>no_vocals</c>, <c>residual</c>.</param>
/// <param name="Mix">Weight of the mix.</param>
/// <param name="Stems">Numbers of the model's stems and their weights, in the order of summing; stems of weight 0 are left out.</param>
internal sealed record StemRow(string Name, float Mix, IReadOnlyList<(int Stem, float Weight)> Stems)
{
    /// <summary>
    /// Adds to a block: the mix first, then stem by stem. The one place with this arithmetic, so that all routes give the same bits.
    /// </summary>
    /// <param name="samples">Samples in the track's level.</param>
    /// <param name="weight">Their weight.</param>
    /// <param name="target">Where to; the first sample goes to its start.</param>
    /// <param name="step">From one sample's place to the next: 1 planar, 2 interleaved.</param>
    public static void Add(ReadOnlySpan<float> samples, float weight, Span<float> target, int step)
    {
        for (int i = 0; i < samples.Length; i++)
            target[i * step] += weight * samples[i];
    }
}
