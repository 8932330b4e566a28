using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace DemucsPS.Engine.Models.Weights;

/// <summary>
/// Reads and checks the header of a safetensors file: eight bytes with its length, then JSON that says of each tensor type, shape and
/// place.
/// </summary>
/// <remarks>
/// The format: https://github.com/huggingface/safetensors. As there, tensors lie one after another without holes from the header's end to
/// the file's; so no byte belongs to two of them, or to
/// none. Limits are far beyond what HTDemucs has (534 tensors, 55 kB of header), and below what would take memory to no end.
/// </remarks>
internal sealed class SafetensorsHeader
{
    private const int LengthBytes = 8,
        MostHeaderBytes = 4 << 20,
        MostTensors = 20_000,
        MostNameLength = 256,
        MostDimensions = 8,
        MostMetadata = 100;

    private readonly List<WeightTensor> _tensors = [];
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private SafetensorsHeader() { }

    /// <summary>The tensors in ordinal order of their names.</summary>
    public IReadOnlyList<WeightTensor> Tensors => _tensors;

    /// <summary>The file's metadata.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Reads it.</summary>
    /// <param name="file">The file, at its start; it can be sought in.</param>
    /// <exception cref="InvalidDataException">What is wrong, a sentence's end that begins with "it" or "its".</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static SafetensorsHeader Read(Stream file)
    {
        Span<byte> prefix = stackalloc byte[LengthBytes];
        if (file.ReadAtLeast(prefix, LengthBytes, throwOnEndOfStream: false) < LengthBytes)
            throw new InvalidDataException("it is shorter than the eight bytes at the start of every such file");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (length > MostHeaderBytes)
            throw new InvalidDataException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"its first eight bytes declare a header of {length} bytes; the limit is {MostHeaderBytes}. The file is damaged or of another kind"
                )
            );
        long start = LengthBytes + (long)length;
        if (start > file.Length)
            throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture, $"it ends at byte {file.Length}, within its header of {length} bytes")
            );
        byte[] json = new byte[(int)length];
        file.ReadExactly(json);
        SafetensorsHeader header = new();
        try
        {
            using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8 });
            header.Read(document.RootElement, start, file.Length);
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"its header is not valid JSON: {e.Message}", e);
        }
        catch (InvalidOperationException e)
        {
            // Escapes may stand for halves of characters, which only shows when a text is requested.
            throw new InvalidDataException($"a text in its header is not valid Unicode: {e.Message}", e);
        }
        return header;
    }

    private void Read(JsonElement root, long start, long end)
    {
        if (root.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException("its header is not a JSON object");
        HashSet<string> names = new(StringComparer.Ordinal);
        foreach (JsonProperty property in root.EnumerateObject())
        {
            if (property.Name.Length > MostNameLength)
                throw new InvalidDataException(
                    $"it has a tensor whose name is longer than {MostNameLength} characters, '{property.Name[..40]}…'"
                );
            if (!names.Add(property.Name))
                throw new InvalidDataException($"its header has '{property.Name}' twice");
            if (property.Name == "__metadata__")
                ReadMetadata(property.Value);
            else if (_tensors.Count == MostTensors)
                throw new InvalidDataException($"it has more than {MostTensors} tensors");
            else
                _tensors.Add(ReadTensor(property.Name, property.Value, start, end));
        }

        // In the file's order, those of no bytes before the one that begins where they do.
        _tensors.Sort(static (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.Bytes.CompareTo(b.Bytes));
        long next = start;
        WeightTensor? last = null;
        foreach (WeightTensor tensor in _tensors)
        {
            if (tensor.Offset < next)
                throw new InvalidDataException($"its tensors '{last!.Name}' and '{tensor.Name}' overlap");
            if (tensor.Offset > next)
                throw new InvalidDataException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"it has {tensor.Offset - next} bytes before its tensor '{tensor.Name}' that belong to no tensor"
                    )
                );
            next = tensor.Offset + tensor.Bytes;
            last = tensor;
        }
        if (next != end)
            throw new InvalidDataException(
                string.Create(CultureInfo.InvariantCulture, $"it has {end - next} bytes after its last tensor that belong to no tensor")
            );
        _tensors.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
    }

    private void ReadMetadata(JsonElement metadata)
    {
        if (metadata.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException("its '__metadata__' is not a JSON object");
        foreach (JsonProperty entry in metadata.EnumerateObject())
        {
            if (entry.Value.ValueKind != JsonValueKind.String)
                throw new InvalidDataException($"its metadata entry '{Shortened(entry.Name)}' is not a text");
            if (!_metadata.TryAdd(entry.Name, entry.Value.GetString()!))
                throw new InvalidDataException($"its metadata has '{Shortened(entry.Name)}' twice");
            if (_metadata.Count > MostMetadata)
                throw new InvalidDataException($"it has more than {MostMetadata} entries of metadata");
        }
    }

    private static WeightTensor ReadTensor(string name, JsonElement tensor, long start, long end)
    {
        if (tensor.ValueKind != JsonValueKind.Object)
            throw Wrong(name, "is not described by a JSON object");
        (JsonElement? dtype, JsonElement? shape, JsonElement? offsets) = ReadEntries(name, tensor);
        WeightType type = ReadType(name, dtype);
        int[] dimensions = ReadShape(name, shape, out int count);
        (long begin, long stop) = ReadPlace(name, offsets, end - start);
        WeightTensor result = new(name, type, dimensions, count, start + begin);
        return result.Bytes == stop - begin
            ? result
            : throw Wrong(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"has {stop - begin} bytes, but its shape {shape!.Value.GetRawText()} takes {result.Bytes}"
                )
            );
    }

    private static (JsonElement? Type, JsonElement? Shape, JsonElement? Offsets) ReadEntries(string name, JsonElement tensor)
    {
        JsonElement? dtype = null,
            shape = null,
            offsets = null;
        foreach (JsonProperty property in tensor.EnumerateObject())
        {
            ref JsonElement? field = ref dtype;
            if (property.NameEquals("shape"u8))
                field = ref shape;
            else if (property.NameEquals("data_offsets"u8))
                field = ref offsets;
            else if (!property.NameEquals("dtype"u8))
                throw Wrong(name, $"has the unknown entry '{Shortened(property.Name)}'");
            if (field is not null)
                throw Wrong(name, $"has '{property.Name}' twice");
            field = property.Value;
        }
        return (dtype, shape, offsets);
    }

    private static WeightType ReadType(string name, JsonElement? dtype) =>
        (dtype is { ValueKind: JsonValueKind.String } text ? text.GetString() : null) switch
        {
            "F32" => WeightType.Float32,
            "F16" => WeightType.Float16,
            "BF16" => WeightType.BFloat16,
            string other => throw Wrong(name, $"is stored as {Shortened(other)}; F32, F16 and BF16 are supported"),
            null => throw Wrong(name, "has no 'dtype'"),
        };

    private static int[] ReadShape(string name, JsonElement? shape, out int count)
    {
        if (shape is not { ValueKind: JsonValueKind.Array } list || list.GetArrayLength() > MostDimensions)
            throw Wrong(name, $"has no 'shape' of at most {MostDimensions} dimensions");
        int[] dimensions = new int[list.GetArrayLength()];
        long product = 1;
        int at = 0;
        foreach (JsonElement dimension in list.EnumerateArray())
        {
            if (
                dimension.ValueKind != JsonValueKind.Number
                || !dimension.TryGetInt32(out dimensions[at])
                || dimensions[at] < 0
                || (product *= dimensions[at]) > int.MaxValue
            )
                throw Wrong(
                    name,
                    $"has the shape {Shortened(list.GetRawText())}; dimensions are whole numbers of at least 0, and their product is at most {int.MaxValue}"
                );
            at++;
        }
        count = (int)product;
        return dimensions;
    }

    /// <summary>Where a tensor begins and stops, counted from the first one.</summary>
    private static (long Begin, long Stop) ReadPlace(string name, JsonElement? offsets, long bytes)
    {
        long begin = 0,
            stop = 0;
        if (
            offsets is not { ValueKind: JsonValueKind.Array } list
            || list.GetArrayLength() != 2
            || !IsOffset(list[0], out begin)
            || !IsOffset(list[1], out stop)
        )
            throw Wrong(name, "has no 'data_offsets' of two whole numbers");
        if (begin > stop || stop > bytes)
            throw Wrong(
                name,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"is declared at bytes {begin} to {stop}, but the tensors have {bytes} bytes: the file is cut off or damaged"
                )
            );
        return (begin, stop);
    }

    private static bool IsOffset(JsonElement element, out long offset)
    {
        offset = 0;
        return element.ValueKind == JsonValueKind.Number && element.TryGetInt64(out offset) && offset >= 0;
    }

    private static InvalidDataException Wrong(string name, string what) => new($"its tensor '{name}' {what}");

    private static string Shortened(string text) => text.Length <= 60 ? text : text[..60] + "…";
}
