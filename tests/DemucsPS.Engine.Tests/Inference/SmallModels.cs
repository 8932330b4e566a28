using DemucsPS.Engine.Onnx;
using DemucsPS.Engine.Tests.Models.Preparation;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>Little models made by code.</summary>
internal static class SmallModels
{
    public const int Segment = 8192,
        Frames = 8;

    /// <summary>
    /// A model of the split contract whose stem k is (k + 1) times the waveform in the time branch; the frequency branch is zero. The
    /// change is
    /// applied to its shapes before they are declared.
    /// </summary>
    public static byte[] Split(
        int stems = 4,
        string? sources = null,
        string? normalization = null,
        float factor = 1,
        int spectrogramFrames = Frames,
        int segment = Segment
    )
    {
        OnnxGraphWriter graph = new("small");
        if (sources is not null)
            graph.Metadata("sources", sources);
        if (normalization is not null)
            graph.Metadata("normalization", normalization);
        OnnxValue waveform = graph.Input("mix", 1, 2, segment),
            spectrogram = graph.Input("z", 1, 4, 2048, spectrogramFrames);
        float[] gains = [.. Enumerable.Range(1, stems).Select(k => k * factor)];
        OnnxValue waves = graph.Unsqueeze(waveform, 1) * graph.Constant(gains, [1, stems, 1, 1]);
        OnnxValue spectra = graph.Unsqueeze(spectrogram, 1) * graph.Constant(new float[stems], [1, stems, 1, 1, 1]);
        // Outputs in the other order: roles are recognized by shape.
        graph.Output("waves", waves, 1, stems, 2, segment);
        graph.Output("spectra", spectra, 1, stems, 4, 2048, spectrogramFrames);
        return graph.ToBytes("tests", "");
    }

    /// <summary>
    /// As <see cref="Split"/>, of four stems, which are sums of many products: what threads take part in can be seen in their bits.
    /// </summary>
    /// <param name="normalizes">Whether the mix is normalized first, which is something to prepare.</param>
    public static byte[] Mixing(bool normalizes = false)
    {
        const int Rows = 64,
            Columns = 2 * Segment / Rows;
        OnnxGraphWriter graph = new("mixing");
        OnnxValue waveform = graph.Input("mix", 1, 2, Segment),
            spectrogram = graph.Input("z", 1, 4, 2048, Frames);
        OnnxValue mixed = normalizes ? SmallGraph.GroupNormalization(graph, waveform, [1, 2, Segment], [0, 1, -1], plain: true) : waveform;
        mixed = graph.Node("Reshape", [mixed, graph.Constant([Rows, Columns], [2])]);
        for (int layer = 0; layer < 3; layer++)
        {
            float[] weights = [.. Enumerable.Range(0, Columns * Columns).Select(i => (i * (7 + layer) % 1013 - 506) / 4000f)];
            mixed = graph.Node("MatMul", [mixed, graph.Constant(weights, [Columns, Columns])]);
        }
        mixed = graph.Node("Reshape", [mixed, graph.Constant([1, 2, Segment], [3])]);
        OnnxValue waves = graph.Unsqueeze(mixed, 1) * graph.Constant([1f, 2, 3, 4], [1, 4, 1, 1]);
        OnnxValue spectra = graph.Unsqueeze(spectrogram, 1) * graph.Constant([0.5f, 1, 1.5f, 2], [1, 4, 1, 1, 1]);
        graph.Output("waves", waves, 1, 4, 2, Segment);
        graph.Output("spectra", spectra, 1, 4, 4, 2048, Frames);
        return graph.ToBytes("tests", "");
    }

    /// <summary>
    /// As <see cref="Split"/> of four stems, of the mix brought to mean 0 and deviation 1 over all of the segment: there is something to
    /// prepare.
    /// </summary>
    public static byte[] Normalizing()
    {
        OnnxGraphWriter graph = new("normalizing");
        OnnxValue waveform = graph.Input("mix", 1, 2, Segment),
            spectrogram = graph.Input("z", 1, 4, 2048, Frames);
        OnnxValue normal = SmallGraph.GroupNormalization(graph, waveform, [1, 2, Segment], [0, 1, -1], plain: true);
        graph.Output("waves", graph.Unsqueeze(normal, 1) * graph.Constant([1f, 2, 3, 4], [1, 4, 1, 1]), 1, 4, 2, Segment);
        graph.Output("spectra", graph.Unsqueeze(spectrogram, 1) * graph.Constant(new float[4], [1, 4, 1, 1, 1]), 1, 4, 4, 2048, Frames);
        return graph.ToBytes("tests", "");
    }

    /// <summary>The file of <see cref="Normalizing"/> as it is.</summary>
    public static string NormalizingFile => Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "normalizing.onnx");

    /// <summary>The file of <see cref="Split"/> as it is, for tests that cannot call it.</summary>
    public static string File => Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    /// <summary>
    /// A model whose one weight lies in a file of its own. Protobuf joins repeated messages, so it is appended to a whole model.
    /// </summary>
    public static byte[] WithOutsideWeights(string file)
    {
        ProtobufMessage location = new ProtobufMessage().Text(1, "location").Text(2, file);
        ProtobufMessage tensor = new ProtobufMessage().Integer(1, 1).Integer(2, 1).Text(8, "outside").Message(13, location).Integer(14, 1);
        ProtobufMessage node = new ProtobufMessage().Text(1, "outside").Text(1, "mix").Text(2, "louder").Text(4, "Mul");
        ProtobufMessage shape = new ProtobufMessage()
            .Message(1, new ProtobufMessage().Integer(1, 1))
            .Message(1, new ProtobufMessage().Integer(1, 2))
            .Message(1, new ProtobufMessage().Integer(1, Segment));
        ProtobufMessage output = new ProtobufMessage()
            .Text(1, "louder")
            .Message(2, new ProtobufMessage().Message(1, new ProtobufMessage().Integer(1, 1).Message(2, shape)));
        ProtobufMessage graph = new ProtobufMessage().Message(1, node).Message(5, tensor).Message(12, output);
        return [.. Split(), .. new ProtobufMessage().Message(7, graph).Bytes];
    }

    /// <summary>As <see cref="Split"/>, with one weight in a file of its own that no node takes.</summary>
    public static byte[] WithUnusedOutsideWeight(string file)
    {
        ProtobufMessage location = new ProtobufMessage().Text(1, "location").Text(2, file);
        ProtobufMessage tensor = new ProtobufMessage().Integer(1, 1).Integer(2, 1).Text(8, "outside").Message(13, location).Integer(14, 1);
        return [.. Split(), .. new ProtobufMessage().Message(7, new ProtobufMessage().Message(5, tensor)).Bytes];
    }

    /// <summary>A model that works for seconds: a long chain of large products.</summary>
    public static byte[] Slow(int size, int steps)
    {
        OnnxGraphWriter graph = new("slow");
        OnnxValue x = graph.Input("x", size, size),
            y = x;
        for (int i = 0; i < steps; i++)
            y = graph.Node("MatMul", [y, x]);
        graph.Output("y", y, size, size);
        return graph.ToBytes("tests", "");
    }
}
