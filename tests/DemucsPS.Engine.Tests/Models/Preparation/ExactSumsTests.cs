using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Preparation;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Which graphs are rewritten, into what, and that they compute the same.</summary>
public sealed class ExactSumsTests
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
        OnnxAttribute keepdims = OnnxAttribute.Of("keepdims", keep ? 1 : 0);
        byte[] old = SmallGraph.Build([2, 3, 5], to, (graph, x) => axes.Length == 0
            ? graph.Node("ReduceMean", [x], keepdims)
            : graph.Node("ReduceMean", [x], OnnxAttribute.Of("axes", axes), keepdims));
        byte[] model18 = SmallGraph.WithOperatorSet(SmallGraph.Build([2, 3, 5], to, (graph, x) => axes.Length == 0
            ? graph.Node("ReduceMean", [x], keepdims)
            : graph.Node("ReduceMean", [x, SmallGraph.Integers(graph, axes)], keepdims)), 18);

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
        byte[] model = SmallGraph.Build([2, 3, 5], [2], (graph, x) => graph.Node("ReduceMean",
            [graph.Node("Cast", [graph.Node("Tile", [x, SmallGraph.Integers(graph, [1, 2, 1])])], OnnxAttribute.Of("to", 1))],
            OnnxAttribute.Of("axes", [-2, -1]), OnnxAttribute.Of("keepdims", 0)));
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
            SmallGraph.GroupNormalization(graph, graph.Node("Conv", [x, graph.Constant([.. Enumerable.Range(-4, 8).Select(i => (float)i)], [4, 2, 1])]), [1, 4, 9], [0, 2, -1], plain: false));
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
            OnnxValue mean = graph.Node("ReduceMean", [taken], OnnxAttribute.Of("axes", [1, 2]));
            mean.Name = "first";
            return taken - mean;
        });
        AssertSame(model, Prepared(model));
    }

    public static TheoryData<string, byte[]> Untouched => new()
    {
        { "the built-in model", BaselineModel.Build() },
        { "one axis", SmallGraph.Build([2, 3], [2, 1], (graph, x) => graph.Node("ReduceMean", [x], OnnxAttribute.Of("axes", [1]))) },
        {
            "integers, whose mean is cut",
            SmallGraph.Build([2, 3], [1, 1], (graph, x) => graph.Node("Cast",
                [graph.Node("ReduceMean", [graph.Node("Cast", [x], OnnxAttribute.Of("to", 6))], OnnxAttribute.Of("axes", [0, 1]))], OnnxAttribute.Of("to", 1)))
        },
        {
            "16-bit floats, whose squares overflow",
            SmallGraph.Build([1, 2, 4], [1, 1, 8], (graph, x) =>
            {
                OnnxAttribute half = OnnxAttribute.Of("to", 10);
                OnnxValue scale = graph.Node("Cast", [graph.Constant([1f], [1])], half), bias = graph.Node("Cast", [graph.Constant([0f], [1])], half);
                OnnxValue joined = graph.Node("Reshape", [graph.Node("Cast", [x], half), SmallGraph.Integers(graph, [0, 1, -1])]);
                return graph.Node("Cast", [graph.Node("InstanceNormalization", [joined, scale, bias])], OnnxAttribute.Of("to", 1));
            })
        },
        {
            "a true instance normalization",
            SmallGraph.Build([1, 2, 4], [1, 2, 4], (graph, x) => graph.Node("InstanceNormalization", [x, graph.Constant([1f, 1], [2]), graph.Constant([0f, 0], [2])]))
        },
        { "operators that did not broadcast", SmallGraph.WithOperatorSet(SmallGraph.GroupNormalization([1, 3, 5], [0, 1, -1], plain: true), 6) },
        { "a batch that is divided", SmallGraph.GroupNormalization([4, 3, 5], [2, 1, -1], plain: true) },
    };

    [Theory]
    [MemberData(nameof(Untouched))]
    public void What_does_not_fit_is_left_alone(string what, byte[] model)
    {
        Assert.True(SmallGraph.Rewritten(model, ExactSums.Apply) is null, what);
    }

    [Fact]
    public void Preparing_twice_changes_nothing_more()
    {
        Assert.Null(SmallGraph.Rewritten(Prepared(SmallGraph.GroupNormalization([2, 6, 35], [0, 3, -1], plain: false)), ExactSums.Apply));
        Assert.Null(SmallGraph.Rewritten(Prepared(File.ReadAllBytes(RepositoryFiles.TinyModel)), ExactSums.Apply));
    }

    [Fact]
    public void All_but_the_nodes_is_kept_byte_for_byte()
    {
        byte[] source = File.ReadAllBytes(RepositoryFiles.TinyModel);
        WireMessage before = new(source), after = new(Prepared(source));
        WireMessage graphBefore = before.Message(7), graphAfter = after.Message(7);
        foreach (int field in new[] { 2, 3, 8 })
            Assert.True(before.Block(field).Span.SequenceEqual(after.Block(field).Span), $"{field}");
        foreach (int field in new[] { 2, 5, 11, 12 })
            Assert.Equal(graphBefore.Texts(field), graphAfter.Texts(field));
        string[] types = SmallGraph.Operators(source), rewritten = SmallGraph.Operators(Prepared(source));
        Assert.Equal(42, types.Count(t => t == "InstanceNormalization"));
        Assert.Equal(6, types.Count(t => t == "ReduceMean"));
        Assert.DoesNotContain("InstanceNormalization", rewritten);
        // Nothing is left behind that made only what the old nodes took.
        Assert.Equal(types.Length + 3 * (3 - 1) + 3 * (2 - 1) + 42 * (4 + 5 + 1 - 2), rewritten.Length);
        Assert.Equal(3 * 3 + 3 * 2 + 42 * 4, rewritten.Count(t => t == "ReduceMean"));
    }

    private static byte[] Prepared(byte[] model)
    {
        byte[]? prepared = SmallGraph.Rewritten(model, ExactSums.Apply);
        Assert.NotNull(prepared);
        return prepared;
    }

    private static WireMessage[] Nodes(byte[] model) => new WireMessage(model).Message(7).Messages(1);

    private static void AssertSame(byte[] expected, byte[] actual) => SmallGraph.AssertSame(expected, actual);
}
