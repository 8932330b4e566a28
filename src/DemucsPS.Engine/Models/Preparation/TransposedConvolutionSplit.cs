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
    public static List<GraphNode>? RewriteSliced(GraphNode node, ShapeInference facts, NodeWriter writer)
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
        return Rewrite(convolution, node.Outputs[0], (axis, start, part[axis]), facts, writer);
    }

    /// <summary>
    /// The nodes that give the same tensor under the same name; null if this is no such node or too little is known of it.
    /// </summary>
    public static List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer) =>
        node.Outputs is [var output] ? Rewrite(node, output, null, facts, writer) : null;

    private static List<GraphNode>? Rewrite(
        GraphNode node,
        string output,
        (long Axis, long Start, long Length)? part,
        ShapeInference facts,
        NodeWriter writer
    )
    {
        if (Match(node, facts) is not { } layer)
            return null;
        (long axis, long start, long length) = part ?? (2, 0, layer.Stride * layer.Length);
        if (part is not null && (!layer.IsOfRows || axis != 2 || start + length > layer.Stride * layer.Length))
            return null;
        string phases = Convolve(layer, writer);
        if (layer.IsOfRows)
            GatherRows(phases, layer, start, length, writer, output);
        else
            Interleave(phases, layer, writer, output);
        return writer.Nodes;
    }

    private static Layer? Match(GraphNode node, ShapeInference facts)
    {
        if (!node.Is("ConvTranspose") || node.Inputs.Length is < 2 or > 3 || node.Outputs.Length != 1 || node.Integer("group", 1) != 1)
            return null;
        if (
            !facts.IsFloatConstant(node.Inputs[1])
            || facts.KnownShape(node.Inputs[1]) is not { Length: 3 or 4 } weight
            || ConvolutionWindow.Match(node, weight) is not { } window
        )
            return null;
        string? bias = node.Inputs.Length == 3 && node.Inputs[2].Length > 0 ? node.Inputs[2] : null;
        if (bias is not null && !facts.IsFloatConstant(bias))
            return null;
        if (facts.KnownShape(node.Inputs[0]) is not { } shape || shape.Length != weight.Length)
            return null;
        int axis = Array.FindIndex(window.Strides, stride => stride > 1);
        if (axis < 0 || window.Dilations.Any(d => d != 1) || window.Pads.Any(p => p != 0))
            return null;
        if (window.Kernel.Where((_, i) => i != axis).Any(length => length != 1) || window.Strides.Count(stride => stride != 1) > 1)
            return null;
        Layer layer = new(node.Inputs[0], node.Inputs[1], bias, shape, weight, window, axis);
        return window.Kernel[axis] % layer.Stride == 0 && layer.Taps is >= 2 and <= MostStrides ? layer : null;
    }

    /// <summary>The convolution: [batch, outputs·stride, …, length, …].</summary>
    private static string Convolve(Layer layer, NodeWriter writer)
    {
        long inputs = layer.WeightShape[0];
        (long outputs, long stride, long taps) = (layer.Outputs, layer.Stride, layer.Taps);
        // [inputs, outputs, taps·stride] to [outputs, stride, inputs, taps], the taps last first, because a convolution counts forwards.
        string kernel = writer.Reshape(layer.Weight, [inputs, outputs, taps, stride]);
        string backwards = writer.Constant([.. Enumerable.Range(0, (int)taps).Select(i => taps - 1 - i)]);
        kernel = writer.Add("Gather", [kernel, backwards], null, OnnxAttribute.Create("axis", 2));
        kernel = writer.Add("Transpose", [kernel], null, OnnxAttribute.Create("perm", [1, 3, 0, 2]));
        long[] kernelShape = [.. layer.Window.Kernel];
        kernelShape[layer.Axis] = taps;
        kernel = writer.Reshape(kernel, [outputs * stride, inputs, .. kernelShape]);
        List<string> taken = [layer.Source, kernel];
        if (layer.Bias is not null)
        {
            string bias = writer.Add("Expand", [writer.Reshape(layer.Bias, [outputs, 1]), writer.Constant(outputs, stride)]);
            taken.Add(writer.Reshape(bias, [outputs * stride]));
        }
        long[] pads = new long[2 * kernelShape.Length];
        pads[layer.Axis] = pads[layer.Axis + kernelShape.Length] = taps - 1;
        OnnxAttribute shape = OnnxAttribute.Create("kernel_shape", kernelShape);
        return writer.Add("Conv", taken.ToArray(), null, shape, OnnxAttribute.Create("pads", pads));
    }

    /// <summary>Some of the rows, each from the phase and the position that it has: [batch, outputs, count, …].</summary>
    private static void GatherRows(string phases, Layer layer, long first, long count, NodeWriter writer, string output)
    {
        (long stride, long length) = (layer.Stride, layer.Length);
        string joined = writer.Reshape(phases, [layer.Shape[0], layer.Outputs, stride * length, .. layer.Shape[3..]]);
        string numbers = writer.Constant([
            .. Enumerable.Range(0, (int)count).Select(i => (first + i) % stride * length + (first + i) / stride),
        ]);
        writer.Add("Gather", [joined, numbers], output, OnnxAttribute.Create("axis", 2));
    }

    /// <summary>The phases side by side: [batch, outputs, …, length·stride, …].</summary>
    private static void Interleave(string phases, Layer layer, NodeWriter writer, string output)
    {
        long[] space = layer.Shape[2..];
        space[layer.Axis] = layer.Length;
        string apart = writer.Reshape(phases, [layer.Shape[0], layer.Outputs, layer.Stride, .. space]);
        List<long> order = [0, 1, .. Enumerable.Range(3, space.Length).Select(i => (long)i)];
        order.Insert(3 + layer.Axis, 2);
        string side = writer.Add("Transpose", [apart], null, OnnxAttribute.Create("perm", order.ToArray()));
        space[layer.Axis] *= layer.Stride;
        writer.Reshape(side, [layer.Shape[0], layer.Outputs, .. space], output);
    }

    /// <summary>A transposed convolution that can be split, with the shapes of its source and its weight, and its axis of space.</summary>
    private sealed record Layer(
        string Source,
        string Weight,
        string? Bias,
        long[] Shape,
        long[] WeightShape,
        ConvolutionWindow Window,
        int Axis
    )
    {
        public long Outputs => WeightShape[1];

        public long Stride => Window.Strides[Axis];

        public long Taps => Window.Kernel[Axis] / Stride;

        /// <summary>Positions of each phase.</summary>
        public long Length => Shape[2 + Axis] + Taps - 1;

        // Rows of single elements, or many of them, are nothing for a Gather.
        public bool IsOfRows => Axis == 0 && Window.Kernel.Length > 1 && Length <= MostRows / Stride;
    }
}
