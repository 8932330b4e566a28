using DemucsPS.Engine.Models.Weights;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// The transformer between encoders and decoders: layers that look at their own branch and layers that look at the other one, in turn. Its
/// tensors are [batch · positions, channels].
/// </summary>
/// <remarks>
/// Frequencies run slower than times here, the other way round than in the official code: but for the position embeddings nothing depends
/// on the order of positions. The layers' scales are part of the weights before them. Attention is ONNX Runtime's own operator, which
/// computes it block by block: the matrices of scores, 231 MB for one layer of htdemucs, are never stored.
/// </remarks>
internal sealed class CrossTransformer
{
    private const float LayerEpsilon = 1e-5f;

    private readonly WeightedGraph _graph;
    private readonly HTDemucsArchitecture _architecture;
    private readonly int _outside;
    private readonly int _channels;
    private readonly int _hidden;

    /// <summary>Prepares for a graph.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="architecture">The model's architecture.</param>
    /// <param name="outside">The channels of the innermost layers.</param>
    public CrossTransformer(WeightedGraph graph, HTDemucsArchitecture architecture, int outside)
    {
        _graph = graph;
        _architecture = architecture;
        _outside = outside;
        _channels = ChannelsOf(architecture, outside);
        _hidden = HiddenOf(architecture, outside);
    }

    /// <summary>The channels of a transformer.</summary>
    public static int ChannelsOf(HTDemucsArchitecture architecture, int outside) =>
        architecture.BottomChannels > 0 ? architecture.BottomChannels : outside;

    /// <summary>The channels between the two linear layers that end each of its layers.</summary>
    public static int HiddenOf(HTDemucsArchitecture architecture, int outside) =>
        (int)(ChannelsOf(architecture, outside) * architecture.TransformerHiddenScale);

    /// <summary>Adds the transformer's nodes.</summary>
    /// <param name="plane">The spectrogram's innermost layer.</param>
    /// <param name="wave">The waveform's.</param>
    /// <returns>What the decoders take.</returns>
    public (Signal Plane, Signal Wave) Apply(Signal plane, Signal wave)
    {
        int rows = plane.Rows!.Value,
            columns = plane.Columns,
            positions = rows * columns;
        OnnxValue x = Enter(plane.Value, positions, "");
        x = InPlane(Norm(x, "crosstransformer.norm_in"), rows, columns);
        OnnxValue t = Enter(wave.Value, wave.Columns, "_t");
        t = OnLine(Norm(t, "crosstransformer.norm_in_t"), wave.Columns);
        for (int i = 0; i < _architecture.TransformerLayers; i++)
        {
            string layer = $"crosstransformer.layers.{i}",
                other = $"crosstransformer.layers_t.{i}";
            if (i % 2 == (_architecture.TransformerCrossFirst ? 1 : 0))
                (x, t) = (Within(x, positions, layer), Within(t, wave.Columns, other));
            else
                (x, t) = (Across(x, positions, t, wave.Columns, layer), Across(t, wave.Columns, x, positions, other));
        }
        return (plane with { Value = Leave(x, plane, "") }, wave with { Value = Leave(t, wave, "_t") });
    }

    /// <summary>
    /// From [batch, channels, …] to [batch · positions, channels], through a pointwise convolution where the transformer has other
    /// channels.
    /// </summary>
    private OnnxValue Enter(OnnxValue value, int positions, string suffix)
    {
        value = _graph.Reshape(value, _outside, positions);
        if (_architecture.BottomChannels > 0)
            value = Pointwise(value, $"channel_upsampler{suffix}", _outside, _channels);
        return Flat(_graph.Transpose(value, 0, 2, 1), positions);
    }

    private OnnxValue Leave(OnnxValue value, Signal as_, string suffix)
    {
        int positions = (as_.Rows ?? 1) * as_.Columns;
        value = _graph.Transpose(_graph.Reshape(value, positions, _channels), 0, 2, 1);
        if (_architecture.BottomChannels > 0)
            value = Pointwise(value, $"channel_downsampler{suffix}", _channels, _outside);
        return _graph.Reshape(value, as_.Shape);
    }

    private OnnxValue Pointwise(OnnxValue value, string name, int inputs, int outputs) =>
        _graph.Conv(value, _graph.Weight($"{name}.weight", outputs, inputs, 1), _graph.Weight($"{name}.bias", outputs), [1]);

    /// <summary>
    /// Adds the embeddings of a plane: in the first half of the channels those of its times, in the second those of its frequencies.
    /// </summary>
    private OnnxValue InPlane(OnnxValue value, int rows, int columns)
    {
        int half = _channels / 2;
        double[] times = PositionTables.OfAxis(columns, _channels, _architecture.TransformerMaxPeriod),
            frequencies = PositionTables.OfAxis(rows, _channels, _architecture.TransformerMaxPeriod);
        OnnxValue ofTimes = Table(
            columns,
            (position, channel) => channel < half ? times[position * half + channel] : 0,
            1,
            1,
            columns,
            _channels
        );
        OnnxValue ofFrequencies = Table(
            rows,
            (position, channel) => channel >= half ? frequencies[position * half + channel - half] : 0,
            1,
            rows,
            1,
            _channels
        );
        return Flat(_graph.Reshape(value, rows, columns, _channels) + ofTimes + ofFrequencies, rows * columns);
    }

    /// <summary>Adds the embeddings of a sequence.</summary>
    private OnnxValue OnLine(OnnxValue value, int positions)
    {
        double[] table = PositionTables.Of(positions, _channels, _architecture.TransformerMaxPeriod);
        return Flat(
            _graph.Reshape(value, positions, _channels)
                + Table(positions, (position, channel) => table[position * _channels + channel], 1, positions, _channels),
            positions
        );
    }

