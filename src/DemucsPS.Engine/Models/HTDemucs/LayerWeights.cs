using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>What encoder and decoder layers of both branches have in common: a gated convolution, and residual branches.</summary>
internal sealed class LayerWeights
{
    /// <summary>
    /// From so many channels on, planes are computed in tiles where the form has them, see <see cref="TiledConvolution"/>: what these save
    /// grows with the channels' square, the passes around them with the channels.
    /// </summary>
    private const int FewestTiledChannels = 64;

    private readonly WeightedGraph _graph;
    private readonly string _name;
    private readonly int _context;
    private readonly bool _isPlane;
    private readonly OnnxValue? _weight,
        _bias,
        _values,
        _valuesBias,
        _gates,
        _gatesBias;
    private readonly TiledConvolution? _tiledValues,
        _tiledGates;
    private readonly ResidualBranch[] _branches;

    /// <summary>Reads a layer's weights.</summary>
    /// <param name="graph">Where they go.</param>
    /// <param name="name">What their names begin with: <c>encoder.0</c>.</param>
    /// <param name="channels">Its channels.</param>
    /// <param name="context">How many neighbors on each side the gated convolution looks at.</param>
    /// <param name="hidden">The channels of its residual branches.</param>
    /// <param name="distances">How far the taps of each of them are apart; none for a layer without.</param>
    /// <param name="isPlane">Whether it is for a spectrogram.</param>
    public LayerWeights(WeightedGraph graph, string name, int channels, int context, int hidden, IReadOnlyList<int> distances, bool isPlane)
    {
        _graph = graph;
        _name = name;
        Channels = channels;
        _context = context;
        _isPlane = isPlane;
        int taps = 2 * context + 1;
        int[] shape = isPlane ? [2 * channels, channels, taps, taps] : [2 * channels, channels, taps];
        string weight = $"{name}.rewrite.weight",
            bias = $"{name}.rewrite.bias";
        if (graph.Form.HasTiles() && isPlane && context == 1 && channels >= FewestTiledChannels)
        {
            graph.Require(weight, shape);
            int half = channels * channels * taps * taps;
            _tiledValues = new TiledConvolution(
                graph,
                () => graph.Values(weight, shape)[..half],
                graph.Rows(bias, [2 * channels], 0, channels),
                channels
            );
            _tiledGates = new TiledConvolution(
                graph,
                () => graph.Values(weight, shape)[half..],
                graph.Rows(bias, [2 * channels], channels, channels),
                channels
            );
        }
        else if (isPlane || context == 0)
        {
            _values = graph.Rows(weight, shape, 0, channels);
            _valuesBias = graph.Rows(bias, [2 * channels], 0, channels);
            _gates = graph.Rows(weight, shape, channels, channels);
            _gatesBias = graph.Rows(bias, [2 * channels], channels, channels);
        }
        else
        {
            // The runtime computes a kernel along one axis from a copy of what it takes together, which would be made twice.
            _weight = graph.Weight(weight, shape);
            _bias = graph.Weight(bias, 2 * channels);
        }
        _branches =
        [
            .. distances.Select(
                (distance, i) => new ResidualBranch(graph, $"{name}.dconv.layers.{i}", channels, hidden, distance, isPlane)
            ),
        ];
    }

    /// <summary>Its channels.</summary>
    public int Channels { get; }

    /// <summary>Whether the gated convolution is computed in tiles, and takes rows of whole tiles only.</summary>
    public bool IsTiled => _tiledValues is not null;

    /// <summary>Applies the residual branches.</summary>
    public Signal Residual(Signal x) => _branches.Aggregate(x, (signal, branch) => branch.Apply(signal));

    /// <summary>Applies the gated convolution.</summary>
    /// <param name="x">What it takes: of a spectrogram, the rows that are wanted and those of their neighbors that there are.</param>
    /// <param name="top">Of a spectrogram, how many neighbors of the first row there are not: zeros stand for them.</param>
    /// <param name="bottom">As above, of the last row.</param>
    public Signal Gated(Signal x, int top = 0, int bottom = 0)
    {
        OnnxGraphWriter g = _graph.Graph;
        int taps = 2 * _context + 1;
        int? rows = x.Rows + top + bottom - (taps - 1);
        if (_tiledValues is { } values && _tiledGates is { } gates && rows % TiledConvolution.Tile == 0)
        {
            OnnxValue parts = TiledConvolution.Parts(_graph, x, top, bottom);
            return _graph.Wide(
                x with
                {
                    Rows = rows,
                    Value = TiledConvolution.Join(
                        _graph,
                        values.Of(parts, x, rows!.Value) * _graph.Sigmoid(gates.Of(parts, x, rows.Value)),
                        Channels,
                        rows.Value,
                        x.Columns
                    ),
                }
            );
        }
        if (_tiledValues is not null)
            throw new InvalidOperationException($"Layer '{_name}' computes {rows} frequencies, which do not form tiles.");
        long[] kernel = _isPlane ? [taps, taps] : [taps],
            pads = _isPlane ? [top, _context, bottom, _context] : [_context, _context];
        OnnxValue result;
        if (_weight is not null)
        {
            OnnxValue both = _graph.Conv(x.Value, _weight, _bias, kernel, pads: pads);
            OnnxValue[] halves = _graph.Form.HasSlices()
                ? [_graph.Slice(both, 1, 2 * Channels, 0, Channels), _graph.Slice(both, 1, 2 * Channels, Channels, 2 * Channels)]
                : g.Node("Split", 2, [both], OnnxAttribute.Create("axis", 1), OnnxAttribute.Create("num_outputs", 2));
            result = halves[0] * _graph.Sigmoid(halves[1]);
        }
        else
        {
            result =
                _graph.Conv(x.Value, _values!, _valuesBias, kernel, pads: pads)
                * _graph.Sigmoid(_graph.Conv(x.Value, _gates!, _gatesBias, kernel, pads: pads));
        }
        return _graph.Wide(x with { Rows = rows, Value = result });
    }
}
