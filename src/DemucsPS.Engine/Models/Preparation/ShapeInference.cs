using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// What can be known of a graph's tensors without running it: constants, element types and shapes as far as declarations, weights and a few
/// operators tell them. What it does not know it says; a rewrite then leaves the node alone.
/// </summary>
internal sealed class ShapeInference
{
    /// <summary>Chains of operators that keep a shape are short; a limit keeps a damaged file's cycles from the stack.</summary>
    private const int DeepestSearch = 100;

    /// <summary>More than any model's; larger ones could make lengths overflow.</summary>
    private const int MostBlocks = 1024;

    private readonly GraphModel _model;
    private readonly Dictionary<string, GraphNode> _producers = [];
    private readonly Dictionary<string, int> _uses = [];
    private readonly Dictionary<string, long[]?> _shapes = [];
    private readonly Dictionary<string, long> _types = [];

    /// <summary>Gathers the facts of a model as it is now.</summary>
    public ShapeInference(GraphModel model)
    {
        _model = model;
        foreach (GraphNode node in model.Nodes)
        {
            foreach (string output in node.Outputs)
                _producers[output] = node;
            foreach (string input in node.Inputs)
                _uses[input] = _uses.GetValueOrDefault(input) + 1;
        }
        // In the order of the nodes every tensor is one step from what is known, however deep the graph is.
        foreach (string output in model.Nodes.SelectMany(node => node.Outputs))
        {
            ElementType(output);
            Shape(output);
        }
    }

    /// <summary>The node that makes a tensor; null for inputs and constants.</summary>
    public GraphNode? Producer(string name) => _producers.GetValueOrDefault(name);

    /// <summary>Whether one node takes a tensor, once, and the graph does not give it.</summary>
    public bool IsOnlyTakenOnce(string name) =>
        _uses.GetValueOrDefault(name) == 1 && !_model.Outputs.Contains(name) && !_model.HasNestedGraphs;