    private OnnxValue Table(int positions, Func<int, int, double> value, params ReadOnlySpan<long> shape) =>
        _graph.Constant(
            Enumerable
                .Range(0, positions * _channels)
                .Select(i => _architecture.TransformerWeightPosEmbed * value(i / _channels, i % _channels)),
            shape
        );

    /// <summary>A layer that looks at its own branch.</summary>
    private OnnxValue Within(OnnxValue x, int positions, string name)
    {
        OnnxValue normal = Norm(x, $"{name}.norm1");
        x += Attention(normal, positions, normal, positions, $"{name}.self_attn", $"{name}.gamma_1.scale");
        return End(x, positions, name, "norm2");
    }

    /// <summary>A layer that looks at the other branch.</summary>
    private OnnxValue Across(OnnxValue x, int positions, OnnxValue other, int otherPositions, string name)
    {
        x += Attention(
            Norm(x, $"{name}.norm1"),
            positions,
            Norm(other, $"{name}.norm2"),
            otherPositions,
            $"{name}.cross_attn",
            $"{name}.gamma_1.scale"
        );
        return End(x, positions, name, "norm3");
    }

    private OnnxValue Attention(OnnxValue queries, int positions, OnnxValue keys, int keyPositions, string name, string scale)
    {
        int heads = _architecture.TransformerHeads;
        float factor = (float)(1 / Math.Sqrt((double)_channels / heads));
        OnnxValue joined =
            _graph.Form.HasRuntimeAttention()
                ? _graph.Graph.RuntimeNode(
                    "MultiHeadAttention",
                    [Projection(queries, positions, 0), Projection(keys, keyPositions, 1), Projection(keys, keyPositions, 2)],
                    OnnxAttribute.Create("num_heads", heads),
                    OnnxAttribute.Create("scale", factor)
                )
                : WrittenOut();
        return ScaledLinear(Flat(joined, positions), $"{name}.out_proj", _channels, scale);

        OnnxValue WrittenOut()
        {
            OnnxValue scores = _graph.Graph.Node(
                "MatMul",
                [factor * Heads(queries, positions, 0, 0, 2, 1, 3), Heads(keys, keyPositions, 1, 0, 2, 3, 1)]
            );
            OnnxValue shares = _graph.Graph.Node("Softmax", [scores], OnnxAttribute.Create("axis", -1));
            OnnxValue values = _graph.Graph.Node("MatMul", [shares, Heads(keys, keyPositions, 2, 0, 2, 1, 3)]);
            return _graph.Reshape(_graph.Transpose(values, 0, 2, 1, 3), positions, _channels);
        }

        OnnxValue Heads(OnnxValue rows, int count, int part, params ReadOnlySpan<long> order) =>
            _graph.Transpose(_graph.Reshape(Projection(rows, count, part), count, heads, _channels / heads), order);

        OnnxValue Projection(OnnxValue rows, int count, int part) =>
            _graph.Reshape(
                _graph.Linear(
                    rows,
                    _graph.Rows($"{name}.in_proj_weight", [3 * _channels, _channels], part * _channels, _channels),
                    _graph.Rows($"{name}.in_proj_bias", [3 * _channels], part * _channels, _channels)
                ),
                count,
                _channels
            );
    }

    /// <summary>What all layers end with: two linear layers beside a sum, and a normalization over all positions.</summary>
    private OnnxValue End(OnnxValue x, int positions, string name, string norm)
    {
        OnnxValue hidden = _graph.Gelu(
            _graph.Linear(
                Norm(x, $"{name}.{norm}"),
                _graph.Weight($"{name}.linear1.weight", _hidden, _channels),
                _graph.Weight($"{name}.linear1.bias", _hidden)
            )
        );
        x += ScaledLinear(hidden, $"{name}.linear2", _hidden, $"{name}.gamma_2.scale");
        return NormAll(x, positions, $"{name}.norm_out");
    }

    /// <summary>
    /// A linear layer whose result is multiplied with a factor for each channel. The product of two weights of 16 bits is exact.
    /// </summary>
    private OnnxValue ScaledLinear(OnnxValue rows, string name, int inputs, string scale)
    {
        OnnxValue factors = _graph.Weight(scale, _channels);
        return _graph.Linear(
            rows,
            _graph.Weight($"{name}.weight", _channels, inputs) * _graph.Graph.Node("Reshape", [factors, _graph.Integers(_channels, 1)]),
            _graph.Weight($"{name}.bias", _channels) * factors
        );
    }

    /// <summary>A normalization of each position.</summary>
    private OnnxValue Norm(OnnxValue x, string name) =>
        _graph.Graph.Node(
            "LayerNormalization",
            [x, _graph.Weight($"{name}.weight", _channels), _graph.Weight($"{name}.bias", _channels)],
            OnnxAttribute.Create("axis", -1),
            OnnxAttribute.Create("epsilon", LayerEpsilon)
        );

    /// <summary>A normalization over all positions and channels.</summary>
    private OnnxValue NormAll(OnnxValue x, int positions, string name)
    {
        x = _graph.Reshape(x, positions, _channels);
        long[] shape = [positions, _channels];
        OnnxValue centered = x - _graph.Mean(x, shape, 2, 1);
        OnnxValue deviation = _graph.Graph.Sqrt(_graph.MeanSquare(centered, shape, 2, 1) + ResidualBranch.Epsilon);
        return Flat(
            centered * (_graph.Weight($"{name}.weight", _channels) / deviation) + _graph.Weight($"{name}.bias", _channels),
            positions
        );
    }

    private OnnxValue Flat(OnnxValue value, int positions) =>
        _graph.Graph.Node("Reshape", [value, _graph.Integers(_graph.Batch * positions, _channels)]);
}
