using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>Recognizes a gated linear unit: a tensor's first channels times the sigmoid of its other half.</summary>
internal static class GluPattern
{
    /// <summary>The tensor that is cut in two along its channels; null if this node is not the product of a gated linear unit.</summary>
    public static string? Match(GraphNode node, ShapeInference facts)
    {
        if (!node.Is("Mul") || node.Inputs.Length != 2)
            return null;
        int gated = facts.Producer(node.Inputs[1]) is { } second && second.Is("Sigmoid") ? 1 : 0;
        if (facts.Producer(node.Inputs[gated]) is not { Inputs.Length: 1 } sigmoid || !sigmoid.Is("Sigmoid"))
            return null;
        if (facts.Producer(sigmoid.Inputs[0]) is not { Outputs.Length: 2 } split || !split.Is("Split"))
            return null;
        if (split.Outputs[0] != node.Inputs[1 - gated] || split.Outputs[1] != sigmoid.Inputs[0])
            return null;
        if (facts.Shape(split.Inputs[0]) is not { Length: > 2 } shape || facts.Shape(split.Outputs[0]) is not { } half)
            return null;
        bool channels = split.Integer("axis", 0) is var axis && (axis == 1 || axis == 1 - shape.Length);
        return channels && shape[1] > 0 && half[1] * 2 == shape[1] ? split.Inputs[0] : null;
    }
}
