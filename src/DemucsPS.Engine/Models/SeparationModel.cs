using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>
/// A loaded model with its recognized contract. Thread-safe; runs may go on in parallel, each over its own <see cref="ModelTensors"/>.
/// </summary>
internal sealed class SeparationModel : IDisposable
{
    private readonly OnnxSession _session;
    private readonly PreparedModel? _copy;
    private readonly OnnxSessionOptions _options;
    private OnnxSession? _ownThreads;

    private SeparationModel(
        ModelSource source,
        PreparedModel? copy,
        OnnxSession session,
        OnnxSessionOptions options,
        IReadOnlyList<string>? stemNames,
        ModelFileSet? files,
        ModelPrecision precision
    )
    {
        _session = session;
        _copy = copy;
        _options = options;
        Files = files;
        Precision = precision;
        Name = source.Name;
        Path = source.Path;
        Contract = ModelContract.Recognize(new ModelSignature(session.Inputs, session.Outputs, session.Metadata), Path ?? Name, stemNames);
    }

    /// <summary>The model's name: the file's without its extension, or that of a built-in model. Names the output folder.</summary>
    public string Name { get; }

    /// <summary>Full path of the model's file; null for a built-in model.</summary>
    public string? Path { get; }

    /// <summary>False for the built-in baseline, which is classical signal processing.</summary>
    public bool IsDemucs => Path is not null;

    /// <summary>What runs it; never <see cref="ExecutionProvider.Auto"/>.</summary>
    public ExecutionProvider ExecutionProvider => _options.ExecutionProvider;

    /// <summary>The precision in which it is computed.</summary>
    public ModelPrecision Precision { get; }

    /// <summary>Whether the file's prepared copy runs.</summary>
    internal bool IsPrepared => _copy is not null;

    /// <summary>Whether runs can keep to their own thread; see <see cref="LoadForOwnThreads"/>.</summary>
    internal bool HasOwnThreads => _ownThreads is not null;

    /// <summary>What was loaded; null for a built-in model, and where it was not to be identified.</summary>
    internal ModelFileSet? Files { get; }

    /// <summary>What the model takes and gives.</summary>
    public ModelContract Contract { get; }

    /// <summary>Loads a model.</summary>
    /// <param name="source">A built-in model's name or the full path of a file.</param>
    /// <param name="options">How it will run.</param>
    /// <param name="prepare">Whether to run its prepared copy, see <see cref="PreparedModel"/>, which is made if it is missing. Built-in
    /// models need none; of a model that is weights only, the graph is written in any case.</param>
    /// <param name="warn">Receives a message for the user where the copy cannot be kept, or was damaged; null to go without.</param>
    /// <param name="stemNames">Names for its stems, in its order; null for those in its metadata or, without, the usual ones of four or six
    /// stems.</param>
    /// <param name="tell">Receives verbose messages: on the execution provider that is chosen, and where there is nothing to prepare; null
    /// to go without.</param>
    /// <param name="precision">The precision in which it is computed. <see cref="ModelPrecision.Int8"/> takes the CPU,
    /// <see cref="ModelPrecision.BFloat16"/> a provider that has it.</param>
    /// <param name="cancellationToken">Ends the preparation and the loading.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelNotFound"/>, <see cref="DemucsError.DemucsModelInvalid"/> (not ONNX, weights missing, another
    /// contract),
    /// <see cref="DemucsError.OnnxRuntimeUnavailable"/>, <see cref="DemucsError.ExecutionProviderUnavailable"/> or
    /// <see cref="DemucsError.ParameterInvalid"/> (the stem names or the precision
    /// do not fit, or <see cref="PreparationCache.FolderVariable"/> is not a full path). With <paramref name="prepare"/> also
    /// <see cref="DemucsError.ModelWriteFailed"/>, as in
    /// <see cref="PreparedModel.Prepare(string, ModelPrecision, PreparationCache, Action{string}?, CancellationToken)"/>.
    /// </exception>
    public static SeparationModel Load(
        ModelSource source,
        OnnxSessionOptions options,
        bool prepare = false,
        Action<string>? warn = null,
        IReadOnlyList<string>? stemNames = null,
        Action<string>? tell = null,
        ModelPrecision precision = ModelPrecision.Full,
        CancellationToken cancellationToken = default
    ) => LoadForBag(source, options, prepare, warn, warn, stemNames, tell, precision, identify: false, cancellationToken);

