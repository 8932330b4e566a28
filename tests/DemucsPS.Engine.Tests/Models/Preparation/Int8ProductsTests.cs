using System.Buffers.Binary;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Quantization;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Products in 8-bit integers: which are taken, how near they come, and where their weights are found.</summary>
public sealed class Int8ProductsTests
{
    private const int Rows = 48,
        Depth = 96,
        Columns = 80;

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public void A_general_product_is_computed_in_8_bits(bool transposed, bool biased)
    {
        byte[] model = Product(graph =>
        {
            OnnxValue weights = graph.Constant(Noise(Depth * Columns), transposed ? [Columns, Depth] : [Depth, Columns]);
            OnnxValue[] inputs = biased
                ? [weights, graph.Constant([.. Enumerable.Range(0, Columns).Select(i => i - 40f)], [Columns])]
                : [weights];
            return x => graph.Node("Gemm", [x, .. inputs], transposed ? [OnnxAttribute.Create("transB", 1)] : []);
        });
        AssertNear(model, Fits(model));
    }

    [Fact]
    public void A_product_of_a_batch_is_computed_in_8_bits()
    {
        byte[] model = SmallGraph.Build([3, 16, Depth], [3, 16, Columns], (graph, x) =>
            graph.Node("MatMul", [x, graph.Constant(Noise(Depth * Columns), [Depth, Columns])])
        );
        AssertNear(model, Fits(model));
    }

    [Fact]
    public void A_few_large_weights_cost_their_blocks_precision_only()
    {
        // The 32 rows of the second block are 300 times the others, but what they are multiplied with is next to nothing.
        float[] weights = Noise(Depth * Columns);
        for (int i = 32 * Columns; i < 64 * Columns; i++)
            weights[i] *= 300;
        byte[] model = Product(graph =>
            x =>
                graph.Node(
                    "MatMul",
                    [
                        graph.Node(
                            "Mul",
                            [x, graph.Constant([.. Enumerable.Range(0, Depth).Select(i => i is >= 32 and < 64 ? 1e-6f : 1f)], [Depth])]
                        ),
                        graph.Constant(weights, [Depth, Columns]),
                    ]
                )
        );
        AssertNear(model, Fits(model));
    }

    [Fact]
    public void What_does_not_fit_stays()
    {
        float[] weights = Noise(Depth * Columns),
            broken = [.. weights];
        broken[7] = float.NaN;
        Stays(Product(graph => x => graph.Node("Gemm", [x, graph.Constant(weights, [Depth, Columns])], OnnxAttribute.Create("alpha", 2f))));
        Stays(
            Product(graph =>
                x =>
                    graph.Node(
                        "Gemm",
                        [x, graph.Constant(weights, [Depth, Columns]), graph.Constant(Noise(Columns), [Columns])],
                        OnnxAttribute.Create("beta", 0.5f)
                    )
            )
        );
        Stays(
            Product(graph =>
                x =>
                    graph.Node(
                        "Gemm",
                        [x, graph.Constant(weights, [Depth, Columns]), graph.Constant(Noise(Rows * Columns), [Rows, Columns])]
                    )
            )
        );
        Stays(Product(graph => x => graph.Node("MatMul", [x, graph.Constant(broken, [Depth, Columns])])));
        Stays(Product(graph => x => graph.Node("MatMul", [x, 2 * graph.Constant(weights, [Depth, Columns])])));
        // Half a block, few rows, few weights.
        Stays(
            SmallGraph.Build([Rows, 112], [Rows, Columns], (graph, x) =>
                graph.Node("MatMul", [x, graph.Constant(Noise(112 * Columns), [112, Columns])])
            )
        );
        Stays(
            SmallGraph.Build([31, Depth], [31, Columns], (graph, x) => graph.Node("MatMul", [x, graph.Constant(weights, [Depth, Columns])]))
        );
        Stays(
            SmallGraph.Build([Rows, 32], [Rows, 127], (graph, x) => graph.Node("MatMul", [x, graph.Constant(Noise(32 * 127), [32, 127])]))
        );
        // The constant on the left.
        Stays(
            SmallGraph.Build([Depth, Rows], [Columns, Rows], (graph, x) =>
                graph.Node("MatMul", [graph.Constant(weights, [Columns, Depth]), x])
            )
        );
    }

    [Fact]
    public void Weights_that_nothing_takes_any_more_are_left_out_and_others_stay()
    {
        float[] weights = Noise(Depth * Columns);
        byte[] alone = Fits(Product(graph => x => graph.Node("MatMul", [x, graph.Constant(weights, [Depth, Columns])])));
        Assert.InRange(alone.Length, Depth * Columns, 2 * Depth * Columns);
        byte[] model = Product(graph =>
        {
            OnnxValue shared = graph.Constant(weights, [Depth, Columns]);
            return x => graph.Node("MatMul", [x, shared]) + graph.Node("MatMul", [graph.Slice(x, 0, 0, 1), shared]);
        });
        byte[] rewritten = Fits(model);
        Assert.Contains("MatMul", SmallGraph.Operators(rewritten));
        AssertNear(model, rewritten);
    }

