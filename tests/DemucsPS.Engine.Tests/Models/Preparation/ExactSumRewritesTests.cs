using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Which graphs are rewritten, into what, and that they compute the same.</summary>
public sealed class ExactSumRewritesTests
{
    [Theory]
    [InlineData(new long[] { 1, 2 }, true, new long[] { 2, 1, 1 })]
    [InlineData(new long[] { 2, 0 }, true, new long[] { 1, 3, 1 })]
    [InlineData(new long[] { -1, -2 }, false, new long[] { 2 })]
    [InlineData(new long[] { 0, -1 }, false, new long[] { 3 })]
    [InlineData(new long[] { 0, 1, 2 }, false, new long[] { })]
    [InlineData(new long[] { }, true, new long[] { 1, 1, 1 })]
    public void A_mean_over_several_axes_becomes_a_chain_with_the_last_axis_first(long[] axes, bool keep, long[] to)
    {
        OnnxAttribute keepdims = OnnxAttribute.Create("keepdims", keep ? 1 : 0);
        byte[] old = SmallGraph.Build([2, 3, 5], to, (graph, x) =>
            axes.Length == 0
                ? graph.Node("ReduceMean", [x], keepdims)
                : graph.Node("ReduceMean", [x], OnnxAttribute.Create("axes", axes), keepdims)
        );
        byte[] model18 = SmallGraph.WithOperatorSet(
            SmallGraph.Build([2, 3, 5], to, (graph, x) =>
                axes.Length == 0
                    ? graph.Node("ReduceMean", [x], keepdims)
                    : graph.Node("ReduceMean", [x, SmallGraph.Integers(graph, axes)], keepdims)
            ),
            18
        );

        foreach (byte[] model in new[] { old, model18 })
        {
            byte[] prepared = Prepared(model);
            Assert.All(SmallGraph.Operators(prepared), type => Assert.Equal("ReduceMean", type));
            Assert.Equal(axes.Length == 0 ? 3 : axes.Length, SmallGraph.Operators(prepared).Length);
            AssertSame(model, prepared);
        }
        long[] order = [.. Nodes(Prepared(old)).Select(node => node.Messages(5).Single(a => a.Text(1) == "axes").Integers(8).Single())];
        Assert.Equal(order.OrderDescending(), order);
    }

    [Fact]
    public void Negative_axes_of_a_tensor_whose_rank_is_not_known_are_counted_on_as_axes_vanish()
    {
        // The runtime infers the shape; the preparation does not follow a Tile.
        byte[] model = SmallGraph.Build([2, 3, 5], [2], (graph, x) =>
            graph.Node(
                "ReduceMean",
                [graph.Node("Cast", [graph.Node("Tile", [x, SmallGraph.Integers(graph, [1, 2, 1])])], OnnxAttribute.Create("to", 1))],
                OnnxAttribute.Create("axes", [-2, -1]),
                OnnxAttribute.Create("keepdims", 0)
            )
        );
        byte[] prepared = Prepared(model);
        Assert.Equal(["Tile", "Cast", "ReduceMean", "ReduceMean"], SmallGraph.Operators(prepared));
        AssertSame(model, prepared);
    }

    [Theory]
    [InlineData(new long[] { 1, 6, 35 }, new long[] { 0, 1, -1 }, true)]
    [InlineData(new long[] { 3, 6, 35 }, new long[] { 0, 1, -1 }, false)]
    [InlineData(new long[] { 3, 6, 35 }, new long[] { 1, 1, -1 }, false)]
    [InlineData(new long[] { 3, 6, 35 }, new long[] { 3, 1, 210 }, false)]
    [InlineData(new long[] { 2, 6, 5, 7 }, new long[] { 0, 1, -1 }, true)]
    public void A_normalization_of_one_group_is_taken_axis_by_axis(long[] shape, long[] joined, bool plain)
    {
        byte[] model = SmallGraph.GroupNormalization(shape, joined, plain);
        byte[] prepared = Prepared(model);
        string[] types = SmallGraph.Operators(prepared);
        Assert.DoesNotContain("InstanceNormalization", types);
        // No reshape before: the tensor keeps its axes until it is normal.
        Assert.Equal("ReduceMean", types[0]);
        Assert.Equal(plain ? 2 : 4, types.Count(t => t == "Reshape"));
        AssertSame(model, prepared);
    }

