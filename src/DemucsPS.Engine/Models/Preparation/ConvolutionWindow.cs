using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Which elements a convolution takes together, by axis of space: the attributes of Conv and ConvTranspose with what stands in for those
/// left out.
/// </summary>
/// <param name="Kernel">The kernel's lengths.</param>
/// <param name="Strides">The steps.</param>
/// <param name="Dilations">The distances between a kernel's elements.</param>
/// <param name="Pads">Zeros before and, in the second half, after each axis.</param>
/// <remarks>https://onnx.ai/onnx/operators/onnx__Conv.html and onnx__ConvTranspose.html</remarks>
internal sealed record ConvolutionWindow(long[] Kernel, long[] Strides, long[] Dilations, long[] Pads)
{
    /// <summary>
    /// The window of a node; null if the runtime chooses the pads or the lengths, or an attribute does not fit the weight.
    /// </summary>
    public static ConvolutionWindow? Match(GraphNode node, long[] weight)
    {
        int axes = weight.Length - 2;
        if (axes < 1 || node.Attributes.ContainsKey("output_shape"))
            return null;
        if (node.Attributes.TryGetValue("auto_pad", out GraphAttribute? auto) && auto.Text is not ("" or "NOTSET"))
            return null;
        if (List("output_padding", axes, 0).Any(length => length != 0))
            return null;
        ConvolutionWindow window = new(weight[2..], List("strides", axes, 1), List("dilations", axes, 1), List("pads", 2 * axes, 0));
        bool fits =
            window.Strides.Length == axes
            && window.Dilations.Length == axes
            && window.Pads.Length == 2 * axes
            && window.Kernel.Concat(window.Strides).Concat(window.Dilations).All(length => length is > 0 and < int.MaxValue)
            && window.Pads.All(length => length is >= 0 and < int.MaxValue);
        return fits ? window : null;

        long[] List(string name, int count, long otherwise) =>
            node.Attributes.TryGetValue(name, out GraphAttribute? attribute)
                ? attribute.Integers
                : [.. Enumerable.Repeat(otherwise, count)];
    }

    /// <summary>The length a convolution gives along an axis of space; −1 if the length it takes is not known.</summary>
    public long Length(int axis, long from)
    {
        long room = from + Pads[axis] + Pads[axis + Kernel.Length] - (Dilations[axis] * (Kernel[axis] - 1) + 1);
        return from < 0 || room < 0 ? -1 : room / Strides[axis] + 1;
    }

    /// <summary>The length a transposed convolution gives along an axis of space; −1 if the length it takes is not known.</summary>
    public long TransposedLength(int axis, long from) =>
        from < 0 ? -1 : Strides[axis] * (from - 1) + Dilations[axis] * (Kernel[axis] - 1) + 1 - Pads[axis] - Pads[axis + Kernel.Length];
}
