using System.Buffers;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// A named tensor over the caller's own memory. The runtime reads inputs from it and writes outputs into it; nothing is copied.
/// The memory belongs to the caller and must not be touched by others while a run uses it.
/// </summary>
internal sealed class OnnxTensor
{
    private readonly Func<MemoryHandle> _pin;
    private readonly long[] _shape;

    private OnnxTensor(string name, OnnxElementType type, long[] shape, long byteLength, Func<MemoryHandle> pin)
    {
        Name = name;
        ElementType = type;
        _shape = shape;
        ByteLength = byteLength;
        _pin = pin;
    }

    /// <summary>The input's or output's name in the graph.</summary>
    public string Name { get; }

    /// <summary>The type of the elements.</summary>
    public OnnxElementType ElementType { get; }

    /// <summary>The dimensions.</summary>
    public IReadOnlyList<long> Shape => _shape;

    internal long[] Dimensions => _shape;

    internal long ByteLength { get; }

    /// <summary>A float32 tensor.</summary>
    /// <param name="name">The input's or output's name in the graph.</param>
    /// <param name="memory">The elements in C order; as many as <paramref name="shape"/> says. Owned by the caller.</param>
    /// <param name="shape">The dimensions.</param>
    /// <exception cref="ArgumentException">Shape and memory do not fit.</exception>
    public static OnnxTensor Create(string name, Memory<float> memory, params ReadOnlySpan<long> shape) =>
        Create(name, OnnxElementType.Float32, memory, shape);

    /// <summary>A float16 tensor.</summary>
    /// <inheritdoc cref="Create(string, Memory{float}, ReadOnlySpan{long})"/>
    public static OnnxTensor Create(string name, Memory<Half> memory, params ReadOnlySpan<long> shape) =>
        Create(name, OnnxElementType.Float16, memory, shape);

    internal MemoryHandle Pin() => _pin();

    private static unsafe OnnxTensor Create<T>(string name, OnnxElementType type, Memory<T> memory, ReadOnlySpan<long> shape)
        where T : unmanaged
    {
        long count = 1;
        foreach (long dimension in shape)
            count = checked(count * dimension);
        if (count != memory.Length)
            throw new ArgumentException(
                $"Tensor '{name}' of shape [{string.Join(',', shape.ToArray())}] has {count} elements, the memory has {memory.Length}.",
                nameof(memory)
            );
        return new OnnxTensor(name, type, shape.ToArray(), count * sizeof(T), () => memory.Pin());
    }
}
