using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Writes the operator Attention out as softmax(q·kᵀ·scale)·v, as exporters did before: providers that compile graphs recognize that, and
/// few know the operator.
/// </summary>
/// <remarks>https://onnx.ai/onnx/operators/onnx__Attention.html</remarks>
internal static class AttentionLowering
{
    private static readonly long[] s_transposed = [0, 1, 3, 2];

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no attention over tensors with an axis for heads, or masks
    /// or caps something.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer)
    {
        if (
            ScaleOf(node, facts) is not { } scale
            || facts.KnownShape(node.Inputs[0]) is not [_, var heads, _, _]
            || facts.KnownShape(node.Inputs[1]) is not [_, var keyHeads, _, _]
            || heads != keyHeads
            || facts.ElementType(node.Inputs[0]) != GraphTensor.Float32
        )
            return null;
        string query = writer.Add("Mul", [node.Inputs[0], writer.Constant(scale)]),
            key = writer.Add("Transpose", [node.Inputs[1]], null, OnnxAttribute.Create("perm", s_transposed)),
            shares = writer.Add("Softmax", [writer.Add("MatMul", [query, key])], null, OnnxAttribute.Create("axis", -1));
        writer.Add("MatMul", [shares, node.Inputs[2]], node.Outputs[0]);
        return writer.Nodes;
    }

    /// <summary>
    /// What the products of queries and keys are multiplied with; null if the node is no attention, or does more than attention.
    /// </summary>
    internal static float? ScaleOf(GraphNode node, ShapeInference facts) =>
        node.Is("Attention")
        && node.Inputs.Length == 3
        && node.Outputs.Length == 1
        && node.Integer("is_causal", 0) == 0
        && node.Float("softcap", 0) == 0
        && node.Integer("softmax_precision", 1) == 1
        && facts.KnownShape(node.Inputs[0]) is [_, _, _, var depth]
            ? node.Float("scale", (float)(1 / Math.Sqrt(depth)))
            : null;
}
