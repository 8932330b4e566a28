using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Small graphs of one input x and one output y, and what the runtime makes of them.</summary>
internal static class SmallGraph
{
    /// <summary>A graph of operator set 13.</summary>
    public static byte[] Build(long[] from, long[] to, Func<OnnxGraphWriter, OnnxValue, OnnxValue> body)
    {
        OnnxGraphWriter graph = new("small");
        graph.Output("y", body(graph, graph.Input("x", from)), to);
        return graph.ToBytes("tests", "");
    }

    /// <summary>A group normalization as PyTorch exports it, with factors of 0.5, 1, … and summands of −1, −0.5, ….</summary>
    public static byte[] GroupNormalization(long[] shape, long[] joined, bool plain) =>
        Build(shape, shape, (graph, x) => GroupNormalization(graph, x, shape, joined, plain));

    public static OnnxValue GroupNormalization(OnnxGraphWriter graph, OnnxValue x, long[] shape, long[] joined, bool plain)
    {
        int groups = (int)joined[1];
        float[] scale = [.. Enumerable.Range(1, groups).Select(i => plain ? 1f : i / 2f)],
            bias = [.. Enumerable.Range(-2, groups).Select(i => plain ? 0f : i / 2f)];
        OnnxValue normal = graph.Node(
            "InstanceNormalization",
            [graph.Node("Reshape", [x, Integers(graph, joined)]), graph.Constant(scale, [groups]), graph.Constant(bias, [groups])],
            OnnxAttribute.Create("epsilon", 1e-3f)
        );
        return graph.Node("Reshape", [normal, Integers(graph, shape)]);
    }

    public static OnnxValue Integers(OnnxGraphWriter graph, long[] values) => graph.Constant(values, [values.Length]);

    /// <summary>The model with another operator set; the writer only knows one.</summary>
    public static byte[] WithOperatorSet(byte[] model, byte version)
    {
        byte[] result = [.. model];
        int at = result.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0x42, 0x04, 0x0A, 0x00, 0x10, OnnxGraphWriter.OperatorSet]);
        result[at + 5] = version;
        return result;
    }

    /// <summary>The operators of a model's nodes in order, constants left out.</summary>
    public static string[] Operators(byte[] model) =>
        [.. new WireMessage(model).Message(7).Messages(1).Select(n => n.Text(4)).Where(t => t != "Constant")];

    /// <summary>The model after a rewrite; null if that changed nothing.</summary>
    public static byte[]? Rewritten(byte[] model, Func<GraphModel, bool> rewrite)
    {
        GraphModel graph = GraphModel.Parse(model);
        return rewrite(graph) ? [.. graph.Write().SelectMany(piece => piece.ToArray())] : null;
    }

    /// <summary>Asserts that two models compute the same.</summary>
    public static void AssertSame(byte[] expected, byte[] actual)
    {
        float[] a = Run(expected),
            b = Run(actual);
        Assert.Equal(a.Length, b.Length);
        for (int i = 0; i < a.Length; i++)
            Assert.InRange(b[i], a[i] - 1e-5f, a[i] + 1e-5f);
    }

    /// <summary>Runs a model on noise that is not centered.</summary>
    public static float[] Run(byte[] model)
    {
        Random random = new(5);
        return Run(model, _ => random.NextSingle() * 2 - 0.7f);
    }

    /// <summary>Runs a model on a value for each number of its input.</summary>
    public static float[] Run(byte[] model, Func<int, float> value)
    {
        using OnnxSession session = OnnxSession.FromBytes(model, new OnnxSessionOptions { IntraOpThreads = 1 });
        float[] x = new float[Length(session.Inputs[0].Shape)],
            y = new float[Length(session.Outputs[0].Shape)];
        for (int i = 0; i < x.Length; i++)
            x[i] = value(i);
        session.Run([OnnxTensor.Create("x", x, [.. session.Inputs[0].Shape])], [OnnxTensor.Create("y", y, [.. session.Outputs[0].Shape])]);
        return y;

        static long Length(IReadOnlyList<long> shape) => shape.Aggregate(1L, (product, length) => product * length);
    }
}
