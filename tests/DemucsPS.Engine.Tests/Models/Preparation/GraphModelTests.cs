using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Reading and writing of the wire format, well-formed or not.</summary>
public sealed class GraphModelTests
{
    [Theory]
    [InlineData("htdemucs-tiny.onnx")]
    [InlineData("htdemucs-tiny-6s.onnx")]
    public void An_unchanged_model_is_written_as_it_was(string name)
    {
        byte[] source = File.ReadAllBytes(RepositoryFiles.Reference("models", name));
        Assert.True(Written(source).AsSpan().SequenceEqual(source));
        Assert.False(GraphModel.Parse(source).MayHaveExternalData);
    }

    [Fact]
    public void A_graph_in_two_pieces_is_one_and_outside_weights_are_seen()
    {
        GraphModel model = GraphModel.Parse(Inference.SmallModels.WithOutsideWeights("weights.data"));
        Assert.True(model.MayHaveExternalData);
        Assert.Contains(model.Nodes, n => n.Inputs.Contains("outside"));
        Assert.Contains(model.Nodes, n => n.Inputs.Contains("z"));
    }

    [Fact]
    public void Fields_it_does_not_know_and_names_that_are_no_text_survive()
    {
        byte[] odd = [0xFF, 0xC0, 0x80];
        ProtobufMessage node = new ProtobufMessage().Block(1, odd).Text(2, "y").Text(4, "Neg").Text(99, "unknown");
        ProtobufMessage graph = new ProtobufMessage().Message(1, node).Text(77, "before").Block(2, odd).Float(78, 1.5f);
        byte[] source = new ProtobufMessage().Integer(55, -1).Message(7, graph).Text(56, "end").Bytes.ToArray();
        Assert.Equal(source, Written(source));
    }

    /// <summary>
    /// Loading a copy does not take memory for its weights besides what the runtime takes: they stay in the file, and are not needed any
    /// more when the model runs.
    /// </summary>
    [Fact]
    public void Large_constants_are_taken_from_the_file_where_they_lie()
    {
        using TemporaryFolder folder = new();
        byte[] model = SmallGraph.Build([2, 3000], [2, 3000], (graph, x) =>
            x * graph.Constant([.. Enumerable.Range(0, 6000).Select(i => i / 7f)], [2, 3000]) + graph.Constant([0.5f, -2], [2, 1])
        );
        File.WriteAllBytes(folder["model.onnx"], model);
        byte[] head;
        OnnxSession session;
        using (FileStream file = File.OpenRead(folder["model.onnx"]))
        using (MappedCopy copy = new(file.SafeFileHandle, model.Length))
        {
            Assert.True(copy.Memory.Span.SequenceEqual(model));
            head = GraphModel.Parse(copy.Memory).WriteHead(copy.Memory, "weights of it");
            session = OnnxSession.FromBytes(
                head,
                "weights of it",
                copy.Address,
                model.Length,
                new OnnxSessionOptions(),
                CancellationToken.None
            );
        }
        using (session)
        {
            Assert.InRange(head.Length, 1, 1000);
            GraphModel graph = GraphModel.Parse(head);
            Assert.Equal([false, true], graph.Initializers.Values.Select(tensor => tensor.IsExternal).Order());
            float[] x = [.. Enumerable.Range(0, 6000).Select(i => 1f / (i + 1))],
                y = new float[6000];
            session.Run([OnnxTensor.Create("x", x, 2, 3000)], [OnnxTensor.Create("y", y, 2, 3000)]);
            Assert.Equal([.. Enumerable.Range(0, 6000).Select(i => x[i] * (i / 7f) + (i < 3000 ? 0.5f : -2))], y);
        }
    }

    public static TheoryData<byte[]> Malformed =>
        new(
            Array.Empty<byte>(),
            "not a model at all"u8.ToArray(),
            new byte[] { 0x3A, 0x7F },
            new byte[] { 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F },
            new byte[] { 0x3A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01 },
            // A graph that is a number, a field of number 0, a group.
            new byte[] { 0x38, 0x01 },
            new byte[] { 0x00, 0x01 },
            new byte[] { 0x0B, 0x0C }
        );

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Bytes_that_are_no_model_are_refused(byte[] bytes) =>
        Assert.Equal(DemucsError.DemucsModelInvalid, Assert.Throws<DemucsException>(() => PreparedModel.Prepare(bytes)).Error);

    [Fact]
    public void Damage_gives_a_model_or_an_error_but_nothing_else()
    {
        byte[] source = SmallGraph.Build([2, 6, 35], [2, 6, 35], (graph, x) =>
            SmallGraph.GroupNormalization(
                graph,
                graph.Node("Conv", [x, graph.Constant(new float[36], [6, 6, 1])]),
                [2, 6, 35],
                [0, 3, -1],
                plain: false
            )
            - graph.Node(
                "ReduceMean",
                [graph.Node("Transpose", [x], OnnxAttribute.Create("perm", [0, 1, 2]))],
                OnnxAttribute.Create("axes", [1, 2])
            )
        );
        int refused = 0,
            changed = TestSet.Size(500, 6000);
        for (int length = 0; length < source.Length; length++)
            Try(source[..length]);
        Random random = new(20);
        for (int i = 0; i < changed; i++)
        {
            byte[] damaged = [.. source];
            for (int changes = random.Next(1, 5); changes > 0; changes--)
                damaged[random.Next(damaged.Length)] = random.Next(3) == 0 ? (byte)0xFF : (byte)random.Next(256);
            Try(damaged);
        }
        Assert.InRange(refused, changed / 20, changed + source.Length);

        void Try(byte[] bytes)
        {
            try
            {
                byte[]? prepared = PreparedModel.Prepare(bytes);
                // What was written can be read.
                if (prepared is not null)
                    PreparedModel.Prepare(prepared);
            }
            catch (DemucsException e) when (e.Error == DemucsError.DemucsModelInvalid)
            {
                refused++;
            }
        }
    }

    [Fact]
    public void A_graph_that_runs_in_a_circle_ends()
    {
        OnnxGraphWriter graph = new("circle");
        OnnxValue x = graph.Input("x", 2, 3);
        OnnxValue a = graph.Node("Identity", [x]),
            b = graph.Node("Identity", [a]);
        x.Name = b.Name;
        graph.Output("y", graph.Node("ReduceMean", [b], OnnxAttribute.Create("axes", [0, 1])), 1, 1);
        Assert.Null(PreparedModel.Prepare(graph.ToBytes("tests", "")));
    }

    private static byte[] Written(byte[] source) => [.. GraphModel.Parse(source).Write().SelectMany(piece => piece.ToArray())];
}
