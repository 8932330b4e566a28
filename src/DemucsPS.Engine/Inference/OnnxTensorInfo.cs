using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Inference;

/// <summary>An input or output of a model: its name, element type and shape.</summary>
/// <param name="Name">The name in the graph.</param>
/// <param name="ElementType">The type of its elements.</param>
/// <param name="Shape">The dimensions; −1 where the model leaves one open. Empty for what is not a tensor.</param>
internal sealed record OnnxTensorInfo(string Name, OnnxElementType ElementType, IReadOnlyList<long> Shape)
{
    /// <summary>For example <c>x float32[1,4,2048,336]</c>, with ? for an open dimension.</summary>
    public override string ToString() =>
        $"{Name} {ElementType.ToString().ToLowerInvariant()}[{string.Join(',', Shape.Select(d => d < 0 ? "?" : d.ToString(System.Globalization.CultureInfo.InvariantCulture)))}]";
}
