using DemucsPS.Engine.Models.Weights;
using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>The whole of htdemucs: two encoders, the transformer between them, and two decoders.</summary>
/// <remarks>
/// Where the graph's form has blocks, the outer layers of the spectrogram are computed some rows after the others, so that what a layer
/// has within itself is never there for all frequencies at once. Rows of an encoder's layer and residual branches do not depend on each
/// other; a decoder's look at their neighbors, of which a few are computed twice.
/// </remarks>
internal sealed class HTDemucsNetwork
{
    /// <summary>What normalizations of the mix add to its deviation.</summary>
    private const float Epsilon = 1e-5f;

    /// <summary>
    /// So many numbers of a layer's result are computed at once: of htdemucs 64 rows of its outermost layers, in blocks of 4 MB.
    /// </summary>
    private const int BlockNumbers = 1 << 20;

    private const int WaveChannels = 2,
        Planes = SegmentSpectrogram.Planes,
        Bins = SegmentSpectrogram.Bins;

    private readonly HTDemucsArchitecture _architecture;
    private readonly HTDemucsGraphOptions _options;
    private readonly WeightedGraph _graph;

    /// <summary>Starts with no nodes.</summary>
    public HTDemucsNetwork(HTDemucsWeights weights, HTDemucsGraphOptions options)
    {
        _architecture = weights.Architecture;
        _options = options;
        _graph = new WeightedGraph(weights, options.Batch, options.Form);
    }

    /// <summary>The channels of an encoder's layer.</summary>
    public static int ChannelsOf(HTDemucsArchitecture architecture, int layer)
    {
        int channels = architecture.Channels;
        for (int i = 0; i < layer; i++)
            channels *= architecture.Growth;
        return channels;
    }

    /// <summary>The channels within a residual branch of a layer.</summary>
    public static int HiddenOf(HTDemucsArchitecture architecture, int channels) => (int)(channels / architecture.DconvComp);

    /// <summary>Adds all nodes.</summary>
    public OnnxGraphWriter Build()
    {
        OnnxGraphWriter g = _graph.Graph;
        int stems = _architecture.Sources.Count,
            depth = _architecture.Depth,
            batch = _options.Batch;
        int length = _options.SegmentFrames,
            frames = SegmentSpectrogram.FrameCount(length);
        Signal wave = new(g.Input("waveform", batch, WaveChannels, length), WaveChannels, null, length);
        Signal plane = new(g.Input("spectrogram", batch, Planes, Bins, frames), Planes, Bins, frames);

        g.Section("mix");
        (Signal x, OnnxValue mean, OnnxValue deviation) = Normalize(plane);
        (Signal t, OnnxValue waveMean, OnnxValue waveDeviation) = Normalize(wave);

        List<Signal> waves = [],
            planes = [];
        List<int> lengths = [];
        for (int i = 0; i < depth; i++)
        {
            lengths.Add(t.Columns);
            waves.Add(t = Encoder("tencoder", i, t.Channels, isPlane: false).Apply(t));
        }
        for (int i = 0; i < depth; i++)
            planes.Add(x = Encode(i, x));

        g.Section("transformer");
        (x, t) = new CrossTransformer(_graph, _architecture, ChannelsOf(_architecture, depth - 1)).Apply(x, t);

        for (int i = depth - 1; i >= 0; i--)
            t = Decoder("tdecoder", i, WaveChannels * stems, isPlane: false).Apply(t, waves[i], lengths[i]);
        g.Section("waveform");
        OnnxValue stemWaveform = _graph.Reshape(t.Value, stems, WaveChannels, length) * Spread(waveDeviation, 4) + Spread(waveMean, 4);

        RowSource rows = RowsOf(x);
        for (int i = depth - 1; i > 0; i--)
            rows = Decode(i, rows, planes[i]);
        DecoderLayer last = Decoder("decoder", 0, Planes * stems, isPlane: true);
        Signal skip = planes[0];
        OnnxValue[] blocks =
        [
            .. Blocks(Bins, Steps.Stride * RowsAtOnce(skip.Channels, frames))
                .Select(block =>
                {
                    OnnxValue value = last.Outer(
                        (first, end) => last.Inner(rows, RowsOf(skip), skip.Rows!.Value, first, end),
                        skip.Rows!.Value,
                        block.First,
                        block.End
                    ).Value;
                    return _graph.Reshape(value, stems, Planes, block.End - block.First, frames) * Spread(deviation, 5) + Spread(mean, 5);
                }),
        ];
        g.Section("spectrogram");
        g.Output("stem_spectrogram", _graph.Concat(3, blocks), batch, stems, Planes, Bins, frames);
        g.Output("stem_waveform", stemWaveform, batch, stems, WaveChannels, length);
        return g;
    }

