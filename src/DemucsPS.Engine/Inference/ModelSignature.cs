using System.Text;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.HTDemucs;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Spectral;

namespace DemucsPS.Engine.Inference;

/// <summary>What a model says of itself: what it takes and gives, and its metadata.</summary>
/// <param name="Inputs">The inputs, in order.</param>
/// <param name="Outputs">The outputs, in order.</param>
/// <param name="Metadata">The custom metadata.</param>
internal sealed record ModelSignature(IReadOnlyList<OnnxTensorInfo> Inputs, IReadOnlyList<OnnxTensorInfo> Outputs, IReadOnlyDictionary<string, string> Metadata)
{
    // onnx.proto: ModelProto.graph and metadata_props, GraphProto.initializer, input and output, TensorProto.name.
    private const int Graph = 7, Property = 14, Initializer = 5, Input = 11, Output = 12, TensorName = 8;

    private const int MostBytes = 1 << 20;

    /// <summary>Whether it leaves open more than the number of segments at once: then the runtime may know more, by what the model computes.</summary>
    public bool IsOpen => Inputs.Concat(Outputs).Any(t => t.Shape.Skip(1).Any(d => d < 0) || t.Shape.Count == 0);

    /// <summary>
    /// The same with what exporters leave open of the outputs (PyTorch's often do not know the number of channels) as it must be if the model fits a contract. Whether it does, loading it tells.
    /// </summary>
    public ModelSignature Completed()
    {
        if (Inputs.FirstOrDefault(i => i.Shape is [_, 2, > 0]) is not { } mix || mix.Shape[2] > int.MaxValue)
            return this;
        long segment = mix.Shape[2], frames = SegmentSpectrogram.FrameCount((int)segment);
        long stems = Outputs.Where(o => o.Shape.Count > 3).Select(o => o.Shape[1]).FirstOrDefault(s => s > 0, -1);
        int parts = Outputs.Count(o => o.Shape.Count == 5) == 2 ? 2 : SegmentSpectrogram.Planes;
        return this with
        {
            Outputs = [.. Outputs.Select(output => output.Shape.Count switch
            {
                4 => Fill(output, 2, segment),
                5 => Fill(output, parts, SegmentSpectrogram.Bins, frames),
                6 => Fill(output, 2, SegmentSpectrogram.Bins, frames, 2),
                _ => output,
            })],
        };

        OnnxTensorInfo Fill(OnnxTensorInfo output, params long[] rest) =>
            output with { Shape = [.. output.Shape.Zip([mix.Shape[0], stems, .. rest], (declared, expected) => declared < 0 ? expected : declared)] };
    }

    /// <summary>Reads it from a model's file, without the runtime and without the weights.</summary>
    /// <param name="source">The model.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: it is no model; <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.</exception>
    public static ModelSignature Read(ModelSource source)
    {
        try
        {
            if (source.IsWeights)
                return WeightsModel.Declare(source);
            if (source.Path is not { } path)
                return ReadOnnx(new MemoryStream(BaselineModel.Build()));
            using FileStream file = RegularFile.OpenRead(path);
            return PreparedModel.IsRuntimeFormat(path) ? RuntimeFormatReader.Read(file) : ReadOnnx(file);
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new DemucsException(DemucsError.DemucsModelInvalid, $"Model '{source.Path}' is damaged, incomplete or not an ONNX file: {e.Message}.", source.Path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"Model '{source.Path}' cannot be read: {e.Message}", source.Path, e);
        }
    }

    private static ModelSignature ReadOnnx(Stream file)
    {
        WireStream wire = new(file);
        List<OnnxTensorInfo> inputs = [], outputs = [];
        HashSet<string> initializers = [];
        Dictionary<string, string> metadata = [];
        bool hasGraph = false;
        while (wire.Position < wire.Length)
        {
            (int Number, int Type) tag = wire.Tag(wire.Length);
            if (tag == (Graph, 2))
            {
                hasGraph = true;
                ReadGraph(wire.EndOf(wire.Number(wire.Length), wire.Length));
            }
            else if (tag == (Property, 2))
            {
                string key = "", value = "";
                foreach (WireField field in new WireReader(wire.Bytes(wire.Number(wire.Length), wire.Length, MostBytes, "an entry of the metadata")))
                {
                    if (field.Number == 1)
                        key = Encoding.UTF8.GetString(field.Block.Span);
                    else if (field.Number == 2)
                        value = Encoding.UTF8.GetString(field.Block.Span);
                }
                metadata[key] = value;
            }
            else
            {
                wire.PassOver(tag, wire.Length);
            }
        }
        if (!hasGraph)
            throw new InvalidDataException("there is no graph in it");
        // In old files constants are inputs as well, which need not be given.
        return new ModelSignature([.. inputs.Where(i => !initializers.Contains(i.Name))], outputs, metadata);

        void ReadGraph(long end)
        {
            while (wire.Position < end)
            {
                (int Number, int Type) tag = wire.Tag(end);
                switch (tag)
                {
                    case (Input or Output, 2):
                        GraphValue value = GraphValue.Parse(wire.Bytes(wire.Number(end), end, MostBytes, "a declaration"));
                        (tag.Number == Input ? inputs : outputs).Add(new OnnxTensorInfo(value.Name, (OnnxElementType)value.ElementType, value.Shape ?? []));
                        break;
                    case (Initializer, 2):
                        ReadInitializer(wire.EndOf(wire.Number(end), end));
                        break;
                    default:
                        wire.PassOver(tag, end);
                        break;
                }
            }
        }

        void ReadInitializer(long end)
        {
            while (wire.Position < end)
            {
                (int Number, int Type) tag = wire.Tag(end);
                if (tag == (TensorName, 2))
                    initializers.Add(Encoding.Latin1.GetString(wire.Bytes(wire.Number(end), end, MostBytes, "a name")));
                else
                    wire.PassOver(tag, end);
            }
        }
    }
}
