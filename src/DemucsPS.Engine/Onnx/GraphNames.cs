namespace DemucsPS.Engine.Onnx;

/// <summary>Gives out names for new tensors that no tensor of the graph has.</summary>
internal sealed class GraphNames
{
    private readonly HashSet<string> _taken = [];

    /// <summary>Knows all names of a model's main graph.</summary>
    public GraphNames(GraphModel model)
    {
        _taken.UnionWith(model.Initializers.Keys);
        _taken.UnionWith(model.Values.Keys);
        foreach (GraphNode node in model.Nodes)
        {
            _taken.UnionWith(node.Inputs);
            _taken.UnionWith(node.Outputs);
        }
    }

    /// <summary>The wanted name, with a number after it if it is taken.</summary>
    public string New(string wanted)
    {
        string name = wanted;
        for (int i = 1; !_taken.Add(name); i++)
            name = FormattableString.Invariant($"{wanted}_{i}");
        return name;
    }
}
