using System.Globalization;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Machine;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// One model, or several whose stems are averaged: y_k = Σ_i w_ik·y_ik / Σ_i w_ik for stem k (<c>BagOfModels</c> of
/// facebookresearch/demucs).
/// Thread-safe.
/// </summary>
/// <remarks>
/// Models without weight in the stems that are wanted are not loaded. The others are loaded together if the memory is there; else in turn,
/// one at a time. Then
/// several chunks are under way at once, and all of them pass one model before the next is loaded, so that loading is paid once for all of
/// them. Every chunk
/// still meets the models in their order, so the result is the same bit for bit.
/// </remarks>
public sealed class ModelBag : IDisposable
{
    // The rest is for the program's own buffers, the files' caches and other programs.
    private const double MemoryShare = 0.7;

    private const int MostBatchesInTurn = 16;

    private readonly Lock _gate = new();
    private readonly ModelSelection _selection;
    private readonly OnnxSessionOptions _options;
    private readonly bool _prepare;
    private readonly Action<string>? _warn;
    private readonly Action<string>? _tell;
    private readonly int _jobs;
    private readonly long? _memory;
    private readonly ModelSource[] _sources;
    private readonly ModelContract?[] _declared;
    private readonly float[][] _weights;
    private readonly int[] _needed;
    private readonly SeparationModel?[] _models;
    private volatile LoadedModels? _loaded;
    private ModelIdentity[]? _identities;
    private UnloadedModel[]? _foreseen;
    private bool _warned;
    private int _loads;
    private int _runs;
    private int _ownThreadRuns;

