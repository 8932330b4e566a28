using System.Buffers.Binary;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Quantization;

/// <summary>
/// A model's graph as exported, computed in float64 as far as ONNX Runtime's CPU kernels go: everything but convolutions and the operators
/// in <see cref="s_narrow"/>, whose sums are short. It is a second opinion on both the exported and the prepared graph, and shares no
/// rewrite with the latter. Inputs, outputs and weights are the model's own.
/// </summary>
/// <remarks>Slower than both and larger in memory: for tests of a model, not for separating.</remarks>
internal static class Float64Graph
{
    /// <summary>ONNX's number for truth values.</summary>
    private const int Bool = 9;

    private const int FactorsAreChannelsSince = 21;

    /// <summary>
    /// Operators without a kernel for float64 (https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md).
    /// </summary>
    private static readonly HashSet<string> s_narrow =
    [
        "Conv",
        "ConvTranspose",
        "Erf",
        "Gelu",
        "Attention",
        "AveragePool",
        "MaxPool",
        "GlobalAveragePool",
        "Elu",
        "LeakyRelu",
        "PRelu",
        "HardSigmoid",
        "Softplus",
        "STFT",
    ];

    private static readonly HashSet<string> s_giveTruthValues =
    [
        "Equal",
        "Less",
        "LessOrEqual",
        "Greater",
        "GreaterOrEqual",
        "Not",
        "And",
        "Or",
        "Xor",
        "IsNaN",
        "IsInf",
    ];

    private static readonly HashSet<string> s_giveIntegers = ["Shape", "Size", "NonZero", "ArgMax", "ArgMin"];

    /// <summary>Rewrites a model in place.</summary>
    /// <exception cref="NotSupportedException">It is of 16-bit floats, or has nodes with graphs of their own: what that is.</exception>
    public static void Apply(GraphModel model)
    {
        if (model.HoldsHalves)
            throw new NotSupportedException("it has 16-bit floats");
        if (model.HasNestedGraphs)
            throw new NotSupportedException("it has branches or loops");
        new Widening(model).Apply();
    }

    private sealed class Widening(GraphModel model)
    {
        private readonly GraphNames _names = new(model);
        private readonly List<GraphNode> _nodes = [];
        private readonly Dictionary<string, long> _types = [];

        // Tensors of floats in float64, by the name that they have in float32; some have both forms.
        private readonly Dictionary<string, string> _wide = [];
        private readonly HashSet<string> _narrow = [];

        public void Apply()
        {
            foreach ((string name, GraphTensor tensor) in model.Initializers)
                Declare(name, tensor.ElementType);
            foreach (string name in model.Inputs.Where(name => !_types.ContainsKey(name)))
                Declare(name, model.Values[name].ElementType);
            foreach (GraphNode node in model.Nodes)
                Add(node);
            foreach (string output in model.Outputs)
                _ = InFloat32(output);
            model.Nodes.Clear();
            model.Nodes.AddRange(_nodes);
        }

        private void Declare(string name, long type)
        {
            _types[name] = type;
            if (type == GraphTensor.Float32)
                _narrow.Add(name);
        }

        private void Add(GraphNode node)
        {
            long type = TypeOf(node);
            if (node.Is("InstanceNormalization") || node.Is("GroupNormalization"))
            {
                Normalize(node);
            }
            else if (node.Is("Cos") && type == GraphTensor.Float32)
            {
                Cosine(node);
            }
            else if (node.Type is "Constant" or "ConstantOfShape" || node.Domain.Length > 0 || s_narrow.Contains(node.Type))
            {
                _nodes.Add(node.With([.. node.Inputs.Select(InFloat32)], node.Outputs));
                foreach (string output in node.Outputs)
                    Declare(output, type);
            }
            else
            {
                string[] inputs = [.. node.Inputs.Select(InFloat64)],
                    outputs = [.. node.Outputs.Select(output => type == GraphTensor.Float32 ? Wide(output) : output)];
                foreach (string output in node.Outputs)
                    _types[output] = type;
                _nodes.Add(
                    node.Is("Cast") && type == GraphTensor.Float32
                        ? Cast(inputs[0], outputs[0], GraphTensor.Float64)
                        : node.With(inputs, outputs)
                );
            }
        }

