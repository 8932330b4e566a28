namespace DemucsPS.Engine.Models;

/// <summary>Where a model comes from: built in, or a file.</summary>
public sealed class ModelSource
{
    private ModelSource(string name, string? path)
    {
        Name = name;
        Path = path;
    }

    /// <summary>Name of the built-in model.</summary>
    public const string BaselineName = "baseline";

    /// <summary>What every output says where the built-in model is used.</summary>
    public const string BaselineNotice =
        "The built-in model 'baseline' is classical signal processing, not Demucs. For real separation pass an htdemucs ONNX file as the model.";

    /// <summary>The model's name: the file's without its extension, or that of the built-in model.</summary>
    public string Name { get; }

    /// <summary>Full path of the file; null for the built-in model.</summary>
    public string? Path { get; }

    /// <summary>Finds a model.</summary>
    /// <param name="nameOrPath">A built-in model's name, or the full path of a file.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: neither.</exception>
    public static ModelSource Find(string nameOrPath)
    {
        if (string.Equals(nameOrPath, BaselineName, StringComparison.OrdinalIgnoreCase))
            return new ModelSource(BaselineName, null);
        if (!System.IO.Path.IsPathFullyQualified(nameOrPath))
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"There is no model named '{nameOrPath}'. Built in is '{BaselineName}'; otherwise give the path of an .onnx file.", nameOrPath);
        if (Directory.Exists(nameOrPath))
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"The model path '{nameOrPath}' is a folder. Give the path of an .onnx file.", nameOrPath);
        if (!File.Exists(nameOrPath))
            throw new DemucsException(DemucsError.DemucsModelNotFound, $"There is no model file '{nameOrPath}'. Check the path, or use the built-in model '{BaselineName}'.", nameOrPath);
        return new ModelSource(System.IO.Path.GetFileNameWithoutExtension(nameOrPath), nameOrPath);
    }
}
