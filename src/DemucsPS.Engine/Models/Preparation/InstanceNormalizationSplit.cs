using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Replaces an instance normalization over a tensor whose axes were joined into one by a Reshape (which is how PyTorch exports a group
/// normalization) by mean and variance of the tensor before the Reshape, taken axis by axis. The result is reshaped as the original was, so
/// that nothing that follows has to be known.
/// </summary>
/// <remarks>
/// y = scale·(x − mean)/√(variance + ε) + bias with the variance of the population, as the operator defines it:
/// https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html
/// </remarks>
internal static class InstanceNormalizationSplit
{
    /// <summary>What the operator adds to the variance if nothing is said.</summary>
    public const float DefaultEpsilon = 1e-5f;

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such node or too little is known of it.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer)
    {
        if (!node.Is("InstanceNormalization") || node.Inputs.Length != 3 || node.Outputs.Length != 1)
            return null;
        if (facts.Producer(node.Inputs[0]) is not { Inputs.Length: 2 } reshape || !reshape.Is("Reshape"))
            return RewriteAlone(node, facts, writer);
        // Squares overflow 16-bit floats, which the operator itself would not.
        long type = facts.ElementType(node.Inputs[1]);
        if (type == 0)
            type = facts.ElementType(reshape.Inputs[0]);
        if (type != GraphTensor.Float32)
            return null;
        if (facts.Constant(reshape.Inputs[1])?.Int64Values() is not [var batch, > 0 and var groups, _])
            return null;
        string source = reshape.Inputs[0];
        if (facts.Shape(source) is not { } shape || shape.Length < 3)
            return null;
        // The first axis must stay itself: copied (0), or one that is known to be equal.
        bool sameBatch = batch == 0 ? reshape.Integer("allowzero", 0) == 0 : shape[0] == batch;

        string result = node.Outputs[0];
        long[] axes;
        if (groups == 1 && (sameBatch || batch == 1))
        {
            // With one group nothing needs to be known but the number of axes. A batch of 1 that is not known to be one before the Reshape
            // may have been joined too; to reduce an axis of length 1 costs nothing.
            int first = sameBatch ? 1 : 0;
            axes = [.. Enumerable.Range(first, shape.Length - first).Select(axis => (long)axis).Reverse()];
        }
        else if (sameBatch && shape[1] > groups && shape[1] % groups == 0)
        {
            long rest = shape[2..].Aggregate(1L, (product, length) => product < 1 || length < 1 ? -1 : product * length);
            source = writer.Reshape(source, [batch, groups, shape[1] / groups, -1]);
            shape = [shape[0], groups, shape[1] / groups, rest];
            axes = [3, 2];
        }
        else
        {
            return null;
        }

        float epsilon = node.Float("epsilon", DefaultEpsilon);
        string normal = Normalize(writer, source, shape, axes, epsilon);
        bool scaled = !IsAll(1, facts.Constant(node.Inputs[1])),
            moved = !IsAll(0, facts.Constant(node.Inputs[2]));
        normal = writer.Add("Reshape", [normal, reshape.Inputs[1]], scaled || moved ? null : result);
        if (scaled)
            normal = writer.Add("Mul", [normal, PerGroup(node.Inputs[1])], moved ? null : result);
        if (moved)
            writer.Add("Add", [normal, PerGroup(node.Inputs[2])], result);
        return writer.Nodes;

        string PerGroup(string factors) => writer.Add("Reshape", [factors, writer.Constant(-1, 1)]);
    }

    /// <summary>
    /// A normalization over the tensor's own axes of space, where they are long: most often a group normalization, of whose tensor little
    /// is known before its axes were joined.
    /// </summary>
    private static List<GraphNode>? RewriteAlone(GraphNode node, ShapeInference facts, NodeWriter writer)
    {
        if (
            facts.ElementType(node.Inputs[0]) != GraphTensor.Float32
            || facts.Shape(node.Inputs[0]) is not { Length: > 2 } shape
            || shape[2..].Any(length => length < 1)
            || shape[2..].Max() <= SumRuns.Longest
        )
            return null;
        long[] axes = [.. Enumerable.Range(2, shape.Length - 2).Select(axis => (long)axis).Reverse()];
        string normal = Normalize(writer, node.Inputs[0], shape, axes, node.Float("epsilon", DefaultEpsilon));
        long[] perChannel = [-1, .. Enumerable.Repeat(1L, shape.Length - 2)];
        writer.Add(
            "Add",
            [writer.Add("Mul", [normal, writer.Reshape(node.Inputs[1], perChannel)]), writer.Reshape(node.Inputs[2], perChannel)],
            node.Outputs[0]
        );
        return writer.Nodes;
    }

    /// <summary>Adds the nodes that take a tensor's mean over some axes off it and divide it by its deviation.</summary>
    public static string Normalize(NodeWriter writer, string source, long[] shape, long[] axes, float epsilon)
    {
        string centered = writer.Add("Sub", [source, writer.Mean(source, shape, axes)]);
        string variance = writer.Mean(writer.Add("Mul", [centered, centered]), shape, axes);
        return writer.Add("Div", [centered, writer.Add("Sqrt", [writer.Add("Add", [variance, writer.Constant(epsilon)])])]);
    }

    private static bool IsAll(float value, GraphTensor? constant) => constant?.FloatValues() is { } values && values.All(v => v == value);
}
