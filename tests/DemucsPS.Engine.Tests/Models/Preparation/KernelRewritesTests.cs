using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>
/// The rewrites for speed: what becomes of graphs that fit, that they compute the same, and that others stay as they are.
/// </summary>
public sealed class KernelRewritesTests
{
    [Theory]
    [InlineData(5, 5, false)]
    [InlineData(5, 7, false)]
    [InlineData(7, 5, true)]
    public void Attention_over_heads_becomes_one_operator(int queries, int keys, bool batched)
    {
        byte[] model = Attention(queries, keys, batched, (graph, q) => graph.Node("Div", [q, graph.Scalar(2)]));
        byte[] prepared = Fits(model, AttentionFusion.Rewrite);
        string[] types = SmallGraph.Operators(prepared);
        Assert.Single(types, "MultiHeadAttention");
        Assert.DoesNotContain("Softmax", types);
        Assert.DoesNotContain("Transpose", types);
        Assert.Contains(new WireMessage(prepared).Messages(8), set => set.Text(1) == GraphModel.RuntimeDomain);
        SmallGraph.AssertSame(model, prepared);
    }

    [Fact]
    public void Attention_keeps_any_scale()
    {
        byte[] model = Attention(6, 4, false, (graph, q) => graph.Node("Mul", [graph.Scalar(0.3f), q]));
        SmallGraph.AssertSame(model, Fits(model, AttentionFusion.Rewrite));
        model = Attention(6, 4, false, (_, q) => q);
        SmallGraph.AssertSame(model, Fits(model, AttentionFusion.Rewrite));
    }