    /// <summary>Mean 0 and deviation 1.</summary>
    private (Signal Normal, OnnxValue Mean, OnnxValue Deviation) Normalize(Signal x)
    {
        int[] axes = [.. Enumerable.Range(1, x.Shape.Length).Reverse()];
        double count = x.Shape.Aggregate(1.0, (product, length) => product * length);
        OnnxValue mean = _graph.Mean(x.Value, x.Shape, axes),
            centered = x.Value - mean;
        // That of a sample, which has one number less to divide by.
        OnnxValue deviation = _graph.Graph.Sqrt((float)(count / (count - 1)) * _graph.MeanSquare(centered, x.Shape, axes));
        return (x with { Value = centered / (deviation + Epsilon) }, mean, deviation);
    }

    /// <summary>A number for each entry of the batch, with so many axes.</summary>
    private OnnxValue Spread(OnnxValue value, int axes) => _graph.Reshape(value, [.. Enumerable.Repeat(1L, axes - 1)]);

    private EncoderLayer Encoder(string name, int i, int inputs, bool isPlane) =>
        new(_graph, $"{name}.{i}", inputs, Layer($"{name}.{i}", i, _architecture.ContextEnc, 1, isPlane), isPlane);

    /// <summary>The layer that undoes an encoder's layer.</summary>
    private DecoderLayer Decoder(string name, int i, int outermost, bool isPlane)
    {
        string layer = $"{name}.{_architecture.Depth - 1 - i}";
        return new(
            _graph,
            layer,
            Layer(layer, i, _architecture.Context, 2, isPlane),
            _architecture.Context,
            i == 0 ? outermost : ChannelsOf(_architecture, i - 1),
            i == 0,
            isPlane
        );
    }

    private LayerWeights Layer(string name, int i, int context, int mode, bool isPlane)
    {
        int channels = ChannelsOf(_architecture, i);
        int[] distances =
            (_architecture.DconvMode & mode) == 0 ? [] : [.. Enumerable.Range(0, _architecture.DconvDepth).Select(branch => 1 << branch)];
        return new LayerWeights(_graph, name, channels, context, HiddenOf(_architecture, channels), distances, isPlane);
    }

    private Signal Encode(int i, Signal x)
    {
        EncoderLayer layer = Encoder("encoder", i, x.Channels, isPlane: true);
        int rows = x.Rows!.Value / Steps.Stride,
            channels = ChannelsOf(_architecture, i);
        double[]? embedding = i == 0 && _architecture.FreqEmb > 0 ? _graph.Values("freq_emb.embedding.weight", rows, channels) : null;
        return Joined(
            Blocks(rows, RowsAtOnce(channels, x.Columns))
                .Select(block =>
                {
                    Signal part = layer.Apply(x, block.First, block.End);
                    if (embedding is null)
                        return part;
                    int count = block.End - block.First;
                    double scale = _architecture.FreqEmb * _architecture.EmbScale;
                    OnnxValue values = _graph.Constant(
                        Enumerable
                            .Range(0, channels * count)
                            .Select(n => scale * embedding[(block.First + n % count) * channels + n / count]),
                        1,
                        channels,
                        count,
                        1
                    );
                    return part with { Value = part.Value + values };
                })
        );
    }

    /// <summary>All rows of what a decoder's layer transposes, and from them the rows of its result.</summary>
    private RowSource Decode(int i, RowSource x, Signal skip)
    {
        // Only the outermost layer gives something else.
        DecoderLayer layer = Decoder("decoder", i, outermost: 0, isPlane: true);
        int rows = skip.Rows!.Value;
        RowSource inner = RowsOf(
            Joined(
                Blocks(rows, RowsAtOnce(skip.Channels, skip.Columns))
                    .Select(block => layer.Inner(x, RowsOf(skip), rows, block.First, block.End))
            )
        );
        return (first, end) => layer.Outer(inner, rows, first, end);
    }

    /// <summary>Rows of a signal that is there.</summary>
    private RowSource RowsOf(Signal x) =>
        (first, end) => x with { Value = _graph.Slice(x.Value, 2, x.Rows!.Value, first, end), Rows = end - first };

    private Signal Joined(IEnumerable<Signal> parts)
    {
        Signal[] all = [.. parts];
        return _graph.Wide(
            all[0] with
            {
                Value = _graph.Concat(2, [.. all.Select(part => part.Value)]),
                Rows = all.Sum(part => part.Rows),
            }
        );
    }

    /// <summary>How many rows are computed at once: whole tiles, or all of them.</summary>
    private int RowsAtOnce(int channels, int columns) =>
        _graph.Form.HasBlocks()
            ? Math.Max(BlockNumbers / (channels * columns) / TiledConvolution.Tile, 1) * TiledConvolution.Tile
            : Bins;

    private static IEnumerable<(int First, int End)> Blocks(int rows, int atOnce)
    {
        int count = (rows + atOnce - 1) / atOnce;
        // Of equal size, and of whole tiles.
        int size = ((rows + count - 1) / count + TiledConvolution.Tile - 1) / TiledConvolution.Tile * TiledConvolution.Tile;
        for (int first = 0; first < rows; first += size)
            yield return (first, Math.Min(first + size, rows));
    }
}
