using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Contracts;
using DemucsPS.Engine.Models.Quantization;

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

    private SeparationModel(ModelSource source, PreparedModel? copy, OnnxSession session, ModelLoading how, ModelFileSet? files)
    {
        _session = session;
        _copy = copy;
        _options = how.Options;
        Files = files;
        Name = source.Name;
        Path = source.Path;
        Contract = ModelContract.Recognize(
            new ModelSignature(session.Inputs, session.Outputs, session.Metadata).OfOneSegment(BatchSize),
            Path ?? Name,
            how.StemNames
        );
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
    public ModelPrecision Precision => _options.Precision;

    /// <summary>Segments that it computes at once.</summary>
    public int BatchSize => _options.BatchSize;

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
    /// <see cref="PreparedModel.Prepare(string, GraphTarget, PreparationCache, Action{string}?, CancellationToken)"/>.
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
    ) =>
        LoadWith(
            source,
            new ModelLoading
            {
                Options = options with { Precision = precision },
                Prepare = prepare,
                StemNames = stemNames,
                Warn = warn,
                WarnOfDamage = warn,
                Tell = tell,
            },
            cancellationToken
        );

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

    /// <summary>Loads a model as it is said.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As above.</exception>
    internal static SeparationModel LoadWith(ModelSource source, ModelLoading how, CancellationToken cancellationToken)
    {
        CheckOptions(source, how.Options, how.Prepare);
        if (how.Options.Precision == ModelPrecision.Int8)
            Int8Support.Check();
        how = how with { Options = ExecutionProviderChoice.Resolve(how.Options, how.Tell) };
        PreparedModel? copy = null;
        OnnxSession? session = null;
        try
        {
            // Before the runtime opens what the model names, be it only to prepare it.
            if (source.Path is { } named)
                _ = ExternalWeights.Read(named);
            copy = CopyOf(source, how, renew: false, cancellationToken);
            if (how.Prepare && copy is null && source.Path is { } path && PreparedModel.IsRuntimeFormat(path))
                how.Tell?.Invoke(
                    $"Model '{path}' is in ONNX Runtime's own format, which cannot be rewritten. It runs without preparation."
                );
            session = OpenIntact(source, copy, how, out ModelFileSet? files, cancellationToken);
            if (session is null && copy is not null)
            {
                how.WarnOfDamage?.Invoke(
                    $"The prepared copy '{copy.Path}' was damaged and is made again. Check the disk if this happens again."
                );
                copy.Discard();
                copy = CopyOf(source, how, renew: true, cancellationToken);
                files = FilesOf(source, copy, how, cancellationToken);
                session = Open(source.Path, copy, how.Options, cancellationToken);
            }
            return new SeparationModel(source, copy, session!, how, files);
        }
        catch (Exception e)
        {
            session?.Dispose();
            copy?.Dispose();
            if (e is not OnnxRuntimeException fault)
                throw;
            // A provider may accept a session's options and fail only when it starts; that is not the model's fault.
            if (how.Options.ExecutionProvider != ExecutionProvider.Cpu && ExecutionProviderChoice.WhyNot(how.Options) is { } reason)
                throw ExecutionProviderChoice.NotStarted(how.Options, reason, e);
            throw NotLoaded(source.Path ?? source.Name, how.Options.ExecutionProvider, fault);
        }
    }

    /// <summary>What a model's graph is written for, given how it runs.</summary>
    internal static GraphTarget TargetOf(OnnxSessionOptions options) =>
        GraphTarget.For(options.ExecutionProvider, options.Precision, options.BatchSize);

    /// <summary>The copy that runs in a model's place; null if the model itself does.</summary>
    private static PreparedModel? CopyOf(ModelSource source, ModelLoading how, bool renew, CancellationToken cancellationToken)
    {
        GraphTarget target = TargetOf(how.Options);
        if (source.Path is not { } path)
            return null;
        if (source.IsWeights)
            return source.Trial == ModelTrial.Float64
                ? WeightsModel.InFloat64(source, PreparationCache.Open(), cancellationToken)
                : WeightsModel.Prepare(source, target, PreparationCache.Open(), how.Warn, renew, cancellationToken);
        if (source.Trial == ModelTrial.Float64)
            return PreparedModel.InFloat64(path);
        bool evenIfRefused = source.Trial == ModelTrial.EvenIfRefused;
        return how.Prepare
            ? PreparedModel.Prepare(path, target, PreparationCache.Open(), how.Warn, renew, evenIfRefused, cancellationToken)
            : null;
    }

    /// <summary>
    /// Loads what runs. A copy that was found is read beside the runtime, too, and nothing runs before it is known to be what was written:
    /// null if it is not.
    /// </summary>
    private static OnnxSession? OpenIntact(
        ModelSource source,
        PreparedModel? copy,
        ModelLoading how,
        out ModelFileSet? files,
        CancellationToken cancellationToken
    )
    {
        Task<bool>? intact = copy is { WasFound: true } ? IsIntact(copy.Share(), cancellationToken) : null;
        files = FilesOf(source, copy, how, cancellationToken);
        OnnxSession? session = null;
        try
        {
            session = Open(source.Path, copy, how.Options, cancellationToken);
            if (intact?.GetAwaiter().GetResult() != false)
                return session;
            session.Dispose();
            return null;
        }
        catch (OnnxRuntimeException) when (session is null && intact is not null)
        {
            if (intact.GetAwaiter().GetResult())
                throw;
            return null;
        }
        catch
        {
            session?.Dispose();
            throw;
        }
    }

    private static Task<bool> IsIntact(PreparedModel shared, CancellationToken cancellationToken) =>
        Task.Run(
            () =>
            {
                using (shared)
                    return shared.IsIntact(cancellationToken);
            },
            CancellationToken.None
        );

    private static ModelFileSet? FilesOf(
        ModelSource source,
        PreparedModel? copy,
        ModelLoading how,
        CancellationToken cancellationToken
    )
    {
        ModelFileSet? files = how.Identify && source.Path is { } path ? ModelFileSet.Create(path, copy) : null;
        files?.BeginReading(cancellationToken);
        return files;
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
                $"Not enough memory to run model '{Path ?? Name}': {e.Message} {(BatchSize > 1 ? "Use smaller batches, run fewer jobs," : "Run fewer jobs,")} or close other programs.",
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

    /// <summary>Refuses what would run otherwise than was requested.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>.</exception>
    internal static void CheckOptions(ModelSource source, OnnxSessionOptions options, bool prepare)
    {
        ModelPrecision precision = options.Precision;
        if (options.BatchSize > 1 && !source.IsWeights)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The model '{source.Path ?? source.Name}' takes one chunk at a time, so the batch size must be 1 and not {options.BatchSize}. Models that are given as their author's weights (.safetensors) take more.",
                source.Path
            )
            {
                Parameter = EngineParameter.BatchSize,
            };
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
