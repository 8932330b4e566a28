namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Splits a mean over several axes into one for each, the last axis first. In htdemucs these are the mean and deviation by which spectrogram and
/// waveform are normalised, over up to 2.7 million numbers.
/// </summary>
internal static class ReduceMeanSplit
{
    /// <summary>The nodes that give the same tensor under the same name; null if this is no such node or too little is known of it.</summary>
    public static List<GraphNode>? Rewrite(GraphNode node, GraphFacts facts, long operatorSet, GraphNames names)
    {
        if (!node.Is("ReduceMean") || node.Inputs.Length == 0 || node.Outputs.Length != 1)
            return null;
        // A mean of integers is cut, and one of 16-bit floats rounded, after each axis: only where that changes nothing that matters.
        if (facts.ElementType(node.Inputs[0]) is not (GraphTensor.Float32 or GraphTensor.Float64))
            return null;
        if (Axes(node, facts) is not { Length: > 1 } axes)
            return null;
        NodeWriter writer = new(operatorSet, names, node.Outputs[0]);
        writer.Mean(node.Inputs[0], axes, node.Integer("keepdims", 1) != 0, node.Outputs[0]);
        return writer.Nodes;
    }

    /// <summary>The axes, last first; null if they are not known.</summary>
    private static long[]? Axes(GraphNode node, GraphFacts facts)
    {
        int? rank = facts.Shape(node.Inputs[0])?.Length;
        long[]? axes;
        if (node.Attributes.TryGetValue("axes", out GraphAttribute? attribute))
            axes = attribute.Integers;
        else if (node.Inputs.Length > 1 && node.Inputs[1].Length > 0)
            axes = facts.Constant(node.Inputs[1])?.Int64Values();
        else
            axes = [];
        if (axes is { Length: 0 })
        {
            // No axes stands for all of them.
            if (rank is null || node.Integer("noop_with_empty_axes", 0) != 0)
                return null;
            axes = [.. Enumerable.Range(0, rank.Value).Select(axis => (long)axis)];
        }
        if (axes is null)
            return null;
        if (rank is { } r)
        {
            axes = [.. axes.Select(axis => axis < 0 ? axis + r : axis)];
            if (axes.Any(axis => axis < 0 || axis >= r))
                return null;
        }
        else if (axes.Any(axis => axis < 0) && axes.Any(axis => axis >= 0))
        {
            // Counted from both ends, their order is only known with the number of axes.
            return null;
        }
        return axes.Distinct().Count() == axes.Length ? [.. axes.OrderDescending()] : null;
    }
}
