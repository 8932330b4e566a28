using System.Runtime.InteropServices;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models;

/// <summary>The written bytes against onnx.proto's field numbers.</summary>
public sealed class OnnxGraphWriterTests
{
    [Fact]
    public void A_model_names_its_version_producer_and_metadata()
    {
        OnnxGraphWriter graph = new("tiny");
        graph.Metadata("sources", "a,ß");
        graph.Metadata("normalization", "none");
        WireMessage model = new(graph.ToBytes("someone", "a sentence"));

        Assert.Equal(8, model.Integer(1));
        Assert.Equal("someone", model.Text(2));
        Assert.Equal("a sentence", model.Text(6));
        Assert.Equal("tiny", model.Message(7).Text(2));
        Assert.Equal("", model.Message(8).Text(1));
        Assert.Equal(13, model.Message(8).Integer(2));
        Assert.Equal(["sources=a,ß", "normalization=none"], model.Messages(14).Select(m => $"{m.Text(1)}={m.Text(2)}"));
    }

    [Fact]
    public void Inputs_and_outputs_carry_name_type_and_shape()
    {
        OnnxGraphWriter graph = new("tiny");
        OnnxValue x = graph.Input("x", 1, 2, 300);
        graph.Output("y", graph.Sqrt(x), 1, 2, 300);
        WireMessage written = new WireMessage(graph.ToBytes("", "")).Message(7);

        foreach ((int field, string name) in new[] { (11, "x"), (12, "y") })
        {
            WireMessage value = written.Message(field);
            Assert.Equal(name, value.Text(1));
            WireMessage tensor = value.Message(2).Message(1);
            Assert.Equal(1, tensor.Integer(1));
            Assert.Equal([1, 2, 300], tensor.Message(2).Messages(1).Select(d => d.Integer(1)));
        }
        Assert.Equal("y", written.Message(1).Text(2));
    }

    [Fact]
    public void A_node_carries_operator_inputs_results_and_attributes()
    {
        OnnxGraphWriter graph = new("tiny");
        graph.Section("part");
        OnnxValue x = graph.Input("x", 4);
        graph.Node(
            "Made",
            2,
            [x, x],
            OnnxAttribute.Create("negative", -3),
            OnnxAttribute.Create("list", [1, 200, -1]),
            OnnxAttribute.Create("float", 0.5f),
            OnnxAttribute.Create("text", "reflect")
        );
        WireMessage node = new WireMessage(graph.ToBytes("", "")).Message(7).Message(1);

        Assert.Equal(["x", "x"], node.Texts(1));
        Assert.Equal(["part/Made_0", "part/Made_0:1"], node.Texts(2));
        Assert.Equal("part/Made_0", node.Text(3));
        Assert.Equal("Made", node.Text(4));
        WireMessage[] attributes = node.Messages(5);
        Assert.Equal(["negative", "list", "float", "text"], attributes.Select(a => a.Text(1)));
        Assert.Equal([2, 7, 1, 3], attributes.Select(a => a.Integer(20)));
        Assert.Equal(-3, attributes[0].Integer(3));
        Assert.Equal([1, 200, -1], attributes[1].Integers(8));
        Assert.Equal(0.5f, attributes[2].Float(2));
        Assert.Equal("reflect", attributes[3].Text(4));
    }

    [Fact]
    public void Constants_are_raw_little_endian_tensors()
    {
        OnnxGraphWriter graph = new("tiny");
        graph.Constant([1f, -2.5f], [2, 1]);
        graph.Constant([long.MinValue, 7], [2]);
        graph.Scalar(3);
        WireMessage[] tensors = new WireMessage(graph.ToBytes("", "")).Message(7).Messages(5);

        Assert.Equal([1, 7, 1], tensors.Select(t => t.Integer(2)));
        Assert.Equal([2, 1], tensors[0].Integers(1));
        Assert.Equal([1f, -2.5f], MemoryMarshal.Cast<byte, float>(tensors[0].Block(9).Span));
        Assert.Equal([long.MinValue, 7], MemoryMarshal.Cast<byte, long>(tensors[1].Block(9).Span));
        Assert.Empty(tensors[2].Integers(1));
    }

    [Fact]
    public void Operators_add_nodes_and_equal_scalars_are_stored_once()
    {
        OnnxGraphWriter graph = new("tiny");
        OnnxValue x = graph.Input("x", 4);
        OnnxValue y = (1 - x) * (1 - x) / (x + 1);
        graph.Output("y", -y, 4);
        WireMessage written = new WireMessage(graph.ToBytes("", "")).Message(7);

        Assert.Equal(["Sub", "Sub", "Mul", "Add", "Div", "Neg"], written.Messages(1).Select(n => n.Text(4)));
        Assert.Single(written.Messages(5));
    }

    [Fact]
    public void Values_of_a_stored_tensor_are_asked_for_one_after_the_other_while_the_model_is_written()
    {
        OnnxGraphWriter graph = new("tiny", 20);
        List<string> asked = [];
        OnnxValue a = graph.Stored(10, [2], 4, () => Asked("a", [0, 0x3C, 0, 0xC0])),
            b = graph.Stored(1, [], 4, () => Asked("b", [0, 0, 0x80, 0x3F]));
        graph.RuntimeNode("Made", [graph.Node("Cast", [a], OnnxAttribute.Create("to", 1)), b]);
        Assert.Empty(asked);
        WireMessage model = new(graph.ToBytes("someone", "a sentence"));
        Assert.Equal(["a", "b"], asked);

        WireMessage[] tensors = model.Message(7).Messages(5),
            nodes = model.Message(7).Messages(1),
            sets = model.Messages(8);
        Assert.Equal([10, 1], tensors.Select(t => t.Integer(2)));
        Assert.Equal([2], tensors[0].Integers(1));
        Assert.Equal([0, 0x3C, 0, 0xC0], tensors[0].Block(9).ToArray());
        Assert.Equal([0, 0, 0x80, 0x3F], tensors[1].Block(9).ToArray());
        Assert.Equal("com.microsoft", nodes[1].Text(7));
        Assert.Equal([":20", "com.microsoft:1"], sets.Select(set => $"{set.Text(1)}:{set.Integer(2)}"));

        ReadOnlyMemory<byte> Asked(string name, byte[] bytes)
        {
            asked.Add(name);
            return bytes;
        }
    }

    [Fact]
    public void Writing_ends_before_the_next_tensor_when_it_is_canceled_and_where_one_has_another_length()
    {
        using CancellationTokenSource stop = new();
        OnnxGraphWriter graph = new("tiny");
        graph.Stored(1, [1], 4, () =>
        {
            stop.Cancel();
            return new byte[4];
        });
        graph.Stored(1, [1], 4, () => throw new InvalidOperationException("asked for"));
        Assert.Throws<OperationCanceledException>(() => graph.Write(Stream.Null, "", "", stop.Token));

        OnnxGraphWriter wrong = new("tiny");
        wrong.Stored(1, [1], 4, () => new byte[3]);
        Assert.Throws<InvalidOperationException>(() => wrong.ToBytes("", ""));
    }
}
