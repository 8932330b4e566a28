namespace DemucsPS.Engine.Onnx;

/// <summary>What a graph declares of a tensor (ValueInfoProto).</summary>
internal sealed class GraphValue
{
    private const int MostAxes = 64;

    private GraphValue(ReadOnlyMemory<byte> message)
    {
        foreach (WireField field in new WireReader(message))
        {
            if (field.Number == 1)
                Name = field.Name;
            else if (field.Number == 2)
                (ElementType, Shape) = ReadType(field.Block);
        }
    }

    /// <summary>The tensor's name.</summary>
    public string Name { get; } = "";

    /// <summary>The element type as ONNX numbers it; 0 if it is not declared.</summary>
    public long ElementType { get; }

    /// <summary>The dimensions, −1 for an open one; null if not even their number is declared.</summary>
    public long[]? Shape { get; }

    /// <summary>Reads a declaration.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public static GraphValue Parse(ReadOnlyMemory<byte> message) => new(message);

    private static (long ElementType, long[]? Shape) ReadType(ReadOnlyMemory<byte> message)
    {
        long type = 0;
        long[]? shape = null;
        foreach (WireField kind in new WireReader(message))
        {
            if (kind.Number != 1)
                continue;
            foreach (WireField field in new WireReader(kind.Block))
            {
                if (field.Number == 1)
                    type = field.Integer;
                else if (field.Number == 2)
                    shape = ReadShape(field.Block);
            }
        }
        return (type, shape);
    }

    private static long[]? ReadShape(ReadOnlyMemory<byte> message)
    {
        List<long> shape = [];
        foreach (WireField dimension in new WireReader(message))
        {
            if (dimension.Number != 1)
                continue;
            if (shape.Count == MostAxes)
                return null;
            long length = -1;
            foreach (WireField field in new WireReader(dimension.Block))
            {
                if (field.Number == 1)
                    length = field.Integer;
            }
            shape.Add(length);
        }
        return [.. shape];
    }
}
