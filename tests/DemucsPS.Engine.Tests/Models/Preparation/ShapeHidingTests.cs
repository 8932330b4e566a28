using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models.Preparation;

public sealed class ShapeHidingTests
{
    private const int Wide = 500_000,
        Narrow = 1_000;

    [Fact]
    public void Behind_wide_inputs_and_transpositions_the_runtime_knows_no_shapes()
    {
        byte[] model = Model(Wide),
            hiding = ShapeHiding.Apply(model);
        Assert.Equal(["Reshape", "Transpose", "Transpose", "Reshape", "Mul"], SmallGraph.Operators(hiding));
        GraphModel graph = GraphModel.Parse(hiding);
        GraphNode[] added = [.. graph.Nodes.Where(n => n.Is("Reshape"))];
        Assert.Equal(["x", "Transpose_1"], added.Select(n => n.Inputs[0]));
        // An initializer that is an input as well is none that the runtime may count on.
        string target = Assert.Single(added.Select(n => n.Inputs[1]).Distinct());
        Assert.Contains(target, graph.Inputs);
        Assert.Equal([0L, 0], graph.Initializers[target].Int64Values()!);
        // Nor on its length.
        Assert.Equal([-1], graph.Values[target].Shape!);

        using TemporaryFolder folder = new();
        string rewritten = folder["rewritten.onnx"];
        using OnnxSession session = OnnxSession.FromBytes(hiding, new OnnxSessionOptions { OptimizedModelPath = rewritten });
        Assert.Equal("x float32[2,500000]", Assert.Single(session.Inputs).ToString());
        // It neither removed them nor wrote down shapes behind them.
        GraphModel kept = GraphModel.Parse(File.ReadAllBytes(rewritten));
        Assert.Equal(2, kept.Nodes.Count(n => n.Is("Reshape")));
        // Not even how many axes there are: planning would take as long as all else.
        Assert.All(kept.Nodes.Where(n => n.Is("Reshape")), node => Assert.Null(kept.Values.GetValueOrDefault(node.Outputs[0])?.Shape));
        Assert.Equal(SmallGraph.Run(model, i => i % 977), SmallGraph.Run(hiding, i => i % 977));
    }

    [Fact]
    public void What_is_narrow_or_damaged_stays()
    {
        byte[] narrow = Model(Narrow);
        Assert.Same(narrow, ShapeHiding.Apply(narrow));
        byte[] damaged = Model(Wide)[..^3];
        Assert.Same(damaged, ShapeHiding.Apply(damaged));
    }

    [Fact]
    public void An_Identity_marks_where_hiding_is_worth_it()
    {
        byte[] model = SmallGraph.Build([2, 3], [2, 3], (graph, x) => graph.Node("Identity", [x]) + 1f);
        byte[] hiding = ShapeHiding.Apply(model);
        Assert.Equal(["Identity", "Reshape", "Add"], SmallGraph.Operators(hiding));
        Assert.Equal(SmallGraph.Run(model), SmallGraph.Run(hiding));
    }

    // x is turned, and multiplied with turned weights: those are computed at load, and must go on being so.
    private static byte[] Model(int length) => SmallGraph.Build([2, length], [length, 2], (graph, x) =>
        {
            OnnxValue weights = graph.Node(
                "Transpose",
                [graph.Constant(Enumerable.Range(0, 2 * length).Select(i => i % 7f).ToArray(), [2, length])],
                OnnxAttribute.Create("perm", [1, 0])
            );
            return graph.Node("Transpose", [x], OnnxAttribute.Create("perm", [1, 0])) * weights;
        });
}
