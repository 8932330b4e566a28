namespace DemucsPS.Engine.Pictures;

/// <summary>
/// The pixels of one spectrogram, filled from left to right by frames as they come. Memory: 4 bytes a pixel and 4 a bin, whatever the
/// length of the track.
/// </summary>
internal sealed class PictureColumns
{
    /// <summary>The level of silence in dB, so that no minus infinity gets into pictures.</summary>
    public const float FloorDb = -200;

    private readonly FrequencyRows _rows;
    private readonly PixelPower _pixel;
    private readonly double _start;
    private readonly double _width;
    private readonly FrequencyRows.Band[] _bands;
    private readonly float[] _column;
    private int _frames;
    private int _at = -1;

    /// <param name="rows">The rows.</param>
    /// <param name="count">Columns.</param>
    /// <param name="start">Time at the left edge in seconds.</param>
    /// <param name="seconds">Time from edge to edge.</param>
    /// <param name="pixel">What a pixel shows of the levels in it.</param>
    /// <param name="bins">Bins of the frames' spectra.</param>
    /// <param name="binWidth">From one bin to the next in Hz.</param>
    public PictureColumns(FrequencyRows rows, int count, double start, double seconds, PixelPower pixel, int bins, double binWidth)
    {
        _rows = rows;
        Count = count;
        _start = start;
        _width = seconds / count;
        _pixel = pixel;
        _bands = rows.BandsOf(bins, binWidth);
        _column = new float[bins];
        Levels = new float[rows.Count * count];
        Array.Fill(Levels, float.NaN);
    }

    /// <summary>Columns.</summary>
    public int Count { get; }

    /// <summary>Row after row from the highest frequency down, a value a column: dB. No number where there is nothing.</summary>
    public float[] Levels { get; }

    /// <summary>Takes a frame. Frames come in the order of their times.</summary>
    /// <param name="time">Its middle, in seconds.</param>
    /// <param name="step">Time from one frame to the next.</param>
    /// <param name="powers">Its powers, the first of them and every stride-th one from there on.</param>
    /// <param name="stride">How far apart they lie.</param>
    public void Add(double time, double step, ReadOnlySpan<float> powers, int stride)
    {
        double at = (time - _start) / _width,
            half = step / _width / 2;
        if (half <= 0.5)
        {
            AddTo((int)Math.Floor(at), powers, stride);
            return;
        }
        // Fewer frames than columns: each fills those whose middle is nearer to it than to any other.
        for (int column = (int)Math.Ceiling(at - half - 0.5); column < Math.Ceiling(at + half - 0.5); column++)
            AddTo(column, powers, stride);
    }

    /// <summary>All frames have come.</summary>
    public void Complete()
    {
        Finish();
        _at = Count;
    }

    private void AddTo(int column, ReadOnlySpan<float> powers, int stride)
    {
        if (column < 0 || column >= Count || column < _at)
            return;
        if (column != _at)
        {
            int before = _at;
            Finish();
            // By rounding a frame can fall beside a column that is as wide as its step.
            if (before >= 0 && column == before + 2)
                Repeat(before);
            _at = column;
            _frames = 0;
            _column.AsSpan().Clear();
        }
        _frames++;
        Span<float> to = _column;
        if (_pixel == PixelPower.Max)
        {
            for (int bin = 0, from = 0; bin < to.Length; bin++, from += stride)
                to[bin] = Math.Max(to[bin], powers[from]);
        }
        else
        {
            for (int bin = 0, from = 0; bin < to.Length; bin++, from += stride)
                to[bin] += powers[from];
        }
    }

    private void Finish()
    {
        if (_at < 0 || _at >= Count || _frames == 0)
            return;
        float divisor = _pixel == PixelPower.Max ? 1 : _frames;
        for (int row = 0; row < _rows.Count; row++)
            Levels[row * Count + _at] =
                _bands[row].Of(_column, _pixel) is var power && float.IsNaN(power)
                    ? power
                    : Math.Max(FloorDb, 10 * MathF.Log10(power / divisor));
    }

    private void Repeat(int column)
    {
        for (int row = 0; row < _rows.Count; row++)
            Levels[row * Count + column + 1] = Levels[row * Count + column];
    }
}
