using System.Buffers.Binary;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Inference;

/// <summary>
/// A model of the split contract in other forms: its graph between nodes that bring its inputs and outputs from and into another contract,
/// layout or type.
/// </summary>
internal static class ModelForms
{
    private const int Float32 = (int)OnnxElementType.Float32,
        Float16 = (int)OnnxElementType.Float16;

    /// <summary>Real and imaginary parts apart, with an open batch.</summary>
    public static byte[] RealImaginaryApart(
        byte[] split,
        string real = "spec_real",
        string imaginary = "spec_imag",
        bool imaginaryFirst = false
    )
    {
        Wrapper w = new(split);
        string[] parts = imaginaryFirst ? [imaginary, real] : [real, imaginary];
        foreach (string part in parts)
            w.Input(part, Float32, -1, 2, 2048, w.Frames);
        w.Input("audio", Float32, -1, 2, w.Segment);
        string apart = w.Front.Add(
            "Concat",
            [w.Front.Add("Unsqueeze", [real, w.Front.Constant(2)]), w.Front.Add("Unsqueeze", [imaginary, w.Front.Constant(2)])],
            null,
            OnnxAttribute.Create("axis", 2)
        );
        w.Front.Add("Reshape", [apart, w.Front.Constant(1, 4, 2048, w.Frames)], w.Spectrogram);
        w.Front.Add("Identity", ["audio"], w.Waveform);

        string pairs = w.Back.Add("Reshape", [w.StemSpectrogram, w.Back.Constant(1, w.Stems, 2, 2, 2048, w.Frames)]);
        foreach ((string part, int number) in imaginaryFirst ? [(imaginary, 1), (real, 0)] : new[] { (real, 0), (imaginary, 1) })
        {
            string slice = Slice(w.Back, pairs, 3, number, number + 1);
            w.Back.Add("Reshape", [slice, w.Back.Constant(1, w.Stems, 2, 2048, w.Frames)], "out_" + part);
            w.Output("out_" + part, Float32, 1, w.Stems, 2, 2048, w.Frames);
        }
        w.Back.Add("Identity", [w.StemWaveform], "out_wave");
        w.Output("out_wave", Float32, 1, w.Stems, 2, w.Segment);
        return w.ToBytes();
    }

    /// <summary>The parts of a value side by side, in its input and, where wanted, its output.</summary>
    public static byte[] PartsLast(byte[] split, bool alsoOut)
    {
        Wrapper w = new(split);
        w.Input("audio", Float32, 1, 2, w.Segment);
        w.Input("spec", Float32, 1, 2, 2048, w.Frames, 2);
        w.Front.Add("Identity", ["audio"], w.Waveform);
        string planes = w.Front.Add("Transpose", ["spec"], null, OnnxAttribute.Create("perm", [0, 1, 4, 2, 3]));
        w.Front.Add("Reshape", [planes, w.Front.Constant(1, 4, 2048, w.Frames)], w.Spectrogram);

        if (alsoOut)
        {
            string pairs = w.Back.Add("Reshape", [w.StemSpectrogram, w.Back.Constant(1, w.Stems, 2, 2, 2048, w.Frames)]);
            w.Back.Add("Transpose", [pairs], "out_spec", OnnxAttribute.Create("perm", [0, 1, 2, 4, 5, 3]));
            w.Output("out_spec", Float32, 1, w.Stems, 2, 2048, w.Frames, 2);
        }
        else
        {
            w.Back.Add("Identity", [w.StemSpectrogram], "out_spec");
            w.Output("out_spec", Float32, 1, w.Stems, 4, 2048, w.Frames);
        }
        w.Back.Add("Identity", [w.StemWaveform], "out_wave");
        w.Output("out_wave", Float32, 1, w.Stems, 2, w.Segment);
        return w.ToBytes();
    }

