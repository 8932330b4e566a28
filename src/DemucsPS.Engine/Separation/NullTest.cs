using System.Globalization;
using System.Numerics;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Stems;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Stands between a separation and its source and sink, and compares the sum of the outputs with the mix as both pass. Memory: the mix
/// between what was read and what is final, about a segment and a stride for each job.
/// </summary>
internal sealed class NullTest : IStereoSource, IStemSink
{
    /// <summary>A step of 16 bits: less is hardly visible.</summary>
    private const double LeastOffset = 1.0 / 32768;

    private readonly IStereoSource _source;
    private readonly IStemSink _sink;
    private readonly int _outputs;
    private readonly bool _compares;
    private readonly CancellationToken _cancellationToken;

    // The source may be read on another thread than the sink is written on.
    private readonly Lock _gate = new();
    private float[] _mix = new float[1 << 17];
    private int _mixStart;
    private int _mixEnd;
    private long _skip;
    private double[] _sum = [];

    /// <param name="source">The track at its start.</param>
    /// <param name="sink">Takes the outputs.</param>
    /// <param name="outputs">Number of outputs.</param>
    /// <param name="compares">Whether the outputs are meant to sum to the mix; else all just passes.</param>
    /// <param name="firstFrame">The first frame that the sink will get.</param>
    /// <param name="sums">The sums of the frames before.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public NullTest(
        IStereoSource source,
        IStemSink sink,
        int outputs,
        bool compares,
        long firstFrame,
        NullTestSums sums,
        CancellationToken cancellationToken
    )
    {
        _source = source;
        _sink = sink;
        _outputs = outputs;
        _compares = compares;
        _skip = firstFrame;
        Sums = sums;
        _cancellationToken = cancellationToken;
    }

    /// <summary>The sums of all frames that all outputs have.</summary>
    public NullTestSums Sums { get; private set; }

    /// <summary>
    /// What is left of the mix beside the stems' sum, in dB; null if they are not meant to sum to it, or the mix is silent.
    /// </summary>
    public double? Decibels => _compares ? Sums.Decibels : null;

    /// <summary>What to know of the result: that most of what is left is the track's offset; null for nothing.</summary>
    /// <param name="normalization">How the mix was brought to mean 0, as far as each stem has got that mean back.</param>
    /// <param name="stems">Number of the models' stems.</param>
    /// <param name="frames">Frames of the whole track.</param>
    /// <param name="path">The track's file.</param>
    public string? Warning(MixNormalization normalization, int stems, long frames, string path)
    {
        double offset = (stems - 1) * (double)normalization.Mean;
        if (!_compares || Math.Abs(offset) < LeastOffset || 2 * frames * offset * offset < Sums.Residual / 2)
            return null;
        string most = Decibels is { } decibels ? string.Create(CultureInfo.InvariantCulture, $" ({decibels:F1} dB of it)") : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"The sum of the stems of '{path}' differs from the mix by {offset:G3}{most}: the track has a constant offset of {normalization.Mean:G3}, and this model adds it to each of its {stems} stems, as official Demucs does. To get stems that sum to the mix, remove the offset from the track first: ffmpeg -i IN -af dcshift={-normalization.Mean:G3} OUT, or sox IN OUT dcshift {-normalization.Mean:G3}."
        );
    }

    /// <inheritdoc/>
    public int Read(Span<float> left, Span<float> right)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        int count = _source.Read(left, right);
        if (!_compares)
            return count;
        lock (_gate)
        {
            int first = (int)Math.Min(_skip, count);
            _skip -= first;
            Reserve(2 * (count - first));
            for (int i = first; i < count; i++)
            {
                _mix[_mixEnd++] = left[i];
                _mix[_mixEnd++] = right[i];
            }
        }
        return count;
    }

    /// <inheritdoc/>
    public void Write(int output, ReadOnlySpan<float> interleaved)
    {
        _sink.Write(output, interleaved);
        if (!_compares)
            return;
        if (output == 0)
        {
            if (_sum.Length < interleaved.Length)
                _sum = new double[interleaved.Length];
            Array.Clear(_sum);
        }
        Add(interleaved, _sum);
        if (output < _outputs - 1)
            return;
        lock (_gate)
        {
            ReadOnlySpan<float> expected = _mix.AsSpan(_mixStart, interleaved.Length);
            Sums = new NullTestSums(Sums.Mix + SampleSquares.Sum(expected), Sums.Residual + Residual(expected, _sum));
            _mixStart += interleaved.Length;
        }
    }

    private static void Add(ReadOnlySpan<float> samples, Span<double> sums)
    {
        int i = 0;
        for (; i <= samples.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(samples[i..]), out Vector<double> low, out Vector<double> high);
            Span<double> lower = sums.Slice(i, Vector<double>.Count),
                upper = sums.Slice(i + Vector<double>.Count, Vector<double>.Count);
            (new Vector<double>(lower) + low).CopyTo(lower);
            (new Vector<double>(upper) + high).CopyTo(upper);
        }
        for (; i < samples.Length; i++)
            sums[i] += samples[i];
    }

    /// <summary>Σ (sums − expected)².</summary>
    private static double Residual(ReadOnlySpan<float> expected, ReadOnlySpan<double> sums)
    {
        Vector<double> residuals = Vector<double>.Zero;
        int i = 0;
        for (; i <= expected.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            Vector.Widen(new Vector<float>(expected[i..]), out Vector<double> low, out Vector<double> high);
            low = new Vector<double>(sums[i..]) - low;
            high = new Vector<double>(sums[(i + Vector<double>.Count)..]) - high;
            residuals += low * low + high * high;
        }
        double residual = Vector.Sum(residuals);
        for (; i < expected.Length; i++)
        {
            double difference = sums[i] - expected[i];
            residual += difference * difference;
        }
        return residual;
    }

    private void Reserve(int samples)
    {
        if (_mixEnd + samples <= _mix.Length)
            return;
        int held = _mixEnd - _mixStart;
        float[] target = 2L * (held + samples) > _mix.Length ? new float[2 * (held + samples)] : _mix;
        _mix.AsSpan(_mixStart, held).CopyTo(target);
        (_mix, _mixStart, _mixEnd) = (target, 0, held);
    }
}
