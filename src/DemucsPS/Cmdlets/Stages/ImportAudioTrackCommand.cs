using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary><c>Import-AudioTrack</c>: audio files in, an <see cref="AudioTrack"/> in memory for each out.</summary>
[Cmdlet(VerbsData.Import, "AudioTrack", DefaultParameterSetName = TrackInput.PathSet)]
[OutputType(typeof(AudioTrack))]
public sealed class ImportAudioTrackCommand : PSCmdlet, ITrackInput, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private TrackProgress? _progress;
    private TrackInput? _input;

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
    protected override void BeginProcessing()
    {
        _progress = new TrackProgress(this, "Reading audio");
        try
        {
            _input = new TrackInput(this, this);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(null));
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach ((TrackSource source, string target) in _input!.Tracks())
            Import(source, target);
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private void Import(TrackSource source, string target)
    {
        AudioTrack track;
        try
        {
            _progress!.Begin(source);
            track = AudioTrack.Import(source, _progress, _stop.Token);
        }
        catch (DemucsException e)
        {
            _progress!.Complete();
            WriteError(e.ToRecord(target));
            return;
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        // Taken away at once: what follows in the pipeline has its own, and may take long.
        _progress.Complete();
        WriteVerbose(
            FormattableString.Invariant(
                $"{source.Path}: {track.Codec}, {track.SourceChannels} channels at {track.SourceSampleRate} Hz; as a track {track.Duration:h\\:mm\\:ss}, {track.Frames * 8L / 1e6:F1} MB, mean {track.Mean:G3}, deviation {track.Deviation:G3}."
            )
        );
        foreach (string warning in track.Warnings)
            WriteWarning(warning);
        WriteObject(track);
    }
}
