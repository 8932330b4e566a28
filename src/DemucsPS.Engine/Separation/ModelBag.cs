using System.Globalization;
using System.Security.Cryptography;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// One model, or several whose stems are averaged: y_k = Σ_i w_ik·y_ik / Σ_i w_ik for stem k (<c>BagOfModels</c> of facebookresearch/demucs).
/// Thread-safe once loaded.
/// </summary>
public sealed class ModelBag : IDisposable
{
    private readonly SeparationModel[] _models;
    private readonly float[][] _weights;

    private ModelIdentity[]? _identities;

    private ModelBag(SeparationModel[] models, float[][] weights, OnnxSessionOptions options)
    {
        Options = options;
        _models = models;
        _weights = weights;
        Name = string.Join('+', models.Select(m => m.Name));
    }

    /// <summary>The models' names, joined by +. Names the output folder.</summary>
    public string Name { get; }

    /// <summary>The models.</summary>
    public IReadOnlyList<SeparationModel> Models => _models;

    /// <summary>How they run.</summary>
    internal OnnxSessionOptions Options { get; }

    /// <summary>The contract all of them share.</summary>
    public ModelContract Contract => _models[0].Contract;

    /// <summary>False when a model is the built-in baseline, which is not Demucs.</summary>
    public bool IsDemucs => _models.All(m => m.IsDemucs);

    /// <summary>Loads the models of a bag.</summary>
    /// <param name="sources">At least one.</param>
    /// <param name="weights">One row a model, one weight a stem, none negative; null for equal weights.</param>
    /// <param name="options">How they will run.</param>
    /// <param name="prepare">Whether to run their prepared copies, as in <see cref="SeparationModel.Load"/>.</param>
    /// <param name="warn">Takes a sentence for the user where a copy cannot be kept; null to go without.</param>
    /// <exception cref="DemucsException">
    /// A model cannot be loaded (see <see cref="SeparationModel.Load"/>), the models do not fit together, or (<see cref="DemucsError.ParameterInvalid"/>) the weights do not fit the models.
    /// </exception>
    public static ModelBag Load(IReadOnlyList<ModelSource> sources, IReadOnlyList<IReadOnlyList<double>>? weights, OnnxSessionOptions options, bool prepare = false, Action<string>? warn = null)
    {
        ArgumentOutOfRangeException.ThrowIfZero(sources.Count);
        List<SeparationModel> models = [];
        try
        {
            foreach (ModelSource source in sources)
            {
                models.Add(SeparationModel.Load(source, options, prepare, warn));
                CheckFit(models[0], models[^1]);
            }
            return new ModelBag([.. models], Resolve(models, weights), options);
        }
        catch
        {
            models.ForEach(m => m.Dispose());
            throw;
        }
    }

    /// <summary>The weight of a model in a stem.</summary>
    /// <param name="model">The model's number.</param>
    /// <param name="stem">The stem's number.</param>
    public float Weight(int model, int stem) => _weights[model][stem];

    /// <summary>The models by what is in their files, which are read the first time.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: a file was replaced since its model was loaded.</exception>
    internal IReadOnlyList<ModelIdentity> Identify(CancellationToken cancellationToken) => _identities ??= [.. _models.Select(model =>
    {
        if (model.Files is { } files)
            return new ModelIdentity(model.Name, model.IsPrepared, files.Identify(cancellationToken));
        byte[] bytes = BaselineModel.Build();
        return new ModelIdentity(model.Name, false, [new FileIdentity(model.Name, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)))]);
    })];

    /// <summary>What runs them, in words. Not how many threads: the runtime shares work out so that no sum depends on it.</summary>
    internal string Runtime => $"ONNX Runtime {OnnxRuntimeLibrary.Version}, {Options.ExecutionProvider ?? "CPU"}";

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (SeparationModel model in _models)
            model.Dispose();
    }

    private static void CheckFit(SeparationModel first, SeparationModel other)
    {
        string? difference =
            first.Contract.SegmentFrames != other.Contract.SegmentFrames ? $"their segments are {first.Contract.SegmentFrames} and {other.Contract.SegmentFrames} frames long"
            : !first.Contract.Stems.SequenceEqual(other.Contract.Stems, StringComparer.OrdinalIgnoreCase) ? $"their stems are {string.Join(", ", first.Contract.Stems)} and {string.Join(", ", other.Contract.Stems)}"
            : first.Contract.NormalisesMix != other.Contract.NormalisesMix ? "only one of them takes a normalised mix"
            : null;
        if (difference is not null)
            throw new DemucsException(DemucsError.DemucsModelInvalid, $"Models '{first.Name}' and '{other.Name}' cannot be in one bag: {difference}.", other.Path);
    }

    private static float[][] Resolve(List<SeparationModel> models, IReadOnlyList<IReadOnlyList<double>>? weights)
    {
        int stems = models[0].Contract.Stems.Count;
        if (weights is null)
            return [.. models.Select(_ => Enumerable.Repeat(1f, stems).ToArray())];
        if (weights.Count != models.Count)
            throw Wrong($"There are {models.Count} models and {weights.Count} rows of weights; give one row for each model.");
        foreach (IReadOnlyList<double> row in weights)
        {
            if (row.Count != stems)
                throw Wrong($"A row of weights has {row.Count} numbers; the models have {stems} stems ({string.Join(", ", models[0].Contract.Stems)}), so a row needs {stems}.");
            foreach (double weight in row)
            {
                if (!(weight >= 0 && double.IsFinite(weight)))
                    throw Wrong($"The weight {weight.ToString(CultureInfo.InvariantCulture)} is not usable; weights are numbers of at least 0.");
            }
        }
        for (int stem = 0; stem < stems; stem++)
        {
            if (weights.All(row => row[stem] == 0))
                throw Wrong($"No model has a weight above 0 for the stem '{models[0].Contract.Stems[stem]}'.");
        }
        return [.. weights.Select(row => row.Select(w => (float)w).ToArray())];

        static DemucsException Wrong(string message) => new(DemucsError.ParameterInvalid, message);
    }
}
