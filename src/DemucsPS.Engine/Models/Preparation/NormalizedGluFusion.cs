using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Computes a pointwise convolution, the group normalization of its result and the gated linear unit after that (the end of htdemucs'
/// residual branches) without storing what is to be normalized. Mean and variance of the convolution's result follow from what it takes,
/// which
/// has some channels where the result has hundreds; and then normalization, factors and summands are part of the convolution's weights.
/// </summary>
/// <remarks>
/// With x = W·h + b over channels c and time t, μ the mean of h over time, ⟨⟩ the mean over c, W' = W − ⟨W⟩, b' = b − ⟨b⟩: the variance of
/// x is
/// the mean of (W·(h − μ))² over both + ⟨(W'·μ + b')²⟩, both without differences of large sums; and the normalized x − ⟨x⟩ = W·h + b' −
/// ⟨W⟩·μ.
/// The first mean is taken of (R·(h − μ))² instead, where R has as few rows as h has channels and Rᵀ·R is Wᵀ·W. For a batch every entry is
/// a
/// group of one grouped convolution, since each has weights of its own.
/// </remarks>
internal static class NormalizedGluFusion
{
    /// <summary>As below, for the product of such a unit and a factor for each channel.</summary>
    public static List<GraphNode>? RewriteScaled(GraphNode node, ShapeInference facts, long operatorSet, GraphNames names, string? folder)
    {
        if (!node.Is("Mul") || node.Inputs.Length != 2)
            return null;
        int constant = facts.IsFloatConstant(node.Inputs[0]) ? 0 : 1;
        if (facts.Producer(node.Inputs[1 - constant]) is not { } unit || !facts.IsOnlyTakenOnce(unit.Outputs[0]))
            return null;
        return Rewrite(node, unit, node.Inputs[constant], facts, operatorSet, names, folder);
    }

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such unit or too little is known of it.
    /// </summary>
    /// <param name="node">The unit's product.</param>
    /// <param name="facts">What is known of the graph.</param>
    /// <param name="operatorSet">The version of the operators.</param>
    /// <param name="names">Where new names come from.</param>
    /// <param name="folder">Where weights in another file lie; null to read none.</param>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, long operatorSet, GraphNames names, string? folder) =>
        Rewrite(node, node, null, facts, operatorSet, names, folder);

    private static List<GraphNode>? Rewrite(
        GraphNode node,
        GraphNode unit,
        string? factors,
        ShapeInference facts,
        long operatorSet,
        GraphNames names,
        string? folder
    )
    {
        if (GluPattern.Match(unit, facts) is not { } cut || GroupNormalization.Match(cut, facts) is not { Groups: 1 } normal)
            return null;
        if (
            facts.Producer(normal.Source) is not { Inputs.Length: 3 } convolution
            || !convolution.Is("Conv")
            || convolution.Integer("group", 1) != 1
        )
            return null;
        string weight = convolution.Inputs[1],
            bias = convolution.Inputs[2];
        if (!facts.IsFloatConstant(weight) || !facts.IsFloatConstant(bias) || facts.KnownShape(weight) is not [var channels, var hidden, 1])
            return null;
        if (
            ConvolutionWindow.Match(convolution, [channels, hidden, 1]) is not { } window
            || window.Strides[0] != 1
            || window.Pads.Any(pad => pad != 0)
        )
            return null;
        if (facts.KnownShape(convolution.Inputs[0]) is not [var batch, var width, var time] || width != hidden)
            return null;
        long half = channels / 2;
        if (
            !normal.IsPerChannel(normal.Factors, channels, facts)
            || !normal.IsPerChannel(normal.Summands, channels, facts)
            || (factors is not null && !normal.IsPerChannel(factors, half, facts))
        )
            return null;
        if (
            facts.Constant(weight)?.FoundFloats(folder) is not { } values
            || GramRoot.Of([.. values], (int)channels, (int)hidden) is not { } root
        )
            return null;

        NodeWriter w = new(operatorSet, names, node.Outputs[0]);
        // Constants first; the runtime computes them once.
        string matrix = w.Reshape(weight, [channels, hidden]),
            row = w.Reshape(bias, [1, channels]);
        string meanRow = w.Mean(matrix, [channels, hidden], [0]);
        string spread = w.Add("Transpose", [w.Add("Sub", [matrix, meanRow])], null, OnnxAttribute.Create("perm", [1, 0]));
        string offset = w.Add("Sub", [row, w.Mean(row, [1, channels], [1])]);

        string h = convolution.Inputs[0];
        string mean = w.Mean(h, [batch, hidden, time], [2]);
        string whole = w.Add(
            "Conv",
            [w.Add("Sub", [h, mean]), w.Constant(root, hidden, hidden, 1)],
            null,
            OnnxAttribute.Create("kernel_shape", [1])
        );
        string within = w.Reshape(w.Mean(w.Add("Mul", [whole, whole]), [batch, hidden, time], [2, 1]), [batch, 1]);
        string means = w.Reshape(mean, [batch, hidden]);
        string between = w.Add("Add", [w.Add("MatMul", [means, spread]), offset]);
        between = w.Mean(w.Add("Mul", [between, between]), [batch, channels], [1]);
        string variance = w.Add("Add", [w.Add("Add", [within, between]), w.Constant(normal.Epsilon)]);
        string inverse = w.Add("Div", [w.Constant(1f), w.Add("Sqrt", [variance])]);
        string shift = w.Add("MatMul", [means, w.Reshape(meanRow, [hidden, 1])]);

        (string firstFactors, string secondFactors) = w.Halves(w.Reshape(normal.Factors, [1, channels]), 1);
        (string firstSummands, string secondSummands) = w.Halves(w.Reshape(normal.Summands, [1, channels]), 1);
        (string firstMatrix, string secondMatrix) = w.Halves(matrix, 0);
        (string firstOffset, string secondOffset) = w.Halves(offset, 1);
        if (factors is not null)
        {
            string scale = w.Reshape(factors, [1, half]);
            firstFactors = w.Add("Mul", [firstFactors, scale]);
            firstSummands = w.Add("Mul", [firstSummands, scale]);
        }
        string groups = batch == 1 ? h : w.Reshape(h, [1, batch * hidden, time]);
        string gated = Convolved(firstMatrix, firstFactors, firstSummands, firstOffset);
        string gates = w.Add("Sigmoid", [Convolved(secondMatrix, secondFactors, secondSummands, secondOffset)]);
        if (batch == 1)
            w.Add("Mul", [gated, gates], node.Outputs[0]);
        else
            w.Reshape(w.Add("Mul", [gated, gates]), [batch, half, time], node.Outputs[0]);
        return w.Nodes;

        string Convolved(string part, string scale, string summands, string apart)
        {
            string scaled = w.Add("Mul", [w.Reshape(part, [1, half, hidden]), w.Reshape(scale, [1, half, 1])]);
            string weights = w.Reshape(w.Add("Mul", [scaled, w.Reshape(inverse, [batch, 1, 1])]), [batch * half, hidden, 1]);
            string moved = w.Add("Mul", [w.Add("Mul", [w.Add("Sub", [apart, shift]), scale]), inverse]);
            string biases = w.Reshape(w.Add("Add", [moved, summands]), [batch * half]);
            return w.Add(
                "Conv",
                [groups, weights, biases],
                null,
                OnnxAttribute.Create("kernel_shape", [1]),
                OnnxAttribute.Create("group", batch)
            );
        }
    }
}
