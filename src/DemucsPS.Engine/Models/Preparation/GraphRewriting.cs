using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.Preparation;

/// <summary>
/// Applies rewrites to a model, each over the whole graph before the next. A rewrite looks at one node and what leads to it and gives the
/// nodes that take its place, or null; nodes that nothing takes from any more are removed.
/// </summary>
internal static class GraphRewriting
{
    /// <summary>One rewrite: of a node, with what is known of the graph, and a writer for what takes its place.</summary>
    public delegate List<GraphNode>? Rewrite(GraphNode node, ShapeInference facts, NodeWriter writer);

    /// <summary>Before this version elementwise operators did not broadcast by themselves.</summary>
    private const int OldestOperatorSet = 7;

    /// <summary>Rewrites a model in place.</summary>
    /// <returns>Whether anything was changed.</returns>
    public static bool Apply(GraphModel model, params ReadOnlySpan<Rewrite> rewrites)
    {
        // A graph may not say which version of the operators it means.
        if (model.OperatorSet < OldestOperatorSet)
            return false;
        bool changed = false;
        foreach (Rewrite rewrite in rewrites)
            changed |= Apply(model, rewrite);
        return changed;
    }

    private static bool Apply(GraphModel model, Rewrite rewrite)
    {
        ShapeInference facts = new(model);
        GraphNames names = new(model);
        List<GraphNode> nodes = [];
        HashSet<string> released = [];
        foreach (GraphNode node in model.Nodes)
        {
            if (node.Outputs is [var name, ..] && rewrite(node, facts, new NodeWriter(model.OperatorSet, names, name)) is { } replacement)
            {
                nodes.AddRange(replacement);
                released.UnionWith(node.Inputs);
            }
            else
            {
                nodes.Add(node);
            }
        }
        if (released.Count == 0)
            return false;
        model.Nodes.Clear();
        model.Nodes.AddRange(nodes);
        RemoveUnused(model, released);
        return true;
    }

    /// <summary>Removes the nodes that made only what a replaced node took, and those that made only what they took.</summary>
    private static void RemoveUnused(GraphModel model, HashSet<string> released)
    {
        if (model.HasNestedGraphs)
            return;
        Dictionary<string, int> uses = [];
        foreach (string input in model.Nodes.SelectMany(node => node.Inputs).Concat(model.Outputs))
            uses[input] = uses.GetValueOrDefault(input) + 1;
        HashSet<GraphNode> unused = [];
        // Nodes follow what they take from, so one pass from the end meets every node after all that take from it.
        for (int i = model.Nodes.Count - 1; i >= 0; i--)
        {
            GraphNode node = model.Nodes[i];
            if (!node.Outputs.Any(released.Contains) || node.Outputs.Any(output => uses.GetValueOrDefault(output) > 0))
                continue;
            unused.Add(node);
            foreach (string input in node.Inputs)
            {
                uses[input]--;
                released.Add(input);
            }
        }
        model.Nodes.RemoveAll(unused.Contains);
    }
}
