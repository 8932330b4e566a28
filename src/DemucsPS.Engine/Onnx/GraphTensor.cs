using System.Buffers.Binary;
using System.Globalization;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Onnx;

/// <summary>
/// A constant tensor of a graph (TensorProto). Only the values of small ones are looked at; large ones stay views of the file.
/// </summary>
internal sealed class GraphTensor
{
    /// <summary>ONNX's number for float32.</summary>
    public const int Float32 = 1;

    /// <summary>ONNX's number for 64-bit integers.</summary>
    public const int Int64 = 7;

    /// <summary>ONNX's number for float16.</summary>
    public const int Float16 = 10;

    /// <summary>ONNX's number for float64.</summary>
    public const int Float64 = 11;

    /// <summary>Axes, shapes and per-group factors have fewer elements; anything longer is data.</summary>
    private const int MostValues = 256;

    /// <summary>More axes than any operator's tensor has.</summary>
    private const int MostAxes = 64;

    private readonly ReadOnlyMemory<byte> _raw;
    private readonly List<WireField> _typed = [];
    private readonly bool _tooMany;
    private string? _offset,
        _length;

    private GraphTensor(ReadOnlyMemory<byte> message)
    {
        List<long> shape = [];
        foreach (WireField field in new WireReader(message))
        {
            switch (field.Number)
            {
                case 1:
                    Integers(field, shape, MostAxes);
                    break;
                case 2:
                    ElementType = field.Integer;
                    break;
                case 4 when ElementType is Float32 or 0:
                case 7 when ElementType is Int64 or 0:
                    if (_typed.Count < MostValues)
                        _typed.Add(field);
                    else
                        _tooMany = true;
                    break;
                case 8:
                    Name = field.Name;
                    break;
                case 9:
                    _raw = field.Block;
                    break;
                case 13:
                    IsExternal = true;
                    ReadEntry(field.Block);
                    break;
                case 14 when field.Integer != 0:
                    IsExternal = true;
                    break;
            }
        }
        Shape = [.. shape];
    }

    /// <summary>The tensor's name; empty for an attribute's value.</summary>
    public string Name { get; } = "";

    /// <summary>The element type as ONNX numbers it.</summary>
    public long ElementType { get; }

    /// <summary>The dimensions.</summary>
    public long[] Shape { get; }

    /// <summary>Whether the values lie in another file.</summary>
    public bool IsExternal { get; }

    /// <summary>The other file, relative to the model's folder; null if it is not said.</summary>
    public string? ExternalFile { get; private set; }

    /// <summary>The values as they lie in the file, byte by byte; empty if they are written one by one, or lie in another file.</summary>
    public ReadOnlyMemory<byte> Raw => IsExternal ? default : _raw;

    /// <summary>Reads a tensor.</summary>
    /// <exception cref="InvalidDataException">The message is malformed.</exception>
    public static GraphTensor Parse(ReadOnlyMemory<byte> message) => new(message);

    /// <summary>The values of a small tensor of 64-bit integers; null for any other.</summary>
    public long[]? Int64Values()
    {
        if (ElementType != Int64 || Count() is not { } count)
            return null;
        if (!_raw.IsEmpty)
        {
            if (_raw.Length != count * sizeof(long))
                return null;
            long[] values = new long[count];
            for (int i = 0; i < count; i++)
                values[i] = BinaryPrimitives.ReadInt64LittleEndian(_raw.Span[(i * sizeof(long))..]);
            return values;
        }
        List<long> read = [];
        foreach (WireField field in _typed)
            Integers(field, read, MostValues);
        return read.Count == count ? [.. read] : null;
    }

    /// <summary>The values of a small tensor of float32; null for any other.</summary>
    public float[]? FloatValues()
    {
        if (ElementType != Float32 || Count() is not { } count)
            return null;
        return StoredFloats(count);
    }

    /// <summary>
    /// The values of a tensor of float32 of any size, wherever they are stored; null for any other, and where they are not what the tensor
    /// says.
    /// </summary>
    /// <param name="folder">Where other files lie; null to read none.</param>
    /// <exception cref="IOException">The other file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public float[]? AllFloats(string? folder)
    {
        if (ElementType != Float32 || _tooMany || CountOf(sizeof(float)) is not { } count)
            return null;
        if (!IsExternal)
            return StoredFloats(count);
        if (ExternalBytes(folder, count * sizeof(float)) is not { } content)
            return null;
        float[] values = new float[count];
        Copy(content, values);
        return values;
    }

