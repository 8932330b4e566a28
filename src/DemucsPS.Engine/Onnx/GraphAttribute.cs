using System.Buffers.Binary;

namespace DemucsPS.Engine.Onnx;

/// <summary>An attribute of a node (AttributeProto): those kinds that the rewrites ask for.</summary>
internal sealed class GraphAttribute
{
    private const int MostIntegers = 4096;

    private GraphAttribute(ReadOnlyMemory<byte> message)
    {
        List<long> integers = [];
        foreach (WireField field in new WireReader(message))
        {
            switch (field.Number)
            {
                case 1:
                    Name = field.Name;
                    break;
                case 2:
                    if (field.Type != WireField.Fixed32)
                        throw new InvalidDataException("a float attribute without a float");
                    Float = BinaryPrimitives.ReadSingleLittleEndian(field.Payload.Span);
                    break;
                case 3:
                    Integer = field.Integer;
                    break;
                case 4:
                    Text = field.Name;
                    break;
                case 5:
                    Tensor = GraphTensor.Parse(field.Block);
                    break;
                case 6 or 11:
                    HoldsGraph = true;
                    break;
                case 8:
                    GraphTensor.Integers(field, integers, MostIntegers);
                    break;
            }
        }
        Integers = [.. integers];
    }

    /// <summary>The attribute's name.</summary>
    public string Name { get; } = "";

    /// <summary>Its value if it is an integer.</summary>
    public long Integer { get; }

    /// <summary>Its value if it is a float.</summary>
    public float Float { get; }

    /// <summary>Its value if it is a text.</summary>
    public string Text { get; } = "";

    /// <summary>Its value if it is a list of integers.</summary>
    public long[] Integers { get; }

    /// <summary>Its value if it is a tensor.</summary>
    public GraphTensor? Tensor { get; }

    /// <summary>Whether it is the body of a branch or loop, in which names of the outer graph may be used.</summary>
    public bool HoldsGraph { get; }

    /// <summary>Reads an attribute.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public static GraphAttribute Parse(ReadOnlyMemory<byte> message) => new(message);
}
