using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Bench.Exactness;

/// <summary>Runs one node of a graph by itself in the runtime.</summary>
internal static class SingleNode
{
    private const int IrVersion = 10;

    // Smaller tensors are constants of the graph, as axes and shapes have to be; what is as large as this is data and an input.
    private const int FewValues = 64;

    /// <summary>What the runtime makes of values that float32 holds exactly.</summary>
    /// <param name="node">The node.</param>
    /// <param name="taken">What it takes; null for an optional input left out.</param>
    /// <param name="given">Tensors of the shapes that it gives.</param>
    /// <param name="operatorSet">The version of ONNX's own operators.</param>
    public static ExactTensor[] Run(GraphNode node, ExactTensor?[] taken, ExactTensor[] given, long operatorSet)
    {
        ProtobufMessage graph = new();
        string[] inputs = [.. taken.Select((tensor, i) => tensor is null ? "" : $"x{i}")],
            outputs = [.. given.Select((_, i) => $"y{i}")];
        graph.Message(1, new ProtobufMessage().Raw(node.With(inputs, outputs).Message.Span)).Text(2, "node");
        List<OnnxTensor> data = [];
        for (int i = 0; i < taken.Length; i++)
        {
            if (taken[i] is not { } tensor)
                continue;
            if (tensor.ElementType == GraphTensor.Float32 && tensor.Values.Length > FewValues)
            {
                graph.Message(11, Declaration(inputs[i], tensor.Shape));
                data.Add(OnnxTensor.Create(inputs[i], tensor.ToSingles(), tensor.Shape));
            }
            else
            {
                graph.Message(
                    5,
                    new ProtobufMessage()
                        .Integers(1, tensor.Shape)
                        .Integer(2, tensor.ElementType)
                        .Text(8, inputs[i])
                        .Block(9, tensor.ToBytes())
                );
            }
        }
        float[][] results = [.. given.Select(tensor => new float[tensor.Values.Length])];
        List<OnnxTensor> bound = [];
        for (int i = 0; i < given.Length; i++)
        {
            graph.Message(12, Declaration(outputs[i], given[i].Shape));
            bound.Add(OnnxTensor.Create(outputs[i], results[i], given[i].Shape));
        }
        ProtobufMessage model = new ProtobufMessage()
            .Integer(1, IrVersion)
            .Message(7, graph)
            .Message(8, new ProtobufMessage().Text(1, "").Integer(2, operatorSet));
        if (node.Domain.Length > 0)
            model.Message(8, new ProtobufMessage().Text(1, node.Domain).Integer(2, 1));
        using OnnxSession session = OnnxSession.FromBytes(model.Bytes.ToArray(), new OnnxSessionOptions());
        session.Run(data, bound);
        return [.. given.Select((tensor, i) => tensor with { Values = [.. results[i].Select(value => (double)value)] })];
    }

    private static ProtobufMessage Declaration(string name, long[] shape)
    {
        ProtobufMessage dimensions = new();
        foreach (long length in shape)
            dimensions.Message(1, new ProtobufMessage().Integer(1, length));
        return new ProtobufMessage()
            .Text(1, name)
            .Message(2, new ProtobufMessage().Message(1, new ProtobufMessage().Integer(1, GraphTensor.Float32).Message(2, dimensions)));
    }
}
