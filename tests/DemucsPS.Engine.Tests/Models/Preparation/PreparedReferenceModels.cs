using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Reference models, each prepared and each bag of them loaded once for all cases of a class.</summary>
public sealed class PreparedReferenceModels : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _models;
    private readonly Dictionary<string, string> _prepared = [];
    private readonly Dictionary<string, ModelBag> _bags = [];

    /// <summary>The tiny ones.</summary>
    public PreparedReferenceModels()
        : this(RepositoryFiles.Reference("models"))
    {
    }

    internal PreparedReferenceModels(string models) => _models = models;

    /// <summary>Copies lie beside their model and leave the original's folder alone; the data file is linked, since it is large.</summary>
    internal static string Place(string model, string modelFolder, TemporaryFolder temporary)
    {
        string source = Path.Combine(modelFolder, model), copy = Path.Combine(temporary.Path, model);
        File.Copy(source, copy);
        if (File.Exists(source + ".data"))
            File.CreateSymbolicLink(copy + ".data", source + ".data");
        return copy;
    }

    /// <summary>The models of a case with its weights; owned by this.</summary>
    internal ModelBag Bag(ReferenceCase of)
    {
        string name = of.Weights is null ? string.Join('+', of.Models) : of.Name;
        if (!_bags.TryGetValue(name, out ModelBag? bag))
            _bags[name] = bag = ModelBag.Load([.. of.Models.Select(model => ModelSource.Find(Prepared(model)))], of.Weights, new OnnxSessionOptions());
        return bag;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ModelBag bag in _bags.Values)
            bag.Dispose();
        _folder.Dispose();
    }

    private string Prepared(string model)
    {
        if (!_prepared.TryGetValue(model, out string? prepared))
        {
            string copy = Place(model, _models, _folder);
            _prepared[model] = prepared = PreparedModel.Prepare(copy, null, warning => Assert.Fail(warning), CancellationToken.None);
            Assert.NotEqual(copy, prepared);
        }
        return prepared;
    }
}
