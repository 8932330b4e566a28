using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>
/// Keeps ONNX Runtime from knowing the shapes of wide tensors before it runs a graph. On the CPU it plans ahead that a buffer which is done
/// with goes to a later tensor of the same shape, and holds it
/// until then: in htdemucs what the outer encoders needed is held for the outer decoders, through the whole transformer between them, which
/// is a seventh of all memory. What it does not know it
/// gives back at once. Results are the same bits.
/// </summary>
/// <remarks>
/// The shape is hidden by a Reshape to the shape that the tensor has. It copies nothing, and its target is an input of the graph that need
/// not be given, so nobody may rely on its values before, nor
/// on how many they are. Where the runtime knows how many axes there are and not their lengths, a graph of some thousand nodes takes it
/// more than twice as long to load.
/// </remarks>
internal static class ShapeHiding
{
    /// <summary>Narrower tensors are not worth it.</summary>
    private const long LeastElements = 500_000;

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
        ShapeInference facts = new(model);
        GraphNames names = new(model);
        HashSet<string> resumed = [],
            computed = [.. model.Inputs.Where(input => !model.Initializers.ContainsKey(input))];
        foreach (GraphNode node in model.Nodes.Where(node => !node.Is("Reshape")))
            resumed.UnionWith(node.Inputs);
        Dictionary<string, string> hidden = [];
        Dictionary<int, string> targets = [];
        List<GraphNode> nodes = [];
        foreach (string input in computed.Order(StringComparer.Ordinal).ToArray())
            Hide(input);
        foreach (GraphNode node in model.Nodes)
        {
            nodes.Add(
                node.Inputs.Any(hidden.ContainsKey)
                    ? node.With([.. node.Inputs.Select(input => hidden.GetValueOrDefault(input, input))], node.Outputs)
                    : node
            );
            if (!node.Inputs.Any(computed.Contains))
                continue;
            // Weights that are transposed are constants, to be computed at load.
            computed.UnionWith(node.Outputs);
            if (node.Is("Transpose") && resumed.Contains(node.Outputs[0]))
                Hide(node.Outputs[0]);
            // Whoever writes a graph marks by it where hiding is worth it, also after narrow tensors, since it keeps what follows unknown;
            // the runtime takes it out.
            else if (node.Is("Identity") && Axes(node.Inputs[0]) is { } axes and > 0)
                HideAxes(node.Outputs[0], axes);
        }
        if (hidden.Count == 0)
            return false;
        model.Nodes.Clear();
        model.Nodes.AddRange(nodes);
        foreach ((int rank, string target) in targets)
            model.AddReplaceableConstant(target, new long[rank]);
        return true;

        // These have as many axes as what they are made of, even where not all lengths are known.
        int? Axes(string name) =>
            facts.Shape(name)?.Length
            ?? (
                facts.Producer(name) is not { } producer
                    ? null
                    : producer.Type switch
                    {
                        "Concat" or "Identity" or "Slice" => Axes(producer.Inputs[0]),
                        "Add" => Axes(producer.Inputs[0]) is { } left && Axes(producer.Inputs[1]) is { } right
                            ? Math.Max(left, right)
                            : null,
                        _ => null,
                    }
            );

        void Hide(string name)
        {
            if (
                facts.KnownShape(name) is { Length: > 0 } shape
                && shape.Aggregate(1L, (product, length) => product * length) >= LeastElements
            )
                HideAxes(name, shape.Length);
        }

        void HideAxes(string name, int axes)
        {
            // Zeros stand for the lengths that a tensor has.
            if (!targets.TryGetValue(axes, out string? target))
                targets.Add(axes, target = names.New($"same_{axes}_axes"));
            string result = names.New($"{name}/Reshape");
            nodes.Add(GraphNode.Create("Reshape", [name, target], result));
            hidden.Add(name, result);
        }
    }
}
