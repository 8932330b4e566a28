using System.Buffers.Binary;
using System.Text;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>Reads what a model in ONNX Runtime's own format takes and gives, which is a FlatBuffers file.</summary>
/// <remarks>
/// The tables and their fields' numbers: https://github.com/microsoft/onnxruntime/blob/main/onnxruntime/core/flatbuffers/schema/ort.fbs.
/// The format: https://flatbuffers.dev/internals/.
/// </remarks>
internal sealed class RuntimeFormatReader
{
    private const int MostItems = 1_000_000,
        MostBytes = 1 << 20;

    private readonly FileStream _file;

    private RuntimeFormatReader(FileStream file) => _file = file;

    /// <summary>Reads a model's signature.</summary>
    /// <exception cref="InvalidDataException">The file is malformed.</exception>
    /// <exception cref="EndOfStreamException">The file is cut short.</exception>
    public static ModelSignature Read(FileStream file)
    {
        RuntimeFormatReader reader = new(file);
        // InferenceSession.model, Model.graph.
        long model = reader.Required(reader.Follow(0), 1),
            graph = reader.Required(model, 7);
        Dictionary<string, OnnxTensorInfo> values = [];
        foreach (long value in reader.Items(graph, 1))
        {
            OnnxTensorInfo info = reader.Value(value);
            values[info.Name] = info;
        }
        HashSet<string> initializers = [.. reader.Items(graph, 0).Select(tensor => reader.Text(tensor, 0))];
        Dictionary<string, string> metadata = [];
        foreach (long entry in reader.Items(model, 9))
            metadata[reader.Text(entry, 0)] = reader.Text(entry, 1);
        return new ModelSignature([.. Named(5).Where(i => !initializers.Contains(i.Name))], Named(6), metadata);

        OnnxTensorInfo[] Named(int field) =>
            [
                .. reader
                    .Items(graph, field)
                    .Select(reader.TextAt)
                    .Select(name =>
                        values.TryGetValue(name, out OnnxTensorInfo? found)
                            ? found
                            : new OnnxTensorInfo(name, OnnxElementType.Undefined, [])
                    ),
            ];
    }

    /// <summary>A ValueInfo: name, type and shape.</summary>
    private OnnxTensorInfo Value(long value)
    {
        string name = Text(value, 0);
        // TypeInfo.value_type is 1 for a tensor; its type is TensorTypeAndShape: elem_type, shape.
        if (Table(value, 2) is not { } type || Field(type, 1) is not { } kind || Read(kind, 1)[0] != 1 || Table(type, 2) is not { } tensor)
            return new OnnxTensorInfo(name, OnnxElementType.Undefined, []);
        OnnxElementType element = Field(tensor, 0) is { } at ? (OnnxElementType)Int32(at) : OnnxElementType.Undefined;
        return new OnnxTensorInfo(name, element, Table(tensor, 1) is { } shape ? [.. Items(shape, 0).Select(Dimension)] : []);
    }

    /// <summary>A Dimension: its value's type is 1 for a number.</summary>
    private long Dimension(long dimension) =>
        Table(dimension, 0) is { } value && Field(value, 0) is { } type && Read(type, 1)[0] == 1
            ? Field(value, 1) is { } number
                ? BinaryPrimitives.ReadInt64LittleEndian(Read(number, 8))
                : 0
            : -1;

    private string Text(long table, int field) => Field(table, field) is { } at ? TextAt(Follow(at)) : "";

    private string TextAt(long at)
    {
        int length = Int32(at);
        return length is >= 0 and <= MostBytes
            ? Encoding.UTF8.GetString(Read(at + 4, length))
            : throw new InvalidDataException($"a text has {length} bytes");
    }

    /// <summary>What a list of tables or texts leads to.</summary>
    private IEnumerable<long> Items(long table, int field)
    {
        if (Field(table, field) is not { } at)
            yield break;
        long list = Follow(at);
        int count = Int32(list);
        if (count is < 0 or > MostItems)
            throw new InvalidDataException($"a list has {count} items");
        for (int i = 0; i < count; i++)
            yield return Follow(list + 4 + 4L * i);
    }

    private long? Table(long table, int field) => Field(table, field) is { } at ? Follow(at) : null;

    private long Required(long table, int field) => Table(table, field) ?? throw new InvalidDataException("it has no graph");

    /// <summary>Where a table has a field; null if it has not.</summary>
    private long? Field(long table, int field)
    {
        long layout = table - Int32(table);
        int entry = 4 + 2 * field;
        if (entry + 2 > BinaryPrimitives.ReadUInt16LittleEndian(Read(layout, 2)))
            return null;
        int offset = BinaryPrimitives.ReadUInt16LittleEndian(Read(layout + entry, 2));
        return offset == 0 ? null : table + offset;
    }

    private long Follow(long at) => at + BinaryPrimitives.ReadUInt32LittleEndian(Read(at, 4));

    private int Int32(long at) => BinaryPrimitives.ReadInt32LittleEndian(Read(at, 4));

    private byte[] Read(long at, int count)
    {
        if (at < 0 || at > _file.Length - count)
            throw new InvalidDataException($"it refers to byte {at}, but has {_file.Length} bytes");
        byte[] bytes = new byte[count];
        _file.Position = at;
        _file.ReadExactly(bytes);
        return bytes;
    }
}
