namespace DemucsPS.Engine.Chunking;

/// <summary>
/// The weight of each frame of a chunk where chunks overlap: a triangle [1 … L/2, L − L/2 … 1] scaled to a maximum of 1, to the power of
/// <c>transition_power</c>. For overlaps below one half this gives linear crossfades (power 1). Source: <c>apply_model</c> of facebookresearch/demucs.
/// </summary>
public static class TransitionWeights
{
    /// <summary>Computes the weights of a segment; a shorter chunk uses the first ones.</summary>
    /// <param name="segmentFrames">Length of a segment in frames.</param>
    /// <param name="transitionPower">At least 1, as in the official tool; higher is a steeper transition.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the power is below 1 or not a number.</exception>
    public static float[] Create(int segmentFrames, double transitionPower = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(segmentFrames, 2);
        if (!(transitionPower >= 1 && double.IsFinite(transitionPower)))
            throw new DemucsException(DemucsError.ParameterInvalid, FormattableString.Invariant($"The transition power is {transitionPower}; it must be at least 1."));
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
}
