using System.Buffers.Binary;
using System.Runtime.InteropServices;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench.Exactness;

/// <summary>
/// A tensor of a graph in float64, whatever its element type: integers up to 2⁵³ and truth values (0 and 1) are exact in it, too.
/// </summary>
/// <param name="Values">In C order.</param>
/// <param name="Shape">The dimensions.</param>
/// <param name="ElementType">As ONNX numbers it: what the graph says it is.</param>
internal sealed record ExactTensor(double[] Values, long[] Shape, long ElementType)
{
    public const long Bool = 9;

    private const long Uint8 = 2,
        Int8 = 3,
        Int32 = 6;

    public int Rank => Shape.Length;

    public bool IsFloat => ElementType is GraphTensor.Float32 or GraphTensor.Float64 or GraphTensor.Float16;

    public static ExactTensor Float(double[] values, params long[] shape) => new(values, shape, GraphTensor.Float32);

    public static ExactTensor Integers(long[] values) =>
        new([.. values.Select(value => (double)value)], [values.Length], GraphTensor.Int64);

    public static long Count(IEnumerable<long> shape) => shape.Aggregate(1L, (product, length) => product * length);

    public long[] ToIntegers() => [.. Values.Select(value => (long)value)];

    public float[] ToSingles()
    {
        float[] singles = new float[Values.Length];
        for (int i = 0; i < singles.Length; i++)
            singles[i] = (float)Values[i];
        return singles;
    }

    /// <summary>A constant of a graph.</summary>
    /// <exception cref="NotSupportedException">Its element type is not known here, or its values are not stored as bytes.</exception>
    public static ExactTensor Of(GraphTensor tensor, string folder)
    {
        if (tensor.Shape.Contains(0))
            return new ExactTensor([], tensor.Shape, tensor.ElementType);
        if (tensor.ElementType == GraphTensor.Int64 && tensor.Int64Values() is { } integers)
            return new ExactTensor([.. integers.Select(value => (double)value)], tensor.Shape, GraphTensor.Int64);
        if (tensor.ElementType == GraphTensor.Float32 && tensor.AllFloats(folder) is { } floats)
            return new ExactTensor([.. floats.Select(value => (double)value)], tensor.Shape, GraphTensor.Float32);
        int size = tensor.ElementType switch
        {
            Uint8 or Int8 or Bool => 1,
            GraphTensor.Float16 => 2,
            GraphTensor.Float32 or Int32 => 4,
            GraphTensor.Float64 or GraphTensor.Int64 => 8,
            _ => 0,
        };
        if (size == 0 || tensor.AllBytes(size, folder) is not { } bytes)
            throw new NotSupportedException(
                $"The constant '{tensor.Name}' of element type {tensor.ElementType} is stored in a way that is not known here."
            );
        double[] values = new double[bytes.Length / size];
        for (int i = 0; i < values.Length; i++)
        {
            ReadOnlySpan<byte> at = bytes.Span.Slice(i * size, size);
            values[i] = tensor.ElementType switch
            {
                Uint8 or Bool => at[0],
                Int8 => (sbyte)at[0],
                GraphTensor.Float16 => (double)BinaryPrimitives.ReadHalfLittleEndian(at),
                Int32 => BinaryPrimitives.ReadInt32LittleEndian(at),
                GraphTensor.Int64 => BinaryPrimitives.ReadInt64LittleEndian(at),
                GraphTensor.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(at),
                _ => BinaryPrimitives.ReadSingleLittleEndian(at),
            };
        }
        return new ExactTensor(values, tensor.Shape, tensor.ElementType);
    }

    /// <summary>The values as bytes of the element type, for a graph.</summary>
    public byte[] ToBytes() =>
        ElementType switch
        {
            GraphTensor.Float32 => MemoryMarshal.AsBytes(ToSingles().AsSpan()).ToArray(),
            GraphTensor.Float64 => MemoryMarshal.AsBytes(Values.AsSpan()).ToArray(),
            GraphTensor.Float16 => MemoryMarshal.AsBytes(Values.Select(value => (Half)value).ToArray().AsSpan()).ToArray(),
            GraphTensor.Int64 => MemoryMarshal.AsBytes(ToIntegers().AsSpan()).ToArray(),
            Int32 => MemoryMarshal.AsBytes(Values.Select(value => (int)value).ToArray().AsSpan()).ToArray(),
            Uint8 or Bool => [.. Values.Select(value => (byte)value)],
            Int8 => [.. Values.Select(value => (byte)(sbyte)value)],
            _ => throw new NotSupportedException($"The element type {ElementType} is not known here."),
        };
}
