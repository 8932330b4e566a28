using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// A convolution of three by three taps over a plane, computed from tiles of four by four results: 36 products a tile where the sum as it
/// is written takes 144, see <see cref="WinogradFilter"/>. One convolution with constant taps takes the signal apart, one with a group for
/// each of the 36 adds the products over the channels, a product with a small matrix makes results of them, and DepthToSpace lays these
/// side by side. The weights' products are computed here.
/// </summary>
internal sealed class TiledConvolution
{
    /// <summary>The results of a tile along an axis.</summary>
    public const int Tile = WinogradFilter.Results;

    private const int Products = WinogradFilter.Products * WinogradFilter.Products,
        Results = Tile * Tile,
        Taps = WinogradFilter.Taps * WinogradFilter.Taps;

    private readonly WeightedGraph _graph;
    private readonly int _channels;
    private readonly OnnxValue _weight,
        _bias;

    /// <summary>Takes a weight.</summary>
    /// <param name="graph">Where its products go.</param>
    /// <param name="weight">Gives the weight, [channels, channels, 3, 3].</param>
    /// <param name="bias">A number for each channel.</param>
    /// <param name="channels">As many as it takes.</param>
    public TiledConvolution(WeightedGraph graph, Func<double[]> weight, OnnxValue bias, int channels)
    {
        _graph = graph;
        _channels = channels;
        _weight = graph.Computed(() => ProductsOf(weight(), channels * channels), Products * channels, channels, 1);
        _bias = graph.Graph.Node("Reshape", [bias, graph.Integers(1, 1, channels, 1)]);
    }

    /// <summary>Takes a plane apart: [batch, 36·channels, tiles]. Where its columns are not tiles, zeros stand after them.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="x">The plane.</param>
    /// <param name="top">Zeros that stand before its first row.</param>
    /// <param name="bottom">Zeros that stand after its last one.</param>
    public static OnnxValue Parts(WeightedGraph graph, Signal x, int top, int bottom)
    {
        int across = Across(x.Columns),
            down = (x.Rows!.Value + top + bottom - (WinogradFilter.Taps - 1)) / Tile;
        // Channels stand on an axis of space, so that the 36 parts come first and each is a matrix of channels and tiles.
        OnnxValue parts = graph.Conv(
            graph.Reshape(x.Value, 1, x.Channels, x.Rows.Value, x.Columns),
            graph.Shared(WinogradFilter.OfSignal, Products, 1, 1, WinogradFilter.Products, WinogradFilter.Products),
            null,
            [1, WinogradFilter.Products, WinogradFilter.Products],
            strides: [1, Tile, Tile],
            pads: [0, top, 1, 0, bottom, 1 + Tile * across - x.Columns]
        );
        return graph.Reshape(parts, Products * x.Channels, down * across);
    }

    /// <summary>The convolution's results, tile by tile: [batch, 16, channels, tiles].</summary>
    /// <param name="parts">What <see cref="Parts"/> gives.</param>
    /// <param name="x">The plane that was taken apart.</param>
    /// <param name="rows">The rows of the result.</param>
    public OnnxValue Of(OnnxValue parts, Signal x, int rows)
    {
        int tiles = rows / Tile * Across(x.Columns);
        OnnxValue products = _graph.Conv(parts, _weight, null, [1], groups: Products);
        OnnxValue results = _graph.Graph.Node(
            "MatMul",
            [_graph.Shared(WinogradFilter.ToResults, Results, Products), _graph.Reshape(products, Products, _channels * tiles)]
        );
        return _graph.Reshape(results, Results, _channels, tiles) + _bias;
    }

    /// <summary>Lays results side by side.</summary>
    public static OnnxValue Join(WeightedGraph graph, OnnxValue results, int channels, int rows, int columns)
    {
        int across = Across(columns);
        OnnxValue plane = graph.Graph.Node(
            "DepthToSpace",
            [graph.Reshape(results, Results * channels, rows / Tile, across)],
            OnnxAttribute.Create("blocksize", Tile)
        );
        return graph.Slice(plane, 3, Tile * across, 0, columns);
    }

    /// <summary>The products' first factors, [36, pairs], of a weight [pairs, 9].</summary>
    private static float[] ProductsOf(double[] weight, int pairs)
    {
        float[] products = new float[Products * pairs];
        for (int pair = 0; pair < pairs; pair++)
        {
            for (int product = 0; product < Products; product++)
            {
                double sum = 0;
                for (int tap = 0; tap < Taps; tap++)
                    sum += WinogradFilter.ExactOfTaps[product * Taps + tap] * weight[pair * Taps + tap];
                products[product * pairs + pair] = (float)sum;
            }
        }
        return products;
    }

    private static int Across(int columns) => (columns + Tile - 1) / Tile;
}
