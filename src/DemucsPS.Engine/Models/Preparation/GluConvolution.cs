using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>A convolution whose result only a gated linear unit takes.</summary>
/// <param name="Node">The Conv.</param>
/// <param name="Weight">Its weight's shape.</param>
/// <param name="Window">What it takes together.</param>
internal sealed record GluConvolution(GraphNode Node, long[] Weight, ConvolutionWindow Window)
{
    /// <summary>
    /// The convolution before a gated linear unit; null if this node is not the product of one or too little is known of it.
    /// </summary>
    public static GluConvolution? Match(GraphNode node, ShapeInference facts)
    {
        if (node.Outputs.Length != 1 || GluPattern.Match(node, facts) is not { } cut || !facts.IsOnlyTakenOnce(cut))
            return null;
        if (facts.Producer(cut) is not { Inputs.Length: 3 } convolution || !convolution.Is("Conv") || convolution.Integer("group", 1) != 1)
            return null;
        if (
            !facts.IsFloatConstant(convolution.Inputs[1])
            || !facts.IsFloatConstant(convolution.Inputs[2])
            || facts.KnownShape(convolution.Inputs[1]) is not { Length: > 2 } weight
        )
            return null;
        return ConvolutionWindow.Match(convolution, weight) is { } window ? new GluConvolution(convolution, weight, window) : null;
    }
}
