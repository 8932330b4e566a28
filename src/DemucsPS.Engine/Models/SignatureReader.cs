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
                return new OnnxReader(new MemoryStream(BaselineModel.Build())).Read();
            using FileStream file = RegularFile.OpenRead(path);
            return PreparedModel.IsRuntimeFormat(path) ? RuntimeFormatReader.Read(file) : new OnnxReader(file).Read();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{source.Path}' is damaged, incomplete or not an ONNX file: {e.Message}. Copy or download it again.",
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

    /// <summary>Walks through one file.</summary>
    private sealed class OnnxReader(Stream file)
    {
        private readonly WireStream _wire = new(file);
        private readonly List<OnnxTensorInfo> _inputs = [];
        private readonly List<OnnxTensorInfo> _outputs = [];
        private readonly HashSet<string> _initializers = [];
        private readonly Dictionary<string, string> _metadata = [];

        public ModelSignature Read()
        {
            bool hasGraph = false;
            while (_wire.Position < _wire.Length)
            {
                (int Number, int Type) tag = _wire.Tag(_wire.Length);
                switch (tag)
                {
                    case (Graph, 2):
                        hasGraph = true;
                        ReadGraph(_wire.EndOf(_wire.Number(_wire.Length), _wire.Length));
                        break;
                    case (Property, 2):
                        ReadProperty();
                        break;
                    default:
                        _wire.PassOver(tag, _wire.Length);
                        break;
                }
            }
            if (!hasGraph)
                throw new InvalidDataException("it has no graph");
            // In old files constants are inputs as well, which need not be given.
            return new ModelSignature([.. _inputs.Where(i => !_initializers.Contains(i.Name))], _outputs, _metadata);
        }

        private void ReadProperty()
        {
            string key = "",
                value = "";
            byte[] entry = _wire.Bytes(_wire.Number(_wire.Length), _wire.Length, MostBytes, "an entry of the metadata");
            foreach (WireField field in new WireReader(entry))
            {
                if (field.Number == 1)
                    key = Encoding.UTF8.GetString(field.Block.Span);
                else if (field.Number == 2)
                    value = Encoding.UTF8.GetString(field.Block.Span);
            }
            _metadata[key] = value;
        }

        private void ReadGraph(long end)
        {
            while (_wire.Position < end)
            {
                (int Number, int Type) tag = _wire.Tag(end);
                switch (tag)
                {
                    case (Input or Output, 2):
                        GraphValue value = GraphValue.Parse(_wire.Bytes(_wire.Number(end), end, MostBytes, "a declaration"));
                        (tag.Number == Input ? _inputs : _outputs).Add(
                            new OnnxTensorInfo(value.Name, (OnnxElementType)value.ElementType, value.Shape ?? [])
                        );
                        break;
                    case (Initializer, 2):
                        ReadInitializer(_wire.EndOf(_wire.Number(end), end));
                        break;
                    default:
                        _wire.PassOver(tag, end);
                        break;
                }
            }
        }

        private void ReadInitializer(long end)
        {
            while (_wire.Position < end)
            {
                (int Number, int Type) tag = _wire.Tag(end);
                if (tag == (TensorName, 2))
                    _initializers.Add(Encoding.Latin1.GetString(_wire.Bytes(_wire.Number(end), end, MostBytes, "a name")));
                else
                    _wire.PassOver(tag, end);
            }
        }
    }
}