    private ModelBag(
        ModelSelection selection,
        IReadOnlyCollection<string>? stems,
        OnnxSessionOptions options,
        bool prepare,
        Action<string>? warn,
        int jobs,
        long? memory,
        Action<string>? tell
    )
    {
        ArgumentOutOfRangeException.ThrowIfZero(selection.Models.Count);
        _selection = selection;
        ModelSelection.CheckBatchSize(selection.BatchSize);
        _options = options with { Precision = selection.Precision, BatchSize = selection.BatchSize };
        _prepare = prepare;
        _warn = warn;
        _tell = tell;
        _jobs = Math.Max(1, jobs);
        _memory = memory;
        _sources = [.. selection.Models];
        _declared = new ModelContract?[_sources.Length];
        _models = new SeparationModel?[_sources.Length];
        // Without given names, the first model must name the stems.
        IReadOnlyList<string> names = (selection.StemNames is null ? selection.Stems : null) ?? Declared(0).Stems;
        _weights = Resolve(_sources.Length, names, selection.Weights);
        _needed = Needed(names, stems);
        int first = _needed[0];
        Contract = Declared(first);
        if (!names.SequenceEqual(Contract.Stems, StringComparer.OrdinalIgnoreCase))
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{_sources[first].Path}' has the stems {string.Join(", ", Contract.Stems)}, but {string.Join(", ", names)} were expected.",
                _sources[first].Path
            );
        ShowsBranches = true;
        foreach (int model in _needed)
        {
            SeparationModel.CheckOptions(_sources[model], _options, prepare);
            if (prepare && _sources[model] is { Path: { } path, Trial: ModelTrial.None, IsWeights: false })
                PreparedModel.CheckRefusal(path, PreparationCache.Open());
            ModelContract declared = Declared(model);
            CheckFit(_sources[model], declared);
            NeedsSpectrograms |= declared.HasSpectrograms;
            ShowsBranches &= declared.HasSpectrograms;
            if (_sources[model].Notice is { } notice)
                warn?.Invoke(notice);
        }
    }

    /// <summary>The bag's name, or the models' names, joined by +. Names the output folder.</summary>
    public string Name => _selection.Name;

    /// <summary>The models, loaded or not.</summary>
    public IReadOnlyList<ModelSource> Sources => _sources;

    /// <summary>
    /// The contract of the first that is needed; the others have the same stems, segment and normalization, but may take and give them in
    /// another form.
    /// </summary>
    public ModelContract Contract { get; }

    /// <summary>Whether any of the needed models takes or gives spectrograms.</summary>
    public bool NeedsSpectrograms { get; }

    /// <summary>Whether what each branch does can be seen in all needed models; see <see cref="ModelContract.HasSpectrograms"/>.</summary>
    public bool ShowsBranches { get; }

    /// <summary>False when a model is the built-in baseline, which is not Demucs.</summary>
    public bool IsDemucs => _sources.All(m => m.Path is not null);

    /// <summary>What the models are expected to take of memory, and whether they are loaded together, as text.</summary>
    /// <exception cref="InvalidOperationException">They are not loaded.</exception>
    public string MemoryUse => Loaded.MemoryUse;

    /// <summary>Models loaded so far, those that were loaded again included.</summary>
    internal int LoadCount => _loads;

    /// <summary>Whether a prepared copy of any model runs.</summary>
    internal bool IsPrepared => Loaded.Contents.Any(content => content.IsPrepared);

    /// <summary>Runs of models so far.</summary>
    internal int RunCount => _runs;

    /// <summary>How many of them kept to their own thread.</summary>
    internal int OwnThreadRunCount => _ownThreadRuns;

    /// <summary>What runs the models.</summary>
    /// <exception cref="InvalidOperationException">They are not loaded.</exception>
    public ExecutionProvider ExecutionProvider => Loaded.ExecutionProvider;

    /// <summary>Whether the models are loaded.</summary>
    public bool IsLoaded => _loaded is not null;

    /// <summary>The precision in which the models are computed.</summary>
    public ModelPrecision Precision => _selection.Precision;

    /// <summary>Chunks that the models compute at once.</summary>
    public int BatchSize => _selection.BatchSize;

    /// <summary>Loads the models of a bag.</summary>
    /// <param name="sources">At least one.</param>
    /// <param name="weights">One row a model, one weight a stem, none negative; null for equal weights.</param>
    /// <param name="options">How they will run.</param>
    /// <param name="prepare">Whether to run their prepared copies, as in <see cref="SeparationModel.Load"/>.</param>
    /// <param name="warn">Receives a message for the user where a copy cannot be kept, or was damaged; null to go without.</param>
    /// <param name="stemNames">Names for the stems of each model, as in <see cref="SeparationModel.Load"/>.</param>
    /// <param name="tell">Receives verbose messages, as in <see cref="SeparationModel.Load"/>.</param>
    /// <param name="precision">The precision in which they are computed, as in <see cref="SeparationModel.Load"/>.</param>
    /// <param name="cancellationToken">Ends the preparation and the loading.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// A model cannot be loaded (see <see cref="SeparationModel.Load"/>), the models do not fit together, or
    /// (<see cref="DemucsError.ParameterInvalid"/>) the weights do not fit the models.
    /// </exception>
    public static ModelBag Load(
        IReadOnlyList<ModelSource> sources,
        IReadOnlyList<IReadOnlyList<double>>? weights,
        OnnxSessionOptions options,
        bool prepare = false,
        Action<string>? warn = null,
        IReadOnlyList<string>? stemNames = null,
        Action<string>? tell = null,
        ModelPrecision precision = ModelPrecision.Full,
        CancellationToken cancellationToken = default
    ) =>
        Load(
            new ModelSelection
            {
                Models = sources,
                Weights = weights,
                StemNames = stemNames,
                Precision = precision,
            },
            null,
            options,
            prepare,
            warn,
            tell: tell,
            cancellationToken: cancellationToken
        );

    /// <summary>Loads the models of a bag that are needed: <see cref="Open"/> and <see cref="Load(CancellationToken)"/>.</summary>
    /// <param name="selection">The models and their weights.</param>
    /// <param name="stems">Names of the stems that will be wanted, in any case; null or empty for all. Models without weight in them are
    /// not loaded.</param>
    /// <param name="options">How they will run.</param>
    /// <param name="prepare">Whether to run their prepared copies, as in <see cref="SeparationModel.Load"/>.</param>
    /// <param name="warn">Receives a message for the user where a copy cannot be kept, or was damaged; called on this thread; null to go
    /// without.</param>
    /// <param name="jobs">Chunks that will be separated at once, at least 1.</param>
    /// <param name="tell">Receives verbose messages, as in <see cref="SeparationModel.Load"/>; called on this thread.</param>
    /// <param name="cancellationToken">Ends the preparation and the loading.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As above.</exception>
    public static ModelBag Load(
        ModelSelection selection,
        IReadOnlyCollection<string>? stems,
        OnnxSessionOptions options,
        bool prepare = false,
        Action<string>? warn = null,
        int jobs = 1,
        Action<string>? tell = null,
        CancellationToken cancellationToken = default
    ) => Load(selection, stems, options, prepare, warn, jobs, null, tell, cancellationToken);

    /// <summary>As above, with the bytes of memory that models may take; null for a share of what the process may have.</summary>
    internal static ModelBag Load(
        ModelSelection selection,
        IReadOnlyCollection<string>? stems,
        OnnxSessionOptions options,
        bool prepare,
        Action<string>? warn,
        int jobs,
        long? memory,
        Action<string>? tell = null,
        CancellationToken cancellationToken = default
    )
    {
        ModelBag bag = new(selection, stems, options, prepare, warn, jobs, memory, tell);
        bag.Load(cancellationToken);
        return bag;
    }

    /// <summary>
    /// A bag whose models are not loaded yet: their files are read for what they take and give, and nothing is written, computed or held
    /// open. That will do to plan. Of a model that does not even
    /// declare how many stems it gives, the runtime is asked, in memory.
    /// </summary>
    /// <param name="selection">The models and their weights.</param>
    /// <param name="stems">Names of the stems that will be wanted, in any case; null or empty for all. Models without weight in them will
    /// not be loaded.</param>
    /// <param name="options">How they will run.</param>
    /// <param name="prepare">Whether to run their prepared copies, as in <see cref="SeparationModel.Load"/>.</param>
    /// <param name="warn">Receives a message for the user where a copy cannot be kept, or was damaged; called on the thread that loads
    /// them; null to go without.</param>
    /// <param name="jobs">Chunks that will be separated at once, at least 1.</param>
    /// <param name="tell">Receives verbose messages, as in <see cref="SeparationModel.Load"/>; called on the thread that loads
    /// them.</param>
    /// <exception cref="DemucsException">
    /// A model is not there, is not a model or fits no contract, the models do not fit together, or
    /// (<see cref="DemucsError.ParameterInvalid"/>) the weights or the precision do not fit the models.
    /// </exception>
    public static ModelBag Open(
        ModelSelection selection,
        IReadOnlyCollection<string>? stems,
        OnnxSessionOptions options,
        bool prepare = false,
        Action<string>? warn = null,
        int jobs = 1,
        Action<string>? tell = null
    ) => new(selection, stems, options, prepare, warn, jobs, null, tell);

    /// <summary>
    /// Loads the models, if they are not loaded: prepares them, and what does not fit is found out before anything is separated.
    /// </summary>
    /// <param name="cancellationToken">Ends it; it can be started over.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">A model cannot be loaded, see <see cref="SeparationModel.Load"/>, or the models do not fit
    /// together.</exception>
    public void Load(CancellationToken cancellationToken)
    {
        if (IsLoaded)
            return;
        lock (_gate)
        {
            if (IsLoaded)
                return;
            try
            {
                _loaded = LoadNeeded(cancellationToken);
            }
            catch
            {
                Close();
                throw;
            }
        }
    }

    /// <summary>
    /// Finds out by reading, and by a model of one node, what would keep the models from being loaded: weights that are missing or cut off,
    /// an execution provider that is unavailable. For plans.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>,
    /// <see cref="DemucsError.ExecutionProviderUnavailable"/> or <see cref="DemucsError.OnnxRuntimeUnavailable"/>.</exception>
    public void Check()
    {
        ExecutionProviderChoice.Check(_options);
        foreach (string path in _needed.Select(model => _sources[model].Path).OfType<string>())
        {
            if (ExternalWeights.FaultOf(path) is { } fault)
                throw new DemucsException(DemucsError.DemucsModelInvalid, $"Model '{path}' cannot be loaded: {fault}", path);
        }
    }

    /// <summary>The weight of a model in a stem.</summary>
    /// <param name="model">The model's number.</param>
    /// <param name="stem">The stem's number.</param>
    public float Weight(int model, int stem) => _weights[model][stem];

    /// <summary>Batches of chunks that should be under way at once for so many jobs: more where models are loaded in turn.</summary>
    internal int BatchesAtOnce(int jobs) => Math.Max(jobs, Loaded.BatchesInTurn);

    /// <summary>
    /// Gives a model to run; where models are loaded in turn, waits for it and loads it. To be disposed when its outputs are read.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">The model cannot be loaded again.</exception>
    internal Use Take(int model, CancellationToken cancellationToken) =>
        new(
            this,
            Loaded.Rotation is { } rotation
                ? rotation.Take(model, cancellationToken)
                : _models[model]
                    ?? throw new InvalidOperationException(
                        $"The model '{_sources[model].Name}' was not loaded, since its stems were not wanted."
                    )
        );

    /// <summary>The needed models by what is in their files.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: a file was replaced since its model was
    /// loaded.</exception>
    internal IReadOnlyList<ModelIdentity> Identify(CancellationToken cancellationToken) =>
        _identities ??= [
            .. Loaded.Contents.Select(content =>
                content.Files is { } files
                    ? new ModelIdentity(content.Name, content.IsPrepared, files.Identify(cancellationToken))
                    : ModelIdentity.OfBuiltIn(content.Name)
            ),
        ];

    /// <summary>
    /// The needed models by what is in their files, whether they are loaded or not; nothing is written. Prepared copies that are not there
    /// are what they were if they have the same name.
    /// </summary>
    /// <param name="then">The models as they were at another time.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    internal IReadOnlyList<ModelIdentity> Foresee(IReadOnlyList<ModelIdentity> then, CancellationToken cancellationToken)
    {
        if (IsLoaded)
            return Identify(cancellationToken);
        if (_foreseen is null)
        {
            GraphTarget target = SeparationModel.TargetOf(ExecutionProviderChoice.Resolve(_options, null));
            _foreseen = [.. _needed.Select(model => UnloadedModel.Read(_sources[model], _prepare, target, cancellationToken))];
        }
        return [.. _foreseen.Select((model, i) => model.Given(then.ElementAtOrDefault(i)))];
    }

    /// <summary>What runs them, as text, with the threads: how the runtime divides its sums depends on their number.</summary>
    internal string Runtime => Loaded.Runtime;

    private LoadedModels Loaded => _loaded ?? throw new InvalidOperationException("The models are not loaded.");

    /// <inheritdoc/>
    public void Dispose()
    {
        _loaded?.Rotation?.Dispose();
        Close();
    }

    private LoadedModels LoadNeeded(CancellationToken cancellationToken)
    {
        // Once for all of them, so that they run on the same.
        OnnxSessionOptions options = ExecutionProviderChoice.Resolve(_options, _tell);
        int threads = options.IntraOpThreads > 0 ? options.IntraOpThreads : MachineLimits.Processors;
        bool threadEach = options.ExecutionProvider == ExecutionProvider.Cpu && new JobPlan(_jobs, threads).IsThreadEach;
        ModelMemory[] Sizes(bool twice) =>
            [.. _needed.Select(i => ModelMemory.Estimate(_sources[i], Contract, _jobs * BatchSize, twice))];
        ModelMemory[] sizes = Sizes(threadEach);
        long budget = _memory ?? (long)(MachineLimits.Memory * MemoryShare),
            batch = BatchSize * ModelMemory.ChunkBytes(Contract);
        bool inTurn = _needed.Length > 1 && sizes.Sum(s => s.Bytes) + _jobs * batch > budget;
        if (inTurn)
            sizes = Sizes(twice: false);
        List<(string, bool, ModelFileSet?)> contents = LoadEach(options, inTurn, threadEach, cancellationToken);
        return new LoadedModels(
            options.ExecutionProvider,
            FormattableString.Invariant(
                $"ONNX Runtime {OnnxRuntimeLibrary.Version}, {ExecutionProviderChoice.Describe(options)}, {threads} thread{(threads == 1 ? "" : "s")}{(BatchSize == 1 ? "" : $", batches of {BatchSize}")}"
            ),
            ModelMemory.Describe(sizes, inTurn, budget),
            contents,
            inTurn ? Rotate(options) : null,
            inTurn ? (int)Math.Clamp((budget - sizes.Max(s => s.Bytes)) / batch, 1, MostBatchesInTurn) : 0
        );
    }

    /// <summary>
    /// Loads each needed model once, also where it cannot stay, so that what does not fit is found out before anything is separated.
    /// </summary>
    private List<(string, bool, ModelFileSet?)> LoadEach(
        OnnxSessionOptions options,
        bool inTurn,
        bool threadEach,
        CancellationToken cancellationToken
    )
    {
        List<(string, bool, ModelFileSet?)> contents = [];
        foreach (int model in _needed)
        {
            if (options is { ExecutionProvider: not ExecutionProvider.Cpu, SkipProviderCheck: false })
                ProviderCheck.Run(_sources[model], options, _prepare, _selection.StemNames, _tell, cancellationToken);
            SeparationModel loaded = _models[model] = LoadOne(
                model,
                new ModelLoading
                {
                    Options = options,
                    Identify = true,
                    Warn = WarnOfCache,
                    WarnOfDamage = _warn,
                    Tell = _tell,
                },
                cancellationToken
            );
            CheckFit(_sources[model], loaded.Contract);
            contents.Add((loaded.Name, loaded.IsPrepared, loaded.Files));
            if (inTurn && model != _needed[0])
            {
                loaded.Dispose();
                _models[model] = null;
            }
            else if (!inTurn && threadEach)
            {
                loaded.LoadForOwnThreads(cancellationToken);
            }
        }
        return contents;
    }

    /// <summary>Hands the first model over to be loaded in turn with the others. Warnings were given, and what is in the files is
    /// known.</summary>
    private ModelRotation Rotate(OnnxSessionOptions options)
    {
        int first = _needed[0];
        ModelRotation rotation = new(_models[first]!, first, _sources.Length, _jobs, (model, stop) =>
            LoadOne(model, new ModelLoading { Options = options }, stop)
        );
        _models[first] = null;
        return rotation;
    }

    private SeparationModel LoadOne(int model, ModelLoading how, CancellationToken cancellationToken)
    {
        SeparationModel loaded = SeparationModel.LoadWith(
            _sources[model],
            how with { Prepare = _prepare, StemNames = _selection.StemNames },
            cancellationToken
        );
        Interlocked.Increment(ref _loads);
        return loaded;
    }

    // A cache that cannot be written to is the same for all models.
    private void WarnOfCache(string sentence)
    {
        if (!_warned)
            _warn?.Invoke(sentence);
        _warned = true;
    }

    private ModelContract Declared(int model) => _declared[model] ??= SeparationModel.Declare(_sources[model], _selection.StemNames);

    private void Close()
    {
        for (int model = 0; model < _models.Length; model++)
        {
            _models[model]?.Dispose();
            _models[model] = null;
        }
    }

    /// <summary>
    /// Numbers of the models with weight in a wanted stem. Of stems that do not exist the selection speaks later; it needs a contract for
    /// that.
    /// </summary>
    private int[] Needed(IReadOnlyList<string> names, IReadOnlyCollection<string>? wanted)
    {
        int[] stems =
        [
            .. Enumerable
                .Range(0, names.Count)
                .Where(stem => wanted is null or { Count: 0 } || wanted.Contains(names[stem], StringComparer.OrdinalIgnoreCase)),
        ];
        int[] needed = [.. Enumerable.Range(0, _sources.Length).Where(model => Array.Exists(stems, stem => _weights[model][stem] != 0))];
        return needed.Length > 0 ? needed : [0];
    }

    private void CheckFit(ModelSource source, ModelContract other)
    {
        string? difference =
            Contract.SegmentFrames != other.SegmentFrames
                ? $"their segments are {Contract.SegmentFrames} and {other.SegmentFrames} frames long"
            : !Contract.Stems.SequenceEqual(other.Stems, StringComparer.OrdinalIgnoreCase)
                ? $"their stems are {string.Join(", ", Contract.Stems)} and {string.Join(", ", other.Stems)}"
            : Contract.NormalizesMix != other.NormalizesMix ? "only one of them takes a normalized mix"
            : null;
        if (difference is not null)
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"The models of '{Name}' cannot form a bag: '{source.Name}' does not fit, because {difference}.",
                source.Path
            );
    }

    private static float[][] Resolve(int models, IReadOnlyList<string> names, IReadOnlyList<IReadOnlyList<double>>? weights)
    {
        int stems = names.Count;
        if (weights is null)
            return [.. Enumerable.Range(0, models).Select(_ => Enumerable.Repeat(1f, stems).ToArray())];
        if (weights.Count != models)
            throw Wrong($"The number of rows of weights is {weights.Count}, and that of models {models}. Give one row per model.");
        foreach (IReadOnlyList<double> row in weights)
        {
            if (row.Count != stems)
                throw Wrong(
                    $"A row of weights has {row.Count} numbers, but the models have {stems} stems ({string.Join(", ", names)}). Give {stems} numbers per row."
                );
            foreach (double weight in row)
            {
                if (!(weight >= 0 && double.IsFinite(weight)))
                    throw Wrong($"The weight {weight.ToString(CultureInfo.InvariantCulture)} is invalid; weights must be 0 or more.");
            }
        }
        for (int stem = 0; stem < stems; stem++)
        {
            if (weights.All(row => row[stem] == 0))
                throw Wrong($"No model has a weight above 0 for the stem '{names[stem]}'.");
        }
        return [.. weights.Select(row => row.Select(w => (float)w).ToArray())];

        static DemucsException Wrong(string message) => new(DemucsError.ParameterInvalid, message);
    }

    /// <summary>What there is once the models are loaded.</summary>
    /// <param name="ExecutionProvider">What runs them.</param>
    /// <param name="Runtime">What runs them, as text.</param>
    /// <param name="MemoryUse">What they are expected to take of memory, as text.</param>
    /// <param name="Contents">What was loaded of each needed model, whether it still is or not.</param>
    /// <param name="Rotation">Loads them in turn; null if they are loaded together.</param>
    /// <param name="BatchesInTurn">Batches of chunks under way at once where they are loaded in turn; else 0.</param>
    private sealed record LoadedModels(
        ExecutionProvider ExecutionProvider,
        string Runtime,
        string MemoryUse,
        IReadOnlyList<(string Name, bool IsPrepared, ModelFileSet? Files)> Contents,
        ModelRotation? Rotation,
        int BatchesInTurn
    );

    /// <summary>A model while it is run.</summary>
    internal readonly struct Use(ModelBag bag, SeparationModel model) : IDisposable
    {
        /// <summary>Runs it on the inputs in <paramref name="tensors"/> and leaves its outputs there.</summary>
        public void Run(ModelTensors tensors, RunResources share, CancellationToken cancellationToken)
        {
            model.Run(tensors, share, cancellationToken);
            Interlocked.Increment(ref bag._runs);
            if (share.OwnThreadOnly && model.HasOwnThreads)
                Interlocked.Increment(ref bag._ownThreadRuns);
        }

        public void Dispose() => bag.Loaded.Rotation?.Return();
    }
}
