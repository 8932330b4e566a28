using System.Collections;
using System.Globalization;
using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Comparison;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Player;
using DemucsPS.Engine.Quality;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Cmdlets;

/// <summary><c>Compare-DemucsModel</c>: tracks in, separated by several models and settings, and how the results differ out.</summary>
[Cmdlet(VerbsData.Compare, "DemucsModel", SupportsShouldProcess = true, DefaultParameterSetName = PathSet)]
[OutputType(typeof(ComparedSeparation))]
public sealed class CompareDemucsModelCommand : AudioFileCommand, IDisposable
{
    private const string Activity = "Comparing models";

    private readonly CancellationTokenSource _stop = new();
    private readonly List<TrackSource> _tracks = [];
    private readonly List<PlannedSeparation> _planned = [];
    private readonly HashSet<string> _said = [];
    private ComparisonSetting[] _settings = [];
    private ModelComparison _comparison = null!;
    private TrackProgress _progress = null!;
    private PlayerPageProgress _pageProgress = null!;

    /// <summary>The models to compare: names, or paths; each on its own.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(ModelCompleter))]
    public string[]? Model { get; set; }

    /// <summary>The settings to compare, each with every model: Overlap, Shifts, Precision.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public Hashtable[]? Setting { get; set; }

    /// <summary>Folder of the reference stems of a track, or of folders of tracks.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Reference { get; set; }

    /// <summary>The figures wanted.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ValidateRange(QualityMetric.Sdr, QualityMetric.All)]
    public QualityMetric[] Metric { get; set; } = [QualityMetric.All];

    /// <summary>Folder for the stems and the pages.</summary>
    [Parameter]
    [Alias("OutputPath")]
    [ValidateNotNullOrEmpty]
    public string DestinationPath { get; set; } = "compared";

    /// <summary>Chunks to separate at once; 0 to choose by processors and memory.</summary>
    [Parameter]
    public int ThrottleLimit { get; set; }

    /// <summary>Do not create the page that plays the results against each other.</summary>
    [Parameter]
    public SwitchParameter NoPlayer { get; set; }

    /// <summary>Use existing stems, and continue interrupted separations.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Overwrite existing stems and pages.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _progress = new TrackProgress(this, Activity);
        _pageProgress = new PlayerPageProgress(this, Activity);
        try
        {
            _settings =
            [
                .. (Model ?? [null!]).SelectMany(model =>
                    (
                        Setting
                        ??
                        [
                            [],
                        ]
                    ).Select(setting => Parse(setting) with { Model = model })
                ),
            ];
            _comparison = new ModelComparison
            {
                Folder = this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed),
                Reference = Reference is null ? null : this.ResolveLiteral(Reference),
                Quality = new QualityOptions { Metrics = Metric.Aggregate(QualityMetric.None, (all, one) => all | one) },
                Jobs = JobPlan.Choose(ThrottleLimit, threads: 0),
                Overwrite = Force,
                Resume = Resume,
                HasPages = !NoPlayer,
                Rehearses = this.IsWhatIf(),
                Warn = Say,
                Confirm = Confirm,
                Begun = (track, setting) => _progress.Begin(track, setting),
                Failed = Fail,
            };
            _comparison.Check(_settings);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Path));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        List<ComparedSeparation> done = [];
        try
        {
            foreach (
                ComparedSeparation compared in _comparison.Run(
                    _tracks,
                    _settings,
                    model => this.SelectModels(model is null ? null : [model], null),
                    _progress,
                    _stop.Token
                )
            )
            {
                _progress.Complete();
                foreach (string warning in compared.Result.Warnings.Concat(compared.Quality?.Warnings ?? []))
                    Say(warning);
                done.Add(compared);
                WriteObject(compared);
            }
            if (NoPlayer)
                return;
            if (this.IsWhatIf())
            {
                foreach (IGrouping<string, PlannedSeparation> page in _planned.GroupBy(p => p.PagePath).Where(g => g.Count() > 1))
                    ShouldProcess(page.Key, PageAction(page.Select(p => p.Setting)));
                return;
            }
            foreach ((string path, PlayerPage page) in _comparison.Pages(done))
                WritePage(path, page);
        }
        catch (DemucsException e)
        {
            WriteError(e.ToRecord(e.Path));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        finally
        {
            if (!_stop.IsCancellationRequested)
                _progress.Complete();
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private protected override void ProcessFile(string file, string target) => _tracks.Add(new TrackSource(file));

    private static string PageAction(IEnumerable<string> settings) => $"Write player page ({string.Join("; ", settings)})";

    private bool Confirm(PlannedSeparation planned)
    {
        _planned.Add(planned);
        return ShouldProcess(
            planned.Track.Path,
            $"{(planned.Plan.Skips ? "Use" : "Separate")} with {planned.Setting} ({planned.Plan.Work})"
        );
    }

    private void Fail(ComparisonSetting setting, TrackSource? track, DemucsException error)
    {
        _progress.Complete();
        WriteError(error.ToRecord(track?.Path ?? setting.Model));
    }

    /// <summary>Warns, but not of the same for each way.</summary>
    private void Say(string warning)
    {
        if (_said.Add(warning))
            WriteWarning(warning);
    }

    private void WritePage(string path, PlayerPage page)
    {
        _pageProgress.Begin($"player page of {page.Title}");
        try
        {
            if (!ShouldProcess(path, PageAction(page.Variants.Select(v => v.Name))))
                return;
            PlayerPageFile written = page.Write(path, _pageProgress, _stop.Token);
            foreach (string warning in written.Warnings)
                Say(warning);
            WriteInformation($"The page is '{written.FilePath}'.", ["PSHOST"]);
        }
        catch (DemucsException e)
        {
            WriteError(e.ToRecord(path));
        }
        _pageProgress.Complete();
    }

    private static ComparisonSetting Parse(Hashtable given)
    {
        ComparisonSetting setting = new();
        foreach (DictionaryEntry entry in given)
        {
            try
            {
                setting = $"{entry.Key}".ToUpperInvariant() switch
                {
                    "OVERLAP" => setting with { Overlap = Convert<double>(entry.Value) },
                    "SHIFTS" => setting with { Shifts = Convert<int>(entry.Value) },
                    "PRECISION" => setting with { Precision = Convert<ModelPrecision>(entry.Value) },
                    _ => throw new DemucsException(
                        DemucsError.ParameterInvalid,
                        $"There is no setting '{entry.Key}' to compare. Settings are Overlap, Shifts and Precision."
                    ),
                };
            }
            catch (PSInvalidCastException e)
            {
                throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"The setting {entry.Key} cannot be '{entry.Value}': {e.Message}",
                    null,
                    e
                );
            }
        }
        return setting;
    }

    private static T Convert<T>(object? value) => (T)LanguagePrimitives.ConvertTo(value, typeof(T), CultureInfo.InvariantCulture)!;
}
