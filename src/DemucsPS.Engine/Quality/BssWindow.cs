using System.Numerics;

namespace DemucsPS.Engine.Quality;

/// <summary>
/// A window of BSS Eval: takes its frames as they come and gives the sums of squares. Memory does not depend on its length.
/// </summary>
internal sealed class BssWindow
{
    /// <summary>Sums for each lane that need filters.</summary>
    public const int FilteredSums = 5;

    private readonly int _stems;
    private readonly int _channels;
    private readonly int _lanes;
    private readonly WindowFilter? _filter;
    private readonly EvaluationPool _stock;
    private readonly double[] _plain;
    private readonly double[] _filtered;
    private readonly bool[] _sounds;
    private readonly double[] _references;
    private readonly double[] _estimates;
    private int _frames;

    /// <param name="start">Its first frame.</param>
    /// <param name="stems">Stems.</param>
    /// <param name="channels">Channels of each.</param>
    /// <param name="filter">Null if no figure is wanted that needs filters.</param>
    /// <param name="stock">Where its arrays come from, and go to when it is complete.</param>
    public BssWindow(long start, int stems, int channels, WindowFilter? filter, EvaluationPool stock)
    {
        Start = start;
        _stems = stems;
        _channels = channels;
        _lanes = BlockSpectra.Lanes(stems * channels);
        _filter = filter;
        _stock = stock;
        _plain = new double[2 * _lanes];
        _filtered = new double[FilteredSums * _lanes];
        _sounds = new bool[2 * stems];
        int frames = filter is null ? 0 : filter.Lengths.History + BlockSpectra.Batch * filter.Lengths.BlockFrames;
        _references = stock.Take(frames * _lanes);
        _estimates = stock.Take(frames * _lanes);
    }

    /// <summary>Its first frame.</summary>
    public long Start { get; }

    /// <summary>Adds the next frames of the window.</summary>
    /// <param name="references">Frames of all lanes.</param>
    /// <param name="estimates">As many.</param>
    public void Add(ReadOnlySpan<double> references, ReadOnlySpan<double> estimates)
    {
        AddSquares(references, estimates);
        Listen(references, 0);
        Listen(estimates, _stems);
        if (_filter is not null)
            Filter(references, estimates);
    }

    /// <summary>Ends the window.</summary>
    /// <param name="isMeasured">Of each stem, whether there is an estimate.</param>
    /// <returns>Sums of squares of each stem; null if a reference or an estimate is silent, so that the window does not count.</returns>
    public WindowSums[]? Complete(ReadOnlySpan<bool> isMeasured)
    {
        WindowSums[]? sums = Sums(isMeasured);
        _stock.Give(_references);
        _stock.Give(_estimates);
        return sums;
    }

    private WindowSums[]? Sums(ReadOnlySpan<bool> isMeasured)
    {
        for (int stem = 0; stem < _stems; stem++)
        {
            if (!_sounds[stem] || isMeasured[stem] && !_sounds[_stems + stem])
                return null;
        }
        if (_filter is not null)
        {
            // What the filters answer when the window has ended.
            double[] silence = _stock.Take(_filter.Lengths.History * _lanes);
            Filter(silence, silence);
            Flush();
            _stock.Give(silence);
        }
        WindowSums[] sums = new WindowSums[_stems];
        for (int stem = 0; stem < _stems; stem++)
            sums[stem] = new WindowSums(
                Sum(_plain, 0, stem),
                Sum(_plain, 1, stem),
                Sum(_filtered, 0, stem),
                Sum(_filtered, 1, stem),
                Sum(_filtered, 2, stem),
                Sum(_filtered, 3, stem),
                Sum(_filtered, 4, stem)
            );
        return sums;
    }

    private double Sum(double[] sums, int kind, int stem)
    {
        double sum = 0;
        for (int channel = 0; channel < _channels; channel++)
            sum += sums[kind * _lanes + stem * _channels + channel];
        return sum;
    }

    private void AddSquares(ReadOnlySpan<double> references, ReadOnlySpan<double> estimates)
    {
        for (int lane = 0; lane < _lanes; lane += Vector<double>.Count)
        {
            Vector<double> reference = new(_plain, lane),
                error = new(_plain, _lanes + lane);
            for (int at = lane; at < references.Length; at += _lanes)
            {
                Vector<double> s = new(references[at..]),
                    difference = new Vector<double>(estimates[at..]) - s;
                reference += s * s;
                error += difference * difference;
            }
            reference.CopyTo(_plain, lane);
            error.CopyTo(_plain, _lanes + lane);
        }
    }

    /// <summary>
    /// Notes which stems are not silent: museval takes the sum of the channels, so that a stem with opposite channels is.
    /// </summary>
    private void Listen(ReadOnlySpan<double> frames, int first)
    {
        for (int stem = 0; stem < _stems; stem++)
        {
            for (int at = stem * _channels; at < frames.Length && !_sounds[first + stem]; at += _lanes)
            {
                double sum = 0;
                for (int channel = 0; channel < _channels; channel++)
                    sum += frames[at + channel];
                _sounds[first + stem] = sum != 0;
            }
        }
    }

    private void Filter(ReadOnlySpan<double> references, ReadOnlySpan<double> estimates)
    {
        while (!references.IsEmpty)
        {
            int count = Math.Min(references.Length / _lanes, BlockSpectra.Batch * _filter!.Lengths.BlockFrames - _frames) * _lanes,
                at = (_filter!.Lengths.History + _frames) * _lanes;
            references[..count].CopyTo(_references.AsSpan(at));
            estimates[..count].CopyTo(_estimates.AsSpan(at));
            references = references[count..];
            estimates = estimates[count..];
            _frames += count / _lanes;
            if (_frames == BlockSpectra.Batch * _filter!.Lengths.BlockFrames)
                Flush();
        }
    }

    private void Flush()
    {
        int end = (_filter!.Lengths.History + _frames) * _lanes;
        Array.Clear(_references, end, _references.Length - end);
        Array.Clear(_estimates, end, _estimates.Length - end);
        _filter!.Add(_references, _estimates, _frames, _filtered);
        _references.AsSpan(_frames * _lanes, _filter!.Lengths.History * _lanes).CopyTo(_references);
        _frames = 0;
    }
}
