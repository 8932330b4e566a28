namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Replaces softmax(q·kᵀ·scale)·v over several heads by ONNX Runtime's MultiHeadAttention, which computes it block by block: the matrices of
/// scores, 231 MB for one layer of htdemucs, are never stored.
/// </summary>
/// <remarks>
/// The operator exists in every version that this engine accepts; before 1.19 it stores the scores. Definition:
/// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MultiHeadAttention
/// </remarks>
internal static class AttentionFusion
{
    /// <summary>The nodes that give the same tensor under the same name; null if this is not the last node of an attention over heads.</summary>
    public static List<GraphNode>? Rewrite(GraphNode node, GraphFacts facts, long operatorSet, GraphNames names)
    {
        // The heads' results, moved back behind the time axis: [heads, time, depth] to [time, heads, depth].
        if (!node.Is("Transpose") || node.Inputs.Length != 1 || Producer(facts, node.Inputs[0], "MatMul", 2) is not { } weighted
            || Producer(facts, weighted.Inputs[0], "Softmax", 1) is not { } softmax)
            return null;
        if (facts.Shape(node.Outputs[0]) is not { Length: 3 or 4 } result || !IsLast(softmax, result.Length))
            return null;
        float scale = 1;
        string scores = Unscaled(facts, softmax.Inputs[0], ref scale);
        if (Producer(facts, scores, "MatMul", 2) is not { } product)
            return null;
        string left = Unscaled(facts, product.Inputs[0], ref scale), right = Unscaled(facts, product.Inputs[1], ref scale);
        if (Heads(facts, left, [1, 0, 2]) is not { } query || Heads(facts, right, [1, 2, 0]) is not { } key || Heads(facts, weighted.Inputs[1], [1, 0, 2]) is not { } value)
            return null;
        if (facts.ElementType(query.Source) != GraphTensor.Float32)
            return null;
        if (!key.Shape.SequenceEqual(value.Shape) || query.Shape[1] != key.Shape[1] || query.Shape[2] != key.Shape[2] || Reduced(result, Order(node)) is not { } back)
            return null;
        if (!back.Order.SequenceEqual([1, 0, 2]) || !back.Shape.SequenceEqual([query.Shape[1], query.Shape[0], query.Shape[2]]) || !float.IsFinite(scale) || scale <= 0)
            return null;

        NodeWriter writer = new(operatorSet, names, node.Outputs[0]);
        string joined = writer.AddRuntime("MultiHeadAttention", [Joined(query), Joined(key), Joined(value)],
            OnnxAttribute.Of("num_heads", query.Shape[1]), OnnxAttribute.Of("scale", scale));
        writer.Reshape(joined, result, node.Outputs[0]);
        return writer.Nodes;

        string Joined((string Source, long[] Shape) part) => writer.Reshape(part.Source, [1, part.Shape[0], part.Shape[1] * part.Shape[2]]);
    }

    private static GraphNode? Producer(GraphFacts facts, string name, string type, int inputs) =>
        facts.Producer(name) is { } node && node.Is(type) && node.Inputs.Length == inputs ? node : null;

    private static bool IsLast(GraphNode softmax, int rank) => softmax.Integer("axis", -1) is var axis && (axis == -1 || axis == rank - 1);

    /// <summary>Follows a tensor back over its products and quotients with numbers.</summary>
    private static string Unscaled(GraphFacts facts, string name, ref float scale)
    {
        while (facts.Producer(name) is { Inputs.Length: 2 } node)
        {
            if ((node.Is("Mul") || node.Is("Div")) && facts.Scalar(node.Inputs[1]) is { } right)
            {
                scale = node.Is("Mul") ? scale * right : scale / right;
                name = node.Inputs[0];
            }
            else if (node.Is("Mul") && facts.Scalar(node.Inputs[0]) is { } left)
            {
                scale *= left;
                name = node.Inputs[1];
            }
            else
            {
                break;
            }
        }
        return name;
    }

    /// <summary>The tensor [time, heads, depth] that a Transpose orders for a product of matrices, with axes of length 1 left out.</summary>
    private static (string Source, long[] Shape)? Heads(GraphFacts facts, string name, long[] order)
    {
        if (Producer(facts, name, "Transpose", 1) is not { } node || facts.KnownShape(name) is not { } shape)
            return null;
        return Reduced(shape, Order(node)) is { } reduced && reduced.Order.SequenceEqual(order) ? (node.Inputs[0], reduced.Shape) : null;
    }

    private static long[] Order(GraphNode transpose) => transpose.Attributes.TryGetValue("perm", out GraphAttribute? order) ? order.Integers : [];

    /// <summary>The shape before a Transpose and its order without the axes of length 1, if three are left.</summary>
    private static (long[] Shape, long[] Order)? Reduced(long[] after, long[] order)
    {
        if (order.Length != after.Length || after.Any(length => length < 1))
            return null;
        long[] kept = [.. order.Where((_, i) => after[i] > 1)];
        if (kept.Length != 3)
            return null;
        long[] axes = [.. kept.Order()];
        long[] before = [.. axes.Select(axis => after[Array.IndexOf(order, axis)])];
        return (before, [.. kept.Select(axis => (long)Array.IndexOf(axes, axis))]);
    }
}