    [Theory]
    [InlineData(0, true, true, "weights.data")]
    [InlineData(64, true, true, "weights.data")]
    [InlineData(64, false, true, "модель.data")]
    [InlineData(65, true, false, "weights.data")]
    public void Weights_in_another_file_are_read_from_there(int offset, bool saysLength, bool fits, string name)
    {
        using TemporaryFolder folder = new();
        float[] weights = Noise(Depth * Columns);
        byte[] file = new byte[64 + weights.Length * sizeof(float)];
        for (int i = 0; i < weights.Length && offset <= 64; i++)
            BinaryPrimitives.WriteSingleLittleEndian(file.AsSpan(offset + i * sizeof(float)), weights[i]);
        File.WriteAllBytes(folder[name], file);
        GraphModel graph = GraphModel.Parse(Outside(name, offset, saysLength));
        Assert.Equal(fits ? 1 : 0, Int8Products.Apply(graph, folder.Path));
        if (fits)
        {
            byte[] whole = Product(writer => x => writer.Node("MatMul", [x, writer.Constant(weights, [Depth, Columns])]));
            AssertNear(whole, graph.ToBytes());
        }
        // Nobody says where it lies.
        Assert.Equal(0, Int8Products.Apply(GraphModel.Parse(Outside(name, offset, saysLength)), null));
    }

    [Fact]
    public void Nothing_outside_the_models_folder_is_read()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["weights.data"], new byte[Depth * Columns * sizeof(float)]);
        Directory.CreateDirectory(folder["model"]);
        foreach (string path in new[] { "../weights.data", folder["weights.data"], "sub/../../weights.data", "" })
            Assert.Equal(0, Int8Products.Apply(GraphModel.Parse(Outside(path, 0, true)), folder["model"]));
    }

    [Fact]
    public void Blocks_are_rounded_to_their_largest_value()
    {
        float[] matrix = [.. Noise(64 * 3).Select((x, i) => i / 3 < 32 ? x : 100 * x)];
        matrix[0] = 0;
        BlockQuantization quantized = BlockQuantization.Quantize(matrix, 64, 3, transposed: false, 32)!;
        Assert.Equal(128, quantized.Values[0]);
        for (int column = 0; column < 3; column++)
        {
            for (int row = 0; row < 64; row++)
            {
                float factor = quantized.Factors[column * 2 + row / 32];
                Assert.InRange(
                    factor * (quantized.Values[column * 64 + row] - 128) - matrix[row * 3 + column],
                    -0.501f * factor,
                    0.501f * factor
                );
            }
            Assert.InRange(quantized.Factors[column * 2 + 1] / quantized.Factors[column * 2], 50, 200);
        }
        float[] columns = [.. Enumerable.Range(0, 3 * 64).Select(i => matrix[i % 64 * 3 + i / 64])];
        Assert.Equal(quantized.Values, BlockQuantization.Quantize(columns, 64, 3, transposed: true, 32)!.Values);
        Assert.All(BlockQuantization.Quantize(new float[32], 32, 1, false, 32)!.Values, value => Assert.Equal(128, value));
        Assert.Null(BlockQuantization.Quantize([.. matrix[..31], float.PositiveInfinity], 32, 1, false, 32));
    }

    [Fact]
    public void The_library_computes_in_8_bits_and_rightly()
    {
        // Floats would agree to 120 dB and more.
        Assert.InRange(Int8Support.Agreement(new OnnxSessionOptions()), 40, 60);
        Int8Support.Check();
    }

    private static byte[] Product(Func<OnnxGraphWriter, Func<OnnxValue, OnnxValue>> body) =>
        SmallGraph.Build([Rows, Depth], [Rows, Columns], (graph, x) => body(graph)(x));

    /// <summary>A product whose weights lie in another file; the writer only knows weights in the model.</summary>
    private static byte[] Outside(string file, int offset, bool saysLength)
    {
        ProtobufMessage tensor = new ProtobufMessage()
            .Integers(1, [Depth, Columns])
            .Integer(2, GraphTensor.Float32)
            .Text(8, "w")
            .Message(13, new ProtobufMessage().Text(1, "location").Text(2, file))
            .Message(13, new ProtobufMessage().Text(1, "offset").Text(2, FormattableString.Invariant($"{offset}")));
        if (saysLength)
            tensor.Message(
                13,
                new ProtobufMessage().Text(1, "length").Text(2, FormattableString.Invariant($"{Depth * Columns * sizeof(float)}"))
            );
        ProtobufMessage node = new ProtobufMessage().Text(1, "x").Text(1, "w").Text(2, "y").Text(3, "product").Text(4, "MatMul");
        ProtobufMessage graph = new ProtobufMessage().Message(1, node).Message(5, tensor.Integer(14, 1));
        // A graph given twice is one with the nodes of both; of this one only inputs and outputs are wanted.
        OnnxGraphWriter writer = new("outside");
        writer.Input("x", Rows, Depth);
        writer.Output("y", new OnnxValue(writer, "y"), Rows, Columns);
        return [.. writer.ToBytes("tests", ""), .. new ProtobufMessage().Message(7, graph).Bytes];
    }

    private static float[] Noise(int count)
    {
        Random random = new(count);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }

    private static byte[] Fits(byte[] model)
    {
        GraphModel graph = GraphModel.Parse(model);
        Assert.Equal(1, Int8Products.Apply(graph, null));
        byte[] rewritten = graph.ToBytes();
        Assert.Single(SmallGraph.Operators(rewritten), "MatMulNBits");
        return rewritten;
    }

    private static void Stays(byte[] model)
    {
        GraphModel graph = GraphModel.Parse(model);
        Assert.Equal(0, Int8Products.Apply(graph, null));
        Assert.Equal(model, graph.ToBytes());
    }

    private static void AssertNear(byte[] expected, byte[] actual)
    {
        float[] full = SmallGraph.Run(expected),
            rounded = SmallGraph.Run(actual);
        // 8 bits, but not floats.
        Assert.InRange(Decibels.Snr(full, rounded), 40, 90);
    }
}
