using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// A layer of a decoder: the encoder's result at the same depth is added, then come a gated convolution, residual branches and a transposed
/// convolution in steps, along frequencies or along time.
/// </summary>
/// <remarks>
/// The transposed convolution is written as an ordinary one that computes every position between two steps as its own channel, whose
/// results are then laid side by side: with step s and a kernel of 2·s, y[s·l + p] = x[l]·w[p] + x[l − 1]·w[s + p]. The runtime's own would
/// multiply matrices and then add the results into place one by one.
/// </remarks>
internal sealed class DecoderLayer
{
    /// <summary>The taps of the kernel that one position between two steps sees.</summary>
    private const int TapsEach = Steps.Kernel / Steps.Stride;

    private readonly WeightedGraph _graph;
    private readonly string _name;
    private readonly LayerWeights _layer;
    private readonly int _outputs;
    private readonly bool _isLast;
    private readonly int _context;
    private readonly OnnxValue _weight,
        _bias;

    /// <summary>Reads a layer's weights.</summary>
    /// <param name="graph">Where they go.</param>
    /// <param name="name">What their names begin with: <c>decoder.0</c>.</param>
    /// <param name="layer">The rest of it.</param>
    /// <param name="context">How many neighbors its gated convolution looks at.</param>
    /// <param name="outputs">The channels that it gives.</param>
    /// <param name="isLast">Whether its result is the model's, which takes no activation.</param>
    /// <param name="isPlane">Whether it is for a spectrogram.</param>
    public DecoderLayer(WeightedGraph graph, string name, LayerWeights layer, int context, int outputs, bool isLast, bool isPlane)
    {
        _graph = graph;
        _name = name;
        _layer = layer;
        _context = context;
        _outputs = outputs;
        _isLast = isLast;
        string weight = $"{name}.conv_tr.weight",
            bias = $"{name}.conv_tr.bias";
        int inputs = layer.Channels;
        int[] shape = isPlane ? [inputs, outputs, Steps.Kernel, 1] : [inputs, outputs, Steps.Kernel];
        graph.Require(weight, shape);
        long[] phases = isPlane ? [outputs * Steps.Stride, inputs, TapsEach, 1] : [outputs * Steps.Stride, inputs, TapsEach];
        _weight = graph.Computed(() => Phases(graph.Values(weight, shape), inputs, outputs), phases);
        _bias = graph.Constant(
            graph.Values(bias, outputs).SelectMany(value => Enumerable.Repeat(value, Steps.Stride)),
            outputs * Steps.Stride
        );
    }

    /// <summary>The layer over a waveform.</summary>
    /// <param name="x">What it takes.</param>
    /// <param name="skip">The encoder's result.</param>
    /// <param name="columns">How long the waveform is to be.</param>
    public Signal Apply(Signal x, Signal skip, int columns)
    {
        _graph.Graph.Section(_name);
        Signal inner = _layer.Residual(_layer.Gated(_graph.Wide(x with { Value = x.Value + skip.Value })));
        int steps = x.Columns + 1;
        OnnxValue phases = _graph.Conv(inner.Value, _weight, _bias, [TapsEach], pads: [1, 1]);
        OnnxValue side = _graph.Transpose(_graph.Reshape(phases, _outputs, Steps.Stride, steps), 0, 1, 3, 2);
        OnnxValue value = _graph.Slice(
            _graph.Reshape(side, _outputs, Steps.Stride * steps),
            2,
            Steps.Stride * steps,
            Steps.Pad,
            Steps.Pad + columns
        );
        return _graph.Wide(new Signal(_isLast ? value : _graph.Gelu(value), _outputs, null, columns));
    }

    /// <summary>Some rows of what is transposed.</summary>
    /// <param name="x">Gives rows of what the layer takes.</param>
    /// <param name="skip">Gives rows of the encoder's result.</param>
    /// <param name="rows">The rows that there are of both.</param>
    /// <param name="first">The first row that is wanted.</param>
    /// <param name="end">The row after the last one.</param>
    public Signal Inner(RowSource x, RowSource skip, int rows, int first, int end)
    {
        int start = _layer.IsTiled ? first - first % TiledConvolution.Tile : first;
        int stop = _layer.IsTiled ? Math.Min(rows, (end + TiledConvolution.Tile - 1) / TiledConvolution.Tile * TiledConvolution.Tile) : end;
        int from = Math.Max(start - _context, 0),
            to = Math.Min(stop + _context, rows);
        Signal taken = x(from, to);
        _graph.Graph.Section(_name);
        Signal sum = _graph.Wide(taken with { Value = taken.Value + skip(from, to).Value });
        Signal gated = _layer.Gated(sum, _context - (start - from), _context - (to - stop));
        if (stop - start > end - first)
            gated = gated with { Value = _graph.Slice(gated.Value, 2, stop - start, first - start, end - start), Rows = end - first };
        return _layer.Residual(gated);
    }

    /// <summary>Some rows of the layer's result over a spectrogram.</summary>
    /// <param name="inner">Gives rows of what is transposed.</param>
    /// <param name="rows">The rows that there are of it.</param>
    /// <param name="first">The first row that is wanted.</param>
    /// <param name="end">The row after the last one.</param>
    public Signal Outer(RowSource inner, int rows, int first, int end)
    {
        int firstStep = (first + Steps.Pad) / Steps.Stride,
            lastStep = (end - 1 + Steps.Pad) / Steps.Stride,
            steps = lastStep - firstStep + 1;
        Signal x = inner(Math.Max(firstStep - 1, 0), Math.Min(lastStep + 1, rows));
        _graph.Graph.Section(_name);
        OnnxValue phases = _graph.Conv(
            x.Value,
            _weight,
            _bias,
            [TapsEach, 1],
            pads: [firstStep == 0 ? 1 : 0, 0, lastStep == rows ? 1 : 0, 0]
        );
        long[] order =
        [
            .. Enumerable
                .Range(first + Steps.Pad, end - first)
                .Select(row => (long)(row % Steps.Stride * steps + row / Steps.Stride - firstStep)),
        ];
        OnnxValue value = _graph.Graph.Gather(_graph.Reshape(phases, _outputs, Steps.Stride * steps, x.Columns), _graph.Integers(order), 2);
        return _graph.Wide(new Signal(_isLast ? value : _graph.Gelu(value), _outputs, end - first, x.Columns));
    }

    /// <summary>
    /// [inputs, outputs, taps·step] as [outputs, step, inputs, taps], the taps last first, because a convolution counts forwards.
    /// </summary>
    private static float[] Phases(double[] weight, int inputs, int outputs)
    {
        float[] phases = new float[weight.Length];
        for (int i = 0; i < phases.Length; i++)
        {
            int tap = i % TapsEach,
                input = i / TapsEach % inputs,
                phase = i / (TapsEach * inputs) % Steps.Stride,
                output = i / (TapsEach * inputs * Steps.Stride);
            phases[i] = (float)weight[(input * outputs + output) * Steps.Kernel + (TapsEach - 1 - tap) * Steps.Stride + phase];
        }
        return phases;
    }
}
