using System.Text;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>Reads what a model says of itself.</summary>
internal static class SignatureReader
{
    // onnx.proto: ModelProto.graph and metadata_props, GraphProto.initializer, input and output, TensorProto.name.
    private const int Graph = 7,
        Property = 14,
        Initializer = 5,
        Input = 11,
        Output = 12,
        TensorName = 8;

    private const int MostBytes = 1 << 20;

    /// <summary>Reads it from a model's file, without the runtime and without the weights.</summary>
    /// <param name="source">The model.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: it is not a model;
    /// <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.</exception>
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
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{source.Path}' is damaged, incomplete or not an ONNX file: {e.Message}.",
                source.Path,
                e
            );
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"Model '{source.Path}' cannot be read: {e.Message}",
                source.Path,
                e
            );
        }
    }

    private static ModelSignature ReadOnnx(Stream file)
    {
        WireStream wire = new(file);
        List<OnnxTensorInfo> inputs = [],
            outputs = [];
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
                string key = "",
                    value = "";
                foreach (
                    WireField field in new WireReader(
                        wire.Bytes(wire.Number(wire.Length), wire.Length, MostBytes, "an entry of the metadata")
                    )
                )
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
            throw new InvalidDataException("it has no graph");
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
                        (tag.Number == Input ? inputs : outputs).Add(
                            new OnnxTensorInfo(value.Name, (OnnxElementType)value.ElementType, value.Shape ?? [])
                        );
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
