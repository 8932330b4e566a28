namespace DemucsPS.Engine.Chunking;

/// <summary>
/// The weight of each frame of a chunk where chunks overlap: a triangle [1 … L/2, L − L/2 … 1] scaled to a maximum of 1, to the power of
/// <c>transition_power</c>. For overlaps below one half this gives linear crossfades (power 1). Source: <c>apply_model</c> of
/// facebookresearch/demucs.
/// </summary>
internal static class TransitionWeights
{
    /// <summary>
    /// The greatest power: with it the least weight of the longest segment is still a number, and not 0, by which a track's first frame
    /// would be divided.
    /// </summary>
    public const double MaxPower = 4;

    /// <summary>Computes the weights of a segment; a shorter chunk uses the first ones.</summary>
    /// <param name="segmentFrames">Length of a segment in frames.</param>
    /// <param name="transitionPower">1, as in the official tool, to <see cref="MaxPower"/>; higher is a steeper transition.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the power is out of range.</exception>
    public static float[] Create(int segmentFrames, double transitionPower = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(segmentFrames, 2);
        CheckPower(transitionPower);
        float[] weights = new float[segmentFrames];
        int rising = segmentFrames / 2;
        float peak = segmentFrames - rising;
        for (int i = 0; i < segmentFrames; i++)
        {
            float height = (i < rising ? i + 1 : segmentFrames - i) / peak;
            weights[i] = transitionPower == 1 ? height : (float)Math.Pow(height, transitionPower);
        }
        return weights;
    }

    /// <summary>Refuses a power that is not in [1, <see cref="MaxPower"/>].</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    public static void CheckPower(double transitionPower)
    {
        if (!(transitionPower >= 1 && transitionPower <= MaxPower))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                FormattableString.Invariant($"The transition power is {transitionPower}; it must be from 1 to {MaxPower}.")
            )
            {
                Parameter = EngineParameter.TransitionPower,
            };
    }
}
