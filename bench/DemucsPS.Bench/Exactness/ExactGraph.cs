using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench.Exactness;

/// <summary>A model's graph, computed node by node in float64.</summary>
internal sealed class ExactGraph
{
    private readonly Dictionary<string, ExactTensor> _constants = [];

    private readonly string _folder;

    /// <param name="model">The graph.</param>
    /// <param name="folder">Where its weights lie, if they are in another file.</param>
    public ExactGraph(GraphModel model, string folder)
    {
        _folder = folder;
        Model = model;
        foreach ((string name, GraphTensor tensor) in Model.Initializers)
            _constants[name] = ExactTensor.Of(tensor, _folder);
    }

    public GraphModel Model { get; }

    /// <summary>The names of the inputs that are no constants.</summary>
    public IReadOnlyList<string> Inputs => [.. Model.Inputs.Where(name => !_constants.ContainsKey(name))];

    /// <summary>Computes the outputs.</summary>
    /// <param name="inputs">What the graph takes, by name.</param>
    /// <param name="replace">May look at what a node takes and gives, and put something else in the place of the latter for what follows;
    /// null to go on with the exact values.</param>
    public Dictionary<string, ExactTensor> Run(
        IReadOnlyDictionary<string, ExactTensor> inputs,
        Func<GraphNode, ExactTensor?[], ExactTensor[], ExactTensor[]>? replace
    )
    {
        Dictionary<string, int> uses = [];
        foreach (string name in Model.Nodes.SelectMany(node => node.Inputs).Concat(Model.Outputs))
            uses[name] = uses.GetValueOrDefault(name) + 1;
        Dictionary<string, ExactTensor> values = new(inputs);
        foreach (GraphNode node in Model.Nodes)
        {
            ExactTensor?[] taken =
            [
                .. node.Inputs.Select(name =>
                    name.Length == 0
                        ? null
                        : values.GetValueOrDefault(name)
                            ?? _constants.GetValueOrDefault(name)
                            ?? throw new InvalidDataException($"Nothing gives '{name}'.")
                ),
            ];
            ExactTensor[] given = ExactOperators.Run(node, taken, Model.OperatorSet, _folder);
            given = replace?.Invoke(node, taken, given) ?? given;
            for (int i = 0; i < given.Length && i < node.Outputs.Length; i++)
                values[node.Outputs[i]] = given[i];
            foreach (string name in node.Inputs)
            {
                if (name.Length > 0 && --uses[name] == 0)
                    values.Remove(name);
            }
        }
        return Model.Outputs.ToDictionary(name => name, name => values[name]);
    }
}
