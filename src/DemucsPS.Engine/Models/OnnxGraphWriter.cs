using System.Buffers.Binary;

namespace DemucsPS.Engine.Models;

/// <summary>
/// Builds an ONNX model node by node and writes it as a ModelProto. It knows the operators that <see cref="BaselineModel"/> needs, in
/// the form they have in operator set 13, and no more; it checks no shapes. Equal calls give equal bytes on every machine.
/// </summary>
/// <remarks>Field numbers: onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.</remarks>
internal sealed class OnnxGraphWriter
{
    /// <summary>The oldest operator set in which all operators used here have their present form, so most readers open the file.</summary>
    public const int OperatorSet = 13;

    private const int IrVersion = 8;
    private const long FloatType = 1;
    private const long Int64Type = 7;

    private readonly string _name;
    private readonly List<(string Type, OnnxValue[] Inputs, OnnxValue[] Outputs, OnnxAttribute[] Attributes)> _nodes = [];
    private readonly List<ProtobufMessage> _initializers = [];
    private readonly List<ProtobufMessage> _inputs = [];
    private readonly List<ProtobufMessage> _outputs = [];
    private readonly List<(string Key, string Value)> _metadata = [];
    private readonly Dictionary<float, OnnxValue> _scalars = [];
    private string _section = "";

    /// <summary>Starts an empty graph.</summary>
    public OnnxGraphWriter(string name) => _name = name;

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

