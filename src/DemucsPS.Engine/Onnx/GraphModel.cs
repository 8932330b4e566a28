using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace DemucsPS.Engine.Onnx;

/// <summary>
/// An ONNX model (ModelProto) whose main graph's nodes can be replaced. Everything else is kept as the bytes it was, in its order, as views
/// of the file's bytes: weights are never copied.
/// </summary>
/// <remarks>Field numbers: onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.</remarks>
internal sealed class GraphModel
{
    /// <summary>The domain of ONNX Runtime's own operators.</summary>
    public const string RuntimeDomain = "com.microsoft";

    private const int GraphField = 7;
    private const int OperatorSetField = 8;
    private const int FunctionField = 25;
    private const int NodeField = 1;
    private const int InitializerField = 5;
    private const int InputField = 11;

    // Shapes, axes and the like are looked at when a model is loaded.
    private const int LeastApart = 4096;

    /// <summary>The largest htdemucs graphs have some thousand; a file of millions of empty fields should not fill the memory.</summary>
    private const int MostFields = 1_000_000;

    private readonly List<WireField> _model = [];
    private readonly List<WireField> _graph = [];
    private readonly HashSet<string> _domains = [];
    private readonly HashSet<string> _inputs = [];
    private readonly HashSet<string> _removed = [];
    private readonly bool _hasFunctions;

    private GraphModel(ReadOnlyMemory<byte> message)
    {
        bool hasGraph = false;
        foreach (WireField field in new WireReader(message))
        {
            switch (field.Number)
            {
                case GraphField:
                    // A message given twice is one message with the fields of both, so one pass over all of them reads the graph.
                    ReadGraph(field.Block);
                    if (hasGraph)
                        continue;
                    hasGraph = true;
                    break;
                case OperatorSetField:
                    (string domain, long version) = ReadOperatorSet(field.Block);
                    _domains.Add(domain);
                    if (domain.Length == 0)
                        OperatorSet = version;
                    break;
                case FunctionField:
                    _hasFunctions = true;
                    break;
            }
            Add(_model, field);
        }
        if (!hasGraph)
            throw new InvalidDataException("it has no graph");
    }

    /// <summary>The version of ONNX's own operators; 0 if the model does not say.</summary>
    public long OperatorSet { get; private set; }

    /// <summary>The main graph's nodes in order. To change the graph, change the list; nodes must follow what they take from.</summary>
    public List<GraphNode> Nodes { get; } = [];

    /// <summary>The constants that are stored apart from the nodes, by name.</summary>
    public Dictionary<string, GraphTensor> Initializers { get; } = [];

    /// <summary>The declared inputs, outputs and intermediate values, by name.</summary>
    public Dictionary<string, GraphValue> Values { get; } = [];

    /// <summary>The names of the graph's inputs; until version 4 of the format constants are among them.</summary>
    public IReadOnlySet<string> Inputs => _inputs;

    /// <summary>The names of the graph's outputs.</summary>
    public HashSet<string> Outputs { get; } = [];

    /// <summary>Whether a node has its own body, which may use any name of the main graph.</summary>
    public bool HasNestedGraphs => Nodes.Exists(n => n.Attributes.Values.Any(a => a.HoldsGraph));

    /// <summary>
    /// Whether weights lie in another file next to the model. Where nested graphs or functions hide that, it is taken to be so.
    /// </summary>
    public bool MayHaveExternalData =>
        _hasFunctions
        || HasNestedGraphs
        || Initializers.Values.Any(t => t.IsExternal)
        || Nodes.Exists(n => n.Attributes.Values.Any(a => a.Tensor is { IsExternal: true }));

    /// <summary>Whether anything stored or declared is of 16-bit floats.</summary>
    public bool HoldsHalves =>
        Initializers.Values.Any(t => t.ElementType == GraphTensor.Float16)
        || Values.Values.Any(v => v.ElementType == GraphTensor.Float16)
        || Nodes.Exists(n => n.Attributes.Values.Any(a => a.Tensor is { ElementType: GraphTensor.Float16 }));

    /// <summary>Reads a model. The bytes must stay unchanged as long as the result is in use.</summary>
    /// <exception cref="InvalidDataException">The message is malformed or no model.</exception>
    public static GraphModel Parse(ReadOnlyMemory<byte> message) => new(message);

    /// <summary>
    /// Leaves out the constants that no node takes. Where functions or nested graphs might take one by its name, and in old files where it
    /// is an input as well, it stays.
    /// </summary>
    public void RemoveUnusedInitializers()
    {
        if (_hasFunctions || HasNestedGraphs)
            return;
        HashSet<string> used = [.. Nodes.SelectMany(node => node.Inputs), .. Outputs, .. _inputs];
        foreach (string unused in Initializers.Keys.Where(name => !used.Contains(name)).ToArray())
        {
            Initializers.Remove(unused);
            _removed.Add(unused);
        }
    }

