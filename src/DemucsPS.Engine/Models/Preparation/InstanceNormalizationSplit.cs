namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Replaces an instance normalisation over a tensor whose axes were joined into one by a Reshape (which is how PyTorch exports a group
/// normalisation) by mean and variance of the tensor before the Reshape, taken axis by axis. The result is reshaped as the original was, so
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

    /// <summary>The nodes that give the same tensor under the same name; null if this is no such node or too little is known of it.</summary>
    public static List<GraphNode>? Rewrite(GraphNode node, GraphFacts facts, long operatorSet, GraphNames names)
    {
        if (!node.Is("InstanceNormalization") || node.Inputs.Length != 3 || node.Outputs.Length != 1)
            return null;
        if (facts.Producer(node.Inputs[0]) is not { Inputs.Length: 2 } reshape || !reshape.Is("Reshape"))
            return null;
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
        NodeWriter writer = new(operatorSet, names, result);
        long[] axes;
        if (groups == 1 && (sameBatch || batch == 1))
        {
            // With one group nothing needs to be known but the number of axes. A batch of 1 that is not known to be one before the Reshape may
            // have been joined too; to reduce an axis of length 1 costs nothing.
            int first = sameBatch ? 1 : 0;
            axes = [.. Enumerable.Range(first, shape.Length - first).Select(axis => (long)axis).Reverse()];
        }
        else if (sameBatch && shape[1] > groups && shape[1] % groups == 0)
        {
            source = writer.Add("Reshape", [source, writer.Constant(batch, groups, shape[1] / groups, -1)]);
            axes = [3, 2];
        }
        else
        {
            return null;
        }

        float epsilon = node.Attributes.TryGetValue("epsilon", out GraphAttribute? attribute) ? attribute.Float : DefaultEpsilon;
        string centred = writer.Add("Sub", [source, writer.Mean(source, axes)]);
        string variance = writer.Mean(writer.Add("Mul", [centred, centred]), axes);
        string deviation = writer.Add("Sqrt", [writer.Add("Add", [variance, writer.Constant(epsilon)])]);
        string normal = writer.Add("Div", [centred, deviation]);
        bool scaled = !IsAll(1, facts.Constant(node.Inputs[1])), moved = !IsAll(0, facts.Constant(node.Inputs[2]));
        normal = writer.Add("Reshape", [normal, reshape.Inputs[1]], scaled || moved ? null : result);
        if (scaled)
            normal = writer.Add("Mul", [normal, PerGroup(node.Inputs[1])], moved ? null : result);
        if (moved)
            writer.Add("Add", [normal, PerGroup(node.Inputs[2])], result);
        return writer.Nodes;

        string PerGroup(string factors) => writer.Add("Reshape", [factors, writer.Constant(-1, 1)]);
    }

    private static bool IsAll(float value, GraphTensor? constant) => constant?.FloatValues() is { } values && values.All(v => v == value);
}
