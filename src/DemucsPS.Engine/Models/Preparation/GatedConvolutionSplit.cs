namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Replaces a convolution whose channels are then split into values and gates (a gated linear unit) by two convolutions, so that nothing is
/// copied apart and the runtime can apply the gates' sigmoid where it computes them.
/// </summary>
internal static class GatedConvolutionSplit
{
    /// <summary>The nodes that give the same tensor under the same name; null if this is no such product.</summary>
    public static List<GraphNode>? Rewrite(GraphNode node, GraphFacts facts, long operatorSet, GraphNames names)
    {
        if (GatedUnit.Of(node, facts) is not { } source || facts.Producer(source) is not { } convolution)
            return null;
        if (!convolution.Is("Conv") || convolution.Inputs.Length is < 2 or > 3 || convolution.Integer("group", 1) != 1 || !facts.IsOnlyTakenOnce(source))
            return null;
        if (!facts.IsFloatConstant(convolution.Inputs[1]) || convolution.Inputs[2..].Any(bias => !facts.IsFloatConstant(bias)))
            return null;

        NodeWriter writer = new(operatorSet, names, node.Outputs[0]);
        var (values, gates) = writer.Halves(convolution.Inputs[1], 0);
        List<string> first = [convolution.Inputs[0], values], second = [convolution.Inputs[0], gates];
        if (convolution.Inputs.Length == 3)
        {
            (values, gates) = writer.Halves(convolution.Inputs[2], 0);
            first.Add(values);
            second.Add(gates);
        }
        string value = writer.AddLike(convolution, first.ToArray());
        string gate = writer.Add("Sigmoid", [writer.AddLike(convolution, second.ToArray())]);
        writer.Add("Mul", [value, gate], node.Outputs[0]);
        return writer.Nodes;
    }
}
