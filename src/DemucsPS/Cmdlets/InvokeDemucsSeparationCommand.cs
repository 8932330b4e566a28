using System.Collections;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Cmdlets;

/// <summary><c>Invoke-DemucsSeparation</c>: audio files in, stem files and a <see cref="SeparationResult"/> for each out.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "DemucsSeparation", SupportsShouldProcess = true, DefaultParameterSetName = TrackInput.PathSet)]
[OutputType(typeof(SeparationResult))]
public sealed class InvokeDemucsSeparationCommand : StemOutputCommand, ITrackInput, IModelBagInput, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private ModelBag? _bag;
    private FileSeparator? _separator;
    private TrackProgress? _progress;
    private TrackInput? _input;
    private JobPlan? _jobs;
    private bool _checked;
    private SeparationSummary _summary = SeparationSummary.None;

    /// <inheritdoc/>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = TrackInput.PathSet)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [FileToPath]
    public string[] Path { get; set; } = [];

    /// <inheritdoc/>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = TrackInput.LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <inheritdoc/>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Include { get; set; } = [];

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Exclude { get; set; } = [];

    /// <inheritdoc/>
    [Parameter]
    public int StreamIndex { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public ChannelLayout ChannelLayout { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public LateStart LateStart { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public DamageHandling OnDamage { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelCompleter))]
    public string[]? Model { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public SwitchParameter NoPreparation { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public ModelPrecision Precision { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNull]
    public double[][]? Weight { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? StemName { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public ExecutionProvider ExecutionProvider { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? ProviderLibrary { get; set; }

    /// <inheritdoc/>
    [Parameter]
    [ValidateNotNull]
    public Hashtable? ProviderOption { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public SwitchParameter SkipProviderCheck { get; set; }

    /// <summary>Share of a chunk that neighbors have in common, 0 to 0.99.</summary>
    [Parameter]
    public double Overlap { get; set; } = new SeparationOptions().Overlap;

    /// <summary>Shape of the crossfade between chunks, 1 (linear) to 4 (steepest).</summary>
    [Parameter]
    public double TransitionPower { get; set; } = new SeparationOptions().TransitionPower;

    /// <summary>Length of the chunks in seconds, at most the model's own length; 0 for that length.</summary>
    [Parameter]
    public double Segment { get; set; }

    /// <summary>Random shifts to average over; 0 for none.</summary>
    [Parameter]
    public int Shifts { get; set; }

    /// <summary>Seed of the random shifts.</summary>
    [Parameter]
    public int Seed { get; set; }

    /// <summary>The stems to write; all without it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(StemCompleter))]
    public string[]? Stem { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public int ThrottleLimit { get; set; }

    /// <summary>Chunks that a model computes at once.</summary>
    [Parameter]
    public int BatchSize { get; set; } = 1;

    /// <inheritdoc/>
    [Parameter]
    public int RetryCount { get; set; } = new SeparationOptions().RetryCount;

    /// <summary>
    /// Continue interrupted separations. With <see cref="StemOutputCommand.Force"/>, those with other settings start over.
    /// </summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Skip tracks whose stems exist, unchanged, from the same source, models and parameters.</summary>
    [Parameter]
    public SwitchParameter SkipExisting { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _progress = new TrackProgress(this, "Separating music");
        try
        {
            // What is wrong with the parameters is said before anything is looked for, let alone loaded.
            _jobs = JobPlan.Choose(ThrottleLimit, threads: 0, BatchSize);
            SeparationOptions options = new()
            {
                Overlap = Overlap,
                TransitionPower = TransitionPower,
                Segment = Segment == 0 ? null : Segment,
                Shifts = Shifts,
                Seed = Seed,
                Jobs = _jobs.Jobs,
                RetryCount = RetryCount,
            };
            options.Check();
            StemRequest choice = Choice(Stem);
            StemOutput output = Output();
            _input = new TrackInput(this, this, output.Names.Root, () => _summary = _summary.WithFailure());
            output.Check();
            OnnxSessionOptions session = this.Session(_jobs.Threads);
            ModelSelection models = this.Models() with { BatchSize = BatchSize };
            _bag = ModelBag.Open(models, choice.Needed, session, prepare: !NoPreparation, WriteWarning, _jobs.Jobs, WriteVerbose);
            _separator = new FileSeparator(
                _bag,
                choice.Select(_bag.Contract.Stems),
                options,
                output with
                {
                    Resume = Resume,
                    SkipExisting = SkipExisting,
                }
            )
            {
                Tell = WriteVerbose,
            };
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Error == DemucsError.ExecutionProviderUnavailable ? ExecutionProvider : e.Path));
        }
        this.Introduce(_bag!);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach ((TrackSource source, string target) in _input!.Tracks())
            Separate(source, target);
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        _progress?.Complete();
        WriteVerbose($"{_summary}.");
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        // Also without StopProcessing: Select-Object -First ends a pipeline by nothing but this.
        _bag?.Dispose();
        _stop.Dispose();
    }

    /// <summary>Loads the models, which what may not be done takes no more than reading.</summary>
    private void Load()
    {
        if (_bag!.IsLoaded)
            return;
        ForAllTracks(() => _bag.Load(_stop.Token));
        this.IntroduceLoaded(_bag);
    }

    /// <summary>Looks whether the models could be loaded.</summary>
    private void Check()
    {
        if (!_checked)
            ForAllTracks(_bag!.Check);
        _checked = true;
    }

    /// <summary>Does what concerns all tracks, so that an error ends the command.</summary>
    private void ForAllTracks(Action work)
    {
        try
        {
            work();
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Error == DemucsError.ExecutionProviderUnavailable ? ExecutionProvider : e.Path));
        }
    }

    private void Separate(TrackSource source, string target)
    {
        SeparationResult result;
        try
        {
            if (IsWhatIf)
                Check();
            SeparationPlan plan = IsWhatIf ? _separator!.Rehearse(source, _stop.Token) : _separator!.Plan(source);
            WriteVerbose($"{source.Path} is read as {plan.Codec}.");
            WriteVerbose($"{source.Path}: {plan.Work}; {_jobs}.");
            if (!ShouldProcess(source.Path, $"{(plan.Skips ? "Skip" : "Separate")} ({plan.Work})"))
                return;
            Load();
            _progress!.Begin(source);
            result = _separator.Separate(source, _progress, _stop.Token);
        }
        catch (DemucsException e)
        {
            _progress!.Complete();
            _summary = _summary.WithFailure();
            WriteError(e.ToRecord(target));
            return;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        // Taken away at once: what follows in the pipeline has its own, may take long, or may want no more.
        _progress.Complete();
        if (result.Skipped)
            WriteVerbose($"{source.Path}: skipped, its stems are already there, unchanged.");
        foreach (string warning in result.Warnings.Where(w => w != ModelSource.BaselineNotice))
            WriteWarning(warning);
        _summary = _summary.With(result);
        WriteObject(result);
    }
}
