using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench;

/// <summary>Counts the operations of a graph's products and convolutions, two for every multiplication with its addition.</summary>
internal static class GraphCost
{
    /// <summary>The operations of one run; null where a shape is not known.</summary>
    public static double? Flop(ReadOnlyMemory<byte> model)
    {
        GraphModel graph = GraphModel.Parse(model);
        ShapeInference facts = new(graph);
        double sum = 0;
        foreach (GraphNode node in graph.Nodes)
        {
            if (node.Type is not ("Conv" or "ConvTranspose" or "Gemm" or "MatMul" or "MultiHeadAttention"))
                continue;
            if (Cost(node, facts) is not { } cost)
                return null;
            sum += cost;
        }
        return sum;
    }

    private static double? Cost(GraphNode node, ShapeInference facts)
    {
        if (
            facts.KnownShape(node.Inputs[0]) is not { } a
            || facts.KnownShape(node.Inputs[1]) is not { } b
            || (node.Type != "MultiHeadAttention" && facts.KnownShape(node.Outputs[0]) is null)
        )
            return null;
        double result = node.Type == "MultiHeadAttention" ? 0 : Count(facts.KnownShape(node.Outputs[0])!);
        return node.Type switch
        {
            "Conv" => 2 * result * Count(b) / b[0],
            "ConvTranspose" => 2 * Count(a) * Count(b) / b[0],
            "Gemm" => 2 * result * (node.Integer("transA", 0) != 0 ? a[0] : a[1]),
            "MatMul" => 2 * result * a[^1],
            _ => 4 * Count(a) * b[1],
        };
    }

    private static double Count(long[] shape) => shape.Aggregate(1.0, (product, length) => product * length);
}
