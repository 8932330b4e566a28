using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Cmdlets;

/// <summary><c>Invoke-DemucsSeparation</c>: audio files in, stem files and a <see cref="SeparationResult"/> for each out.</summary>
[Cmdlet(VerbsLifecycle.Invoke, "DemucsSeparation", SupportsShouldProcess = true, DefaultParameterSetName = PathSet)]
[OutputType(typeof(SeparationResult))]
public sealed class InvokeDemucsSeparationCommand : AudioFileCommand, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private ModelBag? _bag;
    private FileSeparator? _separator;
    private TrackProgress? _progress;
    private JobPlan? _jobs;

    /// <summary>A model's or bag's name, or the path of a model; several for a bag. Default: <c>$env:DEMUCSPS_MODEL</c>, else an installed htdemucs, else <c>baseline</c>.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelCompleter))]
    public string[]? Model { get; set; }

    /// <summary>Run models as they are, without the rewriting that makes them exact.</summary>
    [Parameter]
    public SwitchParameter NoPreparation { get; set; }

    /// <summary>For a bag: a row of weights for each model, one for each stem.</summary>
    [Parameter]
    [ValidateNotNull]
    public double[][]? Weight { get; set; }

    /// <summary>Names for the model's stems, in its order; without it those that the model says, or the usual ones.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string[]? StemName { get; set; }

    /// <summary>What runs the model.</summary>
    [Parameter]
    public ExecutionProvider ExecutionProvider { get; set; }

    /// <summary>Share of a chunk that neighbours have in common, 0 to below 1.</summary>
    [Parameter]
    public double Overlap { get; set; } = new SeparationOptions().Overlap;

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

    /// <summary>Write this stem, and the sum of all others as <c>no_NAME</c>.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(StemCompleter))]
    public string? TwoStems { get; set; }

    /// <summary>Folder for the stems: DESTINATION/MODEL/TRACK/STEM.wav.</summary>
    [Parameter(Position = 1)]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "separated";

    /// <summary>16 or 24 (integers), or 32 (float).</summary>
    [Parameter]
    [ValidateSet("16", "24", "32")]
    public int BitDepth { get; set; } = 24;

    /// <summary>What happens beyond full scale.</summary>
    [Parameter]
    public ClipMode Clip { get; set; }

    /// <summary>Add triangular dither before rounding to 16 or 24 bits.</summary>
    [Parameter]
    public SwitchParameter Dither { get; set; }

    /// <summary>Chunks separated at once; 0 to choose by processors and memory.</summary>
    [Parameter]
    public int ThrottleLimit { get; set; }

    /// <summary>Overwrite existing stems.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _progress = new TrackProgress(this);
        try
        {
            if (Stem is not null && TwoStems is not null)
                throw new DemucsException(DemucsError.ParameterInvalid, "-Stem and -TwoStems cannot be used together.");
            StemFormat format = new() { Sample = StemFormat.FromBits(BitDepth), Clip = MyInvocation.BoundParameters.ContainsKey(nameof(Clip)) ? Clip : null, Dither = Dither };
            _jobs = JobPlan.Choose(ThrottleLimit, threads: 0);
            SeparationOptions options = new() { Overlap = Overlap, Shifts = Shifts, Seed = Seed, Jobs = _jobs.Jobs };
            StemFolders folders = new(this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed));
            OnnxSessionOptions session = new() { IntraOpThreads = _jobs.Threads, ExecutionProvider = ExecutionProvider };
            _bag = ModelBag.Load(this.SelectModels(Model, Weight) with { StemNames = StemName }, TwoStems is null ? Stem : null, session, prepare: !NoPreparation, WriteWarning, _jobs.Jobs, WriteVerbose);
            StemSelection selection = TwoStems is null ? StemSelection.Choose(_bag.Contract.Stems, Stem) : StemSelection.TwoStems(_bag.Contract.Stems, TwoStems);
            _separator = new FileSeparator(_bag, selection, options, new StemOutput(folders, format) { Overwrite = Force });
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Error == DemucsError.ExecutionProviderUnavailable ? ExecutionProvider : e.Path));
        }
        this.Introduce(_bag!);
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => _progress?.Complete();

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        // Also without StopProcessing: Select-Object -First ends a pipeline by nothing but this.
        _bag?.Dispose();
        _stop.Dispose();
    }

    private protected override void ProcessFile(string file, string target)
    {
        TrackSource source = new(file);
        SeparationResult result;
        try
        {
            SeparationPlan plan = _separator!.Plan(source);
            WriteVerbose($"{file}: {plan.Work}; {_jobs}.");
            if (!ShouldProcess(file, $"Separate ({plan.Work})"))
                return;
            _progress!.Begin(file);
            result = _separator.Separate(source, _progress, _stop.Token);
        }
        catch (DemucsException e)
        {
            WriteError(e.ToRecord(target));
            return;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        foreach (string warning in result.Warnings.Where(w => w != ModelSource.BaselineNotice))
            WriteWarning(warning);
        WriteObject(result);
    }
}