    /// <summary>The constant behind a name; null if it is computed.</summary>
    public GraphTensor? Constant(string name)
    {
        for (int depth = 0; depth < DeepestSearch; depth++)
        {
            if (Producer(name) is not { } node)
            {
                // Until version 4 of the format constants are inputs too, which a caller might replace; this engine gives a model its audio
                // alone.
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

    /// <summary>The dimensions if all of them are known and none is 0.</summary>
    public long[]? KnownShape(string name) => Shape(name) is { } shape && shape.All(length => length > 0) ? shape : null;

    /// <summary>Whether a name stands for a constant of float32, wherever its values are stored.</summary>
    public bool IsFloatConstant(string name) => Constant(name) is { ElementType: GraphTensor.Float32 };

    /// <summary>The value of a constant of one float32; null for anything else.</summary>
    public float? Scalar(string name) => Constant(name)?.FloatValues() is [var value] ? value : null;

    /// <summary>The element type as ONNX numbers it; 0 if unknown.</summary>
    public long ElementType(string name) => ElementType(name, 0);

    /// <summary>The dimensions, −1 for those that are not known; null if not even their number is known.</summary>
    public long[]? Shape(string name) => Shape(name, 0);

    private long ElementType(string name, int depth)
    {
        if (_types.TryGetValue(name, out long known))
            return known;
        if (depth > DeepestSearch)
            return 0;
        // What is requested again while it is being looked for is a cycle: not known.
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
        if (shape is null && Producer(name) is { Inputs.Length: > 0 } node && (node.Outputs[0] == name || node.Is("Split")))
            shape = Computed(node, name, depth + 1);
        return _shapes[name] = shape;
    }

    private long[]? Computed(GraphNode node, string output, int depth)
    {
        if (KeepsShape(node))
            return Shape(node.Inputs[0], depth);
        return node.Type switch
        {
            "Conv" or "ConvTranspose" when IsStandard(node) && node.Inputs.Length > 1 => Convolved(node, depth),
            "Transpose" when IsStandard(node) && node.Attributes.TryGetValue("perm", out GraphAttribute? order) => Transposed(
                Shape(node.Inputs[0], depth),
                order.Integers
            ),
            "Reshape" when IsStandard(node) && node.Inputs.Length > 1 => Reshaped(node, depth),
            "Add" or "Sub" or "Mul" or "Div" when IsStandard(node) && node.Inputs.Length == 2 => Broadcast(
                Shape(node.Inputs[0], depth),
                Shape(node.Inputs[1], depth)
            ),
            "ReduceMean" or "ReduceSum" or "ReduceMax" or "ReduceMin" or "ReduceL2" or "ReduceSumSquare" when IsStandard(node) => Reduced(
                node,
                depth
            ),
            "Unsqueeze" when IsStandard(node) => Unsqueezed(node, depth),
            "Squeeze" when IsStandard(node) => Squeezed(node, depth),
            "Attention" when IsStandard(node) && node.Inputs.Length > 2 && node.Outputs[0] == output => Attended(
                Shape(node.Inputs[0], depth),
                Shape(node.Inputs[2], depth)
            ),
            "Slice" when IsStandard(node) => Sliced(node, depth),
            "Split" when IsStandard(node) => Divided(node, output, depth),
            "Pad" when IsStandard(node) => Padded(node, depth),
            "Gather" when IsStandard(node) && node.Inputs.Length == 2 => Gathered(node, depth),
            "DepthToSpace" when IsStandard(node) => Unfolded(node, depth),
            "MatMul" when IsStandard(node) && node.Inputs.Length == 2 => Product(
                Shape(node.Inputs[0], depth),
                Shape(node.Inputs[1], depth)
            ),
            "Gemm" when IsStandard(node) && node.Inputs.Length > 1 => Multiplied(node, depth),
            _ => null,
        };
    }

    private static bool IsStandard(GraphNode node) => node.Is(node.Type);

    private static long[] Transposed(long[]? from, long[] order) =>
        [.. order.Select(axis => from is not null && axis >= 0 && axis < from.Length ? from[axis] : -1)];

    private long[]? Convolved(GraphNode node, int depth)
    {
        if (Shape(node.Inputs[1], depth) is not { Length: > 2 } weight)
            return null;
        bool transposed = node.Is("ConvTranspose");
        long[] result = new long[weight.Length];
        Array.Fill(result, -1);
        long channels = transposed ? weight[1] : weight[0];
        long groups = transposed ? node.Integer("group", 1) : 1;
        if (channels is > 0 and < int.MaxValue && groups is > 0 and < int.MaxValue)
            result[1] = channels * groups;
        if (Shape(node.Inputs[0], depth) is not { } from || from.Length != weight.Length)
            return result;
        result[0] = from[0];
        if (ConvolutionWindow.Match(node, weight) is { } window)
        {
            for (int i = 0; i < window.Kernel.Length; i++)
                result[2 + i] = transposed ? window.TransposedLength(i, from[2 + i]) : window.Length(i, from[2 + i]);
        }
        return result;
    }

    private long[]? Reshaped(GraphNode node, int depth)
    {
        if (Constant(node.Inputs[1])?.Int64Values() is not { } target)
            return null;
        long[]? from = Shape(node.Inputs[0], depth);
        bool copies = node.Integer("allowzero", 0) == 0;
        long[] result =
        [
            .. target.Select(
                (length, i) =>
                    length > 0 ? length
                    : length == 0 && copies && from is not null && i < from.Length ? from[i]
                    : -1
            ),
        ];
        int open = Array.IndexOf(result, -1);
        if (open < 0 || Array.LastIndexOf(result, -1) != open || target[open] != -1 || Count(from) is not { } all)
            return result;
        long rest = 1;
        for (int i = 0; i < result.Length; i++)
        {
            if (i != open && (rest *= result[i]) > int.MaxValue)
                return result;
        }
        if (rest > 0 && all % rest == 0)
            result[open] = all / rest;
        return result;
    }

    /// <summary>
    /// The axes that a node gives as an attribute or, in later versions, as a second input; null if they are not known or not given.
    /// </summary>
    private long[]? Axes(GraphNode node) =>
        node.Attributes.TryGetValue("axes", out GraphAttribute? attribute) ? attribute.Integers
        : node.Inputs.Length > 1 && node.Inputs[1].Length > 0 ? Constant(node.Inputs[1])?.Int64Values()
        : null;

    private long[]? Reduced(GraphNode node, int depth)
    {
        if (Shape(node.Inputs[0], depth) is not { } from || Axes(node) is not { Length: > 0 } axes)
            return null;
        HashSet<long> reduced = [.. axes.Select(axis => axis < 0 ? axis + from.Length : axis)];
        bool keeps = node.Integer("keepdims", 1) != 0;
        return [.. from.Select((length, i) => reduced.Contains(i) ? 1 : length).Where((_, i) => keeps || !reduced.Contains(i))];
    }

    private long[]? Unsqueezed(GraphNode node, int depth)
    {
        if (Shape(node.Inputs[0], depth) is not { } from || Axes(node) is not { } axes)
            return null;
        int rank = from.Length + axes.Length;
        HashSet<long> added = [.. axes.Select(axis => axis < 0 ? axis + rank : axis)];
        if (added.Count != axes.Length || added.Any(axis => axis < 0 || axis >= rank))
            return null;
        List<long> result = [.. from];
        foreach (long axis in added.Order())
            result.Insert((int)axis, 1);
        return [.. result];
    }

    private long[]? Squeezed(GraphNode node, int depth)
    {
        if (Shape(node.Inputs[0], depth) is not { } from || Axes(node) is not { Length: > 0 } axes)
            return null;
        HashSet<long> left = [.. axes.Select(axis => axis < 0 ? axis + from.Length : axis)];
        return left.Any(axis => axis < 0 || axis >= from.Length) ? null : [.. from.Where((_, i) => !left.Contains(i))];
    }

    private static long[]? Attended(long[]? query, long[]? value) =>
        query is { Length: 4 } && value is { Length: 4 } ? [query[0], query[1], query[2], value[3]] : null;

    private long[]? Sliced(GraphNode node, int depth)
    {
        if (Shape(node.Inputs[0], depth) is not { } from || node.Inputs.Length is < 4 or > 5)
            return null;
        long[]? starts = Constant(node.Inputs[1])?.Int64Values(),
            ends = Constant(node.Inputs[2])?.Int64Values(),
            axes = Constant(node.Inputs[3])?.Int64Values();
        long[]? steps =
            node.Inputs.Length < 5
                ? axes is null
                    ? null
                    : [.. axes.Select(_ => 1L)]
                : Constant(node.Inputs[4])?.Int64Values();
        if (
            starts is null
            || ends is null
            || axes is null
            || steps is null
            || starts.Length != axes.Length
            || ends.Length != axes.Length
            || steps.Length != axes.Length
        )
            return null;
        long[] result = [.. from];
        for (int i = 0; i < axes.Length; i++)
        {
            long axis = axes[i] < 0 ? axes[i] + from.Length : axes[i];
            if (axis < 0 || axis >= from.Length)
                return null;
            long length = from[axis];
            if (length < 0 || steps[i] != 1)
            {
                result[axis] = -1;
                continue;
            }
            long start = Math.Clamp(starts[i] < 0 ? starts[i] + length : starts[i], 0, length),
                end = Math.Clamp(ends[i] < 0 ? ends[i] + length : ends[i], 0, length);
            result[axis] = Math.Max(end - start, 0);
        }
        return result;
    }

    private long[]? Divided(GraphNode node, string output, int depth)
    {
        if (Shape(node.Inputs[0], depth) is not { } from)
            return null;
        long axis = node.Integer("axis", 0);
        if (axis < 0)
            axis += from.Length;
        if (axis < 0 || axis >= from.Length)
            return null;
        long[]? sizes =
            node.Attributes.TryGetValue("split", out GraphAttribute? attribute) ? attribute.Integers
            : node.Inputs.Length > 1 && node.Inputs[1].Length > 0 ? Constant(node.Inputs[1])?.Int64Values() ?? []
            : null;
        long[] result = [.. from];
        int number = Array.IndexOf(node.Outputs, output);
        if (sizes is null)
            result[axis] = from[axis] > 0 && from[axis] % node.Outputs.Length == 0 ? from[axis] / node.Outputs.Length : -1;
        else
            result[axis] = number >= 0 && number < sizes.Length ? sizes[number] : -1;
        return result;
    }

    private long[]? Padded(GraphNode node, int depth)
    {
        if (
            Shape(node.Inputs[0], depth) is not { } from
            || node.Inputs.Length is < 2 or > 3
            || Constant(node.Inputs[1])?.Int64Values() is not { } pads
            || pads.Length != 2 * from.Length
        )
            return null;
        return [.. from.Select((length, i) => length < 0 ? -1 : length + pads[i] + pads[i + from.Length])];
    }

    private long[]? Gathered(GraphNode node, int depth)
    {
        if (Shape(node.Inputs[0], depth) is not { } from || Shape(node.Inputs[1], depth) is not { } taken)
            return null;
        long axis = node.Integer("axis", 0);
        if (axis < 0)
            axis += from.Length;
        return axis < 0 || axis >= from.Length ? null : [.. from[..(int)axis], .. taken, .. from[((int)axis + 1)..]];
    }

    private long[]? Unfolded(GraphNode node, int depth)
    {
        long block = node.Integer("blocksize", 0);
        if (Shape(node.Inputs[0], depth) is not { Length: 4 } from || block is < 1 or > MostBlocks)
            return null;
        return [from[0], from[1] < 0 ? -1 : from[1] / (block * block), .. from[2..].Select(length => length < 0 ? -1 : length * block)];
    }

    private static long[]? Product(long[]? left, long[]? right) =>
        left is { Length: > 1 } && right is { Length: > 1 } && Broadcast(left[..^2], right[..^2]) is { } batch
            ? [.. batch, left[^2], right[^1]]
            : null;

    private long[]? Multiplied(GraphNode node, int depth)
    {
        long[]? left = Shape(node.Inputs[0], depth),
            right = Shape(node.Inputs[1], depth);
        return left is not { Length: 2 } || right is not { Length: 2 }
            ? null
            : [node.Integer("transA", 0) != 0 ? left[1] : left[0], node.Integer("transB", 0) != 0 ? right[0] : right[1]];
    }

    /// <summary>How many elements a shape has; null if unknown or absurd.</summary>
    private static long? Count(long[]? shape)
    {
        if (shape is null)
            return null;
        long count = 1;
        foreach (long length in shape)
        {
            if (length is < 0 or > int.MaxValue || (count *= length) > int.MaxValue)
                return null;
        }
        return count;
    }

    private static long[]? Broadcast(long[]? left, long[]? right)
    {
        if (left is null || right is null)
            return null;
        (long[] longer, long[] shorter) = left.Length >= right.Length ? (left, right) : (right, left);
        long[] result = [.. longer];
        for (int i = 1; i <= shorter.Length; i++)
        {
            long a = longer[^i],
                b = shorter[^i];
            // A length above 1 wins over 1; beside a length that is not known it is the result's length in any valid graph.
            result[^i] =
                a > 1 ? a
                : b > 1 ? b
                : a == 1 ? b
                : b == 1 ? a
                : -1;
        }
        return result;
    }

    private static bool KeepsShape(GraphNode node) =>
        node.Is("Identity")
        || node.Is("Cast")
        || node.Is("Relu")
        || node.Is("Sigmoid")
        || node.Is("Tanh")
        || node.Is("Erf")
        || node.Is("Exp")
        || node.Is("Sqrt")
        || node.Is("Neg")
        || node.Is("Softmax")
        || node.Is("LayerNormalization")
        || node.Is("InstanceNormalization")
        || node.Is("GroupNormalization")
        || node.Is("Gelu");

    private static bool KeepsElementType(GraphNode node) =>
        (KeepsShape(node) && !node.Is("Cast"))
        || node.Is("Conv")
        || node.Is("ConvTranspose")
        || node.Is("Transpose")
        || node.Is("Reshape")
        || node.Is("Add")
        || node.Is("Sub")
        || node.Is("Mul")
        || node.Is("Div")
        || node.Is("MatMul")
        || node.Is("Gemm")
        || node.Is("ReduceMean")
        || node.Is("ReduceSum")
        || node.Is("Slice")
        || node.Is("Split")
        || node.Is("Concat")
        || node.Is("Squeeze")
        || node.Is("Unsqueeze")
        || node.Is("Pad")
        || node.Is("Expand")
        || node.Is("Gather")
        || node.Is("Abs")
        || node.Is("Pow")
        || node.Is("DepthToSpace")
        || node.Is("Attention")
        || node.Is("GlobalAveragePool");
}
