using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Contracts;

/// <summary>An input or output of a model whose meaning is known.</summary>
/// <param name="Name">The name in the graph.</param>
/// <param name="ElementType"><see cref="OnnxElementType.Float32"/> or <see cref="OnnxElementType.Float16"/>.</param>
/// <param name="Role">What it is.</param>
/// <param name="Layout">How its elements lie.</param>
/// <param name="Shape">Its dimensions, an open batch taken as 1.</param>
internal sealed record ContractTensor(string Name, OnnxElementType ElementType, TensorRole Role, TensorLayout Layout, long[] Shape)
{
    /// <summary>Elements of the tensor.</summary>
    public int Length => checked((int)Shape.Aggregate(1L, (product, length) => product * length));

    /// <summary>
    /// Whether its memory is the same, bit for bit, as in <see cref="ModelTensors"/>' own order, so that nothing is copied.
    /// </summary>
    public bool IsOwn => ElementType == OnnxElementType.Float32 && Layout == TensorLayout.Whole;
}