    [Theory]
    [InlineData(new long[] { 2, 6, 35 }, new long[] { 0, 3, -1 })]
    [InlineData(new long[] { 2, 6, 5, 7 }, new long[] { 2, 2, -1 })]
    public void A_normalization_of_several_groups_keeps_channels_and_time_apart(long[] shape, long[] joined)
    {
        byte[] model = SmallGraph.GroupNormalization(shape, joined, plain: false);
        byte[] prepared = Prepared(model);
        Assert.DoesNotContain("InstanceNormalization", SmallGraph.Operators(prepared));
        Assert.Equal(4, SmallGraph.Operators(prepared).Count(t => t == "ReduceMean"));
        AssertSame(model, prepared);
    }

    [Fact]
    public void A_reshape_that_others_use_stays()
    {
        byte[] model = SmallGraph.Build([1, 2, 4], [1, 1, 8], (graph, x) =>
        {
            OnnxValue joined = graph.Node("Reshape", [x, SmallGraph.Integers(graph, [0, 1, -1])]);
            return joined + graph.Node("InstanceNormalization", [joined, graph.Constant([2f], [1]), graph.Constant([0f], [1])]);
        });
        byte[] prepared = Prepared(model);
        Assert.Equal("Reshape", SmallGraph.Operators(prepared)[0]);
        AssertSame(model, prepared);
    }

    [Fact]
    public void The_rank_is_read_from_the_weights_of_a_convolution()
    {
        byte[] model = SmallGraph.Build([1, 2, 9], [1, 4, 9], (graph, x) =>
            SmallGraph.GroupNormalization(
                graph,
                graph.Node("Conv", [x, graph.Constant([.. Enumerable.Range(-4, 8).Select(i => (float)i)], [4, 2, 1])]),
                [1, 4, 9],
                [0, 2, -1],
                plain: false
            )
        );
        byte[] prepared = Prepared(model);
        Assert.DoesNotContain("InstanceNormalization", SmallGraph.Operators(prepared));
        AssertSame(model, prepared);
    }

    [Fact]
    public void New_names_avoid_those_that_are_there()
    {
        // Names of nodes and tensors come from the section, so the last output is what the first rewrite would call its own.
        byte[] model = SmallGraph.Build([2, 3, 5], [2, 3, 5], (graph, x) =>
        {
            graph.Section("y/ReduceMean");
            OnnxValue taken = graph.Node("Neg", [x]);
            taken.Name = "first/ReduceMean";
            OnnxValue mean = graph.Node("ReduceMean", [taken], OnnxAttribute.Create("axes", [1, 2]));
            mean.Name = "first";
            return taken - mean;
        });
        AssertSame(model, Prepared(model));
    }

    /// <summary>
    /// Digital silence makes activations equal numbers, and float32 sums of many of those drift. Lengths are those of htdemucs, 21,499 is
    /// prime.
    /// </summary>
    [Theory]
    [InlineData("ReduceMean", new long[] { 1, 2, 343980 }, 2)]
    [InlineData("ReduceMean", new long[] { 1, 3, 21499 }, 2)]
    [InlineData("ReduceMean", new long[] { 1, 21499, 3 }, 1)]
    [InlineData("ReduceMean", new long[] { 1, 4, 2048, 3 }, 2)]
    [InlineData("ReduceMean", new long[] { 1, 2, 1344 }, 2)]
    [InlineData("ReduceSum", new long[] { 1, 3, 21499 }, 2)]
    [InlineData("ReduceSum", new long[] { 1, 85995, 2 }, 1)]
    [InlineData("ReduceL2", new long[] { 1, 2, 85995 }, 2)]
    [InlineData("ReduceSumSquare", new long[] { 1, 3, 21499 }, 2)]
    [InlineData("GlobalAveragePool", new long[] { 1, 2, 343980 }, 2)]
    [InlineData("GlobalAveragePool", new long[] { 1, 2, 512, 336 }, 2)]
    public void A_long_sum_of_equal_numbers_does_not_drift(string type, long[] shape, int axis)
    {
        const float Value = 0.1f;
        bool pools = type == "GlobalAveragePool";
        long[] to = [.. shape.Select((length, i) => i == axis || (pools && i > axis) ? 1 : length)];
        double count = (double)shape.Aggregate(1L, (a, b) => a * b) / to.Aggregate(1L, (a, b) => a * b),
            square = (double)Value * Value;
        double exact = type switch
        {
            "ReduceSum" => count * Value,
            "ReduceL2" => Math.Sqrt(count * square),
            "ReduceSumSquare" => count * square,
            _ => Value,
        };
        foreach (byte set in (ReadOnlySpan<byte>)[13, 18])
        {
            byte[] model = SmallGraph.WithOperatorSet(SmallGraph.Build(shape, to, (graph, x) => pools ? graph.Node(type, [x])
                    : set >= 18 || type == "ReduceSum" ? graph.Node(type, [x, SmallGraph.Integers(graph, [axis - shape.Length])])
                    : graph.Node(type, [x], OnnxAttribute.Create("axes", [axis]))), set);
            byte[] prepared = Prepared(model);
            Assert.All(SmallGraph.Run(prepared, _ => Value), got => Assert.InRange(got / exact - 1, -4e-7, 4e-7));
            Assert.InRange(SmallGraph.Run(model, _ => Value).Max(got => Math.Abs(got / exact - 1)), 8e-7, 1);
            // Noise: where padding or a factor went wrong, this differs.
            float[] before = SmallGraph.Run(model),
                after = SmallGraph.Run(prepared);
            for (int i = 0; i < after.Length; i++)
                Assert.InRange(after[i] / before[i] - 1, -1e-4, 1e-4);
        }
    }

