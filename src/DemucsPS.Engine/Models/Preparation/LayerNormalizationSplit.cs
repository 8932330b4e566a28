using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Writes out a layer normalization over more numbers than a transformer's channels are, which is how some exporters say a group
/// normalization of one group, with mean and variance taken
/// axis by axis. The runtime's kernel adds all of them one by one, and takes the variance as a difference of large sums.
/// </summary>
/// <remarks>https://onnx.ai/onnx/operators/onnx__LayerNormalization.html</remarks>
internal static class LayerNormalizationSplit
{
    /// <summary>Over so many channels the kernel is as exact as anything else, and quick.</summary>
    private const long MostNumbers = 2048;

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such node or too little is known of it.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter w)
    {
        if (
            !node.Is("LayerNormalization")
            || node.Inputs.Length is < 2 or > 3
            || node.Outputs.Length != 1
            || node.Integer("stash_type", 1) != 1
        )
            return null;
        if (facts.ElementType(node.Inputs[0]) != GraphTensor.Float32 || facts.Shape(node.Inputs[0]) is not { } shape)
            return null;
        long first = node.Integer("axis", -1);
        first = first < 0 ? first + shape.Length : first;
        if (
            first < 0
            || first >= shape.Length
            || shape[(int)first..].Any(length => length is < 1 or > int.MaxValue)
            || shape[(int)first..].Aggregate(1.0, (product, length) => product * length) <= MostNumbers
        )
            return null;
        long[] axes = [.. Enumerable.Range((int)first, shape.Length - (int)first).Select(axis => (long)axis).Reverse()];
        string normal = InstanceNormalizationSplit.Normalize(
            w,
            node.Inputs[0],
            shape,
            axes,
            node.Float("epsilon", InstanceNormalizationSplit.DefaultEpsilon)
        );
        bool moved = node.Inputs.Length == 3 && node.Inputs[2].Length > 0;
        normal = w.Add("Mul", [normal, node.Inputs[1]], moved ? null : node.Outputs[0]);
        if (moved)
            w.Add("Add", [normal, node.Inputs[2]], node.Outputs[0]);
        return w.Nodes;
    }
}
