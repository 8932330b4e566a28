namespace DemucsPS.Engine.Onnx;

/// <summary>Element types of tensors, with ONNX's numbers (<c>TensorProto.DataType</c>).</summary>
internal enum OnnxElementType
{
    /// <summary>Not a tensor, or a type without a name.</summary>
    Undefined = 0,

    /// <summary>32-bit IEEE float.</summary>
    Float32 = 1,

    /// <summary>Unsigned byte.</summary>
    UInt8 = 2,

    /// <summary>Signed byte.</summary>
    Int8 = 3,

    /// <summary>32-bit integer.</summary>
    Int32 = 6,

    /// <summary>64-bit integer.</summary>
    Int64 = 7,

    /// <summary>Text.</summary>
    Text = 8,

    /// <summary>Boolean.</summary>
    Boolean = 9,

    /// <summary>16-bit IEEE float.</summary>
    Float16 = 10,

    /// <summary>64-bit IEEE float.</summary>
    Float64 = 11,

    /// <summary>16-bit float with 8 bits of exponent.</summary>
    BFloat16 = 16,
}