    /// <summary>
    /// Music that ends soon: a few large numbers, and then many equal ones, which are small beside the sum so far and are all rounded the
    /// same way against it.
    /// </summary>
    [Theory]
    [InlineData(new long[] { 1, 1, 85995 }, 2)]
    [InlineData(new long[] { 1, 1, 343980 }, 2)]
    [InlineData(new long[] { 1, 85995, 1 }, 1)]
    public void A_long_sum_behind_a_burst_does_not_drift(long[] shape, int axis)
    {
        byte[] prepared = Prepared(
            SmallGraph.WithOperatorSet(
                SmallGraph.Build(shape, [1, 1, 1], (graph, x) => graph.Node("ReduceMean", [x, SmallGraph.Integers(graph, [axis])])),
                18
            )
        );
        for (int loudness = 0; loudness < 16; loudness++)
        {
            float Signal(int i) => i < 250 ? 100 + 7 * loudness : 0.01f + 0.003f * loudness;
            double exact = (250.0 * Signal(0) + (shape[axis] - 250.0) * Signal(250)) / shape[axis];
            Assert.InRange(SmallGraph.Run(prepared, Signal)[0] / exact - 1, -4e-7, 4e-7);
        }
    }

    /// <summary>
    /// A group normalization of a tensor that is 0.1 but for a few numbers, as music that ends soon: in all forms in which exporters say
    /// it.
    /// </summary>
    [Theory]
    [InlineData("instance", 17)]
    [InlineData("instance of itself", 17)]
    [InlineData("layer", 17)]
    [InlineData("group", 18)]
    [InlineData("group", 21)]
    [InlineData("group", 23)]
    public void A_normalization_of_mostly_equal_numbers_is_exact(string form, byte set)
    {
        const int Channels = 4,
            Time = 21499;
        const double Epsilon = 1e-5;
        long[] shape = [1, Channels, Time];
        byte[] model = SmallGraph.WithOperatorSet(SmallGraph.Build(shape, shape, (graph, x) =>
            {
                OnnxAttribute epsilon = OnnxAttribute.Create("epsilon", (float)Epsilon);
                OnnxValue whole = graph.Node("Reshape", [x, SmallGraph.Integers(graph, [0, 1, -1])]),
                    one = graph.Constant([1f], [1]),
                    none = graph.Constant([0f], [1]);
                if (form == "group")
                {
                    int factors = set >= 21 ? Channels : 1;
                    return graph.Node(
                        "GroupNormalization",
                        [x, graph.Constant([.. Enumerable.Repeat(1f, factors)], [factors]), graph.Constant(new float[factors], [factors])],
                        epsilon,
                        OnnxAttribute.Create("num_groups", 1)
                    );
                }
                OnnxValue normal = form switch
                {
                    "instance" => graph.Node("InstanceNormalization", [whole, one, none], epsilon),
                    "instance of itself" => graph.Node(
                        "InstanceNormalization",
                        [
                            graph.Node(
                                "Squeeze",
                                [graph.Node("Unsqueeze", [whole, SmallGraph.Integers(graph, [0])]), SmallGraph.Integers(graph, [0])]
                            ),
                            one,
                            none,
                        ],
                        epsilon
                    ),
                    _ => graph.Node(
                        "LayerNormalization",
                        [whole, graph.Constant([.. Enumerable.Repeat(1f, Channels * Time)], [Channels * Time])],
                        epsilon
                    ),
                };
                return graph.Node("Reshape", [normal, SmallGraph.Integers(graph, shape)]);
            }), set);
        // As preparation does it: the operator's own nodes are not what the runtime would put in its place.
        byte[]? prepared = SmallGraph.Rewritten(model, graph => NormalizationLowering.Apply(graph) | ExactSumRewrites.Apply(graph));
        Assert.NotNull(prepared);
        Assert.DoesNotContain(SmallGraph.Operators(prepared), type => type.EndsWith("Normalization", StringComparison.Ordinal));

        static float Signal(int i) => i % Time < 50 ? 0.1f + MathF.Sin(i) : 0.1f;
        double mean = Enumerable.Range(0, Channels * Time).Average(i => (double)Signal(i)),
            variance = Enumerable.Range(0, Channels * Time).Average(i => Math.Pow(Signal(i) - mean, 2));
        float[] got = SmallGraph.Run(prepared, Signal),
            plain = SmallGraph.Run(model, Signal);
        double Off(float[] values) =>
            Enumerable.Range(0, values.Length).Max(i => Math.Abs(values[i] - (Signal(i) - mean) / Math.Sqrt(variance + Epsilon)));
        Assert.InRange(Off(got), 0, 1e-5);
        // The runtime takes the sums of this one rightly by itself.
        if (form != "layer")
            Assert.InRange(Off(plain), 2e-5, 1);
    }

