using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// A layer of an encoder: a convolution in steps, along frequencies or along time, then residual branches and a gated convolution.
/// </summary>
internal sealed class EncoderLayer
{
    /// <summary>
    /// Into so many sums that of a waveform's layer is divided, each of some of the channels. What follows makes much of these layers'
    /// errors, and of all operations in the network their sums are what costs most exactness. Where so many channels are left in each that
    /// the runtime would divide the sum about as often by itself, it is left to it.
    /// </summary>
    private const int Parts = 4;

    private const int MostChannelsOfPart = 8;

    private readonly WeightedGraph _graph;
    private readonly string _name;
    private readonly OnnxValue _weight,
        _bias;
    private readonly int _inputs;
    private readonly LayerWeights _layer;

    /// <summary>Reads a layer's weights.</summary>
    /// <param name="graph">Where they go.</param>
    /// <param name="name">What their names begin with: <c>encoder.0</c>.</param>
    /// <param name="inputs">The channels that it takes.</param>
    /// <param name="layer">The rest of it.</param>
    /// <param name="isPlane">Whether it is for a spectrogram.</param>
    public EncoderLayer(WeightedGraph graph, string name, int inputs, LayerWeights layer, bool isPlane)
    {
        _graph = graph;
        _name = name;
        _layer = layer;
        _inputs = inputs;
        _weight = graph.Weight(
            $"{name}.conv.weight",
            isPlane ? [layer.Channels, inputs, Steps.Kernel, 1] : [layer.Channels, inputs, Steps.Kernel]
        );
        _bias = graph.Weight($"{name}.conv.bias", layer.Channels);
    }

    /// <summary>The layer over a waveform.</summary>
    public Signal Apply(Signal x)
    {
        _graph.Graph.Section(_name);
        int columns = (x.Columns + Steps.Stride - 1) / Steps.Stride;
        int parts = _inputs % Parts == 0 && _inputs / Parts <= MostChannelsOfPart ? Parts : 1,
            channels = _inputs / parts;
        OnnxValue value = Enumerable
            .Range(0, parts)
            .Select(part =>
                _graph.Conv(
                    _graph.Slice(x.Value, 1, _inputs, part * channels, (part + 1) * channels),
                    _graph.Slice(_weight, 1, _inputs, part * channels, (part + 1) * channels),
                    part == 0 ? _bias : null,
                    [Steps.Kernel],
                    [Steps.Stride],
                    [Steps.Pad, Steps.Pad + columns * Steps.Stride - x.Columns]
                )
            )
            .Aggregate((sum, more) => sum + more);
        return Rest(new Signal(value, _layer.Channels, null, columns));
    }

    /// <summary>Some rows of the layer over a spectrogram, whose rows do not depend on each other.</summary>
    /// <param name="x">All rows of what it takes.</param>
    /// <param name="first">The first row of its result.</param>
    /// <param name="end">The row after the last one.</param>
    public Signal Apply(Signal x, int first, int end)
    {
        _graph.Graph.Section(_name);
        int rows = x.Rows!.Value,
            from = first * Steps.Stride - Steps.Pad,
            to = (end - 1) * Steps.Stride - Steps.Pad + Steps.Kernel;
        OnnxValue part = _graph.Slice(x.Value, 2, rows, Math.Max(from, 0), Math.Min(to, rows));
        OnnxValue value = _graph.Conv(
            part,
            _weight,
            _bias,
            [Steps.Kernel, 1],
            [Steps.Stride, 1],
            [Math.Max(-from, 0), 0, Math.Max(to - rows, 0), 0]
        );
        return Rest(new Signal(value, _layer.Channels, end - first, x.Columns));
    }

    private Signal Rest(Signal x) => _layer.Gated(_layer.Residual(_graph.Wide(x with { Value = _graph.Gelu(x.Value) })));
}