    /// <summary>A float constant, stored once however often its value is asked for.</summary>
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
        for (int i = 0; i < values.Length; i++) BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
        return Initializer(FloatType, bytes, shape);
    }

    /// <summary>A constant tensor of 64-bit integers in row-major order: what operators take as axes, sizes and indices.</summary>
    public OnnxValue Constant(ReadOnlySpan<long> values, ReadOnlySpan<long> shape)
    {
        byte[] bytes = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++) BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), values[i]);
        return Initializer(Int64Type, bytes, shape);
    }

    /// <summary>Adds a node with one result.</summary>
    public OnnxValue Node(string type, ReadOnlySpan<OnnxValue> inputs, params ReadOnlySpan<OnnxAttribute> attributes) =>
        Node(type, 1, inputs, attributes)[0];

    /// <summary>Adds a node with <paramref name="results"/> results.</summary>
    public OnnxValue[] Node(string type, int results, ReadOnlySpan<OnnxValue> inputs, params ReadOnlySpan<OnnxAttribute> attributes)
    {
        var outputs = new OnnxValue[results];
        for (int i = 0; i < results; i++)
            outputs[i] = new OnnxValue(this, $"{_section}{type}_{_nodes.Count}" + (i > 0 ? $":{i}" : ""));
        _nodes.Add((type, inputs.ToArray(), outputs, attributes.ToArray()));
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
        Node("ReduceMin", [value], OnnxAttribute.Of("axes", [axis]), OnnxAttribute.Of("keepdims", 0));

    /// <summary>The sum along an axis, which stays with length 1.</summary>
    public OnnxValue Sum(OnnxValue value, int axis) => Node("ReduceSum", [value, Vector(axis)]);

    /// <summary>The <paramref name="count"/> largest elements along the last axis, in no order.</summary>
    public OnnxValue Largest(OnnxValue value, int count) => Node("TopK", 2, [value, Vector(count)], OnnxAttribute.Of("sorted", 0))[0];

    /// <summary>The mean over a centred window of odd size on the last two axes; at the edges, over what there is of the window.</summary>
    public OnnxValue MovingAverage(OnnxValue value, int height, int width) => Node(
        "AveragePool",
        [value],
        OnnxAttribute.Of("kernel_shape", [height, width]),
        OnnxAttribute.Of("pads", [height / 2, width / 2, height / 2, width / 2]));

    /// <summary>Elements <paramref name="start"/> up to but without <paramref name="end"/> along an axis.</summary>
    public OnnxValue Slice(OnnxValue value, int axis, long start, long end) =>
        Node("Slice", [value, Vector(start), Vector(end), Vector(axis)]);

    /// <summary>Two equal halves along an axis.</summary>
    public (OnnxValue First, OnnxValue Second) Halves(OnnxValue value, int axis)
    {
        OnnxValue[] halves = Node("Split", 2, [value], OnnxAttribute.Of("axis", axis));
        return (halves[0], halves[1]);
    }

    /// <summary>The elements at the given indices along an axis, which is replaced by the axes of the indices.</summary>
    public OnnxValue Gather(OnnxValue value, OnnxValue indices, int axis) => Node("Gather", [value, indices], OnnxAttribute.Of("axis", axis));

    /// <summary>The values one after the other along an axis.</summary>
    public OnnxValue Concat(int axis, params ReadOnlySpan<OnnxValue> values) => Node("Concat", values, OnnxAttribute.Of("axis", axis));

    /// <summary>The value with a new axis of length 1.</summary>
    public OnnxValue Unsqueeze(OnnxValue value, int axis) => Node("Unsqueeze", [value, Vector(axis)]);

    /// <summary>The value with zeros added: first the counts before each axis, then those after each.</summary>
    public OnnxValue PadZeros(OnnxValue value, params ReadOnlySpan<long> counts) => Node("Pad", [value, Vector(counts)]);

    /// <summary>The value continued by its mirror image, edges not repeated: first the counts before each axis, then those after each.</summary>
    public OnnxValue PadMirrored(OnnxValue value, params ReadOnlySpan<long> counts) =>
        Node("Pad", [value, Vector(counts)], OnnxAttribute.Of("mode", "reflect"));

    /// <summary>Writes the model.</summary>
    /// <param name="producer">What goes into `producer_name`.</param>
    /// <param name="description">A sentence about the model, its `doc_string`.</param>
    /// <returns>The bytes of an .onnx file.</returns>
    public byte[] ToBytes(string producer, string description)
    {
        ProtobufMessage graph = new();
        for (int i = 0; i < _nodes.Count; i++) graph.Message(1, NodeMessage(i));
        graph.Text(2, _name);
        foreach (ProtobufMessage initializer in _initializers) graph.Message(5, initializer);
        foreach (ProtobufMessage input in _inputs) graph.Message(11, input);
        foreach (ProtobufMessage output in _outputs) graph.Message(12, output);

        ProtobufMessage model = new ProtobufMessage()
            .Integer(1, IrVersion)
            .Text(2, producer)
            .Text(6, description)
            .Message(7, graph)
            .Message(8, new ProtobufMessage().Text(1, "").Integer(2, OperatorSet));
        foreach ((string key, string value) in _metadata) model.Message(14, new ProtobufMessage().Text(1, key).Text(2, value));
        return model.Bytes.ToArray();
    }

    private ProtobufMessage NodeMessage(int index)
    {
        var (type, inputs, outputs, attributes) = _nodes[index];
        ProtobufMessage node = new();
        foreach (OnnxValue input in inputs) node.Text(1, input.Name);
        foreach (OnnxValue output in outputs) node.Text(2, output.Name);
        node.Text(3, outputs[0].Name).Text(4, type);
        foreach (OnnxAttribute attribute in attributes) node.Message(5, attribute.Message);
        return node;
    }

    private static ProtobufMessage ValueInfo(string name, ReadOnlySpan<long> shape)
    {
        ProtobufMessage dimensions = new();
        foreach (long length in shape) dimensions.Message(1, new ProtobufMessage().Integer(1, length));
        ProtobufMessage tensor = new ProtobufMessage().Integer(1, FloatType).Message(2, dimensions);
        return new ProtobufMessage().Text(1, name).Message(2, new ProtobufMessage().Message(1, tensor));
    }

    private OnnxValue Vector(params ReadOnlySpan<long> values) => Constant(values, [values.Length]);

    private OnnxValue Initializer(long type, byte[] bytes, ReadOnlySpan<long> shape)
    {
        string name = $"constant_{_initializers.Count}";
        _initializers.Add(new ProtobufMessage().Integers(1, shape).Integer(2, type).Text(8, name).Block(9, bytes));
        return new OnnxValue(this, name);
    }
}