    [Fact]
    public void A_group_normalization_of_several_groups_is_lowered_as_its_operator_set_means_it()
    {
        foreach ((byte set, int factors) in new[] { ((byte)18, 2), ((byte)21, 6) })
        {
            byte[] model = SmallGraph.WithOperatorSet(
                SmallGraph.Build([2, 6, 5, 7], [2, 6, 5, 7], (graph, x) =>
                    graph.Node(
                        "GroupNormalization",
                        [
                            x,
                            graph.Constant([.. Enumerable.Range(1, factors).Select(i => i / 2f)], [factors]),
                            graph.Constant([.. Enumerable.Range(-2, factors).Select(i => i / 2f)], [factors]),
                        ],
                        OnnxAttribute.Create("epsilon", 1e-3f),
                        OnnxAttribute.Create("num_groups", 2)
                    )
                ),
                set
            );
            byte[]? lowered = SmallGraph.Rewritten(model, NormalizationLowering.Apply);
            Assert.NotNull(lowered);
            Assert.Contains("InstanceNormalization", SmallGraph.Operators(lowered));
            AssertSame(model, lowered);
            AssertSame(model, Prepared(lowered));
        }
    }

    [Fact]
    public void A_layer_normalization_over_channels_stays()
    {
        byte[] model = SmallGraph.WithOperatorSet(
            SmallGraph.Build([1, 3, 512], [1, 3, 512], (graph, x) =>
                graph.Node(
                    "LayerNormalization",
                    [x, graph.Constant([.. Enumerable.Repeat(2f, 512)], [512]), graph.Constant(new float[512], [512])]
                )
            ),
            17
        );
        Assert.Null(SmallGraph.Rewritten(model, ExactSumRewrites.Apply));
    }

    [Theory]
    [InlineData(SumRuns.Longest)]
    [InlineData(SumRuns.LongestApart)]
    public void Any_number_is_divided_into_short_runs_with_few_zeros(int longest)
    {
        foreach (
            long count in Enumerable
                .Range(1, 3000)
                .Select(i => (long)i)
                .Concat([5375, 21499, 85995, 110250, 343980, 441000, 999983, 2752512, 104395301])
        )
        {
            SumRuns runs = SumRuns.Create(count, longest);
            Assert.Equal(runs.Count, runs.Lengths.Aggregate(1L, (product, length) => product * length));
            Assert.All(runs.Lengths, length => Assert.InRange(length, 1, longest));
            Assert.InRange(runs.Count, count, count + count / 8 + longest);
        }
        Assert.Equal(343980, SumRuns.Create(343980, longest).Count);
        Assert.InRange(SumRuns.Create(21499, longest).Count, 21500, 21600);
    }

