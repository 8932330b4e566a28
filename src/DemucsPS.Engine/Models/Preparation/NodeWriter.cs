using System.Buffers.Binary;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>Collects the nodes that take the place of one, in an order in which each follows what it takes from.</summary>
internal sealed class NodeWriter
{
    private const int AxesAreInputsSince = 18;
    private const int SumsAxesAreInputsSince = 13;
    private const int SplitIsCountedSince = 18;
    private const int PadsAreInputsSince = 11;

    private readonly GraphNames _names;
    private readonly string _prefix;
    private readonly Dictionary<long, string> _axes = [];

    /// <summary>Starts with no nodes.</summary>
    /// <param name="operatorSet">The model's version of the operators: it decides how axes are given.</param>
    /// <param name="names">Where new names come from.</param>
    /// <param name="prefix">What new names begin with: the tensor that the nodes compute.</param>
    public NodeWriter(long operatorSet, GraphNames names, string prefix)
    {
        OperatorSet = operatorSet;
        _names = names;
        _prefix = prefix;
    }

    /// <summary>The model's version of the operators.</summary>
    public long OperatorSet { get; }

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
        string first = _names.New($"{_prefix}/Split"),
            second = _names.New($"{_prefix}/Split");
        List<OnnxAttribute> attributes = [OnnxAttribute.Create("axis", axis)];
        if (OperatorSet >= SplitIsCountedSince)
            attributes.Add(OnnxAttribute.Create("num_outputs", 2));
        Nodes.Add(GraphNode.Create("", "Split", [value], [first, second], attributes.ToArray()));
        return (first, second);
    }

    /// <summary>Adds a Reshape to the given shape.</summary>
    public string Reshape(string value, ReadOnlySpan<long> shape, string? output = null) =>
        Add("Reshape", [value, Constant(shape)], output);

    /// <summary>A constant of 64-bit integers. As a node, because constants apart from the nodes would be inputs in old files.</summary>
    public string Constant(params ReadOnlySpan<long> values)
    {
        byte[] bytes = new byte[values.Length * sizeof(long)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(i * sizeof(long)), values[i]);
        return Add(
            "Constant",
            [],
            null,
            OnnxAttribute.Create("value", new ProtobufMessage().Integer(1, values.Length).Integer(2, GraphTensor.Int64).Block(9, bytes))
        );
    }

    /// <summary>A float32 constant without axes.</summary>
    public string Constant(float value)
    {
        byte[] bytes = new byte[sizeof(float)];
        BinaryPrimitives.WriteSingleLittleEndian(bytes, value);
        return Add(
            "Constant",
            [],
            null,
            OnnxAttribute.Create("value", new ProtobufMessage().Integer(2, GraphTensor.Float32).Block(9, bytes))
        );
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
        return Add("Constant", [], null, OnnxAttribute.Create("value", tensor.Integer(2, GraphTensor.Float32).Block(9, bytes)));
    }

    /// <summary>
    /// The mean over several axes, taken one axis after the other, and along each in short runs, see <see cref="SumRuns"/>: the error of a
    /// sum grows with the run's length.
    /// </summary>
    /// <param name="value">What it is the mean of.</param>
    /// <param name="shape">Its dimensions, −1 for those that are not known; null if not even their number is known. Along axes whose length
    /// is not known, it is one run.</param>
    /// <param name="axes">The axes in the order in which they are reduced, later ones first.</param>
    /// <param name="keepAxes">Whether reduced axes stay with length 1.</param>
    /// <param name="output">The name of the result where that matters; null for a new one.</param>
    public string Mean(string value, long[]? shape, ReadOnlySpan<long> axes, bool keepAxes = true, string? output = null) =>
        Reduce("ReduceMean", AxesAreInputsSince, value, shape, axes, keepAxes, output);

    /// <summary>The sum over several axes, as <see cref="Mean"/> takes the mean.</summary>
    public string Sum(string value, long[]? shape, ReadOnlySpan<long> axes, bool keepAxes = true, string? output = null) =>
        Reduce("ReduceSum", SumsAxesAreInputsSince, value, shape, axes, keepAxes, output);

    /// <summary>Puts zeros after a tensor along an axis.</summary>
    public string Pad(string value, int rank, int axis, long zeros)
    {
        long[] pads = new long[2 * rank];
        pads[rank + axis] = zeros;
        return OperatorSet < PadsAreInputsSince
            ? Add("Pad", [value], null, OnnxAttribute.Create("pads", pads))
            : Add("Pad", [value, Constant(pads)]);
    }

    private string Reduce(
        string type,
        int axesAreInputsSince,
        string value,
        long[]? shape,
        ReadOnlySpan<long> axes,
        bool keepAxes,
        string? output
    )
    {
        List<long>? lengths = shape?.ToList();
        for (int i = 0; i < axes.Length; i++)
        {
            // An axis counted from the end moves when one after it has vanished.
            long axis = axes[i] < 0 && !keepAxes ? axes[i] + i : axes[i];
            string? name = i == axes.Length - 1 ? output : null;
            if (lengths is null)
            {
                value = Reduce(type, axesAreInputsSince, value, axis, keepAxes, name);
                continue;
            }
            int at = (int)(axis < 0 ? axis + lengths.Count : axis);
            (value, double factor) = Divide(value, lengths, at, type, axesAreInputsSince);
            bool scaled = type == "ReduceMean" && factor != 1;
            value = Reduce(type, axesAreInputsSince, value, at, keepAxes, scaled ? null : name);
            if (scaled)
                value = Add("Mul", [value, Constant((float)factor)], name);
            if (keepAxes)
                lengths[at] = 1;
            else
                lengths.RemoveAt(at);
        }
        return value;
    }

    /// <summary>Reduces a long axis to its last run.</summary>
    /// <returns>The tensor, and what its mean must be multiplied with because zeros were put after it.</returns>
    private (string Value, double Factor) Divide(string value, List<long> lengths, int axis, string type, int axesAreInputsSince)
    {
        long length = lengths[axis];
        // A Reshape copies dimensions before the axis that are not known, and finds out one after it.
        if (lengths.Skip(axis + 1).Count(other => other < 1) > 1 || SumRuns.Along(lengths, axis) is not { } runs)
            return (value, 1);
        if (runs.Count > length)
            value = Pad(value, lengths.Count, axis, runs.Count - length);
        long[] target =
        [
            .. lengths.Take(axis).Select(other => other < 1 ? 0 : other),
            .. runs.Lengths,
            .. lengths.Skip(axis + 1).Select(other => other < 1 ? -1 : other),
        ];
        value = Reshape(value, target);
        for (int run = runs.Lengths.Length - 1; run > 0; run--)
            value = Reduce(type, axesAreInputsSince, value, axis + run, keepAxes: false, null);
        return (value, (double)runs.Count / length);
    }

    private string Reduce(string type, int axesAreInputsSince, string value, long axis, bool keepAxes, string? output)
    {
        OnnxAttribute keep = OnnxAttribute.Create("keepdims", keepAxes ? 1 : 0);
        if (OperatorSet < axesAreInputsSince)
            return Add(type, [value], output, OnnxAttribute.Create("axes", [axis]), keep);
        if (!_axes.TryGetValue(axis, out string? constant))
            _axes.Add(axis, constant = Constant([axis]));
        return Add(type, [value, constant], output, keep);
    }
}
