namespace DemucsPS.Engine.Tests;

/// <summary>Ratios of energies in dB.</summary>
internal static class Decibels
{
    /// <summary>Signal-to-error ratio; infinite for equal signals.</summary>
    public static double Snr(ReadOnlySpan<float> expected, ReadOnlySpan<float> actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double signal = 0,
            error = 0;
        for (int i = 0; i < expected.Length; i++)
        {
            signal += (double)expected[i] * expected[i];
            error += ((double)actual[i] - expected[i]) * ((double)actual[i] - expected[i]);
        }
        return error == 0 ? double.PositiveInfinity : 10 * Math.Log10(signal / error);
    }
}