    public static TheoryData<string, byte[]> Untouched =>
        new()
        {
            { "the built-in model", BaselineModel.Build() },
            {
                "one axis",
                SmallGraph.Build([2, 3], [2, 1], (graph, x) => graph.Node("ReduceMean", [x], OnnxAttribute.Create("axes", [1])))
            },
            {
                "integers, whose mean is cut",
                SmallGraph.Build([2, 3], [1, 1], (graph, x) =>
                    graph.Node(
                        "Cast",
                        [
                            graph.Node(
                                "ReduceMean",
                                [graph.Node("Cast", [x], OnnxAttribute.Create("to", 6))],
                                OnnxAttribute.Create("axes", [0, 1])
                            ),
                        ],
                        OnnxAttribute.Create("to", 1)
                    )
                )
            },
            { "16-bit floats, whose squares overflow", SmallGraph.Build([1, 2, 4], [1, 1, 8], (graph, x) =>
                {
                    OnnxAttribute half = OnnxAttribute.Create("to", 10);
                    OnnxValue scale = graph.Node("Cast", [graph.Constant([1f], [1])], half),
                        bias = graph.Node("Cast", [graph.Constant([0f], [1])], half);
                    OnnxValue joined = graph.Node("Reshape", [graph.Node("Cast", [x], half), SmallGraph.Integers(graph, [0, 1, -1])]);
                    return graph.Node("Cast", [graph.Node("InstanceNormalization", [joined, scale, bias])], OnnxAttribute.Create("to", 1));
                }) },
            {
                "a true instance normalization",
                SmallGraph.Build([1, 2, 4], [1, 2, 4], (graph, x) =>
                    graph.Node("InstanceNormalization", [x, graph.Constant([1f, 1], [2]), graph.Constant([0f, 0], [2])])
                )
            },
            {
                "operators that did not broadcast",
                SmallGraph.WithOperatorSet(SmallGraph.GroupNormalization([1, 3, 5], [0, 1, -1], plain: true), 6)
            },
            { "a batch that is divided", SmallGraph.GroupNormalization([4, 3, 5], [2, 1, -1], plain: true) },
        };

    [Theory]
    [MemberData(nameof(Untouched))]
    public void What_does_not_fit_is_left_alone(string what, byte[] model)
    {
        Assert.True(SmallGraph.Rewritten(model, ExactSumRewrites.Apply) is null, what);
    }

    [Fact]
    public void Preparing_twice_changes_nothing_more()
    {
        Assert.Null(
            SmallGraph.Rewritten(Prepared(SmallGraph.GroupNormalization([2, 6, 35], [0, 3, -1], plain: false)), ExactSumRewrites.Apply)
        );
        Assert.Null(SmallGraph.Rewritten(Prepared(File.ReadAllBytes(RepositoryFiles.TinyModel)), ExactSumRewrites.Apply));
    }

    [Fact]
    public void All_but_the_nodes_is_kept_byte_for_byte()
    {
        byte[] source = File.ReadAllBytes(RepositoryFiles.TinyModel);
        WireMessage before = new(source),
            after = new(Prepared(source));
        WireMessage graphBefore = before.Message(7),
            graphAfter = after.Message(7);
        foreach (int field in new[] { 2, 3, 8 })
            Assert.True(before.Block(field).Span.SequenceEqual(after.Block(field).Span), $"{field}");
        foreach (int field in new[] { 2, 5, 11, 12 })
            Assert.Equal(graphBefore.Texts(field), graphAfter.Texts(field));
        string[] types = SmallGraph.Operators(source),
            rewritten = SmallGraph.Operators(Prepared(source));
        Assert.Equal(42, types.Count(t => t == "InstanceNormalization"));
        Assert.Equal(6, types.Count(t => t == "ReduceMean"));
        Assert.DoesNotContain("InstanceNormalization", rewritten);
        // Nothing is left behind that made only what the old nodes took.
        Assert.InRange(rewritten.Count(t => t == "ReduceMean"), 3 * 3 + 3 * 2 + 42 * 4, int.MaxValue);
        HashSet<string> used =
        [
            .. graphAfter.Messages(1).SelectMany(node => node.Texts(1)),
            .. graphAfter.Messages(12).Select(output => output.Text(1)),
        ];
        Assert.All(graphAfter.Messages(1), node => Assert.Contains(node.Texts(2), used.Contains));
    }

    private static byte[] Prepared(byte[] model)
    {
        byte[]? prepared = SmallGraph.Rewritten(model, ExactSumRewrites.Apply);
        Assert.NotNull(prepared);
        return prepared;
    }

    private static WireMessage[] Nodes(byte[] model) => new WireMessage(model).Message(7).Messages(1);

    private static void AssertSame(byte[] expected, byte[] actual) => SmallGraph.AssertSame(expected, actual);
}
