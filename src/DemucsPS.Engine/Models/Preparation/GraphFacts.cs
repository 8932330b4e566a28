namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// What can be known of a graph's tensors without running it: constants, element types and shapes as far as declarations, weights and a few
/// operators tell them. What it does not know it says; a rewrite then leaves the node alone.
/// </summary>
internal sealed class GraphFacts
{
    /// <summary>Chains of operators that keep a shape are short; a limit keeps a damaged file's cycles from the stack.</summary>
    private const int DeepestSearch = 100;

    private readonly GraphModel _model;
    private readonly Dictionary<string, GraphNode> _producers = [];
    private readonly Dictionary<string, long[]?> _shapes = [];
    private readonly Dictionary<string, long> _types = [];

    /// <summary>Gathers the facts of a model as it is now.</summary>
    public GraphFacts(GraphModel model)
    {
        _model = model;
        foreach (GraphNode node in model.Nodes)
        {
            foreach (string output in node.Outputs)
                _producers[output] = node;
        }
    }

    /// <summary>The node that makes a tensor; null for inputs and constants.</summary>
    public GraphNode? Producer(string name) => _producers.GetValueOrDefault(name);

    /// <summary>The constant behind a name; null if it is computed.</summary>
    public GraphTensor? Constant(string name)
    {
        for (int depth = 0; depth < DeepestSearch; depth++)
        {
            if (Producer(name) is not { } node)
            {
                // Until version 4 of the format constants are inputs too, which a caller might replace; this engine gives a model its audio alone.
                return _model.Initializers.GetValueOrDefault(name);
            }
            if (node.Is("Constant"))
                return node.Attributes.GetValueOrDefault("value")?.Tensor;
            // Exporters store equal constants once and name the others by an Identity.
            if (!node.Is("Identity") || node.Inputs.Length != 1)
                return null;
            name = node.Inputs[0];
        }
        return null;
    }

    /// <summary>The element type as ONNX numbers it; 0 if it is not known.</summary>
    public long ElementType(string name) => ElementType(name, 0);

    /// <summary>The dimensions, −1 for those that are not known; null if not even their number is known.</summary>
    public long[]? Shape(string name) => Shape(name, 0);

    private long ElementType(string name, int depth)
    {
        if (_types.TryGetValue(name, out long known))
            return known;
        if (depth > DeepestSearch)
            return 0;
        // What is asked for again while it is being looked for is a cycle: not known.
        _types[name] = 0;
        long type = 0;
        if (_model.Values.TryGetValue(name, out GraphValue? value))
            type = value.ElementType;
        if (type == 0)
            type = Constant(name)?.ElementType ?? 0;
        if (type == 0 && Producer(name) is { Inputs.Length: > 0 } node)
        {
            if (node.Is("Cast"))
                type = node.Integer("to", 0);
            else if (KeepsElementType(node))
                type = ElementType(node.Inputs[0], depth + 1);
        }
        return _types[name] = type;
    }

    private long[]? Shape(string name, int depth)
    {
        if (_shapes.TryGetValue(name, out long[]? known))
            return known;
        if (depth > DeepestSearch)
            return null;
        _shapes[name] = null;
        long[]? shape = null;
        if (_model.Values.TryGetValue(name, out GraphValue? value))
            shape = value.Shape;
        shape ??= Constant(name)?.Shape;
        if (shape is null && Producer(name) is { Inputs.Length: > 0 } node && node.Outputs[0] == name)
            shape = Computed(node, depth + 1);
        return _shapes[name] = shape;
    }

    private long[]? Computed(GraphNode node, int depth)
    {
        if (KeepsShape(node))
            return Shape(node.Inputs[0], depth);
        if ((node.Is("Conv") || node.Is("ConvTranspose")) && node.Inputs.Length > 1 && Shape(node.Inputs[1], depth) is { Length: > 2 } weight)
        {
            long[] result = new long[weight.Length];
            Array.Fill(result, -1);
            if (Shape(node.Inputs[0], depth) is { Length: > 0 } from)
                result[0] = from[0];
            long channels = node.Is("Conv") ? weight[0] : weight[1];
            long groups = node.Is("Conv") ? 1 : node.Integer("group", 1);
            if (channels is > 0 and < int.MaxValue && groups is > 0 and < int.MaxValue)
                result[1] = channels * groups;
            return result;
        }
        if (node.Is("Transpose") && node.Attributes.TryGetValue("perm", out GraphAttribute? order))
        {
            long[]? from = Shape(node.Inputs[0], depth);
            return [.. order.Integers.Select(axis => from is not null && axis >= 0 && axis < from.Length ? from[axis] : -1)];
        }
        if (node.Is("Reshape") && node.Inputs.Length > 1 && Constant(node.Inputs[1])?.Int64Values() is { } target)
            return [.. target.Select(length => length > 0 ? length : -1)];
        if (node.Inputs.Length == 2 && (node.Is("Add") || node.Is("Sub") || node.Is("Mul") || node.Is("Div")))
            return Broadcast(Shape(node.Inputs[0], depth), Shape(node.Inputs[1], depth));
        return null;
    }

    private static long[]? Broadcast(long[]? left, long[]? right)
    {
        if (left is null || right is null)
            return null;
        (long[] longer, long[] shorter) = left.Length >= right.Length ? (left, right) : (right, left);
        long[] result = [.. longer];
        for (int i = 1; i <= shorter.Length; i++)
        {
            long a = longer[^i], b = shorter[^i];
            // A length above 1 wins over 1; beside a length that is not known it is the result's length in any valid graph.
            result[^i] = a > 1 ? a : b > 1 ? b : a == 1 ? b : b == 1 ? a : -1;
        }
        return result;
    }

    private static bool KeepsShape(GraphNode node) =>
        node.Is("Identity") || node.Is("Cast") || node.Is("Relu") || node.Is("Sigmoid") || node.Is("Tanh") || node.Is("Erf") || node.Is("Exp")
        || node.Is("Sqrt") || node.Is("Neg") || node.Is("Softmax") || node.Is("LayerNormalization") || node.Is("InstanceNormalization") || node.Is("Gelu");

    private static bool KeepsElementType(GraphNode node) =>
        (KeepsShape(node) && !node.Is("Cast")) || node.Is("Conv") || node.Is("ConvTranspose") || node.Is("Transpose") || node.Is("Reshape") || node.Is("Add")
        || node.Is("Sub") || node.Is("Mul") || node.Is("Div") || node.Is("MatMul") || node.Is("Gemm") || node.Is("ReduceMean") || node.Is("ReduceSum")
        || node.Is("Slice") || node.Is("Split") || node.Is("Concat") || node.Is("Squeeze") || node.Is("Unsqueeze") || node.Is("Pad") || node.Is("Expand")
        || node.Is("Gather") || node.Is("Abs") || node.Is("Pow");
}
