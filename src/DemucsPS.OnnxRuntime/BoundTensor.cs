namespace DemucsPS.OnnxRuntime;

/// <summary>A tensor over memory that stays where it is as long as a run lasts.</summary>
/// <param name="Name">The input's or output's name in the graph.</param>
/// <param name="ElementType">ONNX's number of the element type.</param>
/// <param name="Shape">The dimensions.</param>
/// <param name="Address">Where the elements are.</param>
/// <param name="ByteLength">How much memory they take.</param>
internal readonly record struct BoundTensor(string Name, int ElementType, long[] Shape, nint Address, long ByteLength);
