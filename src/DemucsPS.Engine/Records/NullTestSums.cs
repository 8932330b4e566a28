namespace DemucsPS.Engine.Records;

/// <summary>How far the sum of the stems is from the mix, over the frames so far.</summary>
/// <param name="Mix">Sum of the squares of the mix.</param>
/// <param name="Residual">Sum of the squares of what the stems' sum has more or less than the mix.</param>
internal readonly record struct NullTestSums(double Mix, double Residual)
{
    /// <summary>10·log10(residual / mix) in dB, negative infinity where nothing is left; null for a mix of silence.</summary>
    public double? Decibels => Mix > 0 ? 10 * Math.Log10(Residual / Mix) : null;
}
