using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Computes a pointwise convolution, the group normalization of its result and the gated linear unit after that (the end of htdemucs'
/// residual branches) without storing what is to be normalized. Mean and variance of the convolution's result follow from what it takes,
/// which has some channels where the result has hundreds; and then normalization, factors and summands are part of the convolution's
/// weights.
/// </summary>
/// <remarks>
/// With x = W·h + b over channels c and time t, μ the mean of h over time, ⟨⟩ the mean over c, W' = W − ⟨W⟩, b' = b − ⟨b⟩: the variance of
/// x is the mean of (W·(h − μ))² over both + ⟨(W'·μ + b')²⟩, both without differences of large sums; and the normalized x − ⟨x⟩ is
/// W·h + b' − ⟨W⟩·μ. The first mean is taken of (R·(h − μ))² instead, where R has as few rows as h has channels and Rᵀ·R is Wᵀ·W. For a
/// batch every entry is a group of one grouped convolution, since each has weights of its own.
/// </remarks>
internal static class NormalizedGluFusion
{
    /// <summary>As below, for the product of such a unit and a factor for each channel.</summary>
    public static List<GraphNode>? RewriteScaled(GraphNode node, ShapeInference facts, NodeWriter w, string? folder)
    {
        if (!node.Is("Mul") || node.Inputs.Length != 2)
            return null;
        int constant = facts.IsFloatConstant(node.Inputs[0]) ? 0 : 1;
        if (facts.Producer(node.Inputs[1 - constant]) is not { } unit || !facts.IsOnlyTakenOnce(unit.Outputs[0]))
            return null;
        return Rewrite(node, unit, node.Inputs[constant], facts, w, folder);
    }

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such unit or too little is known of it.
    /// </summary>
    /// <param name="node">The unit's product.</param>
    /// <param name="facts">What is known of the graph.</param>
    /// <param name="w">Takes the nodes.</param>
    /// <param name="folder">Where weights in another file lie; null to read none.</param>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter w, string? folder) =>
        Rewrite(node, node, null, facts, w, folder);

    private static List<GraphNode>? Rewrite(
        GraphNode node,
        GraphNode product,
        string? scale,
        ShapeInference facts,
        NodeWriter w,
        string? folder
    )
    {
        if (
            Match(product, scale, facts) is not { } unit
            || facts.Constant(unit.Weight)?.FoundFloats(folder) is not { } floats
            || GramRoot.Of([.. floats], (int)unit.Channels, (int)unit.Hidden) is not { } root
        )
            return null;
        Weights weights = Center(unit, w);
        Moments moments = Measure(unit, weights, root, w);
        (Half values, Half gates) = Halves(unit, weights, w);
        string groups = unit.Batch == 1 ? unit.Source : w.Reshape(unit.Source, [1, unit.Batch * unit.Hidden, unit.Time]);
        string gated = Convolve(groups, values, moments, unit, w);
        string open = w.Add("Sigmoid", [Convolve(groups, gates, moments, unit, w)]);
        if (unit.Batch == 1)
            w.Add("Mul", [gated, open], node.Outputs[0]);
        else
            w.Reshape(w.Add("Mul", [gated, open]), [unit.Batch, unit.Channels / 2, unit.Time], node.Outputs[0]);
        return w.Nodes;
    }

    private static Unit? Match(GraphNode product, string? scale, ShapeInference facts)
    {
        if (GluPattern.Match(product, facts) is not { } cut || GroupNormalization.Match(cut, facts) is not { Groups: 1 } normal)
            return null;
        if (
            facts.Producer(normal.Source) is not { Inputs: [var source, var weight, var bias] } convolution
            || !convolution.Is("Conv")
            || convolution.Integer("group", 1) != 1
        )
            return null;
        if (!facts.IsFloatConstant(weight) || !facts.IsFloatConstant(bias) || facts.KnownShape(weight) is not [var channels, var hidden, 1])
            return null;
        if (
            ConvolutionWindow.Match(convolution, [channels, hidden, 1]) is not { } window
            || window.Strides[0] != 1
            || window.Pads.Any(pad => pad != 0)
        )
            return null;
        if (facts.KnownShape(source) is not [var batch, var width, var time] || width != hidden)
            return null;
        return
            normal.IsPerChannel(normal.Factors, channels, facts)
            && normal.IsPerChannel(normal.Summands, channels, facts)
            && (scale is null || normal.IsPerChannel(scale, channels / 2, facts))
            ? new Unit(source, weight, bias, normal, scale, batch, channels, hidden, time)
            : null;
    }

    /// <summary>W and what follows from it and b alone: constants, which the runtime computes once.</summary>
    private static Weights Center(Unit unit, NodeWriter w)
    {
        string matrix = w.Reshape(unit.Weight, [unit.Channels, unit.Hidden]),
            row = w.Reshape(unit.Bias, [1, unit.Channels]);
        string meanRow = w.Mean(matrix, [unit.Channels, unit.Hidden], [0]);
        string spread = w.Add("Transpose", [w.Add("Sub", [matrix, meanRow])], null, OnnxAttribute.Create("perm", [1, 0]));
        return new Weights(matrix, meanRow, spread, w.Add("Sub", [row, w.Mean(row, [1, unit.Channels], [1])]));
    }

    private static Moments Measure(Unit unit, Weights weights, float[] root, NodeWriter w)
    {
        long[] shape = [unit.Batch, unit.Hidden, unit.Time];
        string mean = w.Mean(unit.Source, shape, [2]);
        string whole = w.Add(
            "Conv",
            [w.Add("Sub", [unit.Source, mean]), w.Constant(root, unit.Hidden, unit.Hidden, 1)],
            null,
            OnnxAttribute.Create("kernel_shape", [1])
        );
        string within = w.Reshape(w.Mean(w.Add("Mul", [whole, whole]), shape, [2, 1]), [unit.Batch, 1]);
        string means = w.Reshape(mean, [unit.Batch, unit.Hidden]);
        string between = w.Add("Add", [w.Add("MatMul", [means, weights.Spread]), weights.Offset]);
        between = w.Mean(w.Add("Mul", [between, between]), [unit.Batch, unit.Channels], [1]);
        string variance = w.Add("Add", [w.Add("Add", [within, between]), w.Constant(unit.Normal.Epsilon)]);
        string inverse = w.Add("Div", [w.Constant(1f), w.Add("Sqrt", [variance])]);
        return new Moments(inverse, w.Add("MatMul", [means, w.Reshape(weights.MeanRow, [unit.Hidden, 1])]));
    }

    /// <summary>What the two halves of the channels are made of. The unit's own factors are part of the first half.</summary>
    private static (Half Values, Half Gates) Halves(Unit unit, Weights weights, NodeWriter w)
    {
        (string factors, string gateFactors) = w.Halves(w.Reshape(unit.Normal.Factors, [1, unit.Channels]), 1);
        (string summands, string gateSummands) = w.Halves(w.Reshape(unit.Normal.Summands, [1, unit.Channels]), 1);
        (string matrix, string gateMatrix) = w.Halves(weights.Matrix, 0);
        (string offset, string gateOffset) = w.Halves(weights.Offset, 1);
        if (unit.Scale is not null)
        {
            string scale = w.Reshape(unit.Scale, [1, unit.Channels / 2]);
            factors = w.Add("Mul", [factors, scale]);
            summands = w.Add("Mul", [summands, scale]);
        }
        return (new Half(matrix, offset, factors, summands), new Half(gateMatrix, gateOffset, gateFactors, gateSummands));
    }

    /// <summary>Half of the convolution's channels, normalized.</summary>
    private static string Convolve(string groups, Half half, Moments moments, Unit unit, NodeWriter w)
    {
        (long batch, long channels, long hidden) = (unit.Batch, unit.Channels / 2, unit.Hidden);
        string scaled = w.Add("Mul", [w.Reshape(half.Matrix, [1, channels, hidden]), w.Reshape(half.Factors, [1, channels, 1])]);
        string weights = w.Reshape(w.Add("Mul", [scaled, w.Reshape(moments.Inverse, [batch, 1, 1])]), [batch * channels, hidden, 1]);
        string moved = w.Add("Mul", [w.Add("Mul", [w.Add("Sub", [half.Offset, moments.Shift]), half.Factors]), moments.Inverse]);
        string biases = w.Reshape(w.Add("Add", [moved, half.Summands]), [batch * channels]);
        OnnxAttribute kernel = OnnxAttribute.Create("kernel_shape", [1]);
        return w.Add("Conv", [groups, weights, biases], null, kernel, OnnxAttribute.Create("group", batch));
    }

    /// <summary>A convolution of h, with its weight and bias, the normalization after it, and factors of the product, if any.</summary>
    private sealed record Unit(
        string Source,
        string Weight,
        string Bias,
        GroupNormalization Normal,
        string? Scale,
        long Batch,
        long Channels,
        long Hidden,
        long Time
    );

    /// <summary>Of all channels: W, ⟨W⟩, the transpose of W' and b'.</summary>
    private readonly record struct Weights(string Matrix, string MeanRow, string Spread, string Offset);

    /// <summary>Of each entry of the batch: 1/σ, and ⟨W⟩·μ.</summary>
    private readonly record struct Moments(string Inverse, string Shift);

    /// <summary>Of half of the channels: W, b', and the normalization's factors and summands.</summary>
    private readonly record struct Half(string Matrix, string Offset, string Factors, string Summands);
}
