using System.Buffers.Binary;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>Collects the nodes that take the place of one, in an order in which each follows what it takes from.</summary>
internal sealed class NodeWriter
{
    private const int AxesAreInputsSince = 18;
    private const int SplitIsCountedSince = 18;

    private readonly long _operatorSet;
    private readonly GraphNames _names;
    private readonly string _prefix;
    private readonly Dictionary<long, string> _axes = [];

    /// <summary>Starts with no nodes.</summary>
    /// <param name="operatorSet">The model's version of the operators: it decides how axes are given.</param>
    /// <param name="names">Where new names come from.</param>
    /// <param name="prefix">What new names begin with: the tensor that the nodes compute.</param>
    public NodeWriter(long operatorSet, GraphNames names, string prefix)
    {
        _operatorSet = operatorSet;
        _names = names;
        _prefix = prefix;
    }

    /// <summary>The nodes so far.</summary>
    public List<GraphNode> Nodes { get; } = [];

    /// <summary>Adds a node.</summary>
    /// <param name="type">The operator.</param>
    /// <param name="inputs">What it takes.</param>
    /// <param name="output">The name of its output where that matters; null for a new one.</param>
    /// <param name="attributes">Its attributes.</param>
    /// <returns>The name of its output.</returns>
    public string Add(string type, ReadOnlySpan<string> inputs, string? output = null, params ReadOnlySpan<OnnxAttribute> attributes)
    {
        output ??= _names.New($"{_prefix}/{type}");
        Nodes.Add(GraphNode.Create(type, inputs, output, attributes));
        return output;
    }

    /// <summary>Adds a node that is another's copy but for what it takes and gives.</summary>
    public string AddLike(GraphNode node, ReadOnlySpan<string> inputs, string? output = null)
    {
        output ??= _names.New($"{_prefix}/{node.Type}");
        Nodes.Add(node.With(inputs, [output]));
        return output;
    }

    /// <summary>Adds a node of ONNX Runtime's own operators.</summary>
    public string AddRuntime(string type, ReadOnlySpan<string> inputs, params ReadOnlySpan<OnnxAttribute> attributes)
    {
        string output = _names.New($"{_prefix}/{type}");
        Nodes.Add(GraphNode.Create(GraphModel.RuntimeDomain, type, inputs, [output], attributes));
        return output;
    }

    /// <summary>Adds a node that cuts a tensor in two equal halves along an axis.</summary>
    public (string First, string Second) Halves(string value, long axis)
    {
        string first = _names.New($"{_prefix}/Split"), second = _names.New($"{_prefix}/Split");
        List<OnnxAttribute> attributes = [OnnxAttribute.Of("axis", axis)];
        if (_operatorSet >= SplitIsCountedSince)
            attributes.Add(OnnxAttribute.Of("num_outputs", 2));
        Nodes.Add(GraphNode.Create("", "Split", [value], [first, second], attributes.ToArray()));
        return (first, second);
    }

    /// <summary>Adds a Reshape to the given shape.</summary>
    public string Reshape(string value, ReadOnlySpan<long> shape, string? output = null) => Add("Reshape", [value, Constant(shape)], output);

    /// <summary>A constant of 64-bit integers. As a node, because constants apart from the nodes would be inputs in old files.</summary>
    public string Constant(params ReadOnlySpan<long> values)
    {
        byte[] bytes = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), values[i]);
        return Add("Constant", [], null, OnnxAttribute.Of("value", new ProtobufMessage().Integer(1, values.Length).Integer(2, GraphTensor.Int64).Block(9, bytes)));
    }

    /// <summary>A float32 constant without axes.</summary>
    public string Constant(float value)
    {
        byte[] bytes = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return Add("Constant", [], null, OnnxAttribute.Of("value", new ProtobufMessage().Integer(2, GraphTensor.Float32).Block(9, bytes)));
    }

    /// <summary>A constant of float32.</summary>
    public string Constant(ReadOnlySpan<float> values, params ReadOnlySpan<long> shape)
    {
        byte[] bytes = new byte[values.Length * sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
        ProtobufMessage tensor = new();
        foreach (long length in shape)
            tensor.Integer(1, length);
        return Add("Constant", [], null, OnnxAttribute.Of("value", tensor.Integer(2, GraphTensor.Float32).Block(9, bytes)));
    }

    /// <summary>
    /// The mean over several axes, taken one axis after the other. ONNX Runtime adds a run of numbers in float32 one by one, so that the error
    /// grows with the run's length; a mean of means has short runs only.
    /// </summary>
    /// <param name="value">What it is the mean of.</param>
    /// <param name="axes">The axes in the order in which they are reduced; if they vanish, later ones first.</param>
    /// <param name="keepAxes">Whether reduced axes stay with length 1.</param>
    /// <param name="output">The name of the result where that matters; null for a new one.</param>
    public string Mean(string value, ReadOnlySpan<long> axes, bool keepAxes = true, string? output = null)
    {
        for (int i = 0; i < axes.Length; i++)
        {
            // An axis counted from the end moves when one behind it has vanished.
            long axis = axes[i] < 0 && !keepAxes ? axes[i] + i : axes[i];
            string? name = i == axes.Length - 1 ? output : null;
            OnnxAttribute keep = OnnxAttribute.Of("keepdims", keepAxes ? 1 : 0);
            if (_operatorSet < AxesAreInputsSince)
            {
                value = Add("ReduceMean", [value], name, OnnxAttribute.Of("axes", [axis]), keep);
            }
            else
            {
                if (!_axes.TryGetValue(axis, out string? constant))
                    _axes.Add(axis, constant = Constant([axis]));
                value = Add("ReduceMean", [value, constant], name, keep);
            }
        }
        return value;
    }
}
