using System.Text;
using DemucsPS.Engine.Models.Preparation;

namespace DemucsPS.Engine.Models;

/// <summary>The files beside an ONNX model that hold its weights.</summary>
internal static class ExternalWeights
{
    // onnx.proto: ModelProto.graph, GraphProto.initializer, TensorProto.external_data, StringStringEntryProto.
    private const int Graph = 7, Initializer = 5, ExternalData = 13, Key = 1, Value = 2;

    /// <summary>The files' names as they stand in the model, each once; none for a model in ONNX Runtime's own format.</summary>
    /// <param name="path">Full path of the model.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: it is no ONNX model, or names a file outside its folder.</exception>
    public static IReadOnlyList<string> Of(string path)
    {
        if (path.EndsWith(".ort", StringComparison.OrdinalIgnoreCase))
            return [];
        try
        {
            SortedSet<string> files = new(StringComparer.Ordinal);
            foreach (WireField graph in Fields(File.ReadAllBytes(path), Graph))
            {
                foreach (WireField tensor in Fields(graph.Block, Initializer))
                {
                    foreach (WireField entry in Fields(tensor.Block, ExternalData))
                    {
                        if (Text(entry.Block, Key) == "location")
                            files.Add(Text(entry.Block, Value));
                    }
                }
            }
            return files.FirstOrDefault(f => f != Path.GetFileName(f) || f.Length == 0) is { } outside
                ? throw new DemucsException(DemucsError.DemucsModelInvalid, $"Model '{path}' has weights in '{outside}', which is not a file beside it. It can be used where it is, but not installed.", path)
                : [.. files];
        }
        catch (InvalidDataException e)
        {
            throw new DemucsException(DemucsError.DemucsModelInvalid, $"Model '{path}' is damaged, incomplete or not an ONNX file: {e.Message}.", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"Model '{path}' cannot be read: {e.Message}", path, e);
        }
    }

    private static IEnumerable<WireField> Fields(ReadOnlyMemory<byte> message, int number)
    {
        foreach (WireField field in new WireReader(message))
        {
            if (field.Number == number)
                yield return field;
        }
    }

    private static string Text(ReadOnlyMemory<byte> message, int number) => Fields(message, number).Select(f => Encoding.UTF8.GetString(f.Block.Span)).LastOrDefault("");
}
