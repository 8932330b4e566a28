using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// A group normalization as PyTorch exports it: an instance normalization of the tensor with each group's axes joined, without factors of
/// its own, and then a factor and a summand for each channel.
/// </summary>
/// <param name="Source">What is normalized.</param>
/// <param name="Groups">The number of groups.</param>
/// <param name="Epsilon">What is added to the variance.</param>
/// <param name="Factors">The channels' factors.</param>
/// <param name="Summands">The channels' summands.</param>
internal sealed record GroupNormalization(string Source, long Groups, float Epsilon, string Factors, string Summands)
{
    /// <summary>The normalization that gives a tensor; null if none does.</summary>
    public static GroupNormalization? Match(string name, ShapeInference facts)
    {
        if (facts.Producer(name) is not { Inputs.Length: 2 } add || !add.Is("Add") || Other(add, facts) is not { } scaled)
            return null;
        if (facts.Producer(scaled.Computed) is not { Inputs.Length: 2 } mul || !mul.Is("Mul") || Other(mul, facts) is not { } apart)
            return null;
        if (facts.Producer(apart.Computed) is not { Inputs.Length: 2 } back || !back.Is("Reshape"))
            return null;
        if (facts.Producer(back.Inputs[0]) is not { Inputs.Length: 3 } normal || !normal.Is("InstanceNormalization"))
            return null;
        if (facts.Producer(normal.Inputs[0]) is not { Inputs.Length: 2 } joined || !joined.Is("Reshape"))
            return null;
        if (
            facts.Constant(normal.Inputs[1])?.FloatValues() is not { } ones
            || ones.Any(v => v != 1)
            || facts.Constant(normal.Inputs[2])?.FloatValues() is not { } zeros
            || zeros.Any(v => v != 0)
        )
            return null;
        if (
            facts.KnownShape(joined.Inputs[0]) is not { Length: > 2 } before
            || facts.KnownShape(back.Outputs[0]) is not { } after
            || !before.SequenceEqual(after)
        )
            return null;
        if (facts.KnownShape(joined.Outputs[0]) is not [var batch, var groups, _] || batch != before[0])
            return null;
        float epsilon = normal.Attributes.TryGetValue("epsilon", out GraphAttribute? attribute)
            ? attribute.Float
            : InstanceNormalizationSplit.DefaultEpsilon;
        return new GroupNormalization(joined.Inputs[0], groups, epsilon, apart.Constant, scaled.Constant);
    }

    /// <summary>Whether a constant holds one number for each channel, the second axis of what is normalized.</summary>
    public bool IsPerChannel(string constant, long channels, ShapeInference facts)
    {
        if (!facts.IsFloatConstant(constant) || facts.KnownShape(constant) is not { } shape || facts.Shape(Source) is not { } source)
            return false;
        int axis = shape.Length - (source.Length - 1);
        return axis >= 0 && axis < shape.Length && shape[axis] == channels && shape.Where((_, i) => i != axis).All(length => length == 1);
    }

    private static (string Computed, string Constant)? Other(GraphNode node, ShapeInference facts) =>
        facts.IsFloatConstant(node.Inputs[1]) ? (node.Inputs[0], node.Inputs[1])
        : facts.IsFloatConstant(node.Inputs[0]) ? (node.Inputs[1], node.Inputs[0])
        : null;
}
