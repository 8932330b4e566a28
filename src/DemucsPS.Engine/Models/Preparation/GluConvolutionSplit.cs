using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Computes the two halves of a gated linear unit after a convolution by a convolution each, where one makes both and a Split copies them
/// apart. The runtime then takes the sigmoid while a block of the gates' convolution is in the cache, and in planes keeps the product in
/// its own layout of channels for the convolution that follows.
/// </summary>
internal static class GluConvolutionSplit
{
    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such unit or too little is known of it.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer)
    {
        if (GluConvolution.Match(node, facts) is not { Node: var convolution } gated)
            return null;
        // The runtime computes a kernel along one axis from a copy of what it takes together, which would be made twice.
        if (gated.Weight is [_, _, > 1])
            return null;
        (string firstWeight, string secondWeight) = writer.Halves(convolution.Inputs[1], 0);
        (string firstBias, string secondBias) = writer.Halves(convolution.Inputs[2], 0);
        string values = writer.AddLike(convolution, [convolution.Inputs[0], firstWeight, firstBias]);
        string gates = writer.Add("Sigmoid", [writer.AddLike(convolution, [convolution.Inputs[0], secondWeight, secondBias])]);
        writer.Add("Mul", [values, gates], node.Outputs[0]);
        return writer.Nodes;
    }
}
