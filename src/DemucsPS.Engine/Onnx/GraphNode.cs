using System.Text;

namespace DemucsPS.Engine.Onnx;

/// <summary>A node of a graph (NodeProto). Immutable: a rewrite puts new nodes in the place of old ones.</summary>
internal sealed class GraphNode
{
    private const int MostValues = 65536;

    private GraphNode(ReadOnlyMemory<byte> message)
    {
        Message = message;
        List<string> inputs = [],
            outputs = [];
        foreach (WireField field in new WireReader(message))
        {
            switch (field.Number)
            {
                case 1:
                    Add(inputs, field.Name);
                    break;
                case 2:
                    Add(outputs, field.Name);
                    break;
                case 4:
                    Type = field.Name;
                    break;
                case 5:
                    GraphAttribute attribute = GraphAttribute.Parse(field.Block);
                    Attributes[attribute.Name] = attribute;
                    break;
                case 7:
                    Domain = field.Name;
                    break;
            }
        }
        Inputs = [.. inputs];
        Outputs = [.. outputs];

        static void Add(List<string> names, string name)
        {
            if (names.Count == MostValues)
                throw new InvalidDataException($"a node with more than {MostValues} inputs or outputs");
            names.Add(name);
        }
    }

    /// <summary>The node in wire format.</summary>
    public ReadOnlyMemory<byte> Message { get; }

    /// <summary>The operator.</summary>
    public string Type { get; } = "";

    /// <summary>The operator's domain; empty for ONNX's own operators.</summary>
    public string Domain { get; } = "";

    /// <summary>What it takes; an empty name stands for an optional input left out.</summary>
    public string[] Inputs { get; }

    /// <summary>What it gives.</summary>
    public string[] Outputs { get; }

    /// <summary>Its attributes by name.</summary>
    public Dictionary<string, GraphAttribute> Attributes { get; } = [];

    /// <summary>Reads a node.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public static GraphNode Parse(ReadOnlyMemory<byte> message) => new(message);

    /// <summary>Makes a node with one output, after which it is named.</summary>
    public static GraphNode Create(
        string type,
        ReadOnlySpan<string> inputs,
        string output,
        params ReadOnlySpan<OnnxAttribute> attributes
    ) => Create("", type, inputs, [output], attributes);

    /// <summary>Makes a node of any domain and number of outputs, after the first of which it is named.</summary>
    public static GraphNode Create(
        string domain,
        string type,
        ReadOnlySpan<string> inputs,
        ReadOnlySpan<string> outputs,
        ReadOnlySpan<OnnxAttribute> attributes
    )
    {
        ProtobufMessage message = new();
        foreach (string input in inputs)
            message.Block(1, Encoding.Latin1.GetBytes(input));
        foreach (string output in outputs)
            message.Block(2, Encoding.Latin1.GetBytes(output));
        message.Block(3, Encoding.Latin1.GetBytes(outputs[0])).Text(4, type);
        foreach (OnnxAttribute attribute in attributes)
            message.Message(5, attribute.Message);
        if (domain.Length > 0)
            message.Text(7, domain);
        return new GraphNode(message.Bytes.ToArray());
    }

    /// <summary>The same node with other inputs and outputs.</summary>
    public GraphNode With(ReadOnlySpan<string> inputs, ReadOnlySpan<string> outputs)
    {
        ProtobufMessage message = new();
        foreach (string input in inputs)
            message.Block(1, Encoding.Latin1.GetBytes(input));
        foreach (string output in outputs)
            message.Block(2, Encoding.Latin1.GetBytes(output));
        message.Block(3, Encoding.Latin1.GetBytes(outputs[0]));
        foreach (WireField field in new WireReader(Message))
        {
            if (field.Number > 3)
                message.Raw(field.Raw.Span);
        }
        return new GraphNode(message.Bytes.ToArray());
    }

    /// <summary>Whether it is an operator of ONNX itself, of this type.</summary>
    public bool Is(string type) => Type == type && (Domain.Length == 0 || Domain == "ai.onnx");

    /// <summary>A float attribute, or what the operator takes in its absence.</summary>
    public float Float(string name, float otherwise) =>
        Attributes.TryGetValue(name, out GraphAttribute? attribute) ? attribute.Float : otherwise;

    /// <summary>An integer attribute, or what the operator takes in its absence.</summary>
    public long Integer(string name, long otherwise) =>
        Attributes.TryGetValue(name, out GraphAttribute? attribute) ? attribute.Integer : otherwise;
}
