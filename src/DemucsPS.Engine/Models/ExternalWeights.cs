using System.Globalization;
using System.Text;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The files with an ONNX model's weights. Their names stand in the model, which may come from anywhere, and ONNX Runtime opens whatever
/// they name; so they are looked at before it does.
/// </summary>
/// <remarks>
/// Field numbers: onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. Only what names weights is read of a model, wherever
/// in it tensors may be; the weights in it are passed over.
/// </remarks>
internal sealed class ExternalWeights
{
    /// <summary>More than any graph has, in graphs of its nodes, and more than the runtime's own parser takes.</summary>
    private const int MostLevels = 100;

    private const int MostNameBytes = 4096;

    private readonly WireStream _file;
    private readonly SortedSet<string> _names = new(StringComparer.Ordinal);

    // How long each file has to be at least, as far as the model says it.
    private readonly Dictionary<string, long> _ends = new(StringComparer.Ordinal);

    private ExternalWeights(WireStream file) => _file = file;

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

    /// <summary>
    /// Full paths of the files, each once, whether they exist or not; none for a model in ONNX Runtime's own format, and for one that is
    /// weights only.
    /// </summary>
    /// <param name="path">Full path of the model.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: it is not an ONNX model, or names what is not a file in its folder or below;
    /// <see cref="DemucsError.DemucsModelNotFound"/>: it cannot be read.
    /// </exception>
    public static IReadOnlyList<string> Read(string path)
    {
        if (!IsOnnx(path))
            return [];
        return [.. Open(path)._names.Select(name => Locate(path, name)).Distinct()];
    }

    /// <summary>What is wrong with the files, by their lengths; null for nothing.</summary>
    /// <param name="path">Full path of the model.</param>
    /// <returns>The end of a sentence that names file, fault and remedy.</returns>
    /// <exception cref="DemucsException">As <see cref="Read(string)"/>.</exception>
    public static string? FaultOf(string path)
    {
        if (!IsOnnx(path))
            return null;
        ExternalWeights weights = Open(path);
        foreach (string name in weights._names)
        {
            string file = Locate(path, name);
            long needed = weights._ends.GetValueOrDefault(name);
            if (RegularFile.Info(file) is not { Exists: true } found)
                return $"its weights are in a second file, '{file}', which is missing. It must be in the same folder, under the name it was exported with.";
            if (found.Length < needed)
                return string.Create(
                    CultureInfo.InvariantCulture,
                    $"its weights are in a second file, '{file}', which has {found.Length} bytes, but needs at least {needed}. Copy or download it again."
                );
        }
        return null;
    }

    // Files in ONNX Runtime's own format have all they need, and so have those that are nothing but weights.
    private static bool IsOnnx(string path) => !path.EndsWith(".ort", StringComparison.OrdinalIgnoreCase) && !ModelFiles.IsWeights(path);

    private static ExternalWeights Open(string path)
    {
        try
        {
            // Much of a model is passed over, so more would be read in vain with a larger buffer.
            using FileStream file = RegularFile.OpenRead(path);
            return Read(file);
        }
        catch (InvalidDataException e)
        {
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{path}' is damaged, incomplete or not an ONNX file: {e.Message}. Copy or download it again.",
                path,
                e
            );
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"Model '{path}' cannot be read: {e.Message}", path, e);
        }
    }

    /// <summary>The names as they stand in a model, whatever they are.</summary>
    /// <param name="model">The model's file, at its start.</param>
    /// <exception cref="InvalidDataException">It is not an ONNX model, or a name is not text.</exception>
    internal static IReadOnlyCollection<string> Names(Stream model) => Read(model)._names;

    private static ExternalWeights Read(Stream model)
    {
        ExternalWeights weights = new(new WireStream(model));
        weights.Read(Part.Model, model.Length, 0, []);
        return weights;
    }

    private static string Locate(string model, string name)
    {
        if (!WeightsFileName.IsInside(name))
        {
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{model}' has weights in '{name.Replace("\0", "\\0", StringComparison.Ordinal)}', which is not a file in its folder. Other files are not read. Export it again, with its weights in a file in the same folder.",
                model
            );
        }
        string full = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(model)!, name));
        return RegularFile.InsteadOf(full) is not { } other
            ? full
            : throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{model}' has weights in '{full}', which is {other}, not a file. Restore the file the model was exported with, or export it again.",
                model
            );
    }

    /// <summary>The part of a model that a field is; none for what names no weights.</summary>
    private static Part PartOf(Part whole, int field) =>
        (whole, field) switch
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

    /// <param name="whole">What is read.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="level">In how many others it is.</param>
    /// <param name="entries">What is said of the weights of the tensor that it is in.</param>
    private void Read(Part whole, long end, int level, Dictionary<string, string> entries)
    {
        if (level > MostLevels)
            throw new InvalidDataException($"its graphs are nested more than {MostLevels} levels deep");
        ReadOnlySpan<byte> key = default,
            value = default;
        Dictionary<string, string> own = whole == Part.Tensor ? [] : entries;
        while (_file.Position < end)
        {
            (int Number, int Type) tag = _file.Tag(end);
            Part part = PartOf(whole, tag.Number);
            bool isText = whole == Part.Entry && tag is (1 or 2, 2);
            if (part == Part.None && !isText)
            {
                _file.PassOver(tag, end);
                continue;
            }
            if (tag.Type != 2)
                throw _file.Unexpected(tag);
            ulong length = _file.Number(end);
            if (!isText)
                Read(part, _file.EndOf(length, end), level + 1, own);
            else if (tag.Number == 1)
                key = _file.Bytes(length, end, MostNameBytes, "a name");
            else
                value = _file.Bytes(length, end, MostNameBytes, "a name");
        }
        // The last of them counts, but which tensor's they are is not looked at, nor whether they count at all.
        if (key.SequenceEqual("location"u8))
            _names.Add(own["location"] = WeightsFileName.Decode(value));
        else if (key.SequenceEqual("offset"u8))
            own["offset"] = Encoding.Latin1.GetString(value);
        else if (key.SequenceEqual("length"u8))
            own["length"] = Encoding.Latin1.GetString(value);
        if (
            whole == Part.Tensor
            && own.TryGetValue("location", out string? file)
            && NumberOf("offset") is { } offset
            && NumberOf("length") is { } bytes
            && offset <= long.MaxValue - bytes
        )
            _ends[file] = Math.Max(_ends.GetValueOrDefault(file), offset + bytes);

        // What is not a number the runtime refuses in its own words.
        long? NumberOf(string entry) =>
            long.TryParse(own.GetValueOrDefault(entry, "0"), NumberStyles.None, CultureInfo.InvariantCulture, out long number)
                ? number
                : null;
    }
}
