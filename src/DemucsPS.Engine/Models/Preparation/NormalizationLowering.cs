using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Writes GroupNormalization, which exporters use from operator set 18 on, as PyTorch's exporters did before: as an instance normalization
/// of the tensor with each group's axes joined. The
/// runtime has no kernel for it on the CPU and would put twenty nodes in its place that nothing here knows.
/// </summary>
/// <remarks>
/// https://onnx.ai/onnx/operators/onnx__GroupNormalization.html: until operator set 20 the factors and summands are the groups', since then
/// the channels'.
/// </remarks>
internal static class NormalizationLowering
{
    private const int FactorsAreChannelsSince = 21;

    /// <summary>Rewrites a model in place, before anything else is done with it.</summary>
    /// <returns>Whether anything was changed.</returns>
    public static bool Apply(GraphModel model) => GraphRewriting.Apply(model, Rewrite);

    private static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter w)
    {
        if (!node.Is("GroupNormalization") || node.Inputs.Length != 3 || node.Outputs.Length != 1)
            return null;
        // In 16-bit floats the operator itself computes mean and variance in 32 bits.
        string source = node.Inputs[0],
            result = node.Outputs[0];
        long groups = node.Integer("num_groups", 0);
        if (
            facts.ElementType(source) != GraphTensor.Float32
            || groups is < 1 or > int.MaxValue
            || facts.Shape(source) is not { Length: > 2 } shape
        )
            return null;
        bool perChannel = w.OperatorSet >= FactorsAreChannelsSince;
        string joined = w.Reshape(source, [0, groups, -1]);
        OnnxAttribute epsilon = OnnxAttribute.Create("epsilon", node.Float("epsilon", InstanceNormalizationSplit.DefaultEpsilon));
        string[] factors = perChannel
            ? [w.Constant([.. Enumerable.Repeat(1f, (int)groups)], groups), w.Constant(new float[groups], groups)]
            : [node.Inputs[1], node.Inputs[2]];
        string normal = w.Add("InstanceNormalization", [joined, .. factors], null, epsilon);
        string form = shape.All(length => length > 0) ? w.Constant(shape) : w.Add("Shape", [source]);
        normal = w.Add("Reshape", [normal, form], perChannel ? null : result);
        if (perChannel)
        {
            long[] channels = [-1, .. Enumerable.Repeat(1L, shape.Length - 2)];
            w.Add("Add", [w.Add("Mul", [normal, w.Reshape(node.Inputs[1], channels)]), w.Reshape(node.Inputs[2], channels)], result);
        }
        return w.Nodes;
    }
}
