using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// The residual branches of a layer: each takes its channels together to a few, looks along time at growing distances, and adds what it
/// makes of that. In the branch of the spectrogram every frequency is normalized by itself.
/// </summary>
/// <remarks>
/// <para>A branch ends with a pointwise convolution to twice the channels, a group normalization of the result and a gated linear unit. The
/// result is never stored before it is normalized: with x = W·h + b over channels c and time t, μ the mean of h over time, ⟨⟩ the mean over
/// c, W' = W − ⟨W⟩ and b' = b − ⟨b⟩, the variance of x is the mean of (W·(h − μ))² over both + ⟨(W'·μ + b')²⟩, both without differences of
/// large sums; and the normalized x is (W·h + b' − ⟨W⟩·μ)/σ. The means of squares are taken of (R·v)² instead, where R is square and as
/// small as v allows, see <see cref="GramRoot"/>.</para>
/// <para>Deviation and means differ from frequency to frequency, and weights cannot. So h is divided by σ before the convolution, and takes
/// two channels more with it, 1/σ and ⟨W⟩·μ/σ, whose weights are b' and −1, all times the channel's factor.</para>
/// </remarks>
internal sealed class ResidualBranch
{
    /// <summary>What group normalizations add to a variance.</summary>
    public const float Epsilon = 1e-5f;

    private const int Taps = 3;

    private readonly WeightedGraph _graph;
    private readonly int _hidden;
    private readonly int _distance;
    private readonly bool _isPlane;
    private readonly OnnxValue _firstWeight,
        _firstBias,
        _firstFactors,
        _firstSummands;
    private readonly OnnxValue _within,
        _between,
        _betweenBias,
        _average,
        _values,
        _valuesBias,
        _gates,
        _gatesBias;

    /// <summary>Reads a branch's weights.</summary>
    /// <param name="graph">Where they go.</param>
    /// <param name="name">What their names begin with: <c>encoder.0.dconv.layers.1</c>.</param>
    /// <param name="channels">The layer's channels.</param>
    /// <param name="hidden">The few channels.</param>
    /// <param name="distance">How far the taps of its first convolution are apart.</param>
    /// <param name="isPlane">Whether it is for a spectrogram.</param>
    public ResidualBranch(WeightedGraph graph, string name, int channels, int hidden, int distance, bool isPlane)
    {
        _graph = graph;
        _hidden = hidden;
        _distance = distance;
        _isPlane = isPlane;
        long[] vector = isPlane ? [1, hidden, 1, 1] : [1, hidden, 1];
        _firstWeight = graph.Weight($"{name}.0.weight", hidden, channels, Taps);
        if (isPlane)
            _firstWeight = graph.Graph.Node("Reshape", [_firstWeight, graph.Integers(hidden, channels, 1, Taps)]);
        _firstBias = graph.Weight($"{name}.0.bias", hidden);
        _firstFactors = graph.Constant(graph.Values($"{name}.1.weight", hidden), vector);
        _firstSummands = graph.Constant(graph.Values($"{name}.1.bias", hidden), vector);

        int both = 2 * channels;
        double[] weight = graph.Values($"{name}.3.weight", both, hidden, 1),
            bias = graph.Values($"{name}.3.bias", both);
        double[] factors = graph.Values($"{name}.4.weight", both),
            summands = graph.Values($"{name}.4.bias", both),
            scale = graph.Values($"{name}.6.scale", channels);
        for (int c = 0; c < channels; c++)
        {
            factors[c] *= scale[c];
            summands[c] *= scale[c];
        }
        (double[] average, double[] spread, double[] combined) = Center(weight, bias, factors, hidden);
        _within = Pointwise(Root(weight, hidden), hidden, hidden);
        double[] between = Root(spread, hidden + 1);
        _between = Pointwise(
            [.. Enumerable.Range(0, (hidden + 1) * hidden).Select(i => between[i / hidden * (hidden + 1) + i % hidden])],
            hidden + 1,
            hidden
        );
        _betweenBias = graph.Constant(Enumerable.Range(0, hidden + 1).Select(i => between[i * (hidden + 1) + hidden]), hidden + 1);
        _average = Pointwise(average, 1, hidden);
        int half = channels * (hidden + 2);
        _values = Pointwise(combined[..half], channels, hidden + 2);
        _gates = Pointwise(combined[half..], channels, hidden + 2);
        _valuesBias = graph.Constant(summands[..channels], channels);
        _gatesBias = graph.Constant(summands[channels..], channels);

        double[] Root(double[] matrix, int columns) =>
            GramRoot.Of(matrix, both, columns) is { } root
                ? [.. root.Select(value => (double)value)]
                : throw new InvalidOperationException($"The weights '{name}' are not finite.");
        OnnxValue Pointwise(double[] values, int outputs, int inputs) =>
            graph.Constant(values, isPlane ? [outputs, inputs, 1, 1] : [outputs, inputs, 1]);
    }

