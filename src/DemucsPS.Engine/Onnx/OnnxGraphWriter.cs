using System.Buffers.Binary;

namespace DemucsPS.Engine.Onnx;

/// <summary>
/// Builds an ONNX model node by node and writes it as a ModelProto. Its methods for operators write the form that they have in operator
/// set 13 and have kept since; it checks no shapes. Equal calls give equal bytes on every machine.
/// </summary>
/// <remarks>Field numbers: onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.</remarks>
internal sealed class OnnxGraphWriter
{
    /// <summary>The oldest operator set in which all operators used here have their present form, so most readers open the file.</summary>
    public const int OperatorSet = 13;

    /// <summary>The domain of ONNX Runtime's own operators.</summary>
    private const string RuntimeDomain = "com.microsoft";

    // GraphProto.initializer and TensorProto.raw_data.
    private const int InitializerField = 5,
        RawDataField = 9;

    private const int IrVersion = 8;
    private const long FloatType = 1;
    private const long Int64Type = 7;

    private readonly string _name;
    private readonly int _operatorSet;
    private readonly List<(string Domain, string Type, OnnxValue[] Inputs, OnnxValue[] Outputs, OnnxAttribute[] Attributes)> _nodes = [];
    private readonly List<(ProtobufMessage Head, long Length, Func<ReadOnlyMemory<byte>> Read)> _initializers = [];
    private readonly List<ProtobufMessage> _inputs = [];
    private readonly List<ProtobufMessage> _outputs = [];
    private readonly List<(string Key, string Value)> _metadata = [];
    private readonly Dictionary<float, OnnxValue> _scalars = [];
    private string _section = "";

    /// <summary>Starts an empty graph.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="operatorSet">The version of the operators that its nodes mean.</param>
    public OnnxGraphWriter(string name, int operatorSet = OperatorSet)
    {
        _name = name;
        _operatorSet = operatorSet;
    }

    /// <summary>Names the part of the recipe that follows; it prefixes the names of nodes, so that a viewer shows the parts.</summary>
    public void Section(string name) => _section = name + "/";

    /// <summary>Adds an entry that readers find in the model's metadata.</summary>
    public void Metadata(string key, string value) => _metadata.Add((key, value));

    /// <summary>Declares a float input.</summary>
    public OnnxValue Input(string name, params ReadOnlySpan<long> shape)
    {
        _inputs.Add(ValueInfo(name, shape));
        return new OnnxValue(this, name);
    }

    /// <summary>Makes a node's result a float output of the graph, under this name.</summary>
    public void Output(string name, OnnxValue value, params ReadOnlySpan<long> shape)
    {
        value.Name = name;
        _outputs.Add(ValueInfo(name, shape));
    }

    /// <summary>A float constant, stored once however often its value is requested.</summary>
    public OnnxValue Scalar(float value)
    {
        if (!_scalars.TryGetValue(value, out OnnxValue? scalar))
        {
            scalar = Constant([value], []);
            _scalars.Add(value, scalar);
        }
        return scalar;
    }