    /// <summary>
    /// The contract of a model that is not loaded, by what its file says. Where that leaves so much open that it fits none, the runtime is
    /// asked, which knows shapes from what the model computes.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>, <see cref="DemucsError.DemucsModelInvalid"/> or,
    /// where the stem names do not fit, <see cref="DemucsError.ParameterInvalid"/>.</exception>
    internal static ModelContract Declare(ModelSource source, IReadOnlyList<string>? stemNames)
    {
        ModelSignature signature = SignatureReader.Read(source);
        string name = source.Path ?? source.Name;
        try
        {
            return ModelContract.Recognize(signature.Completed(), name, stemNames);
        }
        catch (DemucsException e) when (e.Error == DemucsError.DemucsModelInvalid && signature.IsOpen && source.Path is { } path)
        {
            _ = ExternalWeights.Read(path);
            try
            {
                using OnnxSession session = OnnxSession.FromFile(
                    path,
                    new OnnxSessionOptions { IntraOpThreads = 1, OptimizationLevel = OnnxOptimizationLevel.Basic }
                );
                return ModelContract.Recognize(new ModelSignature(session.Inputs, session.Outputs, session.Metadata), name, stemNames);
            }
            catch (OnnxRuntimeException fault)
            {
                throw NotLoaded(path, ExecutionProvider.Cpu, fault);
            }
        }
    }

    /// <summary>
    /// As <see cref="Load"/>. With <paramref name="identify"/>, <see cref="Files"/> will be asked what is in them: then they are read
    /// beside the runtime, which loads a model on one thread.
    /// <paramref name="warn"/> takes what is wrong with the cache, <paramref name="warnOfDamage"/> what is wrong with this copy.
    /// </summary>
    internal static SeparationModel LoadForBag(
        ModelSource source,
        OnnxSessionOptions options,
        bool prepare,
        Action<string>? warn,
        Action<string>? warnOfDamage,
        IReadOnlyList<string>? stemNames,
        Action<string>? tell,
        ModelPrecision precision,
        bool identify,
        CancellationToken cancellationToken
    )
    {
        CheckPrecision(source, options, prepare, precision);
        if (precision == ModelPrecision.Int8)
            Int8Support.Check();
        options = ExecutionProviderChoice.Resolve(options, tell) with { Precision = precision };
        ModelPrecision copied = PreparedModel.CopyFor(precision);
        GraphForm form = PreparedModel.FormFor(options.ExecutionProvider, precision);
        PreparedModel? copy = null;
        OnnxSession? session = null;
        try
        {
            // Before the runtime opens what the model names, be it only to prepare it.
            if (source.Path is { } named)
                _ = ExternalWeights.Read(named);
            copy = Prepare(renew: false);
            if (prepare && copy is null && source.Path is { } path && PreparedModel.IsRuntimeFormat(path))
                tell?.Invoke($"Model '{path}' is in ONNX Runtime's own format, which cannot be rewritten. It runs without preparation.");
            // Read beside the runtime, too, and nothing runs before it is known to be what was written.
            Task<bool>? intact = copy is { WasFound: true } ? IsIntact(copy.Share()) : null;
            ModelFileSet? files = Identify();
            try
            {
                session = Open(source.Path, copy, options, cancellationToken);
            }
            catch (OnnxRuntimeException) when (intact is not null)
            {
                if (intact.GetAwaiter().GetResult())
                    throw;
            }
            if (copy is not null && intact?.GetAwaiter().GetResult() == false)
            {
                session?.Dispose();
                session = null;
                warnOfDamage?.Invoke(
                    $"The prepared copy '{copy.Path}' was damaged and is made again. Check the disk if this happens again."
                );
                copy.Discard();
                copy = Prepare(renew: true);
                files = Identify();
                session = Open(source.Path, copy, options, cancellationToken);
            }
            return new SeparationModel(source, copy, session!, options, stemNames, files, precision);
        }
        catch (Exception e)
        {
            session?.Dispose();
            copy?.Dispose();
            if (e is OnnxRuntimeException fault)
            {
                // A provider may accept a session's options and fail only when it starts; that is not the model's fault.
                if (options.ExecutionProvider != ExecutionProvider.Cpu && ExecutionProviderChoice.WhyNot(options) is { } reason)
                    throw ExecutionProviderChoice.NotStarted(options, reason, e);
                throw NotLoaded(source.Path ?? source.Name, options.ExecutionProvider, fault);
            }
            throw;
        }

        PreparedModel? Prepare(bool renew) =>
            source.Path is not { } path ? null
            : source is { IsWeights: true, Trial: ModelTrial.Float64 }
                ? WeightsModel.InFloat64(source, PreparationCache.Open(), cancellationToken)
            : source.IsWeights ? WeightsModel.Prepare(source, copied, form, PreparationCache.Open(), warn, renew, cancellationToken)
            : source.Trial == ModelTrial.Float64 ? PreparedModel.InFloat64(path)
            : prepare
                ? PreparedModel.Prepare(
                    path,
                    copied,
                    PreparationCache.Open(),
                    warn,
                    renew,
                    source.Trial == ModelTrial.EvenIfRefused,
                    cancellationToken,
                    form
                )
            : null;

        Task<bool> IsIntact(PreparedModel shared) =>
            Task.Run(
                () =>
                {
                    using (shared)
                        return shared.IsIntact(cancellationToken);
                },
                CancellationToken.None
            );

        ModelFileSet? Identify()
        {
            ModelFileSet? files = identify && source.Path is { } path ? ModelFileSet.Create(path, copy) : null;
            files?.BeginReading(cancellationToken);
            return files;
        }
    }