    /// <summary>
    /// Adds a constant of 64-bit integers that is an input as well: whoever runs the model may give other values, and as many as they like,
    /// so they are never treated as constants.
    /// </summary>
    public void AddReplaceableConstant(string name, ReadOnlySpan<long> values)
    {
        byte[] bytes = new byte[values.Length * sizeof(long)],
            latin = Encoding.Latin1.GetBytes(name);
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), values[i]);
        ProtobufMessage constant = new ProtobufMessage()
            .Integer(1, values.Length)
            .Integer(2, GraphTensor.Int64)
            .Block(8, latin)
            .Block(9, bytes);
        // A length by name is an unknown number.
        ProtobufMessage shape = new ProtobufMessage().Message(1, new ProtobufMessage().Text(2, $"{name}_length"));
        ProtobufMessage type = new ProtobufMessage().Message(1, new ProtobufMessage().Integer(1, GraphTensor.Int64).Message(2, shape));
        ReadGraph(
            new ProtobufMessage()
                .Message(InitializerField, constant)
                .Message(InputField, new ProtobufMessage().Block(1, latin).Message(2, type))
                .Bytes.ToArray()
        );
    }

    /// <summary>The model as one piece.</summary>
    public byte[] ToBytes() => Join(Write());

    /// <summary>Pieces in one.</summary>
    public static byte[] Join(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        byte[] result = new byte[pieces.Sum(piece => (long)piece.Length)];
        int position = 0;
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            piece.Span.CopyTo(result.AsSpan(position));
            position += piece.Length;
        }
        return result;
    }

    /// <summary>The model in wire format: views of the original bytes and, between them, what is new.</summary>
    public List<ReadOnlyMemory<byte>> Write() => Write(null);

    /// <summary>
    /// The model in wire format without its large constants: in their place stands where they lie in the bytes that the model was read
    /// from.
    /// </summary>
    /// <param name="whole">These bytes, which do not move.</param>
    /// <param name="file">The name of the file that they are said to be.</param>
    public byte[] WriteHead(ReadOnlyMemory<byte> whole, string file) =>
        Join(
            Write(tensor =>
            {
                if (tensor.Raw.Length < LeastApart)
                    return null;
                long offset = Unsafe.ByteOffset(in MemoryMarshal.GetReference(whole.Span), in MemoryMarshal.GetReference(tensor.Raw.Span));
                // What was added to the graph lies elsewhere.
                if (offset < 0 || offset > whole.Length - tensor.Raw.Length)
                    return null;
                ProtobufMessage apart = new ProtobufMessage()
                    .Integers(1, tensor.Shape)
                    .Integer(2, tensor.ElementType)
                    .Block(8, Encoding.Latin1.GetBytes(tensor.Name));
                foreach (
                    (string key, string value) in new[]
                    {
                        ("location", file),
                        ("offset", FormattableString.Invariant($"{offset}")),
                        ("length", FormattableString.Invariant($"{tensor.Raw.Length}")),
                    }
                )
                    apart.Message(13, new ProtobufMessage().Text(1, key).Text(2, value));
                return apart.Integer(14, 1).Bytes.ToArray();
            })
        );

    private List<ReadOnlyMemory<byte>> Write(Func<GraphTensor, byte[]?>? replace)
    {
        List<ReadOnlyMemory<byte>> graph = [];
        bool nodesWritten = false;
        foreach (WireField field in _graph)
        {
            if (field.Number == InitializerField && (_removed.Count > 0 || replace is not null))
            {
                GraphTensor tensor = GraphTensor.Parse(field.Block);
                if (_removed.Contains(tensor.Name))
                    continue;
                if (replace?.Invoke(tensor) is { } other)
                    AddBlock(graph, InitializerField, [other]);
                else
                    graph.Add(field.Raw);
            }
            else if (field.Number != NodeField)
            {
                graph.Add(field.Raw);
            }
            else if (!nodesWritten)
            {
                // Nodes stand together in every file seen; only their order among themselves means something.
                nodesWritten = true;
                foreach (GraphNode node in Nodes)
                    AddBlock(graph, NodeField, [node.Message]);
            }
        }

        List<ReadOnlyMemory<byte>> model = [];
        HashSet<string> domains = [.. Nodes.Select(node => Canonical(node.Domain)), ""];
        bool keepsAll = _hasFunctions || HasNestedGraphs;
        foreach (WireField field in _model)
        {
            if (field.Number == GraphField)
                AddBlock(model, GraphField, graph);
            else if (field.Number != OperatorSetField || keepsAll || domains.Contains(ReadOperatorSet(field.Block).Domain))
                model.Add(field.Raw);
        }
        if (domains.Contains(RuntimeDomain) && !_domains.Contains(RuntimeDomain))
        {
            ProtobufMessage set = new ProtobufMessage().Text(1, RuntimeDomain).Integer(2, 1);
            AddBlock(model, OperatorSetField, [set.Bytes.ToArray()]);
        }
        return model;
    }

    private static void AddBlock(List<ReadOnlyMemory<byte>> into, int field, List<ReadOnlyMemory<byte>> content)
    {
        into.Add(ProtobufMessage.BlockHeader(field, content.Sum(piece => (long)piece.Length)));
        into.AddRange(content);
    }

    private static void Add(List<WireField> fields, WireField field)
    {
        if (fields.Count == MostFields)
            throw new InvalidDataException($"it has more than {MostFields} parts");
        fields.Add(field);
    }

    private void ReadGraph(ReadOnlyMemory<byte> message)
    {
        foreach (WireField field in new WireReader(message))
        {
            Add(_graph, field);
            switch (field.Number)
            {
                case NodeField:
                    Nodes.Add(GraphNode.Parse(field.Block));
                    break;
                case InitializerField:
                    GraphTensor tensor = GraphTensor.Parse(field.Block);
                    Initializers[tensor.Name] = tensor;
                    break;
                case InputField or 12 or 13:
                    GraphValue value = GraphValue.Parse(field.Block);
                    Values[value.Name] = value;
                    if (field.Number == 12)
                        Outputs.Add(value.Name);
                    else if (field.Number == InputField)
                        _inputs.Add(value.Name);
                    break;
            }
        }
    }

    private static (string Domain, long Version) ReadOperatorSet(ReadOnlyMemory<byte> message)
    {
        string domain = "";
        long version = 0;
        foreach (WireField field in new WireReader(message))
        {
            if (field.Number == 1)
                domain = field.Name;
            else if (field.Number == 2)
                version = field.Integer;
        }
        return (Canonical(domain), version);
    }

    private static string Canonical(string domain) => domain == "ai.onnx" ? "" : domain;
}