    /// <summary>A constant tensor of floats in row-major order.</summary>
    public OnnxValue Constant(ReadOnlySpan<float> values, ReadOnlySpan<long> shape)
    {
        byte[] bytes = new byte[values.Length * sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
        return Stored(FloatType, shape, bytes.Length, () => bytes);
    }

    /// <summary>
    /// A constant tensor whose values are fetched when the model is written, one tensor after the other, so that not all need be in memory
    /// at once.
    /// </summary>
    /// <param name="elementType">The type of its values as ONNX numbers it.</param>
    /// <param name="shape">Its dimensions.</param>
    /// <param name="length">How many bytes its values take.</param>
    /// <param name="read">Gives these bytes, little-endian, in row-major order.</param>
    public OnnxValue Stored(long elementType, ReadOnlySpan<long> shape, long length, Func<ReadOnlyMemory<byte>> read)
    {
        string name = $"constant_{_initializers.Count}";
        _initializers.Add((new ProtobufMessage().Integers(1, shape).Integer(2, elementType).Text(8, name), length, read));
        return new OnnxValue(this, name);
    }

    /// <summary>A constant tensor of 64-bit integers in row-major order: what operators take as axes, sizes and indices.</summary>
    public OnnxValue Constant(ReadOnlySpan<long> values, ReadOnlySpan<long> shape)
    {
        byte[] bytes = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), values[i]);
        return Stored(Int64Type, shape, bytes.Length, () => bytes);
    }

    /// <summary>Adds a node with one result.</summary>
    public OnnxValue Node(string type, ReadOnlySpan<OnnxValue> inputs, params ReadOnlySpan<OnnxAttribute> attributes) =>
        Node(type, 1, inputs, attributes)[0];

    /// <summary>Adds a node with <paramref name="results"/> results.</summary>
    public OnnxValue[] Node(string type, int results, ReadOnlySpan<OnnxValue> inputs, params ReadOnlySpan<OnnxAttribute> attributes) =>
        Node("", type, results, inputs, attributes);

    /// <summary>Adds a node of one of ONNX Runtime's own operators, with one result.</summary>
    public OnnxValue RuntimeNode(string type, ReadOnlySpan<OnnxValue> inputs, params ReadOnlySpan<OnnxAttribute> attributes) =>
        Node(RuntimeDomain, type, 1, inputs, attributes)[0];

    private OnnxValue[] Node(
        string domain,
        string type,
        int results,
        ReadOnlySpan<OnnxValue> inputs,
        ReadOnlySpan<OnnxAttribute> attributes
    )
    {
        OnnxValue[] outputs = new OnnxValue[results];
        for (int i = 0; i < results; i++)
            outputs[i] = new OnnxValue(this, $"{_section}{type}_{_nodes.Count}" + (i > 0 ? $":{i}" : ""));
        _nodes.Add((domain, type, inputs.ToArray(), outputs, attributes.ToArray()));
        return outputs;
    }

    /// <summary>The elementwise square root.</summary>
    public OnnxValue Sqrt(OnnxValue value) => Node("Sqrt", [value]);

    /// <summary>The elementwise smaller one, with broadcasting.</summary>
    public OnnxValue Min(OnnxValue left, OnnxValue right) => Node("Min", [left, right]);

    /// <summary>The elementwise larger one, with broadcasting.</summary>
    public OnnxValue Max(OnnxValue left, OnnxValue right) => Node("Max", [left, right]);

    /// <summary>The largest element, as a tensor of ones in every axis.</summary>
    public OnnxValue Maximum(OnnxValue value) => Node("ReduceMax", [value]);

    /// <summary>The smallest element, as a tensor of ones in every axis.</summary>
    public OnnxValue Minimum(OnnxValue value) => Node("ReduceMin", [value]);

    /// <summary>The smallest element along an axis, which vanishes.</summary>
    public OnnxValue Minimum(OnnxValue value, int axis) =>
        Node("ReduceMin", [value], OnnxAttribute.Create("axes", [axis]), OnnxAttribute.Create("keepdims", 0));

    /// <summary>The sum along an axis, which stays with length 1.</summary>
    public OnnxValue Sum(OnnxValue value, int axis) => Node("ReduceSum", [value, Vector(axis)]);

    /// <summary>The <paramref name="count"/> largest elements along the last axis, in no order.</summary>
    public OnnxValue Largest(OnnxValue value, int count) => Node("TopK", 2, [value, Vector(count)], OnnxAttribute.Create("sorted", 0))[0];

    /// <summary>The mean over a centered window of odd size on the last two axes; at the edges, over what there is of the window.</summary>
    public OnnxValue MovingAverage(OnnxValue value, int height, int width) =>
        Node(
            "AveragePool",
            [value],
            OnnxAttribute.Create("kernel_shape", [height, width]),
            OnnxAttribute.Create("pads", [height / 2, width / 2, height / 2, width / 2])
        );

    /// <summary>Elements <paramref name="start"/> up to but without <paramref name="end"/> along an axis.</summary>
    public OnnxValue Slice(OnnxValue value, int axis, long start, long end) =>
        Node("Slice", [value, Vector(start), Vector(end), Vector(axis)]);

    /// <summary>Two equal halves along an axis.</summary>
    public (OnnxValue First, OnnxValue Second) Halves(OnnxValue value, int axis)
    {
        OnnxValue[] halves = Node("Split", 2, [value], OnnxAttribute.Create("axis", axis));
        return (halves[0], halves[1]);
    }

    /// <summary>The elements at the given indices along an axis, which is replaced by the axes of the indices.</summary>
    public OnnxValue Gather(OnnxValue value, OnnxValue indices, int axis) =>
        Node("Gather", [value, indices], OnnxAttribute.Create("axis", axis));

    /// <summary>The values one after the other along an axis.</summary>
    public OnnxValue Concat(int axis, params ReadOnlySpan<OnnxValue> values) => Node("Concat", values, OnnxAttribute.Create("axis", axis));

    /// <summary>The value with a new axis of length 1.</summary>
    public OnnxValue Unsqueeze(OnnxValue value, int axis) => Node("Unsqueeze", [value, Vector(axis)]);

    /// <summary>The value with zeros added: first the counts before each axis, then those after each.</summary>
    public OnnxValue PadZeros(OnnxValue value, params ReadOnlySpan<long> counts) => Node("Pad", [value, Vector(counts)]);

    /// <summary>
    /// The value continued by its mirror image, edges not repeated: first the counts before each axis, then those after each.
    /// </summary>
    public OnnxValue PadMirrored(OnnxValue value, params ReadOnlySpan<long> counts) =>
        Node("Pad", [value, Vector(counts)], OnnxAttribute.Create("mode", "reflect"));

    /// <summary>Writes the model.</summary>
    /// <param name="producer">What goes into `producer_name`.</param>
    /// <param name="description">A sentence about the model, its `doc_string`.</param>
    /// <returns>The bytes of an .onnx file.</returns>
    public byte[] ToBytes(string producer, string description)
    {
        using MemoryStream bytes = new();
        Write(bytes, producer, description, CancellationToken.None);
        return bytes.ToArray();
    }

    /// <summary>Writes the model.</summary>
    /// <param name="destination">Takes the bytes of an .onnx file, from the first to the last.</param>
    /// <param name="producer">What goes into `producer_name`.</param>
    /// <param name="description">A sentence about the model, its `doc_string`.</param>
    /// <param name="cancellationToken">Ends the writing between two tensors.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public void Write(Stream destination, string producer, string description, CancellationToken cancellationToken)
    {
        ProtobufMessage before = new(),
            after = new();
        for (int i = 0; i < _nodes.Count; i++)
            before.Message(1, NodeMessage(i));
        before.Text(2, _name);
        foreach (ProtobufMessage input in _inputs)
            after.Message(11, input);
        foreach (ProtobufMessage output in _outputs)
            after.Message(12, output);

        // A message's length stands before it, so those of all tensors are known before the first is written.
        List<(byte[] Header, long Length)> headers = [];
        long length = before.Bytes.Length + after.Bytes.Length;
        foreach ((ProtobufMessage head, long size, _) in _initializers)
        {
            byte[] data = ProtobufMessage.BlockHeader(RawDataField, size);
            long whole = head.Bytes.Length + data.Length + size;
            byte[] header = [.. ProtobufMessage.BlockHeader(InitializerField, whole), .. head.Bytes, .. data];
            headers.Add((header, size));
            length += header.Length + size;
        }

        destination.Write(new ProtobufMessage().Integer(1, IrVersion).Text(2, producer).Text(6, description).Bytes);
        destination.Write(ProtobufMessage.BlockHeader(7, length));
        destination.Write(before.Bytes);
        for (int i = 0; i < headers.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            ReadOnlyMemory<byte> values = _initializers[i].Read();
            if (values.Length != headers[i].Length)
                throw new InvalidOperationException($"A tensor of {headers[i].Length} bytes has {values.Length}.");
            destination.Write(headers[i].Header);
            destination.Write(values.Span);
        }
        destination.Write(after.Bytes);

        ProtobufMessage end = new ProtobufMessage().Message(8, new ProtobufMessage().Text(1, "").Integer(2, _operatorSet));
        if (_nodes.Exists(node => node.Domain == RuntimeDomain))
            end.Message(8, new ProtobufMessage().Text(1, RuntimeDomain).Integer(2, 1));
        foreach ((string key, string value) in _metadata)
            end.Message(14, new ProtobufMessage().Text(1, key).Text(2, value));
        destination.Write(end.Bytes);
    }

    private ProtobufMessage NodeMessage(int index)
    {
        (string domain, string type, OnnxValue[] inputs, OnnxValue[] outputs, OnnxAttribute[] attributes) = _nodes[index];
        ProtobufMessage node = new();
        foreach (OnnxValue input in inputs)
            node.Text(1, input.Name);
        foreach (OnnxValue output in outputs)
            node.Text(2, output.Name);
        node.Text(3, outputs[0].Name).Text(4, type);
        foreach (OnnxAttribute attribute in attributes)
            node.Message(5, attribute.Message);
        if (domain.Length > 0)
            node.Text(7, domain);
        return node;
    }

    private static ProtobufMessage ValueInfo(string name, ReadOnlySpan<long> shape)
    {
        ProtobufMessage dimensions = new();
        foreach (long length in shape)
            dimensions.Message(1, new ProtobufMessage().Integer(1, length));
        ProtobufMessage tensor = new ProtobufMessage().Integer(1, FloatType).Message(2, dimensions);
        return new ProtobufMessage().Text(1, name).Message(2, new ProtobufMessage().Message(1, tensor));
    }

    private OnnxValue Vector(params ReadOnlySpan<long> values) => Constant(values, [values.Length]);
}