        /// <summary>What a node gives. Most operators give what their first input is of.</summary>
        private long TypeOf(GraphNode node) =>
            node.Type == "Constant"
                ? node.Attributes.GetValueOrDefault("value")?.Tensor?.ElementType
                    ?? (node.Attributes.Keys.Any(name => name is "value_float" or "value_floats") ? GraphTensor.Float32 : GraphTensor.Int64)
            : node.Type == "ConstantOfShape" ? node.Attributes.GetValueOrDefault("value")?.Tensor?.ElementType ?? GraphTensor.Float32
            : node.Type == "Cast" ? node.Integer("to", 0)
            : s_giveTruthValues.Contains(node.Type) ? Bool
            : s_giveIntegers.Contains(node.Type) ? GraphTensor.Int64
            : node.Inputs.Length == 0 ? 0
            : _types.GetValueOrDefault(node.Inputs[node.Type == "Where" ? 1 : 0]);

        private string Wide(string name) => _wide[name] = _names.New(name + "/float64");

        private string InFloat64(string name)
        {
            if (_types.GetValueOrDefault(name) != GraphTensor.Float32 || _wide.TryGetValue(name, out string? wide))
                return _wide.GetValueOrDefault(name, name);
            wide = Wide(name);
            _nodes.Add(Cast(name, wide, GraphTensor.Float64));
            return wide;
        }

        private string InFloat32(string name)
        {
            if (_wide.TryGetValue(name, out string? wide) && _narrow.Add(name))
                _nodes.Add(Cast(wide, name, GraphTensor.Float32));
            return name;
        }

        private static GraphNode Cast(string from, string to, long type) =>
            GraphNode.Create("Cast", [from], to, OnnxAttribute.Create("to", type));

        /// <summary>
        /// cos x = sin(x + π/2): of the two, only the sine has a kernel for float64. The angles of position embeddings go up to 1,343,
        /// where float32 loses most.
        /// </summary>
        private void Cosine(GraphNode node)
        {
            NodeWriter w = new(model.OperatorSet, _names, node.Outputs[0]);
            string source = InFloat64(node.Inputs[0]);
            byte[] quarterTurn = new byte[sizeof(double)];
            BinaryPrimitives.WriteDoubleLittleEndian(quarterTurn, Math.PI / 2);
            string quarter = w.Add(
                "Constant",
                [],
                null,
                OnnxAttribute.Create("value", new ProtobufMessage().Integer(2, GraphTensor.Float64).Block(9, quarterTurn))
            );
            w.Add("Sin", [w.Add("Add", [source, quarter])], Wide(node.Outputs[0]));
            _types[node.Outputs[0]] = GraphTensor.Float32;
            _nodes.AddRange(w.Nodes);
        }

        /// <summary>y = scale·(x − mean)/√(variance + ε) + bias, over all that belongs to a group.</summary>
        private void Normalize(GraphNode node)
        {
            bool ofInstances = node.Type == "InstanceNormalization";
            NodeWriter w = new(model.OperatorSet, _names, node.Outputs[0]);
            string source = InFloat64(node.Inputs[0]),
                scale = InFloat64(node.Inputs[1]),
                bias = InFloat64(node.Inputs[2]);
            string joined = w.Reshape(source, [0, ofInstances ? 0 : node.Integer("num_groups", 1), -1]);
            string centered = w.Add("Sub", [joined, w.Mean(joined, null, [2])]);
            string variance = w.Mean(w.Add("Mul", [centered, centered]), null, [2]);
            string epsilon = w.Add(
                "Cast",
                [w.Constant(node.Float("epsilon", InstanceNormalizationSplit.DefaultEpsilon))],
                null,
                OnnxAttribute.Create("to", GraphTensor.Float64)
            );
            string normal = w.Add("Div", [centered, w.Add("Sqrt", [w.Add("Add", [variance, epsilon])])]);
            if (!ofInstances && model.OperatorSet >= FactorsAreChannelsSince)
                normal = w.Add(
                    "Reshape",
                    [
                        normal,
                        w.Add("Concat", [w.Constant(0), w.Add("Shape", [scale]), w.Constant(-1)], null, OnnxAttribute.Create("axis", 0)),
                    ]
                );
            normal = w.Add("Add", [w.Add("Mul", [normal, w.Reshape(scale, [-1, 1])]), w.Reshape(bias, [-1, 1])]);
            w.Add("Reshape", [normal, w.Add("Shape", [source])], Wide(node.Outputs[0]));
            _types[node.Outputs[0]] = GraphTensor.Float32;
            _nodes.AddRange(w.Nodes);
        }
    }
}
