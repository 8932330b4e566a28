using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Computes a gated linear unit after a convolution of three by three taps from tiles of four by four results: 36 products a tile where the
/// convolution takes 144, see <see cref="WinogradFilter"/>. All is said in operators that the runtime has: one convolution with constant
/// taps takes the signal apart, one with a group for each of the 36 adds the products over the channels, a product with a small matrix
/// makes results of them, and DepthToSpace lays these side by side, after the gate, when half of them are left.
/// </summary>
internal static class TiledGlu
{
    /// <summary>
    /// What is saved grows with the channels' square, the passes around it with the channels. On htdemucs tiles pay from 96 channels up and
    /// do not at 48.
    /// </summary>
    private const long FewestChannels = 64;

    private const long Products = WinogradFilter.Products * WinogradFilter.Products,
        Results = WinogradFilter.Results * WinogradFilter.Results,
        Taps = WinogradFilter.Taps * WinogradFilter.Taps;

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such unit or too little is known of it.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter w)
    {
        if (GluConvolution.Match(node, facts) is not { Node: var convolution, Window: var window } gate)
            return null;
        if (gate.Weight is not [var both, var channels and >= FewestChannels, WinogradFilter.Taps, WinogradFilter.Taps])
            return null;
        if (
            window.Strides.Any(stride => stride != 1)
            || window.Dilations.Any(distance => distance != 1)
            || window.Pads.Any(pad => pad != 1)
        )
            return null;
        if (
            facts.KnownShape(convolution.Inputs[0]) is not [1, var width, var rows, var columns]
            || width != channels
            || rows % WinogradFilter.Results != 0
            || columns % WinogradFilter.Results != 0
        )
            return null;
        Write(convolution, new Plane(channels, both / 2, rows, columns), w, node.Outputs[0]);
        return w.Nodes;
    }

    private static void Write(GraphNode convolution, Plane plane, NodeWriter w, string output)
    {
        string parts = TakeApart(convolution.Inputs[0], plane, w),
            ofTaps = w.Constant(WinogradFilter.OfTaps, Products, Taps),
            toResults = w.Constant(WinogradFilter.ToResults, Results, Products);
        (string firstWeight, string secondWeight) = w.Halves(convolution.Inputs[1], 0);
        (string firstBias, string secondBias) = w.Halves(convolution.Inputs[2], 0);
        string gated = w.Add("Mul", [Convolved(firstWeight, firstBias), w.Add("Sigmoid", [Convolved(secondWeight, secondBias)])]);
        w.Add(
            "DepthToSpace",
            [w.Reshape(gated, [1, Results * plane.Half, plane.Down, plane.Across])],
            output,
            OnnxAttribute.Create("blocksize", WinogradFilter.Results)
        );

        string Convolved(string weight, string bias)
        {
            (long channels, long half, long tiles) = (plane.Channels, plane.Half, plane.Down * plane.Across);
            // Of constants; the runtime computes it once.
            weight = w.Add("Transpose", [w.Reshape(weight, [half * channels, Taps])], null, OnnxAttribute.Create("perm", [1, 0]));
            weight = w.Reshape(w.Add("MatMul", [ofTaps, weight]), [Products * half, channels, 1]);
            OnnxAttribute kernel = OnnxAttribute.Create("kernel_shape", [1]);
            string product = w.Add("Conv", [parts, weight], null, kernel, OnnxAttribute.Create("group", Products));
            string result = w.Add("MatMul", [toResults, w.Reshape(product, [Products, half * tiles])]);
            return w.Add("Add", [w.Reshape(result, [Results, half, tiles]), w.Reshape(bias, [1, half, 1])]);
        }
    }

    /// <summary>The tiles' 36 parts. Channels stand on an axis of space, so that parts come first and each is a matrix.</summary>
    private static string TakeApart(string signal, Plane plane, NodeWriter w)
    {
        string parts = w.Add(
            "Conv",
            [
                w.Reshape(signal, [1, 1, plane.Channels, plane.Rows, plane.Columns]),
                w.Constant(WinogradFilter.OfSignal, Products, 1, 1, WinogradFilter.Products, WinogradFilter.Products),
            ],
            null,
            OnnxAttribute.Create("kernel_shape", [1, WinogradFilter.Products, WinogradFilter.Products]),
            OnnxAttribute.Create("strides", [1, WinogradFilter.Results, WinogradFilter.Results]),
            OnnxAttribute.Create("pads", [0, 1, 1, 0, 1, 1])
        );
        return w.Reshape(parts, [1, Products * plane.Channels, plane.Down * plane.Across]);
    }

    /// <summary>A convolution's channels, half of those that it gives, and the plane's lengths.</summary>
    private readonly record struct Plane(long Channels, long Half, long Rows, long Columns)
    {
        /// <summary>Tiles below each other.</summary>
        public long Down => Rows / WinogradFilter.Results;

        /// <summary>Tiles side by side.</summary>
        public long Across => Columns / WinogradFilter.Results;
    }
}
