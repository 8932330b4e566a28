namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// The position embeddings of the transformer, computed in float64; whoever stores them rounds them once. Angles go up to the number of
/// positions, and a sine's error is that of its angle: computed in float32 they alone would cost 113 dB.
/// </summary>
internal static class PositionTables
{
    /// <summary>Of a sequence: [positions, channels], the first half of the channels cosines, the second one sines.</summary>
    public static double[] Of(int positions, int channels, double maxPeriod)
    {
        int half = channels / 2;
        return Table(positions, channels, (position, channel) =>
        {
            double angle = position / Math.Pow(maxPeriod, channel % half / (half - 1.0));
            return channel < half ? Math.Cos(angle) : Math.Sin(angle);
        });
    }

    /// <summary>Of one axis of a plane: [positions, channels / 2], a sine and a cosine in turn.</summary>
    public static double[] OfAxis(int positions, int channels, double maxPeriod)
    {
        int half = channels / 2;
        return Table(positions, half, (position, channel) =>
        {
            double angle = position * Math.Exp(-(channel - channel % 2) * Math.Log(maxPeriod) / half);
            return channel % 2 == 0 ? Math.Sin(angle) : Math.Cos(angle);
        });
    }

    private static double[] Table(int positions, int channels, Func<int, int, double> value) =>
        [.. Enumerable.Range(0, positions * channels).Select(i => value(i / channels, i % channels))];
}