    /// <summary>
    /// Loads the model a second time, for runs that keep to their own thread, <see cref="RunResources.OwnThreadOnly"/>; without this they
    /// run as any other. A weights file is in memory once
    /// anyway. Not to be called while the model runs.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: it cannot be loaded again.</exception>
    internal void LoadForOwnThreads(CancellationToken cancellationToken)
    {
        try
        {
            _ownThreads ??= Open(Path, _copy, _options with { CallersOnly = true }, cancellationToken);
        }
        catch (OnnxRuntimeException e)
        {
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{Path ?? Name}' was loaded once, but could not be loaded again for more jobs. Run fewer jobs. ONNX Runtime reports: {e.Message}",
                Path,
                e
            );
        }
    }

    /// <summary>Runs the model on the inputs in <paramref name="tensors"/> and leaves its outputs there.</summary>
    /// <param name="tensors">Made for this model's contract, or for one with as many stems and frames.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    /// <exception cref="OperationCanceledException">The run was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelInvalid"/>: the runtime failed on this model; its own words.
    /// <see cref="DemucsError.ExecutionProviderFailed"/>: another provider than the processor did. <see cref="DemucsError.OutOfMemory"/>:
    /// it lacked memory.
    /// </exception>
    public void Run(ModelTensors tensors, CancellationToken cancellationToken) => Run(tensors, default, cancellationToken);

    /// <summary>As above, beside other runs.</summary>
    /// <param name="tensors">Made for this model's contract, or for one with as many stems and frames.</param>
    /// <param name="share">What it takes of the machine.</param>
    /// <param name="cancellationToken">Ends the run.</param>
    internal void Run(ModelTensors tensors, RunResources share, CancellationToken cancellationToken)
    {
        try
        {
            OnnxSession session = share.OwnThreadOnly ? _ownThreads ?? _session : _session;
            bool shrink = share.ReleasesMemory && HasOwnThreads;
            session.Run(
                [.. Contract.Inputs.Select(tensors.Input)],
                [.. Contract.Outputs.Select(tensors.Output)],
                shrink,
                cancellationToken
            );
        }
        catch (OnnxRuntimeException e) when (e.IsOutOfMemory)
        {
            throw new DemucsException(
                DemucsError.OutOfMemory,
                $"Not enough memory to run model '{Path ?? Name}': {e.Message} Run fewer jobs, or close other programs.",
                Path,
                e
            );
        }
        catch (OnnxRuntimeException e) when (ExecutionProvider != ExecutionProvider.Cpu)
        {
            throw new DemucsException(
                DemucsError.ExecutionProviderFailed,
                $"The execution provider {ExecutionProviderChoice.Describe(_options)} failed while running model '{Path ?? Name}'. The separation can be resumed with the execution provider Cpu. ONNX Runtime reports: {ExecutionProviderChoice.OneLine(e.Message)}",
                Path,
                e
            );
        }
        catch (OnnxRuntimeException e)
        {
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{Path ?? Name}' failed while running on {ExecutionProvider}: {e.Message}",
                Path,
                e
            );
        }
        tensors.Take(Contract.Outputs);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _session.Dispose();
        _ownThreads?.Dispose();
        _copy?.Dispose();
    }

    private static OnnxSession Open(string? path, PreparedModel? copy, OnnxSessionOptions options, CancellationToken cancellationToken) =>
        copy is not null ? copy.Open(options, cancellationToken)
        : path is not null ? OnnxSession.FromFile(path, options, cancellationToken)
        : OnnxSession.FromBytes(BaselineModel.Build(), options, cancellationToken);

    /// <summary>Refuses what would run in another precision than was requested.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    internal static void CheckPrecision(ModelSource source, OnnxSessionOptions options, bool prepare, ModelPrecision precision)
    {
        if (precision == ModelPrecision.Full)
        {
            if (source.Path is not null && ModelFiles.IsInt8(source.Path))
                throw Refused($"'{source.Path}' is a prepared copy of a model, for the precision Int8. Give the original model.");
            return;
        }
        if (precision == ModelPrecision.BFloat16)
        {
            if (options.ExecutionProvider != ExecutionProvider.OpenVINO)
            {
                throw Refused(
                    $"The precision {precision} is only available with the execution provider {ExecutionProvider.OpenVINO}, not with {options.ExecutionProvider}. Use that provider, or the precision {ModelPrecision.Full}."
                );
            }
            return;
        }
        if (source.Path is null)
            throw Refused(
                $"The built-in model '{source.Name}' has no weights, so it has no precision {precision}. Choose another model, or use the precision Full."
            );
        if (!prepare)
            throw Refused(
                $"The precision {precision} needs preparation, so it cannot be combined with running models without preparation. Leave out one of the two."
            );
        if (options.ExecutionProvider != ExecutionProvider.Cpu)
            throw Refused(
                $"The precision {precision} is only available with the execution provider Cpu, not with {options.ExecutionProvider}. Leave out one of the two."
            );

        DemucsException Refused(string message) => new(DemucsError.ParameterInvalid, message, source.Path);
    }

    /// <summary>The error for a model that the runtime cannot load.</summary>
    /// <param name="path">Its file or name.</param>
    /// <param name="provider">What it was to run on.</param>
    /// <param name="e">What the runtime says.</param>
    internal static DemucsException NotLoaded(string path, ExecutionProvider provider, OnnxRuntimeException e)
    {
        if (e.IsOutOfMemory)
            return new DemucsException(
                DemucsError.OutOfMemory,
                $"Not enough memory to load model '{path}': {e.Message} Close other programs.",
                path,
                e
            );
        if (NewerModel.FaultOf(e.Message, OnnxRuntimeLibrary.Version) is { } newer)
            return new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{path}' {newer} ONNX Runtime reports: {e.Message}",
                path,
                e
            );
        string message =
            provider != ExecutionProvider.Cpu
                ? $"Model '{path}' cannot be loaded for the execution provider {provider}. If it loads for Cpu, {provider} does not support this model. If not, the file may be damaged. Copy or download it again."
            // The runtime's message for missing or short weights names them only in passing, so the remedy is said in full.
            : System.IO.Path.IsPathFullyQualified(path) && ExternalWeights.FaultOf(path) is { } fault
                ? $"Model '{path}' cannot be loaded: {fault}"
            : $"Model '{path}' cannot be loaded: it may be damaged, incomplete or not an ONNX file. Copy or download it again.";
        return new DemucsException(DemucsError.DemucsModelInvalid, $"{message} ONNX Runtime reports: {e.Message}", path, e);
    }
}
