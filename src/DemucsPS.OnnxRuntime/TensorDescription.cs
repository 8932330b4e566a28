namespace DemucsPS.OnnxRuntime;

/// <summary>An input or output of a model.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="ElementType">ONNX's number of the element type; 0 for what is not a tensor.</param>
/// <param name="Shape">The dimensions; −1 where the model leaves one open.</param>
internal sealed record TensorDescription(string Name, int ElementType, long[] Shape);
