using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Writes a Split as a Slice for each part. DirectML has been reported to compute gated linear units behind a Split wrongly, and behind
/// slices rightly.
/// </summary>
internal static class SplitLowering
{
    /// <summary>Before this version a Slice took what it cuts as attributes.</summary>
    private const int SliceTakesInputsSince = 10;

    /// <summary>The nodes that give the same tensors under the same names; null if the parts' lengths are not known.</summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer)
    {
        if (!node.Is("Split") || writer.OperatorSet < SliceTakesInputsSince || facts.Shape(node.Inputs[0]) is not { } shape)
            return null;
        long axis = node.Integer("axis", 0);
        if (axis < 0)
            axis += shape.Length;
        long first = 0;
        foreach (string output in node.Outputs)
        {
            if (facts.Shape(output) is not { } part || axis < 0 || axis >= part.Length || part[axis] < 1)
                return null;
            long end = first + part[axis];
            writer.Add(
                "Slice",
                [node.Inputs[0], writer.Constant([first]), writer.Constant([end]), writer.Constant([axis])],
                output
            );
            first = end;
        }
        return writer.Nodes;
    }
}
