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

    /// <summary>A model: <c>baseline</c> (built in, not Demucs) or the path of an .onnx file; several for a bag.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelCompleter))]
    public string[] Model { get; set; } = [ModelSource.BaselineName];

    /// <summary>Run models as they are, without the rewriting that makes them exact.</summary>
    [Parameter]
    public SwitchParameter NoPreparation { get; set; }

    /// <summary>For a bag: a row of weights for each model, one for each stem.</summary>
    [Parameter]
    [ValidateNotNull]
    public double[][]? Weight { get; set; }

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

    /// <summary>How often a failed chunk is tried again.</summary>
    [Parameter]
    public int RetryCount { get; set; } = new SeparationOptions().RetryCount;

    /// <summary>Continue interrupted separations.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Skip tracks whose stems are there, unchanged, and of the same source, models and parameters.</summary>
    [Parameter]
    public SwitchParameter SkipExisting { get; set; }

    /// <summary>Overwrite existing stems, and begin interrupted separations anew.</summary>
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
            SeparationOptions options = new() { Overlap = Overlap, Shifts = Shifts, Seed = Seed, Jobs = _jobs.Jobs, RetryCount = RetryCount };
            StemFolders folders = new(this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed));
            _bag = ModelBag.Load(this.FindModels(Model), Weight, new OnnxSessionOptions { IntraOpThreads = _jobs.Threads }, prepare: !NoPreparation, WriteWarning);
            StemSelection selection = TwoStems is null ? StemSelection.Choose(_bag.Contract.Stems, Stem) : StemSelection.TwoStems(_bag.Contract.Stems, TwoStems);
            _separator = new FileSeparator(_bag, selection, options, new StemOutput(folders, format) { Overwrite = Force, Resume = Resume, SkipExisting = SkipExisting });
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Path));
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
        if (result.Skipped)
            WriteVerbose($"{file}: skipped, its stems are there and unchanged.");
        foreach (string warning in result.Warnings.Where(w => w != ModelSource.BaselineNotice))
            WriteWarning(warning);
        WriteObject(result);
    }
}
