using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Replaces a transposed convolution along one axis, with a kernel that is a multiple of the stride, by an ordinary one that computes every
/// position between two strides as its own channel, and a transposition that lays them side by side. The runtime's ConvTranspose
/// multiplies matrices and then adds the results into place one by one. Where whole rows are laid side by side a Gather does that, with all
/// threads, and leaves out what a Slice after it would cut off.
/// </summary>
/// <remarks>
/// With stride s and kernel n·s: y[s·l + p] = Σ_j x[l − j]·w[j·s + p], j = 0 … n−1: for every p a convolution with a kernel of n.
/// </remarks>
internal static class TransposedConvolutionSplit
{
    /// <summary>Kernels of htdemucs have two strides; with many, the zeros at both ends begin to cost.</summary>
    private const int MostStrides = 8;

    /// <summary>More rows than any spectrogram has bins.</summary>
    private const int MostRows = 1 << 16;

    /// <summary>As below, for a Slice that cuts off some of the transposed convolution's result at both ends of the axis.</summary>
    public static List<GraphNode>? RewriteSliced(GraphNode node, ShapeInference facts, long operatorSet, GraphNames names)
    {
        if (
            !node.Is("Slice")
            || node.Inputs.Length is < 4 or > 5
            || node.Outputs.Length != 1
            || facts.Producer(node.Inputs[0]) is not { } convolution
            || !facts.IsOnlyTakenOnce(node.Inputs[0])
        )
            return null;
        if (facts.KnownShape(node.Inputs[0]) is not { } whole || facts.KnownShape(node.Outputs[0]) is not { } part)
            return null;
        if (
            facts.Constant(node.Inputs[1])?.Int64Values() is not [var start]
            || facts.Constant(node.Inputs[3])?.Int64Values() is not [var axis]
        )
            return null;
        if (node.Inputs.Length == 5 && facts.Constant(node.Inputs[4])?.Int64Values() is not [1])
            return null;
        axis = axis < 0 ? axis + whole.Length : axis;
        if (axis < 0 || axis >= whole.Length)
            return null;
        start = Math.Clamp(start < 0 ? start + whole[axis] : start, 0, whole[axis]);
        return Rewrite(convolution, node.Outputs[0], (axis, start, part[axis]), facts, operatorSet, names);
    }

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such node or too little is known of it.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, long operatorSet, GraphNames names) =>
        node.Outputs is [var output] ? Rewrite(node, output, null, facts, operatorSet, names) : null;

    private static List<GraphNode>? Rewrite(
        GraphNode node,
        string output,
        (long Axis, long Start, long Length)? part,
        ShapeInference facts,
        long operatorSet,
        GraphNames names
    )
    {
        if (!node.Is("ConvTranspose") || node.Inputs.Length is < 2 or > 3 || node.Outputs.Length != 1 || node.Integer("group", 1) != 1)
            return null;
        if (
            !facts.IsFloatConstant(node.Inputs[1])
            || facts.KnownShape(node.Inputs[1]) is not { Length: 3 or 4 } weight
            || ConvolutionWindow.Match(node, weight) is not { } window
        )
            return null;
        bool biased = node.Inputs.Length == 3 && node.Inputs[2].Length > 0;
        if (biased && !facts.IsFloatConstant(node.Inputs[2]))
            return null;
        if (facts.KnownShape(node.Inputs[0]) is not { } shape || shape.Length != weight.Length)
            return null;
        int axis = Array.FindIndex(window.Strides, stride => stride > 1);
        if (axis < 0 || window.Dilations.Any(d => d != 1) || window.Pads.Any(p => p != 0))
            return null;
        for (int i = 0; i < window.Kernel.Length; i++)
        {
            if (i != axis && (window.Kernel[i] != 1 || window.Strides[i] != 1))
                return null;
        }
        long stride = window.Strides[axis],
            taps = window.Kernel[axis] / stride;
        if (window.Kernel[axis] % stride != 0 || taps is < 2 or > MostStrides)
            return null;

        // Rows of single elements, or many of them, are nothing for a Gather.
        long length = shape[2 + axis] + taps - 1;
        bool rows = axis == 0 && window.Kernel.Length > 1 && length <= MostRows / stride;
        if (part is { } wanted && (!rows || wanted.Axis != 2 || wanted.Start + wanted.Length > stride * length))
            return null;

        NodeWriter writer = new(operatorSet, names, output);
        long inputs = weight[0],
            outputs = weight[1];
        // [inputs, outputs, taps·stride] to [outputs, stride, inputs, taps], the taps last first, because a convolution counts forwards.
        string kernel = writer.Reshape(node.Inputs[1], [inputs, outputs, taps, stride]);
        kernel = writer.Add(
            "Gather",
            [kernel, writer.Constant([.. Enumerable.Range(0, (int)taps).Select(i => taps - 1 - i)])],
            null,
            OnnxAttribute.Create("axis", 2)
        );
        kernel = writer.Add("Transpose", [kernel], null, OnnxAttribute.Create("perm", [1, 3, 0, 2]));
        long[] kernelShape = [.. window.Kernel];
        kernelShape[axis] = taps;
        kernel = writer.Reshape(kernel, [outputs * stride, inputs, .. kernelShape]);
        List<string> taken = [node.Inputs[0], kernel];
        if (biased)
        {
            string bias = writer.Add("Expand", [writer.Reshape(node.Inputs[2], [outputs, 1]), writer.Constant(outputs, stride)]);
            taken.Add(writer.Reshape(bias, [outputs * stride]));
        }
        long[] pads = new long[2 * kernelShape.Length];
        pads[axis] = pads[axis + kernelShape.Length] = taps - 1;
        string phases = writer.Add(
            "Conv",
            taken.ToArray(),
            null,
            OnnxAttribute.Create("kernel_shape", kernelShape),
            OnnxAttribute.Create("pads", pads)
        );

        // [batch, outputs·stride, …, length, …] to [batch, outputs, …, length·stride, …].
        long[] space = shape[2..];
        space[axis] = length;
        if (rows)
        {
            string joined = writer.Reshape(phases, [shape[0], outputs, stride * length, .. space[1..]]);
            (_, long first, long count) = part ?? (2, 0, stride * length);
            string numbers = writer.Constant([
                .. Enumerable.Range(0, (int)count).Select(i => (first + i) % stride * length + (first + i) / stride),
            ]);
            writer.Add("Gather", [joined, numbers], output, OnnxAttribute.Create("axis", 2));
            return writer.Nodes;
        }
        string apart = writer.Reshape(phases, [shape[0], outputs, stride, .. space]);
        List<long> order = [0, 1, .. Enumerable.Range(3, space.Length).Select(i => (long)i)];
        order.Insert(3 + axis, 2);
        string side = writer.Add("Transpose", [apart], null, OnnxAttribute.Create("perm", order.ToArray()));
        space[axis] *= stride;
        writer.Reshape(side, [shape[0], outputs, .. space], output);
        return writer.Nodes;
    }
}
