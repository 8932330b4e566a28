using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Takes means and sums one axis after the other, the last one first, and along each in short runs, see <see cref="SumRuns"/>. In htdemucs
/// these are the mean and deviation by which spectrogram and waveform are normalized, over up to 2.7 million numbers.
/// </summary>
internal static class ReductionSplit
{
    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such node or too little is known of it.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer)
    {
        bool pools = node.Is("GlobalAveragePool"),
            squares = node.Is("ReduceL2") || node.Is("ReduceSumSquare"),
            averages = pools || node.Is("ReduceMean");
        if (!averages && !squares && !node.Is("ReduceSum"))
            return null;
        if (node.Inputs.Length == 0 || node.Outputs.Length != 1)
            return null;
        // A mean of integers is cut, and one of 16-bit floats rounded, after each axis: only where that changes nothing that matters.
        if (facts.ElementType(node.Inputs[0]) is not (GraphTensor.Float32 or GraphTensor.Float64))
            return null;
        long[]? shape = facts.Shape(node.Inputs[0]);
        long[]? axes =
            !pools ? Axes(node, facts, shape?.Length)
            : shape is null ? null
            : [.. Enumerable.Range(2, Math.Max(0, shape.Length - 2)).Select(axis => (long)axis).Reverse()];
        if (axes is null or [] || (!IsLong(shape, axes) && (axes.Length == 1 || !node.Is("ReduceMean"))))
            return null;
        bool keeps = pools || node.Integer("keepdims", 1) != 0,
            root = node.Is("ReduceL2");
        string value = squares ? writer.Add("Mul", [node.Inputs[0], node.Inputs[0]]) : node.Inputs[0];
        string? result = root ? null : node.Outputs[0];
        value = averages ? writer.Mean(value, shape, axes, keeps, result) : writer.Sum(value, shape, axes, keeps, result);
        if (root)
            writer.Add("Sqrt", [value], node.Outputs[0]);
        return writer.Nodes;
    }

    private static bool IsLong(long[]? shape, long[] axes) =>
        shape is not null && axes.Any(axis => shape[axis < 0 ? axis + shape.Length : axis] > SumRuns.Longest);

    /// <summary>The axes, last first; null if they are not known.</summary>
    private static long[]? Axes(GraphNode node, ShapeInference facts, int? rank)
    {
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