    /// <summary>The operator of operator set 23, between tensors whose axes were moved and joined as PyTorch's exporter does it.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData(0.3f)]
    public void Attention_as_an_operator_becomes_that_of_the_runtime(float? scale)
    {
        byte[] model = AttentionOperator(5, 7, scale is { } s ? [OnnxAttribute.Create("scale", s)] : []);
        byte[] prepared = Fits(model, AttentionFusion.Rewrite);
        Assert.Single(SmallGraph.Operators(prepared), "MultiHeadAttention");
        Assert.DoesNotContain("Attention", SmallGraph.Operators(prepared));
        Assert.DoesNotContain("Transpose", SmallGraph.Operators(prepared));
        SmallGraph.AssertSame(model, prepared);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-2)]
    public void A_split_becomes_slices(long axis)
    {
        OnnxGraphWriter graph = new("split", 18);
        OnnxValue x = graph.Input("x", 2, 6, 5);
        OnnxValue[] halves = graph.Node(
            "Split",
            2,
            [x],
            OnnxAttribute.Create("axis", axis),
            OnnxAttribute.Create("num_outputs", 2)
        );
        graph.Output("y", halves[0] * graph.Node("Sigmoid", [halves[1]]), 2, 3, 5);
        byte[] model = graph.ToBytes("tests", ""),
            prepared = Fits(model, SplitLowering.Rewrite);
        Assert.DoesNotContain("Split", SmallGraph.Operators(prepared));
        Assert.Equal(2, SmallGraph.Operators(prepared).Count(type => type == "Slice"));
        SmallGraph.AssertSame(model, prepared);
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0.3f)]
    public void Attention_as_an_operator_is_written_out(float? scale)
    {
        byte[] model = AttentionOperator(5, 7, scale is { } s ? [OnnxAttribute.Create("scale", s)] : []);
        byte[] prepared = Fits(model, AttentionLowering.Rewrite);
        Assert.Single(SmallGraph.Operators(prepared), "Softmax");
        Assert.DoesNotContain("Attention", SmallGraph.Operators(prepared));
        SmallGraph.AssertSame(model, prepared);
    }

    [Fact]
    public void An_attention_operator_that_masks_or_caps_stays()
    {
        foreach (GraphRewriting.Rewrite rewrite in (GraphRewriting.Rewrite[])[AttentionFusion.Rewrite, AttentionLowering.Rewrite])
        {
            Stays(AttentionOperator(5, 5, OnnxAttribute.Create("is_causal", 1)), rewrite);
            Stays(AttentionOperator(5, 7, OnnxAttribute.Create("softcap", 2f)), rewrite);
        }
    }

    [Fact]
    public void Attention_is_found_behind_axes_of_length_1_and_scales_on_both_sides()
    {
        byte[] model = SmallGraph.Build([5 + 2 * 7, 6], [5, 6], (graph, x) =>
        {
            OnnxValue q = 0.7f * Part(0, 5),
                k = Part(5, 7),
                v = Part(12, 7);
            k = graph.Node(
                "Reshape",
                [
                    graph.Node(
                        "Transpose",
                        [graph.Node("Squeeze", [k, SmallGraph.Integers(graph, [0])])],
                        OnnxAttribute.Create("perm", [0, 2, 1])
                    ),
                    SmallGraph.Integers(graph, [1, 2, 3, 7]),
                ]
            );
            OnnxValue weights = graph.Node(
                "Softmax",
                [graph.Node("MatMul", [q, graph.Node("Mul", [k, graph.Scalar(0.7f)])])],
                OnnxAttribute.Create("axis", -1)
            );
            OnnxValue result = graph.Node("Transpose", [graph.Node("MatMul", [weights, v])], OnnxAttribute.Create("perm", [2, 0, 1, 3]));
            return graph.Node("Reshape", [result, SmallGraph.Integers(graph, [5, 6])]);

            OnnxValue Part(int first, int count) =>
                graph.Node(
                    "Reshape",
                    [
                        graph.Node(
                            "Transpose",
                            [graph.Node("Reshape", [graph.Slice(x, 0, first, first + count), SmallGraph.Integers(graph, [count, 2, 3])])],
                            OnnxAttribute.Create("perm", [1, 0, 2])
                        ),
                        SmallGraph.Integers(graph, [1, 2, count, 3]),
                    ]
                );
        });
        byte[] prepared = Fits(model, AttentionFusion.Rewrite);
        Assert.Single(SmallGraph.Operators(prepared), "MultiHeadAttention");
        SmallGraph.AssertSame(model, prepared);
    }

    /// <summary>The gate's covariance is a sum over time: 21,499 frames of a hidden channel that is silent but for a few of them.</summary>
    [Fact]
    public void A_normalized_gate_over_much_time_is_exact_in_silence()
    {
        const int Time = 21499,
            Hidden = 2,
            Channels = 4;
        float[] weights = [0.5f, -0.25f, 1, 0.75f, -0.5f, 0.125f, 0.25f, 1],
            biases = [0.5f, -0.25f, 0.125f, 1];
        byte[] model = SmallGraph.Build([1, Hidden, Time], [1, Channels / 2, Time], (graph, x) =>
            Gate(
                graph,
                Affine(
                    graph,
                    graph.Node("Conv", [x, graph.Constant(weights, [Channels, Hidden, 1]), graph.Constant(biases, [Channels])]),
                    [1, Channels, Time],
                    1
                )
            )
        );
        byte[] prepared = Fits(model, NormalGate);

        static float Signal(int i) => (i < Time ? 0.1f : -0.3f) + (i % Time < 40 ? MathF.Sin(i) : 0);
        double Wide(int channel, int t) =>
            (double)weights[2 * channel] * Signal(t) + (double)weights[2 * channel + 1] * Signal(Time + t) + biases[channel];
        double mean = 0,
            variance = 0;
        for (int c = 0; c < Channels; c++)
            mean += Enumerable.Range(0, Time).Average(t => Wide(c, t)) / Channels;
        for (int c = 0; c < Channels; c++)
            variance += Enumerable.Range(0, Time).Average(t => Math.Pow(Wide(c, t) - mean, 2)) / Channels;
        float[] factors = Weights(Channels),
            summands = [.. Weights(Channels).Reverse()];
        double Normal(int c, int t) => (Wide(c, t) - mean) / Math.Sqrt(variance + 1e-3f) * factors[c] + summands[c];
        double Off(float[] got) =>
            Enumerable
                .Range(0, got.Length)
                .Max(i => Math.Abs(got[i] - Normal(i / Time, i % Time) / (1 + Math.Exp(-Normal(i / Time + Channels / 2, i % Time)))));
        Assert.InRange(Off(SmallGraph.Run(prepared, Signal)), 0, 1e-6);
        Assert.InRange(Off(SmallGraph.Run(model, Signal)), 3e-6, 1);
    }

    /// <summary>
    /// Music that ends soon is loud beside its chunk's deviation: a few sums of squares are large, and hundreds that follow are small and
    /// equal. What is lost when those are added to a large one
    /// is a factor of the whole layer.
    /// </summary>
    [Fact]
    public void A_normalized_gate_behind_a_burst_keeps_its_level()
    {
        const int Time = 85995,
            Music = 1000,
            Channels = 4;
        float[] weights = [.. Enumerable.Range(0, Channels).Select(i => MathF.Cos(3 * i + 1))],
            biases = [0.05f, -0.025f, 0.0125f, 0.1f],
            factors = Weights(Channels),
            summands = [.. Weights(Channels).Reverse()];
        byte[] model = SmallGraph.Build([1, 1, Time], [1, Channels / 2, Time], (graph, x) =>
            Gate(
                graph,
                Affine(
                    graph,
                    graph.Node("Conv", [x, graph.Constant(weights, [Channels, 1, 1]), graph.Constant(biases, [Channels])]),
                    [1, Channels, Time],
                    1
                )
            )
        );
        byte[] prepared = Fits(model, NormalGate);
        foreach (int loudness in (ReadOnlySpan<int>)[6, 7, 8, 11])
        {
            float Signal(int t) => t < Music ? (12 + loudness) * MathF.Sin(t) : -0.04f * (1 + loudness);
            double mean = 0,
                square = 0;
            for (int t = 0; t < Time; t++)
            {
                for (int c = 0; c < Channels; c++)
                    mean += (double)weights[c] * Signal(t) + biases[c];
            }
            mean /= Channels * Time;
            for (int t = 0; t < Time; t++)
            {
                for (int c = 0; c < Channels; c++)
                    square += Math.Pow((double)weights[c] * Signal(t) + biases[c] - mean, 2);
            }
            double deviation = Math.Sqrt(square / (Channels * Time) + 1e-3f),
                along = 0,
                whole = 0;
            double Normal(int c, int t) => ((double)weights[c] * Signal(t) + biases[c] - mean) / deviation * factors[c] + summands[c];
            float[] got = SmallGraph.Run(prepared, Signal);
            for (int i = 0; i < got.Length; i++)
            {
                double exact = Normal(i / Time, i % Time) / (1 + Math.Exp(-Normal(i / Time + Channels / 2, i % Time)));
                along += exact * got[i];
                whole += exact * exact;
            }
            Assert.InRange(along / whole - 1, -1.6e-7, 1.6e-7);
        }
    }

    [Fact]
    public void Attention_with_a_mask_stays() =>
        Stays(
            Attention(6, 6, false, (_, q) => q, (graph, scores) => scores + graph.Constant(Weights(36), [6, 6])),
            AttentionFusion.Rewrite
        );

    [Fact]
    public void Attention_whose_scale_differs_by_head_stays() =>
        Stays(Attention(6, 6, false, (graph, q) => graph.Node("Mul", [q, graph.Constant([1f, 2], [2, 1, 1])])), AttentionFusion.Rewrite);

    [Theory]
    [InlineData(new long[] { 1, 3, 9 }, 4, 8, true)]
    [InlineData(new long[] { 2, 3, 9 }, 2, 6, false)]
    [InlineData(new long[] { 1, 3, 6, 5 }, 4, 8, true)]
    public void A_transposed_convolution_becomes_a_convolution(long[] shape, int stride, int kernel, bool biased)
    {
        byte[] model = Transposed(shape, stride, kernel, biased);
        byte[] prepared = Fits(model, TransposedConvolutionSplit.Rewrite);
        Assert.Single(SmallGraph.Operators(prepared), "Conv");
        SmallGraph.AssertSame(model, prepared);
    }

    [Fact]
    public void A_transposed_convolution_with_another_kernel_or_with_pads_stays()
    {
        Stays(Transposed([1, 3, 9], 4, 7, true), TransposedConvolutionSplit.Rewrite);
        Stays(Transposed([1, 3, 9], 4, 4, true), TransposedConvolutionSplit.Rewrite);
        Stays(Transposed([1, 3, 9], 4, 8, true, OnnxAttribute.Create("pads", [2, 2])), TransposedConvolutionSplit.Rewrite);
        Stays(Transposed([1, 3, 9], 4, 8, true, OnnxAttribute.Create("output_padding", [1])), TransposedConvolutionSplit.Rewrite);
    }

    [Theory]
    [InlineData(2, 34, 4)]
    [InlineData(0, 36, 4)]
    [InlineData(-7, 30, 4)]
    [InlineData(1, 40, 3)]
    public void What_is_cut_off_a_transposed_convolution_is_not_laid_out(int start, int end, int stride)
    {
        byte[] model = Cropped(start, end, stride, 2, "Slice");
        byte[] prepared = Fits(model, TransposedConvolutionSplit.RewriteSliced);
        Assert.Equal("Gather", SmallGraph.Operators(prepared)[^1]);
        Assert.DoesNotContain("Slice", SmallGraph.Operators(prepared));
        SmallGraph.AssertSame(model, prepared);
    }

    [Fact]
    public void A_cut_along_another_axis_or_in_steps_or_of_what_others_take_stays()
    {
        Stays(Cropped(1, 4, 4, 3, "Slice"), TransposedConvolutionSplit.RewriteSliced);
        Stays(Cropped(2, 34, 4, 2, "Twice"), TransposedConvolutionSplit.RewriteSliced);
        Stays(Cropped(2, 34, 4, 2, "Every other"), TransposedConvolutionSplit.RewriteSliced);
    }

    [Theory]
    [InlineData(new long[] { 2, 5, 9 }, 1)]
    [InlineData(new long[] { 1, 5, 6, 7 }, 1)]
    [InlineData(new long[] { 1, 5, 6, 7 }, 3)]
    public void The_halves_of_a_gate_become_convolutions_of_their_own(long[] shape, int kernel)
    {
        byte[] model = Gated(shape, kernel, 3);
        byte[] prepared = Fits(model, GluConvolutionSplit.Rewrite);
        Assert.Equal(2, SmallGraph.Operators(prepared).Count(type => type == "Conv"));
        SmallGraph.AssertSame(model, prepared);
    }

    [Fact]
    public void A_gate_behind_something_else_stays()
    {
        Stays(Gated([1, 6, 9], 1, 3, OnnxAttribute.Create("group", 3)), GluConvolutionSplit.Rewrite);
        Stays(Gated([1, 5, 9], 3, 3), GluConvolutionSplit.Rewrite);
        Stays(Gated([1, 5, 9], 1, 3, seen: true), GluConvolutionSplit.Rewrite);
        Stays(SmallGraph.Build([1, 6, 9], [1, 3, 9], (graph, x) => Gate(graph, x)), GluConvolutionSplit.Rewrite);
    }

    [Theory]
    [InlineData(8, 12)]
    [InlineData(4, 4)]
    public void A_gate_behind_three_by_three_taps_is_computed_in_tiles(int rows, int columns)
    {
        byte[] model = Gated([1, 64, rows, columns], 3, 64, OnnxAttribute.Create("pads", [1, 1, 1, 1]));
        byte[] prepared = Fits(model, TiledGlu.Rewrite);
        Assert.Equal(3, SmallGraph.Operators(prepared).Count(type => type == "Conv"));
        Assert.DoesNotContain("Split", SmallGraph.Operators(prepared).SkipWhile(type => type != "Sigmoid"));
        SmallGraph.AssertSame(model, prepared);
    }

    [Fact]
    public void A_gate_that_tiles_do_not_cover_or_do_not_suit_stays()
    {
        OnnxAttribute pads = OnnxAttribute.Create("pads", [1, 1, 1, 1]);
        Stays(Gated([1, 64, 8, 10], 3, 64, pads), TiledGlu.Rewrite);
        Stays(Gated([1, 64, 6, 8], 3, 64, pads), TiledGlu.Rewrite);
        Stays(Gated([2, 64, 8, 8], 3, 64, pads), TiledGlu.Rewrite);
        Stays(Gated([1, 48, 8, 8], 3, 48, pads), TiledGlu.Rewrite);
        Stays(Gated([1, 64, 8, 8], 3, 64), TiledGlu.Rewrite);
        Stays(Gated([1, 64, 8, 8], 5, 64, OnnxAttribute.Create("pads", [2, 2, 2, 2])), TiledGlu.Rewrite);
        Stays(
            Gated([1, 64, 8, 8], 3, 64, OnnxAttribute.Create("pads", [2, 2, 2, 2]), OnnxAttribute.Create("dilations", [2, 2])),
            TiledGlu.Rewrite
        );
        Stays(Gated([1, 64, 8, 8], 3, 64, pads, OnnxAttribute.Create("strides", [2, 2])), TiledGlu.Rewrite);
        Stays(Gated([1, 64, 8], 3, 64, OnnxAttribute.Create("pads", [1, 1])), TiledGlu.Rewrite);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public void A_normalized_gate_is_computed_without_what_is_normalized(int batch, bool scaled)
    {
        byte[] model = NormalizedGate(batch, scaled, kernel: 1);
        byte[] prepared = Fits(model, scaled ? ScaledGate : NormalGate);
        string[] types = SmallGraph.Operators(prepared);
        Assert.DoesNotContain("InstanceNormalization", types);
        // One to a result of as many channels as are hidden, for the variance, and one for each half.
        Assert.Equal(3, types.Count(type => type == "Conv"));
        SmallGraph.AssertSame(model, prepared);
    }

    [Fact]
    public void A_normalized_gate_behind_another_convolution_stays()
    {
        Stays(NormalizedGate(2, false, kernel: 3), NormalGate);
        Stays(NormalizedGate(2, false, kernel: 1, groups: 2), NormalGate);
    }

    [Fact]
    public void A_gate_whose_halves_are_exchanged_stays() => Stays(NormalizedGate(2, false, kernel: 1, exchanged: true), NormalGate);

    [Theory]
    [InlineData(new long[] { 0, 2, 1 })]
    [InlineData(new long[] { 2, 0, 1 })]
    public void A_normalization_between_transpositions_loses_them(long[] back)
    {
        byte[] model = SmallGraph.Build([1, 7, 4], back[0] == 0 ? [1, 7, 4] : [7, 1, 4], (graph, x) =>
            graph.Node(
                "Transpose",
                [Affine(graph, graph.Node("Transpose", [x], OnnxAttribute.Create("perm", [0, 2, 1])), [1, 4, 7], 1)],
                OnnxAttribute.Create("perm", back)
            )
        );
        byte[] prepared = Fits(model, GroupNormalizationSplit.RewriteTransposed);
        Assert.DoesNotContain("Transpose", SmallGraph.Operators(prepared));
        Assert.DoesNotContain("InstanceNormalization", SmallGraph.Operators(prepared));
        SmallGraph.AssertSame(model, prepared);
    }

    [Theory]
    [InlineData(new long[] { 1, 4, 9 })]
    [InlineData(new long[] { 3, 4, 5 })]
    [InlineData(new long[] { 2, 4, 3, 5 })]
    public void A_normalization_divides_its_factors_instead_of_the_tensor(long[] shape)
    {
        byte[] model = SmallGraph.Build(shape, shape, (graph, x) => Affine(graph, x, shape, 1));
        byte[] prepared = Fits(model, GroupNormalizationSplit.Rewrite);
        Assert.DoesNotContain("InstanceNormalization", SmallGraph.Operators(prepared));
        SmallGraph.AssertSame(model, prepared);
        Stays(SmallGraph.Build(shape, shape, (graph, x) => Affine(graph, x, shape, 2)), GroupNormalizationSplit.Rewrite);
    }

    [Fact]
    public void Only_transpositions_that_move_nothing_become_reshapes()
    {
        byte[] model = SmallGraph.Build([1, 4, 3], [4, 1, 3], (graph, x) =>
            graph.Node("Transpose", [x], OnnxAttribute.Create("perm", [1, 0, 2]))
        );
        byte[] prepared = Fits(model, TransposeElision.Rewrite);
        Assert.Equal(["Reshape"], SmallGraph.Operators(prepared));
        SmallGraph.AssertSame(model, prepared);
        Stays(
            SmallGraph.Build([2, 4, 3], [4, 2, 3], (graph, x) => graph.Node("Transpose", [x], OnnxAttribute.Create("perm", [1, 0, 2]))),
            TransposeElision.Rewrite
        );
    }

    [Fact]
    public void The_built_in_model_stays() =>
        Assert.Null(SmallGraph.Rewritten(BaselineModel.Build(), model => KernelRewrites.Apply(model, null)));

    private static List<GraphNode>? NormalGate(GraphNode node, ShapeInference facts, NodeWriter writer) =>
        NormalizedGluFusion.Rewrite(node, facts, writer, null);

    private static List<GraphNode>? ScaledGate(GraphNode node, ShapeInference facts, NodeWriter writer) =>
        NormalizedGluFusion.RewriteScaled(node, facts, writer, null);

    private static byte[] Fits(byte[] model, GraphRewriting.Rewrite rewrite)
    {
        byte[]? prepared = SmallGraph.Rewritten(model, graph => GraphRewriting.Apply(graph, rewrite));
        Assert.NotNull(prepared);
        return prepared;
    }

    private static void Stays(byte[] model, GraphRewriting.Rewrite rewrite)
    {
        Assert.Null(SmallGraph.Rewritten(model, graph => GraphRewriting.Apply(graph, rewrite)));
        // A graph that cannot run would prove nothing.
        Assert.All(SmallGraph.Run(model), value => Assert.True(float.IsFinite(value)));
    }

    private static float[] Weights(int count) => [.. Enumerable.Range(0, count).Select(i => (i * 7 % 11 - 4) / 6f)];

    /// <summary>Attention of two heads of three channels; x holds queries, keys and values one after the other.</summary>
    private static byte[] Attention(
        int queries,
        int keys,
        bool batched,
        Func<OnnxGraphWriter, OnnxValue, OnnxValue> scale,
        Func<OnnxGraphWriter, OnnxValue, OnnxValue>? mask = null
    ) => SmallGraph.Build([queries + 2 * keys, 6], [queries, 6], (graph, x) =>
        {
            OnnxValue q = scale(graph, Heads(x, 0, queries, [1, 0, 2])),
                k = Heads(x, queries, keys, [1, 2, 0]),
                v = Heads(x, queries + keys, keys, [1, 0, 2]);
            OnnxValue scores = graph.Node("MatMul", [q, k]);
            scores = mask is null ? scores : mask(graph, scores);
            OnnxValue result = graph.Node("MatMul", [graph.Node("Softmax", [scores], OnnxAttribute.Create("axis", -1)), v]);
            result = graph.Node("Transpose", [result], OnnxAttribute.Create("perm", Order([1, 0, 2])));
            return graph.Node("Reshape", [result, SmallGraph.Integers(graph, [queries, 6])]);

            OnnxValue Heads(OnnxValue all, int first, int count, long[] order)
            {
                OnnxValue part = graph.Node(
                    "Reshape",
                    [graph.Slice(all, 0, first, first + count), SmallGraph.Integers(graph, batched ? [1, count, 2, 3] : [count, 2, 3])]
                );
                return graph.Node("Transpose", [part], OnnxAttribute.Create("perm", Order(order)));
            }

            long[] Order(long[] order) => batched ? [0, .. order.Select(axis => axis + 1)] : order;
        });

    /// <summary>The operator Attention over two heads of three channels.</summary>
    private static byte[] AttentionOperator(int queries, int keys, params OnnxAttribute[] attributes) =>
        SmallGraph.WithOperatorSet(SmallGraph.Build([queries + 2 * keys, 6], [queries, 6], (graph, x) =>
            {
                OnnxValue result = graph.Node(
                    "Attention",
                    [Heads(0, queries), Heads(queries, keys), Heads(queries + keys, keys)],
                    attributes
                );
                result = graph.Node("Transpose", [result], OnnxAttribute.Create("perm", [2, 0, 1, 3]));
                return graph.Node("Reshape", [result, SmallGraph.Integers(graph, [queries, 6])]);

                OnnxValue Heads(int first, int count)
                {
                    OnnxValue part = graph.Node(
                        "Reshape",
                        [graph.Slice(x, 0, first, first + count), SmallGraph.Integers(graph, [count, 2, 3])]
                    );
                    return graph.Node(
                        "Reshape",
                        [
                            graph.Node("Transpose", [part], OnnxAttribute.Create("perm", [1, 0, 2])),
                            SmallGraph.Integers(graph, [1, 2, count, 3]),
                        ]
                    );
                }
            }), 23);

    private static byte[] Transposed(long[] shape, int stride, int kernel, bool biased, params OnnxAttribute[] further)
    {
        const int Outputs = 2;
        bool plane = shape.Length == 4;
        long pads = further.Any(a => a.Message.Bytes.IndexOf("pads"u8) >= 0) ? -4 : 0,
            extra = further.Any(a => a.Message.Bytes.IndexOf("output_padding"u8) >= 0) ? 1 : 0;
        long length = (shape[2] - 1) * stride + kernel + pads + extra;
        return SmallGraph.Build(shape, plane ? [shape[0], Outputs, length, shape[3]] : [shape[0], Outputs, length], (graph, x) =>
        {
            OnnxValue weight = graph.Constant(
                Weights((int)shape[1] * Outputs * kernel),
                plane ? [shape[1], Outputs, kernel, 1] : [shape[1], Outputs, kernel]
            );
            OnnxValue[] inputs = biased ? [x, weight, graph.Constant([0.5f, -1], [2])] : [x, weight];
            return graph.Node(
                "ConvTranspose",
                inputs,
                [
                    OnnxAttribute.Create("strides", plane ? [stride, 1] : [stride]),
                    OnnxAttribute.Create("kernel_shape", plane ? [kernel, 1] : [kernel]),
                    .. further,
                ]
            );
        });
    }

    /// <summary>
    /// A transposed convolution along rows of five elements of which a part is kept: all of it, every other row, or with another part
    /// added.
    /// </summary>
    private static byte[] Cropped(int start, int end, int stride, int axis, string how)
    {
        const int Rows = 8,
            Columns = 5;
        long whole = axis == 2 ? stride * (Rows + 1) : Columns,
            first = start < 0 ? start + whole : start,
            kept = Math.Min(end, whole) - first;
        if (how == "Every other")
            kept /= 2;
        long[] to = axis == 2 ? [1, 2, kept, Columns] : [1, 2, stride * (Rows + 1), kept];
        return SmallGraph.Build([1, 3, Rows, Columns], to, (graph, x) =>
        {
            OnnxValue weight = graph.Constant(Weights(3 * 2 * 2 * stride), [3, 2, 2 * stride, 1]);
            OnnxValue result = graph.Node(
                "ConvTranspose",
                [x, weight, graph.Constant([0.5f, -1], [2])],
                OnnxAttribute.Create("strides", [stride, 1])
            );
            if (how == "Every other")
                return graph.Node(
                    "Slice",
                    [result, .. new long[] { start, end, axis, 2 }.Select(value => SmallGraph.Integers(graph, [value]))]
                );
            OnnxValue part = graph.Slice(result, axis, start, end);
            return how == "Twice" ? part + graph.Slice(result, axis, 0, kept) : part;
        });
    }

    private static OnnxValue Gate(OnnxGraphWriter graph, OnnxValue x)
    {
        (OnnxValue first, OnnxValue second) = graph.Halves(x, 1);
        return first * graph.Node("Sigmoid", [second]);
    }

    /// <summary>A gated linear unit behind a convolution; its result is seen by something else too where that is asked for.</summary>
    private static byte[] Gated(long[] shape, int kernel, int half, params OnnxAttribute[] further) =>
        Gated(shape, kernel, half, false, further);

    private static byte[] Gated(long[] shape, int kernel, int half, bool seen, params OnnxAttribute[] further)
    {
        bool Has(ReadOnlySpan<byte> name)
        {
            foreach (OnnxAttribute attribute in further)
            {
                if (attribute.Message.Bytes.IndexOf(name) >= 0)
                    return true;
            }
            return false;
        }

        int stride = Has("strides"u8) ? 2 : 1,
            dilation = Has("dilations"u8) ? 2 : 1,
            pads = Has("pads"u8) ? dilation * (kernel - 1) : 0,
            groups = Has("group"u8) ? 3 : 1;
        long[] space = [.. shape[2..].Select(length => (length + pads - dilation * (kernel - 1) - 1) / stride + 1)],
            taps = [.. space.Select(_ => (long)kernel)];
        int width = (int)shape[1] / groups,
            count = 2 * half * width * (int)taps.Aggregate(1L, (product, length) => product * length);
        return SmallGraph.Build(shape, [shape[0], half, .. space], (graph, x) =>
        {
            float[] weights = [.. Weights(count).Select(weight => weight / width)];
            OnnxValue wide = graph.Node(
                "Conv",
                [x, graph.Constant(weights, [2 * half, width, .. taps]), graph.Constant(Weights(2 * half), [2 * half])],
                [OnnxAttribute.Create("kernel_shape", taps), .. further]
            );
            OnnxValue gated = Gate(graph, wide);
            return seen ? gated + graph.Slice(wide, 1, 0, half) : gated;
        });
    }

    /// <summary>A group normalization with a factor and a summand for each of four channels.</summary>
    private static OnnxValue Affine(OnnxGraphWriter graph, OnnxValue x, long[] shape, int groups)
    {
        long[] perChannel = [shape[1], .. Enumerable.Repeat(1L, shape.Length - 2)];
        int channels = (int)shape[1];
        OnnxValue normal = graph.Node(
            "InstanceNormalization",
            [
                graph.Node("Reshape", [x, SmallGraph.Integers(graph, [0, groups, -1])]),
                graph.Constant([.. Enumerable.Repeat(1f, groups)], [groups]),
                graph.Constant(new float[groups], [groups]),
            ],
            OnnxAttribute.Create("epsilon", 1e-3f)
        );
        normal = graph.Node("Reshape", [normal, SmallGraph.Integers(graph, shape)]);
        return normal * graph.Constant(Weights(channels), perChannel) + graph.Constant([.. Weights(channels).Reverse()], perChannel);
    }

    private static byte[] NormalizedGate(int batch, bool scaled, int kernel, int groups = 1, bool exchanged = false)
    {
        const int Hidden = 3,
            Channels = 8;
        int time = 11 - kernel + 1;
        return SmallGraph.Build([batch, Hidden, 11], [batch, Channels / 2, time], (graph, x) =>
        {
            OnnxValue wide = graph.Node(
                "Conv",
                [
                    x,
                    graph.Constant(Weights(Channels * Hidden * kernel), [Channels, Hidden, kernel]),
                    graph.Constant(Weights(Channels), [Channels]),
                ]
            );
            (OnnxValue first, OnnxValue second) = graph.Halves(Affine(graph, wide, [batch, Channels, time], groups), 1);
            OnnxValue gated = exchanged ? second * graph.Node("Sigmoid", [first]) : first * graph.Node("Sigmoid", [second]);
            return scaled ? graph.Constant([1f, 0.5f, -2, 3], [4, 1]) * gated : gated;
        });
    }
}
