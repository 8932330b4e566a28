using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>
/// Keeps ONNX Runtime from knowing the shapes of wide tensors before it runs a graph. On the CPU it plans ahead that a buffer which is done
/// with goes to a later tensor of the same shape, and holds it until then: in htdemucs what the outer encoders needed is held for the outer
/// decoders, through the whole transformer between them, which is a seventh of all memory. What it does not know it gives back at once.
/// Results are the same bits.
/// </summary>
/// <remarks>
/// The shape is hidden by a Reshape to the shape that the tensor has. It copies nothing, and its target is an input of the graph that need
/// not be given, so nobody may rely on its values before, nor on how many they are. Where the runtime knows how many axes there are and not
/// their lengths, a graph of some thousand nodes takes it more than twice as long to load.
/// </remarks>
internal sealed class ShapeHiding
{
    /// <summary>Narrower tensors are not worth it.</summary>
    private const long LeastElements = 500_000;

    private readonly ShapeInference _facts;
    private readonly GraphNames _names;
    private readonly List<GraphNode> _nodes = [];

    // The names of tensors after their shapes are hidden, and of the targets for each number of axes.
    private readonly Dictionary<string, string> _hidden = [];
    private readonly Dictionary<int, string> _targets = [];

    private ShapeHiding(GraphModel model)
    {
        _facts = new ShapeInference(model);
        _names = new GraphNames(model);
    }

    /// <summary>
    /// Hides the shapes of a model's inputs and of what its transpositions give, as far as they are wide, and of what an Identity gives:
    /// from there on the runtime does not know them, until a Reshape says them again.
    /// </summary>
    /// <param name="model">An ONNX file's bytes.</param>
    /// <returns>The bytes of the changed file; the same array where nothing is hidden.</returns>
    public static byte[] Apply(byte[] model)
    {
        try
        {
            GraphModel graph = GraphModel.Parse(model);
            return Apply(graph) ? graph.ToBytes() : model;
        }
        catch (InvalidDataException)
        {
            // A damaged copy is found out elsewhere.
            return model;
        }
    }

    /// <summary>As above, in a graph that is read already.</summary>
    /// <returns>Whether anything was hidden.</returns>
    public static bool Apply(GraphModel model)
    {
        if (model.HasNestedGraphs)
            return false;
        ShapeHiding hiding = new(model);
        hiding.Rewrite(model);
        if (hiding._hidden.Count == 0)
            return false;
        model.Nodes.Clear();
        model.Nodes.AddRange(hiding._nodes);
        foreach ((int rank, string target) in hiding._targets)
            model.AddReplaceableConstant(target, new long[rank]);
        return true;
    }

    private void Rewrite(GraphModel model)
    {
        HashSet<string> resumed = [.. model.Nodes.Where(node => !node.Is("Reshape")).SelectMany(node => node.Inputs)],
            computed = [.. model.Inputs.Where(input => !model.Initializers.ContainsKey(input))];
        foreach (string input in computed.Order(StringComparer.Ordinal).ToArray())
            HideWide(input);
        foreach (GraphNode node in model.Nodes)
        {
            _nodes.Add(
                node.Inputs.Any(_hidden.ContainsKey)
                    ? node.With([.. node.Inputs.Select(input => _hidden.GetValueOrDefault(input, input))], node.Outputs)
                    : node
            );
            if (!node.Inputs.Any(computed.Contains))
                continue;
            // Weights that are transposed are constants, to be computed at load.
            computed.UnionWith(node.Outputs);
            if (node.Is("Transpose") && resumed.Contains(node.Outputs[0]))
                HideWide(node.Outputs[0]);
            // Whoever writes a graph marks by it where hiding is worth it, also after narrow tensors, since it keeps what follows unknown;
            // the runtime takes it out.
            else if (node.Is("Identity") && Axes(node.Inputs[0]) is { } axes and > 0)
                Hide(node.Outputs[0], axes);
        }
    }

    /// <summary>The number of a tensor's axes. These have as many as what they are made of, even where not all lengths are known.</summary>
    private int? Axes(string name)
    {
        if (_facts.Shape(name) is { } shape)
            return shape.Length;
        return _facts.Producer(name) switch
        {
            { Type: "Concat" or "Identity" or "Slice" } producer => Axes(producer.Inputs[0]),
            { Type: "Add" } sum => Axes(sum.Inputs[0]) is { } left && Axes(sum.Inputs[1]) is { } right ? Math.Max(left, right) : null,
            _ => null,
        };
    }

    private void HideWide(string name)
    {
        if (_facts.KnownShape(name) is { Length: > 0 } shape && shape.Aggregate(1L, (product, length) => product * length) >= LeastElements)
            Hide(name, shape.Length);
    }

    private void Hide(string name, int axes)
    {
        // Zeros stand for the lengths that a tensor has.
        if (!_targets.TryGetValue(axes, out string? target))
            _targets.Add(axes, target = _names.New($"same_{axes}_axes"));
        string result = _names.New($"{name}/Reshape");
        _nodes.Add(GraphNode.Create("Reshape", [name, target], result));
        _hidden.Add(name, result);
    }
}