    /// <summary>Waveforms only: the spectrogram and its inverse are nodes of the graph. Needs operator set 17.</summary>
    public static byte[] WaveformOnly(byte[] split)
    {
        const int Frame = 4096,
            Hop = 1024,
            Bins = 2048,
            Edge = 1536;
        Wrapper w = new(split);
        double[] hann = [.. Enumerable.Range(0, Frame).Select(n => 0.5 - 0.5 * Math.Cos(2 * Math.PI * n / Frame))];
        int blocks = w.Frames + 3,
            stereo = 2 * w.Stems;

        w.Input("audio", Float32, 1, 2, w.Segment);
        NodeWriter f = w.Front;
        f.Add("Identity", ["audio"], w.Waveform);
        string padded = f.Add(
            "Pad",
            ["audio", f.Constant(0, 0, Edge, 0, 0, blocks * Hop - Edge - w.Segment)],
            null,
            OnnxAttribute.Create("mode", "reflect")
        );
        string hops = f.Add("Reshape", [padded, f.Constant(2, blocks, Hop)]);
        string frames = f.Add(
            "Concat",
            [.. Enumerable.Range(0, 4).Select(i => Slice(f, hops, 1, i, i + w.Frames))],
            null,
            OnnxAttribute.Create("axis", 2)
        );
        string windowed = f.Add("Mul", [frames, Floats(f, [.. hann.Select(h => (float)(h / 64))], Frame)]);
        string spectrum = f.Add(
            "DFT",
            [f.Add("Reshape", [windowed, f.Constant(2 * w.Frames, Frame, 1)])],
            null,
            OnnxAttribute.Create("axis", 1)
        );
        string bins = f.Add("Reshape", [Slice(f, spectrum, 1, 0, Bins), f.Constant(2, w.Frames, Bins, 2)]);
        string parts = f.Add("Transpose", [bins], null, OnnxAttribute.Create("perm", [0, 3, 2, 1]));
        f.Add("Reshape", [parts, f.Constant(1, 4, Bins, w.Frames)], w.Spectrogram);

        NodeWriter b = w.Back;
        string pairs = b.Add("Reshape", [w.StemSpectrogram, b.Constant(stereo, 2, Bins, w.Frames)]);
        string values = b.Add(
            "Reshape",
            [b.Add("Transpose", [pairs], null, OnnxAttribute.Create("perm", [0, 3, 2, 1])), b.Constant(stereo * w.Frames, Bins, 2)]
        );
        // The real part of the inverse of one half of a spectrum is that of the whole where all but the mean counts twice.
        string doubled = b.Add("Mul", [values, Floats(b, [.. Enumerable.Range(0, Bins).Select(k => k == 0 ? 1f : 2f)], Bins, 1)]);
        string whole = b.Add("Pad", [doubled, b.Constant(0, 0, 0, 0, Frame - Bins, 0)]);
        string signal = b.Add("DFT", [whole], null, OnnxAttribute.Create("axis", 1), OnnxAttribute.Create("inverse", 1));
        string real = b.Add("Reshape", [Slice(b, signal, 2, 0, 1), b.Constant(stereo, w.Frames, Frame)]);
        string weighted = b.Add("Mul", [real, Floats(b, [.. hann.Select(h => (float)(h * 64 / 1.5))], Frame)]);
        string sum = "";
        for (int i = 0; i < 4; i++)
        {
            string part = b.Add("Pad", [Slice(b, weighted, 2, i * Hop, (i + 1) * Hop), b.Constant(0, i, 0, 0, 3 - i, 0)]);
            sum = i == 0 ? part : b.Add("Add", [sum, part]);
        }
        string kept = Slice(b, b.Add("Reshape", [sum, b.Constant(stereo, blocks * Hop)]), 1, Edge, Edge + w.Segment);
        b.Add("Add", [b.Add("Reshape", [kept, b.Constant(1, w.Stems, 2, w.Segment)]), w.StemWaveform], "stems");
        w.Output("stems", Float32, 1, w.Stems, 2, w.Segment);
        return w.ToBytes();
    }

    /// <summary>A model of any contract with inputs, outputs or both of float16.</summary>
    public static byte[] Half(byte[] model, bool inputs = true, bool outputs = true)
    {
        Wrapper w = new(model);
        foreach (OnnxTensorInfo input in w.Inputs)
        {
            string name = input.Name + "_half";
            w.Input(name, inputs ? Float16 : Float32, [.. input.Shape]);
            w.Front.Add("Cast", [name], input.Name, OnnxAttribute.Create("to", Float32));
        }
        foreach (OnnxTensorInfo output in w.Outputs)
        {
            string name = output.Name + "_half";
            int type = outputs ? Float16 : Float32;
            w.Back.Add("Cast", [output.Name], name, OnnxAttribute.Create("to", type));
            w.Output(name, type, [.. output.Shape]);
        }
        return w.ToBytes();
    }

    /// <summary>A model whose waveform comes in as float64.</summary>
    public static byte[] Doubles(byte[] split)
    {
        const int Float64 = (int)OnnxElementType.Float64;
        Wrapper w = new(split);
        w.Input("audio", Float64, 1, 2, w.Segment);
        w.Input("spec", Float32, 1, 4, 2048, w.Frames);
        w.Front.Add("Cast", ["audio"], w.Waveform, OnnxAttribute.Create("to", Float32));
        w.Front.Add("Identity", ["spec"], w.Spectrogram);
        w.Output(w.StemSpectrogram, Float32, 1, w.Stems, 4, 2048, w.Frames);
        w.Output(w.StemWaveform, Float32, 1, w.Stems, 2, w.Segment);
        return w.ToBytes();
    }

