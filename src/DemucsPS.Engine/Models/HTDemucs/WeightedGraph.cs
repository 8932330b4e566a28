using System.Runtime.InteropServices;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Models.Weights;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>
/// A graph under construction, with the weights that go into it. Its methods add nodes, as <see cref="OnnxGraphWriter"/>'s do.
/// </summary>
/// <remarks>
/// Weights of 16-bit floats stay what they are in the file: a Cast, which the runtime computes when it loads the graph, makes floats of
/// them. What is computed of weights here is computed in float64 and rounded once.
/// </remarks>
internal sealed class WeightedGraph
{
    /// <summary>The oldest operator set with Gelu, and the axes of all reductions as inputs.</summary>
    public const int OperatorSet = 20;

    private readonly HTDemucsWeights _weights;
    private readonly Dictionary<string, OnnxValue> _integers = [];
    private readonly Dictionary<float[], OnnxValue> _shared = [];

    /// <summary>Starts with no nodes.</summary>
    public WeightedGraph(HTDemucsWeights weights, int batch, GraphForm form)
    {
        _weights = weights;
        Batch = batch;
        Form = form;
    }

    /// <summary>The graph.</summary>
    public OnnxGraphWriter Graph { get; } = new("htdemucs", OperatorSet);

    /// <summary>The first dimension of every tensor that is computed.</summary>
    public int Batch { get; }

    /// <summary>What the graph is to run on.</summary>
    public GraphForm Form { get; }

    /// <summary>A tensor of weights.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="shape">Its shape there.</param>
    public OnnxValue Weight(string name, params ReadOnlySpan<int> shape) => Rows(name, shape, 0, shape[0]);

    /// <summary>Some of the first axis of a tensor of weights.</summary>
    /// <param name="name">Its name in the file.</param>
    /// <param name="shape">Its shape there.</param>
    /// <param name="first">Where they begin.</param>
    /// <param name="count">How many they are.</param>
    public OnnxValue Rows(string name, ReadOnlySpan<int> shape, int first, int count)
    {
        WeightTensor tensor = _weights.Require(name, shape);
        int[] whole = shape.ToArray();
        long[] part = [count, .. whole[1..]];
        int row = tensor.Count / whole[0];
        if (tensor.Type != WeightType.Float16)
            return Graph.Stored(GraphTensor.Float32, part, (long)count * row * sizeof(float), () =>
                MemoryMarshal.AsBytes(_weights.Read(name, whole).AsSpan(first * row, count * row)).ToArray()
            );
        OnnxValue halves = Graph.Stored(GraphTensor.Float16, part, (long)count * row * sizeof(short), () =>
            _weights.ReadStored(name, whole).AsMemory(first * row * sizeof(short), count * row * sizeof(short))
        );
        return Graph.Node("Cast", [halves], OnnxAttribute.Create("to", GraphTensor.Float32));
    }

    /// <summary>Makes sure that there is a tensor of weights, whose values are requested later.</summary>
    public void Require(string name, params ReadOnlySpan<int> shape) => _weights.Require(name, shape);

    /// <summary>The values of a tensor of weights, to compute with.</summary>
    public double[] Values(string name, params ReadOnlySpan<int> shape) => [.. _weights.Read(name, shape)];

    /// <summary>A constant, rounded to float32.</summary>
    public OnnxValue Constant(IEnumerable<double> values, params ReadOnlySpan<long> shape) =>
        Graph.Constant([.. values.Select(value => (float)value)], shape);

    /// <summary>A constant that is computed when the graph is written.</summary>
    public OnnxValue Computed(Func<float[]> values, params ReadOnlySpan<long> shape)
    {
        long count = shape.ToArray().Aggregate(1L, (product, length) => product * length);
        return Graph.Stored(GraphTensor.Float32, shape, count * sizeof(float), () => MemoryMarshal.AsBytes(values().AsSpan()).ToArray());
    }

    /// <summary>A constant that is stored once, however often it is requested.</summary>
    public OnnxValue Shared(float[] values, params ReadOnlySpan<long> shape)
    {
        if (!_shared.TryGetValue(values, out OnnxValue? constant))
            _shared.Add(values, constant = Graph.Constant(values, shape));
        return constant;
    }

    /// <summary>A vector of integers: a shape, axes or indices. Equal ones are stored once.</summary>
    public OnnxValue Integers(params ReadOnlySpan<long> values)
    {
        string key = string.Join(',', values.ToArray());
        if (!_integers.TryGetValue(key, out OnnxValue? vector))
            _integers.Add(key, vector = Graph.Constant(values, [values.Length]));
        return vector;
    }

    /// <summary>The values in another shape; the batch is not to be given.</summary>
    public OnnxValue Reshape(OnnxValue value, params ReadOnlySpan<long> shape) =>
        Graph.Node("Reshape", [value, Integers([Batch, .. shape])]);

    /// <summary>The axes in another order.</summary>
    public OnnxValue Transpose(OnnxValue value, params ReadOnlySpan<long> order) =>
        Graph.Node("Transpose", [value], OnnxAttribute.Create("perm", order));

