using System.Text;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The files with an ONNX model's weights. Their names stand in the model, which may come from anywhere, and ONNX Runtime opens whatever they name; so they are looked at before it does.
/// </summary>
/// <remarks>
/// Field numbers: onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Only what names weights is read of a model, wherever in it tensors may be; the weights in it are passed over.
/// </remarks>
internal sealed class ExternalWeights
{
    /// <summary>More than any graph has, in graphs of its nodes, and more than the runtime's own parser takes.</summary>
    private const int MostLevels = 100;

    /// <summary>The largest htdemucs models have some ten thousand.</summary>
    private const int MostFields = 10_000_000;

    private const int MostNameBytes = 4096;

    private readonly Stream _file;
    private readonly SortedSet<string> _names = new(StringComparer.Ordinal);
    private int _fields;

    private ExternalWeights(Stream file) => _file = file;

    private enum Part
    {
        None,
        Model,
        Graph,
        Function,
        Node,
        Attribute,
        SparseTensor,
        Tensor,
        Entry,
    }

    /// <summary>Full paths of the files, each once, whether they exist or not; none for a model in ONNX Runtime's own format.</summary>
    /// <param name="path">Full path of the model.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: it is no ONNX model, or names what is no file in its folder or below; <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.
    /// </exception>
    public static IReadOnlyList<string> Of(string path)
    {
        if (path.EndsWith(".ort", StringComparison.OrdinalIgnoreCase))
            return [];
        IReadOnlyCollection<string> names;
        try
        {
            // Much of a model is passed over, so more would be read in vain with a larger buffer.
            using FileStream file = RegularFile.OpenRead(path);
            names = Names(file);
        }
        catch (InvalidDataException e)
        {
            throw new DemucsException(DemucsError.DemucsModelInvalid, $"Model '{path}' is damaged, incomplete or not an ONNX file: {e.Message}.", path, e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"Model '{path}' cannot be read: {e.Message}", path, e);
        }
        return [.. names.Select(name => Locate(path, name)).Distinct()];
    }

    /// <summary>The names as they stand in a model, whatever they are.</summary>
    /// <param name="model">The model's file, at its start.</param>
    /// <exception cref="InvalidDataException">It is no ONNX model, or a name is no text.</exception>
    internal static IReadOnlyCollection<string> Names(Stream model)
    {
        ExternalWeights weights = new(model);
        weights.Read(Part.Model, model.Length, 0);
        return weights._names;
    }

    /// <summary>Whether a name may be a weights file's: that of a file in the model's folder, or below it.</summary>
    /// <remarks>The runtime takes some names with an asterisk for addresses in its memory, and ends the process where they are none; no exporter writes one.</remarks>
    internal static bool IsInside(string name) => name.Length > 0 && !Path.IsPathRooted(name) && !name.AsSpan().ContainsAny('\0', '*') && !name.Split('/', '\\').Contains("..");

    private static string Locate(string model, string name)
    {
        if (!IsInside(name))
        {
            throw new DemucsException(DemucsError.DemucsModelInvalid,
                $"Model '{model}' has weights in '{name.Replace("\0", "\\0", StringComparison.Ordinal)}', which is no file in its folder, and nothing else is read for a model. Export it again, with its weights in a file beside it.", model);
        }
        string full = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(model)!, name));
        return RegularFile.InsteadOf(full) is not { } other ? full : throw new DemucsException(DemucsError.DemucsModelInvalid,
            $"Model '{model}' has weights in '{full}', which is {other}, not a file. Put the file there that the model was exported with, or export it again.", model);
    }

    /// <summary>The part of a model that a field is; none for what names no weights.</summary>
    private static Part PartOf(Part whole, int field) => (whole, field) switch
    {
        (Part.Model, 7) => Part.Graph,
        (Part.Model, 25) => Part.Function,
        (Part.Graph, 1) => Part.Node,
        (Part.Function, 7) => Part.Node,
        (Part.Function, 11) => Part.Attribute,
        (Part.Graph, 5) => Part.Tensor,
        (Part.Graph, 15) => Part.SparseTensor,
        (Part.Node, 5) => Part.Attribute,
        (Part.Attribute, 5 or 10) => Part.Tensor,
        (Part.Attribute, 6 or 11) => Part.Graph,
        (Part.Attribute, 22 or 23) => Part.SparseTensor,
        (Part.SparseTensor, 1 or 2) => Part.Tensor,
        (Part.Tensor, 13) => Part.Entry,
        _ => Part.None,
    };

    private void Read(Part whole, long end, int level)
    {
        if (level > MostLevels)
            throw new InvalidDataException($"it has graphs in graphs, {MostLevels} levels deep");
        ReadOnlySpan<byte> key = default, value = default;
        while (_file.Position < end)
        {
            if (++_fields > MostFields)
                throw new InvalidDataException($"it has more than {MostFields} parts");
            ulong tag = Number(end);
            if (tag >> 3 is 0 or > 0x1FFFFFFF)
                throw new InvalidDataException($"field number {tag >> 3} at byte {_file.Position}");
            int field = (int)(tag >> 3);
            Part part = PartOf(whole, field);
            switch (tag & 7)
            {
                case 0 when part == Part.None:
                    Number(end);
                    break;
                case 1 when part == Part.None:
                    PassOver(8, end);
                    break;
                case 5 when part == Part.None:
                    PassOver(4, end);
                    break;
                case 2:
                    ulong length = Number(end);
                    if (whole == Part.Entry && field == 1)
                        key = Text(length, end);
                    else if (whole == Part.Entry && field == 2)
                        value = Text(length, end);
                    else if (part == Part.None)
                        PassOver(length, end);
                    else
                        Read(part, _file.Position + Checked(length, end), level + 1);
                    break;
                default:
                    throw new InvalidDataException($"field {field} has wire type {tag & 7} at byte {_file.Position}");
            }
        }
        // The last of them counts, but which tensor's they are is not looked at, nor whether they count at all.
        if (key.SequenceEqual("location"u8))
            _names.Add(Decode(value));
    }

    private ulong Number(long end)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            int next = _file.Position < end ? _file.ReadByte() : -1;
            if (next < 0)
                throw new InvalidDataException("a number is cut short");
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw new InvalidDataException("a number is longer than 64 bits");
    }

    private byte[] Text(ulong length, long end)
    {
        if (length > MostNameBytes)
            throw new InvalidDataException($"a name has {length} bytes");
        byte[] bytes = new byte[Checked(length, end)];
        _file.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>The name of a weights file.</summary>
    /// <exception cref="InvalidDataException">It is no UTF-8, and so no file that .NET could open has that name.</exception>
    internal static string Decode(ReadOnlySpan<byte> text)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(text);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidDataException("the name of a weights file is no UTF-8", e);
        }
    }

    private void PassOver(ulong length, long end) => _file.Position += Checked(length, end);

    private long Checked(ulong length, long end) => length <= (ulong)(end - _file.Position) ? (long)length : throw new InvalidDataException($"a field of {length} bytes where {end - _file.Position} are left");
}