    /// <summary>
    /// As <see cref="AllFloats"/>, and null if the other file is not there: without its weights the model cannot be loaded either, and then
    /// it is said what is missing.
    /// </summary>
    /// <inheritdoc cref="AllFloats"/>
    public float[]? FoundFloats(string? folder)
    {
        try
        {
            return AllFloats(folder);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    /// <summary>
    /// The values of any size as they are stored, byte by byte; null if they are written one by one instead, and where they are not as many
    /// as the tensor says.
    /// </summary>
    /// <param name="elementSize">The bytes of one of them.</param>
    /// <param name="folder">Where other files lie; null to read none.</param>
    /// <exception cref="IOException">The other file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public ReadOnlyMemory<byte>? AllBytes(int elementSize, string? folder)
    {
        if (CountOf(elementSize) is not { } count)
            return null;
        if (IsExternal)
            return ExternalBytes(folder, count * elementSize) is { } content ? content : null;
        return _raw.Length == count * elementSize ? _raw : null;
    }

    /// <summary>How many values there are; null for none and for more than fit into memory.</summary>
    private long? CountOf(int elementSize)
    {
        long count = 1;
        foreach (long length in Shape)
        {
            if (length is < 1 or > int.MaxValue || (count *= length) > Array.MaxLength / elementSize)
                return null;
        }
        return count;
    }

    private byte[]? ExternalBytes(string? folder, long wanted)
    {
        if (
            folder is null
            || ExternalFile is not { } file
            || !WeightsFileName.IsInside(file)
            || !TryNumber(_offset ?? "0", out long offset)
            || !TryNumber(_length ?? FormattableString.Invariant($"{wanted}"), out long bytes)
            || bytes != wanted
        )
            return null;
        using FileStream stream = RegularFile.OpenRead(Path.Combine(folder, file));
        if (offset > stream.Length || bytes > stream.Length - offset)
            return null;
        stream.Position = offset;
        byte[] content = new byte[bytes];
        stream.ReadExactly(content);
        return content;

        static bool TryNumber(string text, out long number) =>
            long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    private float[]? StoredFloats(long count)
    {
        ReadOnlyMemory<byte>[] pieces = _raw.IsEmpty ? [.. _typed.Select(f => f.Payload)] : [_raw];
        if (pieces.Sum(p => (long)p.Length) != count * sizeof(float) || pieces.Any(p => p.Length % sizeof(float) != 0))
            return null;
        float[] values = new float[count];
        int done = 0;
        foreach (ReadOnlyMemory<byte> piece in pieces)
        {
            Copy(piece.Span, values.AsSpan(done));
            done += piece.Length / sizeof(float);
        }
        return values;
    }

    private static void Copy(ReadOnlySpan<byte> from, Span<float> to)
    {
        for (int i = 0; i < from.Length / sizeof(float); i++)
            to[i] = BinaryPrimitives.ReadSingleLittleEndian(from[(i * sizeof(float))..]);
    }

    /// <summary>
    /// Adds the values of a repeated integer field, which may be packed or not, up to <paramref name="most"/>: longer lists are legal, but
    /// nothing that the rewrites ask for.
    /// </summary>
    /// <exception cref="InvalidDataException">The field is malformed.</exception>
    public static void Integers(WireField field, List<long> into, int most)
    {
        if (field.Type == WireField.LengthDelimited)
        {
            for (int position = 0; position < field.Payload.Length;)
                Add((long)WireReader.Varint(field.Payload.Span, ref position));
        }
        else
        {
            Add(field.Integer);
        }

        void Add(long value)
        {
            if (into.Count < most)
                into.Add(value);
        }
    }

    private int? Count()
    {
        if (IsExternal || _tooMany)
            return null;
        long count = 1;
        foreach (long length in Shape)
        {
            if (length is < 0 or > MostValues)
                return null;
            count *= length;
            if (count > MostValues)
                return null;
        }
        return (int)count;
    }

    /// <summary>Reads an entry of external_data (StringStringEntryProto).</summary>
    private void ReadEntry(ReadOnlyMemory<byte> entry)
    {
        string key = "";
        WireField value = default;
        foreach (WireField field in new WireReader(entry))
        {
            if (field.Number == 1)
                key = field.Name;
            else if (field.Number == 2)
                value = field;
        }
        switch (key)
        {
            case "location":
                ExternalFile = value.Number == 0 ? "" : WeightsFileName.Decode(value.Block.Span);
                break;
            case "offset":
                _offset = value.Number == 0 ? "" : value.Name;
                break;
            case "length":
                _length = value.Number == 0 ? "" : value.Name;
                break;
        }
    }
}
