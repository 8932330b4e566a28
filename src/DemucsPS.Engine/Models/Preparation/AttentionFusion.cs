using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Replaces softmax(q·kᵀ·scale)·v over several heads, written out or as the operator Attention, by ONNX Runtime's MultiHeadAttention, which
/// computes it block by block: the matrices of scores, 231 MB for one layer of htdemucs, are never stored.
/// </summary>
/// <remarks>
/// The operator exists in every version that this engine accepts; before 1.19 it stores the scores. Definition:
/// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MultiHeadAttention
/// </remarks>
internal static class AttentionFusion
{
    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is not the last node of an attention over heads.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer)
    {
        // The heads' results, moved back after the time axis: [heads, time, depth] to [time, heads, depth].
        if (
            !node.Is("Transpose")
            || node.Inputs.Length != 1
            || node.Outputs.Length != 1
            || facts.Shape(node.Outputs[0]) is not { Length: 3 or 4 } result
        )
            return null;
        if (
            (WrittenOut(node.Inputs[0], result.Length, facts) ?? AsOperator(node.Inputs[0], facts))
            is not var (left, right, weighted, scale, keyOrder)
        )
            return null;
        if (
            Heads(facts, left, [1, 0, 2]) is not { } query
            || Heads(facts, right, keyOrder) is not { } key
            || Heads(facts, weighted, [1, 0, 2]) is not { } value
        )
            return null;
        scale *= query.Scale * key.Scale;
        if (facts.ElementType(query.Source) != GraphTensor.Float32 || value.Scale != 1)
            return null;
        if (!key.Shape.SequenceEqual(value.Shape) || query.Shape[1] != key.Shape[1] || query.Shape[2] != key.Shape[2])
            return null;
        long[] heads = [query.Shape[1], query.Shape[0], query.Shape[2]],
            back = [query.Shape[0], query.Shape[1], query.Shape[2]];
        long[] order = node.Attributes.TryGetValue("perm", out GraphAttribute? perm) ? perm.Integers : [];
        if (result.Any(length => length < 1) || !result.Where(length => length > 1).SequenceEqual(back) || order.Length != result.Length)
            return null;
        long[] moved = [.. order.Where((_, i) => result[i] > 1)];
        if (!moved.Select(axis => moved.Count(other => other < axis)).SequenceEqual([1, 0, 2]) || !float.IsFinite(scale) || scale <= 0)
            return null;

        string joined = writer.AddRuntime(
            "MultiHeadAttention",
            [Joined(query), Joined(key), Joined(value)],
            OnnxAttribute.Create("num_heads", heads[0]),
            OnnxAttribute.Create("scale", scale)
        );
        writer.Reshape(joined, result, node.Outputs[0]);
        return writer.Nodes;

        string Joined(Operand part) => writer.Reshape(part.Source, [1, part.Shape[0], part.Shape[1] * part.Shape[2]]);
    }

    /// <summary>
    /// A factor of an attention's products: the tensor [time, heads, depth] that it is made of, and the number by which it is multiplied.
    /// </summary>
    private sealed record Operand(string Source, long[] Shape, float Scale);

    /// <summary>
    /// The factors of an attention as products of matrices: query, key, value, the scale between both products, and the order of the key's
    /// axes.
    /// </summary>
    private static (string Query, string Key, string Value, float Scale, long[] KeyOrder)? WrittenOut(
        string name,
        int rank,
        ShapeInference facts
    )
    {
        if (Producer(facts, name, "MatMul", 2) is not { } weighted || Producer(facts, weighted.Inputs[0], "Softmax", 1) is not { } softmax)
            return null;
        if (softmax.Integer("axis", -1) is var axis && axis != -1 && axis != rank - 1)
            return null;
        float scale = 1;
        string scores = softmax.Inputs[0];
        while (Unscaled(facts, scores) is { } unscaled)
        {
            scores = unscaled.Name;
            scale *= unscaled.Factor;
        }
        return Producer(facts, scores, "MatMul", 2) is { } product
            ? (product.Inputs[0], product.Inputs[1], weighted.Inputs[1], scale, [1, 2, 0])
            : null;
    }

    /// <summary>The same of the operator Attention over tensors with an axis for heads, where nothing is masked or capped.</summary>
    private static (string Query, string Key, string Value, float Scale, long[] KeyOrder)? AsOperator(string name, ShapeInference facts) =>
        facts.Producer(name) is { } node && AttentionLowering.ScaleOf(node, facts) is { } scale
            ? (node.Inputs[0], node.Inputs[1], node.Inputs[2], scale, [1, 0, 2])
            : null;

    private static GraphNode? Producer(ShapeInference facts, string name, string type, int inputs) =>
        facts.Producer(name) is { } node && node.Is(type) && node.Inputs.Length == inputs ? node : null;

    /// <summary>What a tensor is a multiple of; null if it is not a product or quotient with a number.</summary>
    private static (string Name, float Factor)? Unscaled(ShapeInference facts, string name)
    {
        if (facts.Producer(name) is not { Inputs.Length: 2 } node)
            return null;
        if ((node.Is("Mul") || node.Is("Div")) && facts.Scalar(node.Inputs[1]) is { } right)
            return (node.Inputs[0], node.Is("Mul") ? right : 1 / right);
        return node.Is("Mul") && facts.Scalar(node.Inputs[0]) is { } left ? (node.Inputs[1], left) : null;
    }

    /// <summary>
    /// Follows a factor of a product back over scales, transpositions and changes of axes of length 1 to a tensor [time, heads, depth], if
    /// the product takes its axes in the given order.
    /// </summary>
    private static Operand? Heads(ShapeInference facts, string name, ReadOnlySpan<long> wanted)
    {
        if (facts.KnownShape(name) is not { } shape)
            return null;
        long[] lengths = Long(shape),
            order = [0, 1, 2];
        if (lengths.Length != 3)
            return null;
        float scale = 1;
        while (facts.Producer(name) is { Inputs.Length: > 0 } node)
        {
            if (Unscaled(facts, name) is { } unscaled)
            {
                scale *= unscaled.Factor;
                name = unscaled.Name;
                continue;
            }
            if (facts.KnownShape(node.Inputs[0]) is not { } before)
                break;
            if (
                node.Is("Transpose")
                && node.Attributes.TryGetValue("perm", out GraphAttribute? perm)
                && perm.Integers.Length == before.Length
                && perm.Integers.All(axis => axis >= 0 && axis < before.Length)
            )
            {
                long[] moved = [.. perm.Integers.Where(axis => before[axis] > 1)];
                if (moved.Length != 3)
                    break;
                order = [.. order.Select(i => (long)moved.Count(axis => axis < moved[i]))];
                lengths = Long(before);
            }
            else if (
                !(node.Is("Reshape") || node.Is("Squeeze") || node.Is("Unsqueeze") || node.Is("Identity"))
                || !Long(before).SequenceEqual(lengths)
            )
            {
                break;
            }
            name = node.Inputs[0];
        }
        return wanted.SequenceEqual(order) ? new Operand(name, lengths, scale) : null;

        static long[] Long(long[] shape) => [.. shape.Where(length => length > 1)];
    }
}