    /// <summary>⟨W⟩; W' beside b'; and all channels' weights for h, 1/σ and ⟨W⟩·μ/σ.</summary>
    private static (double[] Average, double[] Spread, double[] Combined) Center(
        double[] weight,
        double[] bias,
        double[] factors,
        int hidden
    )
    {
        int both = bias.Length;
        double[] average = [.. Enumerable.Range(0, hidden).Select(j => Enumerable.Range(0, both).Average(c => weight[c * hidden + j]))];
        double averageBias = bias.Average();
        double[] spread = new double[both * (hidden + 1)],
            combined = new double[both * (hidden + 2)];
        for (int c = 0; c < both; c++)
        {
            for (int j = 0; j < hidden; j++)
            {
                spread[c * (hidden + 1) + j] = weight[c * hidden + j] - average[j];
                combined[c * (hidden + 2) + j] = factors[c] * weight[c * hidden + j];
            }
            spread[c * (hidden + 1) + hidden] = bias[c] - averageBias;
            combined[c * (hidden + 2) + hidden] = factors[c] * (bias[c] - averageBias);
            combined[c * (hidden + 2) + hidden + 1] = -factors[c];
        }
        return (average, spread, combined);
    }

    /// <summary>The signal with what the branch makes of it added.</summary>
    public Signal Apply(Signal x)
    {
        OnnxGraphWriter g = _graph.Graph;
        long[] point = x.Kernel(1),
            hidden = [_hidden, .. x.Shape[1..]],
            row = [.. hidden[..^1], 1];
        int time = x.TimeAxis;

        OnnxValue first = _graph.Conv(
            x.Value,
            _firstWeight,
            _firstBias,
            x.Kernel(Taps),
            pads: _isPlane ? [0, _distance, 0, _distance] : [_distance, _distance],
            dilations: _isPlane ? [1, _distance] : [_distance]
        );
        OnnxValue centered = first - _graph.Mean(first, hidden, time, 1);
        OnnxValue deviation = g.Sqrt(_graph.MeanSquare(centered, hidden, time, 1) + Epsilon);
        OnnxValue h = _graph.Gelu(centered * (_firstFactors / deviation) + _firstSummands);

        OnnxValue mean = _graph.Mean(h, hidden, time);
        OnnxValue within = _graph.MeanSquare(_graph.Conv(h - mean, _within, null, point), hidden, time, 1);
        OnnxValue between = _graph.MeanSquare(_graph.Conv(mean, _between, _betweenBias, point), [_hidden + 1, .. row[1..]], 1);
        OnnxValue inverse = g.Scalar(1) / g.Sqrt(within + between + Epsilon);
        OnnxValue shift = _graph.Conv(mean, _average, null, point) * inverse;
        OnnxValue beside = g.Node("Expand", [g.Concat(1, inverse, shift), _graph.Integers([_graph.Batch, 2, .. hidden[1..]])]);
        OnnxValue scaled = _graph.Wide(g.Concat(1, h * inverse, beside));

        OnnxValue gated = _graph.Conv(scaled, _values, _valuesBias, point) * _graph.Sigmoid(_graph.Conv(scaled, _gates, _gatesBias, point));
        return _graph.Wide(x with { Value = x.Value + gated });
    }
}
