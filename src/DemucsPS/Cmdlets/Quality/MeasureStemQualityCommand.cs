using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Quality;

namespace DemucsPS.Cmdlets;

/// <summary><c>Measure-StemQuality</c>: estimated stems and the references in, figures of each track out.</summary>
[Cmdlet(VerbsDiagnostic.Measure, "StemQuality", SupportsShouldProcess = true, DefaultParameterSetName = PathSet)]
[OutputType(typeof(TrackQuality))]
public sealed class MeasureStemQualityCommand : AudioFileCommand, IDisposable
{
    private const string ResultSet = "Result";

    private readonly CancellationTokenSource _stop = new();
    private string _reference = "";
    private QualityOptions _options = new();
    private QualityResults? _results;

    /// <summary>What <c>Invoke-DemucsSeparation</c> gave.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = ResultSet)]
    public SeparationResult? SeparationResult { get; set; }

    /// <summary>Folder of the reference stems of a track, or of folders of tracks.</summary>
    [Parameter(Mandatory = true, Position = 1)]
    [ValidateNotNullOrEmpty]
    public string Reference { get; set; } = "";

    /// <summary>The figures wanted.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ValidateRange(QualityMetric.Sdr, QualityMetric.All)]
    public QualityMetric[] Metric { get; set; } = [QualityMetric.All];

    /// <summary>Length of a window; 0 for one window over the whole track.</summary>
    [Parameter]
    public double Window { get; set; } = new QualityOptions().Window;

    /// <summary>Seconds from one window to the next; 0 for those of a window.</summary>
    [Parameter]
    public double Hop { get; set; }

    /// <summary>Tracks measured at once; 0 for as many as there are processors.</summary>
    [Parameter]
    public int ThrottleLimit { get; set; }

    /// <summary>Folder in which the result of each track is kept.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DestinationPath { get; set; }

    /// <summary>Reuse existing results.</summary>
    [Parameter]
    public SwitchParameter Resume { get; set; }

    /// <summary>Replace results; with <see cref="Resume"/> those that are of other stems or options.</summary>
    [Parameter]
    public SwitchParameter Force { get; set; }

    private protected override string Kind => "folder";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        try
        {
            _options = new QualityOptions
            {
                Metrics = Metric.Aggregate(QualityMetric.None, (all, one) => all | one),
                Window = Window,
                Hop = Hop == 0 ? null : Hop,
            };
            _options.Check();
            if (DestinationPath is null && Resume)
                throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    "-Resume needs -DestinationPath: it reuses the results of an earlier run. Name their folder."
                );
            _reference = this.ResolveLiteral(Reference);
            _results = DestinationPath is null
                ? null
                : new QualityResults(this.ResolveLiteral(DestinationPath, DemucsError.StemWriteFailed))
                {
                    Resume = Resume,
                    Overwrite = Force,
                };
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Path));
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private protected override void ProcessFile(string file, string target) =>
        Measure(() => EstimatedTrack.Find(file, _reference, WriteWarning), target);

    private protected override void ProcessOther() =>
        Measure(() => [EstimatedTrack.Create(SeparationResult!, _reference)], SeparationResult!.SourcePath);

    private void Measure(Func<IReadOnlyList<EstimatedTrack>> find, string target)
    {
        ProgressRecord progress = new(1, "Measuring stems", target);
        try
        {
            IReadOnlyList<EstimatedTrack> tracks = find();
            if (
                _results is not null
                && !ShouldProcess(
                    _results.Folder,
                    tracks.Count == 1 ? $"Write the results of '{tracks[0].Track}'" : $"Write the results of {tracks.Count} tracks"
                )
            )
                return;
            int done = 0;
            WriteProgress(progress);
            foreach (
                (EstimatedTrack track, TrackQuality? quality, DemucsException? error) in QualitySet.Measure(
                    tracks,
                    _options,
                    ThrottleLimit,
                    _results,
                    _stop.Token
                )
            )
            {
                done++;
                progress.StatusDescription = $"track {done} of {tracks.Count}: {track.Track}";
                progress.PercentComplete = 100 * done / tracks.Count;
                WriteProgress(progress);
                if (quality is null)
                {
                    WriteError(error!.ToRecord(track.EstimateFolder));
                    continue;
                }
                foreach (string warning in quality.Warnings)
                    WriteWarning(warning);
                WriteObject(quality);
            }
        }
        catch (DemucsException e)
        {
            WriteError(e.ToRecord(target));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        progress.RecordType = ProgressRecordType.Completed;
        WriteProgress(progress);
    }
}
