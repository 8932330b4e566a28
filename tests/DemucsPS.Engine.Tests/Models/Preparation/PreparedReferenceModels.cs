using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Models.Preparation;

/// <summary>Prepared reference models, each bag of them loaded once for all cases of a class.</summary>
public sealed class PreparedReferenceModels : IDisposable
{
    private readonly string _models;
    private readonly Dictionary<string, ModelBag> _bags = [];

    /// <summary>The tiny ones.</summary>
    public PreparedReferenceModels()
        : this(RepositoryFiles.Reference("models")) { }

    internal PreparedReferenceModels(string models) => _models = models;

    /// <summary>The models of a case with its weights; owned by this.</summary>
    internal ModelBag Bag(ReferenceCase of)
    {
        string name = of.Weights is null ? string.Join('+', of.Models) : of.Name;
        if (!_bags.TryGetValue(name, out ModelBag? bag))
        {
            _bags[name] = bag = ModelBag.Load(
                [.. of.Models.Select(model => ModelSource.Find(Path.Combine(_models, model)))],
                of.Weights,
                new OnnxSessionOptions(),
                prepare: true,
                warning => Assert.Fail(warning)
            );
            Assert.All(bag.Identify(CancellationToken.None), model => Assert.True(model.Prepared));
        }
        return bag;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ModelBag bag in _bags.Values)
            bag.Dispose();
    }
}
