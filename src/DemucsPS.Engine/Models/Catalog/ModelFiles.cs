using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Weights;

namespace DemucsPS.Engine.Models.Catalog;

/// <summary>Which files are models, and how one is found in a folder.</summary>
internal static class ModelFiles
{
    /// <summary>How names of copies made by preparation end.</summary>
    public const string PreparedSuffix = ".prepared.onnx";

    /// <summary>How names of copies for <see cref="ModelPrecision.Int8"/> end: as prepared copies, which they are.</summary>
    public const string Int8Suffix = ".int8" + PreparedSuffix;

    /// <summary>How names of notes end that say that a copy was refused, and why.</summary>
    public const string RefusedSuffix = ".refused.txt";

    /// <summary>Whether a file is a model by its name.</summary>
    public static bool IsModel(string path) =>
        (
            path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase)
            || path.EndsWith(".ort", StringComparison.OrdinalIgnoreCase)
            || IsWeights(path)
        ) && !IsPrepared(path);

    /// <summary>Whether a file has an author's weights by its name.</summary>
    public static bool IsWeights(string path) => path.EndsWith(SafetensorsFile.Extension, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a file is a copy made by preparation.</summary>
    public static bool IsPrepared(string path) => path.EndsWith(PreparedSuffix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a file is a copy made by preparation for <see cref="ModelPrecision.Int8"/>.</summary>
    public static bool IsInt8(string path) => path.EndsWith(Int8Suffix, StringComparison.OrdinalIgnoreCase);

    /// <summary>The models of a folder, without its subfolders, in order.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: the folder cannot be read.</exception>
    public static string[] In(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFiles(folder).Where(IsModel).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The model folder '{folder}' cannot be read: {e.Message} Check its permissions.",
                folder,
                e
            );
        }
    }

    /// <summary>The one model of a folder.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: there is none, or there are several, which the
    /// message lists.</exception>
    public static string Single(string folder)
    {
        string[] found = In(folder);
        return found.Length switch
        {
            1 => found[0],
            0 => throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The folder '{folder}' contains no model. Give a folder with one .safetensors, .onnx or .ort file, or the path of the file.",
                folder
            ),
            _ => throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The folder '{folder}' contains several models: {string.Join(", ", found.Select(Path.GetFileName))}. Give the path of one of them.",
                folder
            ),
        };
    }
}
