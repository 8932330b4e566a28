namespace DemucsPS.Engine.Pictures;

/// <summary>The rows of a spectrogram, from the highest frequency down, each with an equal part of a scale.</summary>
internal sealed class FrequencyRows
{
    private readonly FrequencyScale _scale;
    private readonly double _low;
    private readonly double _span;

    /// <param name="scale">The scale.</param>
    /// <param name="minFrequency">Its lower end in Hz; above 0 if it is logarithmic.</param>
    /// <param name="maxFrequency">Its upper end in Hz.</param>
    /// <param name="count">Rows.</param>
    public FrequencyRows(FrequencyScale scale, double minFrequency, double maxFrequency, int count)
    {
        _scale = scale;
        _low = Warp(minFrequency);
        _span = Warp(maxFrequency) - _low;
        Count = count;
        MinFrequency = minFrequency;
        MaxFrequency = maxFrequency;
    }

    /// <summary>Rows.</summary>
    public int Count { get; }

    /// <summary>The lower end in Hz.</summary>
    public double MinFrequency { get; }

    /// <summary>The upper end in Hz.</summary>
    public double MaxFrequency { get; }

    /// <summary>Where a frequency lies on the axis: 0 at its lower end, 1 at its upper one.</summary>
    public double PositionOf(double frequency) => (Warp(frequency) - _low) / _span;

    /// <summary>The frequency at a position of the axis, in Hz.</summary>
    public double FrequencyAt(double position) => Unwarp(_low + position * _span);

    /// <summary>The row that a frequency falls into, of those there are.</summary>
    public int RowOf(double frequency) => (int)Math.Clamp(Math.Floor((1 - PositionOf(frequency)) * Count), 0, Count - 1);

    /// <summary>What each row shows of a spectrum.</summary>
    /// <param name="bins">Bins of the spectrum, from 0 Hz.</param>
    /// <param name="binWidth">From one to the next in Hz.</param>
    public Band[] BandsOf(int bins, double binWidth)
    {
        Band[] bands = new Band[Count];
        for (int row = 0; row < Count; row++)
        {
            double low = FrequencyAt(1 - (row + 1.0) / Count) / binWidth,
                high = FrequencyAt(1 - (double)row / Count) / binWidth;
            if (low >= bins)
                continue;
            int first = (int)Math.Ceiling(low),
                end = Math.Min(bins, (int)Math.Ceiling(high));
            if (first < end)
            {
                bands[row] = new Band(first, end, -1);
                continue;
            }
            double middle = Math.Min(bins - 1, (low + high) / 2);
            first = Math.Min(bins - 2, (int)middle);
            bands[row] = new Band(first, first + 2, (float)(middle - first));
        }
        return bands;
    }

    private double Warp(double frequency) =>
        _scale switch
        {
            FrequencyScale.Log => Math.Log(frequency),
            FrequencyScale.Mel => Math.Log10(1 + frequency / 700),
            _ => frequency,
        };

    private double Unwarp(double value) =>
        _scale switch
        {
            FrequencyScale.Log => Math.Exp(value),
            FrequencyScale.Mel => 700 * (Math.Pow(10, value) - 1),
            _ => value,
        };

    /// <summary>The bins of a row: those whose middle is in it, or the two that it lies between.</summary>
    /// <param name="First">The first bin.</param>
    /// <param name="End">The first one after it; <paramref name="First"/> where the spectrum does not reach so high.</param>
    /// <param name="Share">Of two bins that the row lies between, how much of the second it shows; negative for none.</param>
    internal readonly record struct Band(int First, int End, float Share)
    {
        /// <summary>The power that a row shows.</summary>
        public float Of(ReadOnlySpan<float> powers, PixelPower pixel)
        {
            if (First == End)
                return float.NaN;
            if (Share >= 0)
                return powers[First] + Share * (powers[First + 1] - powers[First]);
            float power = 0;
            foreach (float bin in powers[First..End])
                power = pixel == PixelPower.Max ? Math.Max(power, bin) : power + bin;
            return pixel == PixelPower.Max ? power : power / (End - First);
        }
    }
}