    /// <summary>A model with one more output, of what it takes.</summary>
    public static byte[] WithAnotherOutput(byte[] split)
    {
        Wrapper w = new(split);
        w.Input("audio", Float32, 1, 2, w.Segment);
        w.Input("spec", Float32, 1, 4, 2048, w.Frames);
        w.Front.Add("Identity", ["audio"], w.Waveform);
        w.Front.Add("Identity", ["spec"], w.Spectrogram);
        w.Back.Add("Neg", ["audio"], "rest");
        w.Output("rest", Float32, 1, 2, w.Segment);
        w.Output(w.StemSpectrogram, Float32, 1, w.Stems, 4, 2048, w.Frames);
        w.Output(w.StemWaveform, Float32, 1, w.Stems, 2, w.Segment);
        return w.ToBytes();
    }

    private static string Slice(NodeWriter writer, string value, long axis, long start, long end) =>
        writer.Add("Slice", [value, writer.Constant(start), writer.Constant(end), writer.Constant(axis)]);

    private static string Floats(NodeWriter writer, float[] values, params long[] shape)
    {
        byte[] bytes = new byte[values.Length * sizeof(float)];
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i * sizeof(float)), values[i]);
        return writer.Add(
            "Constant",
            [],
            null,
            OnnxAttribute.Create("value", new ProtobufMessage().Integers(1, shape).Integer(2, Float32).Block(9, bytes))
        );
    }

    /// <summary>A model whose inputs and outputs have become values inside.</summary>
    private sealed class Wrapper
    {
        private readonly byte[] _model;
        private readonly List<GraphNode> _inner;
        private readonly List<ProtobufMessage> _inputs = [],
            _outputs = [];

        public Wrapper(byte[] model)
        {
            _model = model;
            GraphModel graph = GraphModel.Parse(model);
            GraphNames names = new(graph);
            _inner = graph.Nodes;
            Front = new NodeWriter(graph.OperatorSet, names, "front");
            Back = new NodeWriter(graph.OperatorSet, names, "back");
            // The runtime knows the shapes that the file leaves open.
            using OnnxSession session = OnnxSession.FromBytes(
                model,
                new OnnxSessionOptions { OptimizationLevel = OnnxOptimizationLevel.None }
            );
            (Inputs, Outputs) = (session.Inputs, session.Outputs);
        }

        public IReadOnlyList<OnnxTensorInfo> Inputs { get; }

        public IReadOnlyList<OnnxTensorInfo> Outputs { get; }

        public NodeWriter Front { get; }

        public NodeWriter Back { get; }

        public string Waveform => Inputs.Single(i => i.Shape.Count == 3).Name;

        public string Spectrogram => Inputs.Single(i => i.Shape.Count == 4).Name;

        public string StemWaveform => Outputs.Single(o => o.Shape.Count == 4).Name;

        public string StemSpectrogram => Outputs.Single(o => o.Shape.Count == 5).Name;

        public int Segment => (int)Inputs.Single(i => i.Shape.Count == 3).Shape[2];

        public int Frames => (int)Inputs.Single(i => i.Shape.Count == 4).Shape[3];

        public int Stems => (int)Outputs[0].Shape[1];

        public void Input(string name, int type, params ReadOnlySpan<long> shape) => _inputs.Add(Declare(name, type, shape));

        public void Output(string name, int type, params ReadOnlySpan<long> shape) => _outputs.Add(Declare(name, type, shape));

        public byte[] ToBytes()
        {
            ProtobufMessage graph = new();
            foreach (GraphNode node in (IEnumerable<GraphNode>)[.. Front.Nodes, .. _inner, .. Back.Nodes])
                graph.Block(1, node.Message.Span);
            foreach (ProtobufMessage input in _inputs)
                graph.Message(11, input);
            foreach (ProtobufMessage output in _outputs)
                graph.Message(12, output);
            List<byte> result = [];
            foreach (WireField field in new WireReader(_model))
            {
                if (field.Number != 7)
                {
                    result.AddRange(field.Raw.Span);
                    continue;
                }
                foreach (WireField part in new WireReader(field.Block))
                {
                    if (part.Number is not (1 or 11 or 12))
                        graph.Block(part.Number, part.Block.Span);
                }
            }
            return [.. result, .. new ProtobufMessage().Message(7, graph).Bytes];
        }

        private static ProtobufMessage Declare(string name, int type, ReadOnlySpan<long> shape)
        {
            ProtobufMessage dimensions = new();
            foreach (long length in shape)
                dimensions.Message(1, length < 0 ? new ProtobufMessage().Text(2, "batch") : new ProtobufMessage().Integer(1, length));
            ProtobufMessage tensor = new ProtobufMessage().Integer(1, type).Message(2, dimensions);
            return new ProtobufMessage().Text(1, name).Message(2, new ProtobufMessage().Message(1, tensor));
        }
    }
}