    /// <summary>
    /// Elements <paramref name="start"/> up to but without <paramref name="end"/> along an axis of so many; the value itself where these
    /// are all.
    /// </summary>
    public OnnxValue Slice(OnnxValue value, int axis, int length, int start, int end) =>
        start == 0 && end == length ? value : Graph.Node("Slice", [value, Integers(start), Integers(end), Integers(axis)]);

    /// <summary>Values one after the other along an axis; one by itself is what it is.</summary>
    public OnnxValue Concat(int axis, IReadOnlyList<OnnxValue> values) => values.Count == 1 ? values[0] : Graph.Concat(axis, [.. values]);

    /// <summary>The Gaussian error linear unit.</summary>
    public OnnxValue Gelu(OnnxValue value) => Graph.Node("Gelu", [value]);

    /// <summary>
    /// The value itself, where it is wide and may be needed for long. The runtime takes such nodes out; where a graph is run on the CPU,
    /// the shape is hidden from it here before, so that it does not keep buffers of that shape for later.
    /// </summary>
    public Signal Wide(Signal x) => x with { Value = Wide(x.Value) };

    /// <inheritdoc cref="Wide(Signal)"/>
    public OnnxValue Wide(OnnxValue value) => Graph.Node("Identity", [value]);

    /// <summary>The logistic function.</summary>
    public OnnxValue Sigmoid(OnnxValue value) => Graph.Node("Sigmoid", [value]);

    /// <summary>Rows of a matrix times the rows of a weight: a linear layer.</summary>
    public OnnxValue Linear(OnnxValue rows, OnnxValue weight, OnnxValue bias) =>
        Graph.Node("Gemm", [rows, weight, bias], OnnxAttribute.Create("transB", 1));

    /// <summary>A convolution.</summary>
    /// <param name="value">What it takes.</param>
    /// <param name="weight">Its weight.</param>
    /// <param name="bias">Its bias; null for none.</param>
    /// <param name="kernel">The lengths of its kernel.</param>
    /// <param name="strides">Its steps; null for ones.</param>
    /// <param name="pads">Zeros before, and then after, each axis; null for none.</param>
    /// <param name="dilations">The distances between its taps; null for ones.</param>
    /// <param name="groups">Into how many its channels are divided.</param>
    public OnnxValue Conv(
        OnnxValue value,
        OnnxValue weight,
        OnnxValue? bias,
        long[] kernel,
        long[]? strides = null,
        long[]? pads = null,
        long[]? dilations = null,
        long groups = 1
    )
    {
        List<OnnxAttribute> attributes = [OnnxAttribute.Create("kernel_shape", kernel)];
        if (strides is not null)
            attributes.Add(OnnxAttribute.Create("strides", strides));
        if (pads is not null)
            attributes.Add(OnnxAttribute.Create("pads", pads));
        if (dilations is not null)
            attributes.Add(OnnxAttribute.Create("dilations", dilations));
        if (groups > 1)
            attributes.Add(OnnxAttribute.Create("group", groups));
        return Graph.Node("Conv", bias is null ? [value, weight] : [value, weight, bias], attributes.ToArray());
    }

    /// <summary>
    /// The mean over axes, which stay with length 1: one axis after the other, each in runs that are short enough to stay exact, see
    /// <see cref="SumRuns"/>.
    /// </summary>
    /// <param name="value">What it is the mean of.</param>
    /// <param name="shape">Its shape, without the batch.</param>
    /// <param name="axes">The axes, later ones first.</param>
    public OnnxValue Mean(OnnxValue value, ReadOnlySpan<long> shape, params ReadOnlySpan<int> axes)
    {
        List<long> lengths = [Batch, .. shape];
        // Zeros that are put after a tensor are not to be counted.
        double factor = 1;
        foreach (int axis in axes)
        {
            if (Form.HasShortSums() && SumRuns.Along(lengths, axis) is { } runs)
            {
                if (runs.Count > lengths[axis])
                {
                    long[] pads = new long[2 * lengths.Count];
                    pads[lengths.Count + axis] = runs.Count - lengths[axis];
                    value = Graph.PadZeros(value, pads);
                    factor *= (double)runs.Count / lengths[axis];
                }
                value = Graph.Node("Reshape", [value, Integers([.. lengths.Take(axis), .. runs.Lengths, .. lengths.Skip(axis + 1)])]);
                for (int run = runs.Lengths.Length - 1; run > 0; run--)
                    value = MeanAlong(value, axis + run, keep: false);
            }
            value = MeanAlong(value, axis, keep: true);
            lengths[axis] = 1;
        }
        return factor == 1 ? value : Graph.Scalar((float)factor) * value;
    }

    /// <summary>The mean of the squares, as above.</summary>
    /// <inheritdoc cref="Mean"/>
    /// <remarks>
    /// Not by ReduceSumSquare, which adds one number after the other: in a spectrogram's silent rows that costs ten times as much as
    /// anything else.
    /// </remarks>
    public OnnxValue MeanSquare(OnnxValue value, ReadOnlySpan<long> shape, params ReadOnlySpan<int> axes) =>
        Mean(value * value, shape, axes);

    private OnnxValue MeanAlong(OnnxValue value, int axis, bool keep) =>
        Graph.Node("ReduceMean", [value, Integers(axis)], OnnxAttribute.Create("keepdims", keep ? 1 : 0));
}
