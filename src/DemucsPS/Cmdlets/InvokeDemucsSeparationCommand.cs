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
    private string? _outputFolder;

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

    /// <summary>Frames a second of the stems, or <c>Source</c> for those of each source.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string SampleRate { get; set; } = "44100";

    /// <summary>Write stems of one channel for sources of one.</summary>
    [Parameter]
    public SwitchParameter KeepMono { get; set; }

    /// <summary>What happens beyond full scale.</summary>
    [Parameter]
    public ClipMode Clip { get; set; }

    /// <summary>Add triangular dither before rounding to 16 or 24 bits.</summary>
    [Parameter]
    public SwitchParameter Dither { get; set; }

    /// <summary>Chunks separated at once.</summary>
    [Parameter]
    public int ThrottleLimit { get; set; } = 1;

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
            StemFormat format = new()
            {
                Sample = StemFormat.FromBits(BitDepth),
                SampleRate = StemFormat.ParseSampleRate(SampleRate),
                KeepMono = KeepMono,
                Clip = MyInvocation.BoundParameters.ContainsKey(nameof(Clip)) ? Clip : null,
                Dither = Dither,
            };
            SeparationOptions options = new() { Overlap = Overlap, Shifts = Shifts, Seed = Seed, Jobs = ThrottleLimit };
            _outputFolder = this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed);
            StemFolders folders = new(_outputFolder);
            _bag = ModelBag.Load(this.FindModels(Model), Weight, new OnnxSessionOptions(), prepare: !NoPreparation, WriteWarning);
            StemSelection selection = TwoStems is null ? StemSelection.Choose(_bag.Contract.Stems, Stem) : StemSelection.TwoStems(_bag.Contract.Stems, TwoStems);
            _separator = new FileSeparator(_bag, selection, options, new StemOutput(folders, format) { Overwrite = Force });
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

    private protected override string? OutputFolder => _outputFolder;

    private protected override void ProcessTrack(TrackSource source, string target)
    {
        SeparationResult result;
        try
        {
            SeparationPlan plan = _separator!.Plan(source);
            string work = Describe(plan);
            WriteVerbose($"{source.Path}: {work}.");
            if (!ShouldProcess(source.Path, $"Separate ({work})"))
                return;
            _progress!.Begin(source);
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

    private static string Describe(SeparationPlan plan)
    {
        string length = plan is { Chunks: { } chunks, Bytes: { } bytes } ? $"{chunks} chunks, {bytes / 1e6:F1} MB to write" : "length not known before it is read";
        return $"{length}: {string.Join(", ", plan.StemPaths.Select(System.IO.Path.GetFileName))} in '{System.IO.Path.GetDirectoryName(plan.StemPaths[0])}'";
    }
}
