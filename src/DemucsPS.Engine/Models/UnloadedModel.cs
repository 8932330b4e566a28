using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Models;

/// <summary>A model by what is in its files and, as far as that is known without making it, in its prepared copy.</summary>
internal sealed class UnloadedModel
{
    private readonly ModelIdentity _asItIs;
    private readonly string? _copyName;
    private readonly FileIdentity? _copy;
    private readonly Lazy<bool> _isRewritten;

    private UnloadedModel(ModelIdentity asItIs, string? copyName, FileIdentity? copy, Func<bool> isRewritten)
    {
        _asItIs = asItIs;
        _copyName = copyName;
        _copy = copy;
        _isRewritten = new Lazy<bool>(isRewritten);
    }

    /// <summary>Reads a model's files, and its copy in the cache.</summary>
    /// <param name="source">The model.</param>
    /// <param name="prepare">Whether it would be prepared.</param>
    /// <param name="target">For what.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">A file cannot be read.</exception>
    public static UnloadedModel Read(
        ModelSource source,
        bool prepare,
        GraphTarget target,
        CancellationToken cancellationToken
    )
    {
        if (source.Path is not { } path)
            return new UnloadedModel(ModelIdentity.OfBuiltIn(source.Name), null, null, () => false);
        ModelIdentity asItIs = new(source.Name, false, ModelFileSet.Create(path, null).Identify(cancellationToken));
        if (source.IsWeights)
        {
            string graph = WeightsModel.NameOf(source, target, cancellationToken);
            return new UnloadedModel(asItIs, graph, PreparationCache.Open().Identify(graph, cancellationToken), () => true);
        }
        if (!prepare || PreparedModel.NameFor(path, target, cancellationToken) is not { } name)
            return new UnloadedModel(asItIs, null, null, () => false);
        return new UnloadedModel(asItIs, name, PreparationCache.Open().Identify(name, cancellationToken), () =>
            PreparedModel.Prepare(File.ReadAllBytes(path)) is not null
        );
    }

    /// <summary>The model as it would run, given what it was at another time.</summary>
    /// <param name="then">That; null for nothing.</param>
    public ModelIdentity Given(ModelIdentity? then)
    {
        if (_copyName is null)
            return _asItIs;
        FileIdentity? copy = _copy ?? then?.Files.FirstOrDefault(file => file.Name == _copyName);
        // Where there is nothing to rewrite there is no copy at any time.
        if (copy is null && then is { Prepared: false } && !_isRewritten.Value)
            return _asItIs;
        return new ModelIdentity(
            _asItIs.Name,
            true,
            [_asItIs.Files[0], copy ?? new FileIdentity(_copyName, 0, "not made yet"), .. _asItIs.Files.Skip(1)]
        );
    }
}
