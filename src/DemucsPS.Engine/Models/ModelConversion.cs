using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;

namespace DemucsPS.Engine.Models;

/// <summary>
/// Converts a model from weights to an ONNX file, with the same graph that separations use. As a model here, it runs without preparation.
/// </summary>
public sealed class ModelConversion
{
    private const string Extension = ".onnx";

    private readonly ModelSource _source;
    private readonly bool _overwrite;

    private ModelConversion(ModelSource source, string destination, bool overwrite)
    {
        _source = source;
        Destination = destination;
        _overwrite = overwrite;
    }

    /// <summary>Full path of the file with the weights.</summary>
    public string SourcePath => _source.Path!;

    /// <summary>Full path of the file that is written.</summary>
    public string Destination { get; }

    /// <summary>Plans conversions. Nothing is written.</summary>
    /// <param name="selection">The models: one, or the models of a bag, each of which becomes a file.</param>
    /// <param name="destination">Full path of the file, or of an existing folder, where it is called as the model. Of several models each
    /// has its name before the end: NAME.MODEL.onnx.</param>
    /// <param name="overwrite">Whether files of that name may be replaced.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: a model is not a file with weights, or the destination is called as no ONNX file;
    /// <see cref="DemucsError.ModelWriteFailed"/>: there is a file of that name.
    /// </exception>
    public static IReadOnlyList<ModelConversion> Plan(ModelSelection selection, string destination, bool overwrite)
    {
        if (selection.Models.FirstOrDefault(m => !m.IsWeights) is { } other)
        {
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"{(other.Path is null ? $"The built-in model '{other.Name}'" : $"'{other.Path}'")} already has a graph. Only weights without a graph can be converted: a .safetensors file or a bag of them.",
                other.Path
            );
        }
        if (Directory.Exists(destination))
            destination = Path.Combine(destination, selection.Name + Extension);
        if (!destination.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) || ModelFiles.IsPrepared(destination))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{destination}' is not a file name for an ONNX model. Give a name that ends in {Extension}, but not in {ModelFiles.PreparedSuffix}, or a folder.",
                destination
            );
        ModelConversion[] conversions =
        [
            .. selection.Models.Select(model => new ModelConversion(
                model,
                selection.Models.Count == 1 ? destination : Path.ChangeExtension(destination, model.Name + Extension),
                overwrite
            )),
        ];
        if (!overwrite && Array.Find(conversions, c => Path.Exists(c.Destination)) is { } taken)
            throw Taken(taken.Destination, null);
        return conversions;
    }

    /// <summary>Writes the file: whole, or not at all.</summary>
    /// <param name="warn">Receives messages for the user; null to go without.</param>
    /// <param name="cancellationToken">Ends the work; nothing is left.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/> or <see cref="DemucsError.DemucsModelNotFound"/>: the weights cannot be used;
    /// <see cref="DemucsError.ModelWriteFailed"/>: the file cannot be written.
    /// </exception>
    public void Run(Action<string>? warn = null, CancellationToken cancellationToken = default)
    {
        string folder = Path.GetDirectoryName(Destination)!,
            temporary = PreparationCache.TemporaryIn(folder);
        try
        {
            Directory.CreateDirectory(folder);
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                CopySeal.Write(stream, sealing => WeightsModel.Write(_source, sealing, warn, cancellationToken), cancellationToken);
                stream.Flush(flushToDisk: true);
            }
            DurableFiles.Rename(temporary, Destination, _overwrite);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw !_overwrite && Path.Exists(Destination)
                ? Taken(Destination, e)
                : new DemucsException(
                    DemucsError.ModelWriteFailed,
                    $"'{Destination}' cannot be written: {e.Message} Check the permissions and the free disk space, or choose another file.",
                    Destination,
                    e
                );
        }
        finally
        {
            PreparationCache.Delete(temporary);
        }
    }

    private static DemucsException Taken(string path, Exception? cause) =>
        new(DemucsError.ModelWriteFailed, $"'{path}' already exists. Choose another file.", path, cause) { Remedies = [Remedy.Replace] };
}
