using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Weights;

namespace DemucsPS.Engine.Models;

/// <summary>Where a model comes from: built in, or a file.</summary>
public sealed class ModelSource
{
    private static readonly string[] s_pickles = [".th", ".pt", ".pth", ".ckpt"];

    private ModelSource(string name, string? path)
    {
        Name = name;
        Path = path;
    }

    /// <summary>Name of the built-in model.</summary>
    public const string BaselineName = "baseline";

    /// <summary>The notice in every output of the built-in model.</summary>
    public const string BaselineNotice =
        "The built-in model 'baseline' is classical signal processing, not Demucs. For real separation, install htdemucs: Install-DemucsModel htdemucs, or demucsps models install htdemucs.";

    /// <summary>The model's name: that of an installed or the built-in model, else the file's without its extension.</summary>
    public string Name { get; }

    /// <summary>Full path of the file; null for the built-in model.</summary>
    public string? Path { get; }

    /// <summary>
    /// The length in seconds that a bag gives its models, of which each that is longer is shortened; null for the model's own. For models
    /// in files of weights.
    /// </summary>
    internal double? Segment { get; private init; }

    /// <summary>Whether its file contains weights and no graph, see <see cref="WeightsModel"/>.</summary>
    internal bool IsWeights => Path is not null && ModelFiles.IsWeights(Path);

    /// <summary>What whoever separates with the model is to be told, a sentence; null for nothing.</summary>
    internal string? Notice { get; private init; }

    /// <summary>How a model in a file is run for a test of it, whatever is requested else.</summary>
    internal ModelTrial Trial { get; private init; }

    /// <summary>Whether a file is a model by its name; copies that preparation made are not.</summary>
    /// <param name="path">A path or name.</param>
    public static bool IsModelFile(string path) => ModelFiles.IsModel(path);

    /// <summary>Whether a file describes a bag of models by its name.</summary>
    /// <param name="path">A path or name.</param>
    public static bool IsBagFile(string path) => BagFile.IsBag(path);

    /// <summary>Finds a model by itself, without a library of installed ones; see <see cref="ModelLibrary"/> for those.</summary>
    /// <param name="nameOrPath">The built-in model's name, or the full path of a file or of a folder with one model.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: neither, or a folder with none or
    /// several.</exception>
    public static ModelSource Find(string nameOrPath)
    {
        if (string.Equals(nameOrPath, BaselineName, StringComparison.OrdinalIgnoreCase))
            return new ModelSource(BaselineName, null);
        if (!System.IO.Path.IsPathFullyQualified(nameOrPath))
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"There is no model named '{nameOrPath}'. Use the built-in model '{BaselineName}', or give the path of a .safetensors or .onnx file.",
                nameOrPath
            );
        string path = Directory.Exists(nameOrPath) ? ModelFiles.Single(nameOrPath) : nameOrPath;
        CheckKind(path);
        if (!File.Exists(path))
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The model file '{path}' does not exist. Check the path, or use the built-in model '{BaselineName}'.",
                path
            );
        return new ModelSource(System.IO.Path.GetFileNameWithoutExtension(path), path);
    }

    /// <summary>An installed model, which has its own name whatever its file is called.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="path">Full path of its file.</param>
    /// <param name="notice">What whoever separates with it is to be told; null for nothing.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: the file is gone.</exception>
    internal static ModelSource Installed(string name, string path, string? notice)
    {
        CheckKind(path);
        return File.Exists(path)
            ? new ModelSource(name, path) { Notice = notice }
            : throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The installed model '{name}' is incomplete: the file '{path}' is missing.",
                path
            )
            {
                Remedies = [Remedy.Reinstall],
            };
    }

    /// <summary>The same model, run for a test of it.</summary>
    internal ModelSource For(ModelTrial trial) => new(Name, Path) { Trial = trial, Segment = Segment };

    /// <summary>The same model, shortened to that many seconds if it is longer.</summary>
    internal ModelSource Shortened(double? segment) => new(Name, Path) { Trial = Trial, Segment = segment };

    private static void CheckKind(string path)
    {
        if (RegularFile.InsteadOf(path) is { } other)
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"'{path}' is {other}, not a model file. Give the path of a .safetensors, .onnx or .ort file.",
                path
            );
        if (Array.Exists(s_pickles, end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase)))
        {
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"'{path}' is a PyTorch checkpoint. Checkpoints are not supported, because loading one runs any code in it. Load it with Demucs in Python and save it as safetensors, as described in docs/MODELS.md of DemucsPS under \"Your own htdemucs\". The official models are available as safetensors; install them by name.",
                path
            );
        }
        if (BagFile.IsBag(path))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{path}' describes a bag of models, but a single model is needed. Give the path of a .safetensors, .onnx or .ort file.",
                path
            );
    }
}
