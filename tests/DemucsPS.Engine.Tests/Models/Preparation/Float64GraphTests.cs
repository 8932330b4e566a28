using DemucsPS.Engine.Models.Quantization;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>That a graph is computed in float64 as it was written, whatever its operators.</summary>
public sealed class Float64GraphTests
{
    [Fact]
    public void A_sum_of_equal_numbers_loses_nothing()
    {
        byte[] model = SmallGraph.Build([1, 343980], [1, 1], (graph, x) =>
            graph.Node("ReduceMean", [x * graph.Scalar(0) + graph.Scalar(0.1f)], OnnxAttribute.Create("axes", [1]))
        );
        Assert.Equal(0.1f, Assert.Single(SmallGraph.Run(Wide(model))));
        Assert.NotEqual(0.1f, Assert.Single(SmallGraph.Run(model)), 1e-7f);
    }

    [Fact]
    public void Angles_of_position_embeddings_lose_nothing()
    {
        const float Position = 1343,
            Frequency = 0.7498942f;
        byte[] model = SmallGraph.Build([1, 8], [1, 8], (graph, x) =>
            graph.Node("Cos", [(x * graph.Scalar(0) + graph.Scalar(Position)) * graph.Scalar(Frequency)])
        );
        float exact = (float)Math.Cos((double)Position * Frequency);
        Assert.All(SmallGraph.Run(Wide(model)), cosine => Assert.Equal(exact, cosine, 1e-7f));
        Assert.All(SmallGraph.Run(model), cosine => Assert.NotEqual(exact, cosine, 1e-6f));
    }

    [Theory]
    [InlineData(18)]
    [InlineData(21)]
    public void Normalizations_are_those_of_the_runtime(byte operatorSet)
    {
        byte[] groups = SmallGraph.WithOperatorSet(SmallGraph.Build([1, 6, 35, 2], [1, 6, 35, 2], (graph, x) =>
            {
                int factors = operatorSet < 21 ? 3 : 6;
                float[] scale = [.. Enumerable.Range(1, factors).Select(i => i / 2f)],
                    bias = [.. Enumerable.Range(-2, factors).Select(i => i / 3f)];
                return graph.Node(
                    "GroupNormalization",
                    [x, graph.Constant(scale, [factors]), graph.Constant(bias, [factors])],
                    OnnxAttribute.Create("num_groups", 3),
                    OnnxAttribute.Create("epsilon", 1e-3f)
                );
            }), operatorSet);
        SmallGraph.AssertSame(groups, Wide(groups));
        byte[] instances = SmallGraph.GroupNormalization([1, 6, 35], [0, 3, -1], plain: false);
        SmallGraph.AssertSame(instances, Wide(instances));
    }

    [Fact]
    public void Operators_without_a_kernel_and_tensors_that_are_no_floats_stay_what_they_are()
    {
        byte[] model = SmallGraph.Build([1, 4, 32], [1, 4, 32], (graph, x) =>
        {
            OnnxValue shape = graph.Node("Shape", [x]);
            OnnxValue filled = graph.Node(
                "ConstantOfShape",
                [shape],
                OnnxAttribute.Create(
                    "value",
                    new ProtobufMessage().Integer(1, 1).Integer(2, GraphTensor.Float32).Block(9, BitConverter.GetBytes(0.5f))
                )
            );
            OnnxValue convolved = graph.Node(
                "Conv",
                [x, graph.Constant([.. Enumerable.Range(0, 48).Select(i => i / 40f - 0.5f)], [4, 4, 3])],
                OnnxAttribute.Create("pads", [1, 1])
            );
            OnnxValue erf = graph.Node("Erf", [convolved * filled]);
            OnnxValue chosen = graph.Node("Where", [graph.Node("Greater", [x, filled]), erf, graph.Node("Cos", [x])]);
            OnnxValue whole = graph.Node(
                "Cast",
                [graph.Node("Cast", [chosen * graph.Scalar(100)], OnnxAttribute.Create("to", GraphTensor.Int64))],
                OnnxAttribute.Create("to", GraphTensor.Float32)
            );
            return graph.Node(
                "Softmax",
                [graph.Node("Reshape", [whole * graph.Scalar(0.01f) + graph.Node("Sigmoid", [erf]), shape])],
                OnnxAttribute.Create("axis", 2)
            );
        });
        SmallGraph.AssertSame(model, Wide(model));
    }

    [Fact]
    public void Halves_and_branches_are_refused()
    {
        GraphModel halves = GraphModel.Parse(
            SmallGraph.Build([1, 8], [1, 8], (graph, x) =>
                graph.Node(
                    "Cast",
                    [
                        graph.Node("Cast", [x], OnnxAttribute.Create("to", GraphTensor.Float16))
                            * graph.Node(
                                "Constant",
                                [],
                                OnnxAttribute.Create("value", new ProtobufMessage().Integer(2, GraphTensor.Float16).Block(9, [0, 0x3C]))
                            ),
                    ],
                    OnnxAttribute.Create("to", GraphTensor.Float32)
                )
            )
        );
        Assert.Contains("16-bit", Assert.Throws<NotSupportedException>(() => Float64Graph.Apply(halves)).Message, StringComparison.Ordinal);
    }

    private static byte[] Wide(byte[] model)
    {
        GraphModel graph = GraphModel.Parse(model);
        Float64Graph.Apply(graph);
        return graph.ToBytes();
    }
}
