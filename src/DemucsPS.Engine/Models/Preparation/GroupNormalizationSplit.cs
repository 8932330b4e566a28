using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Replaces a group normalization of one group by mean and variance taken axis by axis, as <see cref="InstanceNormalizationSplit"/> does,
/// with the channels' factors divided by the deviation before they meet the tensor. Where only transpositions that exchange channels and
/// time lie before and after it, they go.
/// </summary>
internal static class GroupNormalizationSplit
{
    /// <summary>As below, for a normalization between two transpositions that undo each other.</summary>
    public static List<GraphNode>? RewriteTransposed(GraphNode node, ShapeInference facts, NodeWriter w)
    {
        if (
            !Exchanges(node, facts)
            || GroupNormalization.Match(node.Inputs[0], facts) is not { } normal
            || facts.KnownShape(node.Outputs[0]) is not { } after
        )
            return null;
        if (
            facts.Producer(normal.Source) is not { } before
            || !Exchanges(before, facts)
            || facts.KnownShape(normal.Source) is not [1, var channels, var time]
        )
            return null;
        if (!IsFor(normal, channels, facts))
            return null;
        string source = w.Reshape(before.Inputs[0], [1, time, channels]);
        string result = Normalize(w, source, [1, time, channels], normal, [2, 1], [1, 1, channels]);
        w.Reshape(result, after, node.Outputs[0]);
        return w.Nodes;
    }

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is not a group normalization or too little is known of it.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter w)
    {
        if (
            !node.Is("Add")
            || GroupNormalization.Match(node.Outputs[0], facts) is not { } normal
            || facts.KnownShape(normal.Source) is not { } shape
            || !IsFor(normal, shape[1], facts)
        )
            return null;
        long[] axes = [.. Enumerable.Range(1, shape.Length - 1).Select(axis => (long)axis).Reverse()];
        Normalize(w, normal.Source, shape, normal, axes, [1, shape[1], .. Enumerable.Repeat(1L, shape.Length - 2)], node.Outputs[0]);
        return w.Nodes;
    }

    private static string Normalize(
        NodeWriter w,
        string source,
        long[] shape,
        GroupNormalization normal,
        ReadOnlySpan<long> axes,
        long[] perChannel,
        string? output = null
    )
    {
        string centered = w.Add("Sub", [source, w.Mean(source, shape, axes)]);
        string variance = w.Mean(w.Add("Mul", [centered, centered]), shape, axes);
        string deviation = w.Add("Sqrt", [w.Add("Add", [variance, w.Constant(normal.Epsilon)])]);
        string factors = w.Add("Div", [w.Reshape(normal.Factors, perChannel), deviation]);
        return w.Add("Add", [w.Add("Mul", [centered, factors]), w.Reshape(normal.Summands, perChannel)], output);
    }

    private static bool IsFor(GroupNormalization normal, long channels, ShapeInference facts) =>
        normal.Groups == 1
        && facts.ElementType(normal.Source) == GraphTensor.Float32
        && normal.IsPerChannel(normal.Factors, channels, facts)
        && normal.IsPerChannel(normal.Summands, channels, facts);

    /// <summary>Whether a node exchanges two axes and otherwise only moves axes of length 1.</summary>
    private static bool Exchanges(GraphNode node, ShapeInference facts)
    {
        if (
            !node.Is("Transpose")
            || node.Inputs.Length != 1
            || !node.Attributes.TryGetValue("perm", out GraphAttribute? order)
            || facts.KnownShape(node.Inputs[0]) is not { } shape
        )
            return false;
        if (order.Integers.Length != shape.Length || order.Integers.Any(axis => axis < 0 || axis >= shape.Length))
            return false;
        long[] moved = [.. order.Integers.Where(axis => shape[axis] > 1)];
        return moved.Length == 2 && moved[0] > moved[1];
    }
}
