using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>Replaces a transposition that only moves axes of length 1 by a Reshape, which copies nothing.</summary>
internal static class TransposeElision
{
    /// <summary>The nodes that give the same tensor under the same name; null if elements change places or too little is known.</summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer)
    {
        if (!node.Is("Transpose") || node.Inputs.Length != 1 || !node.Attributes.TryGetValue("perm", out GraphAttribute? order))
            return null;
        if (
            facts.KnownShape(node.Inputs[0]) is not { } shape
            || shape.Length != order.Integers.Length
            || order.Integers.Any(axis => axis < 0 || axis >= shape.Length)
        )
            return null;
        long[] moved = [.. order.Integers.Where(axis => shape[axis] > 1)];
        if (!moved.SequenceEqual(moved.Order()))
            return null;
        writer.Reshape(node.Inputs[0], [.. order.Integers.Select(axis => shape[axis])], node.Outputs[0]);
        return writer.Nodes;
    }
}
