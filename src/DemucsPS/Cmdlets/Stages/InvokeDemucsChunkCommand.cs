using System.Collections;
using System.Diagnostics;
using System.Management.Automation;
using System.Runtime.CompilerServices;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary>
/// <c>Invoke-DemucsChunk</c>: chunks or their spectrograms in, a <see cref="StemChunk"/> for each stem of each out, in the order of the
/// input.
/// </summary>
[Cmdlet(VerbsLifecycle.Invoke, "DemucsChunk", DefaultParameterSetName = ChunkSet)]
[OutputType(typeof(StemChunk))]
public sealed class InvokeDemucsChunkCommand : PSCmdlet, IModelBagInput, IDisposable
{
    private const string ChunkSet = "Chunk",
        SpectrogramSet = "Spectrogram";

    private readonly CancellationTokenSource _stop = new();

    // Tracks that are done with must not stay in memory for the rest of the pipeline.
    private readonly ConditionalWeakTable<AudioTrack, StrongBox<(int Done, long Started)>> _done = [];
    private ModelBag? _bag;
    private ChunkSeparator? _separator;
    private TrackProgress? _progress;
    private AudioTrack? _shown;

    /// <summary>The chunks, from <c>Split-AudioChunk</c>.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = ChunkSet)]
    [ValidateNotNullOrEmpty]
    public AudioChunk[] Chunk { get; set; } = [];

    /// <summary>Spectrograms of chunks, from <c>ConvertTo-ChunkSpectrogram</c>, edited or not.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = SpectrogramSet)]
    [ValidateNotNullOrEmpty]
    public ChunkSpectrogram[] Spectrogram { get; set; } = [];

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

    /// <summary>The stems to give; all without it.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [ArgumentCompleter(typeof(StemCompleter))]
    public string[]? Stem { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public int ThrottleLimit { get; set; }

    /// <inheritdoc/>
    [Parameter]
    public int RetryCount { get; set; } = 2;

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _progress = new TrackProgress(this, "Separating music");
        try
        {
            JobPlan jobs = JobPlan.Choose(ThrottleLimit, threads: 0);
            // Before anything is looked for, let alone loaded.
            new SeparationOptions { Jobs = jobs.Jobs, RetryCount = RetryCount }.Check();
            OnnxSessionOptions options = this.Session(jobs.Threads);
            _bag = ModelBag.Load(this.Models(), Stem, options, prepare: !NoPreparation, WriteWarning, jobs.Jobs, WriteVerbose, _stop.Token);
            _separator = new ChunkSeparator(_bag, Stem, jobs.Jobs, RetryCount, _stop.Token);
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(e.Error == DemucsError.ExecutionProviderUnavailable ? ExecutionProvider : e.Path));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        this.Introduce(_bag!);
        this.IntroduceLoaded(_bag!);
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == ChunkSet)
        {
            foreach (AudioChunk chunk in Chunk)
                Start(chunk, separator => separator.Start(chunk));
        }
        else
        {
            foreach (ChunkSpectrogram spectrogram in Spectrogram)
                Start(spectrogram, separator => separator.Start(spectrogram));
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        while (_separator!.Count > 0)
            Emit(Take());
        _progress!.Complete();
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        // Also without StopProcessing: Select-Object -First ends a pipeline by nothing but this. The separator waits for its runs, so it
        // goes first.
        _separator?.Dispose();
        _bag?.Dispose();
        _stop.Dispose();
    }

    private void Start(object given, Action<ChunkSeparator> start)
    {
        // The next chunk is started before the last one is handed on, so the model runs while the rest of the pipeline works.
        ChunkResult? oldest = _separator!.IsFull ? Take() : null;
        try
        {
            start(_separator);
        }
        catch (DemucsException e)
        {
            // It may be the last that this command does.
            _progress!.Complete();
            WriteError(e.ToRecord(given));
        }
        if (oldest is not null)
            Emit(oldest);
    }

    private ChunkResult Take()
    {
        try
        {
            return _separator!.Take();
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    private void Emit(ChunkResult separated)
    {
        ShowProgress(separated.Chunk);
        foreach (string failure in separated.Failures)
            WriteVerbose($"{separated.Chunk}: an attempt failed: {failure}");
        if (separated.Error is not null)
        {
            // It may be the last that this command does.
            _progress!.Complete();
            WriteError(separated.Error.ToRecord(separated.Chunk));
        }
        else
            WriteVerbose(
                FormattableString.Invariant(
                    $"{separated.Chunk}: {separated.Chunk.Duration.TotalSeconds:F1} s from {separated.Chunk.StartTime:h\\:mm\\:ss\\.f}, separated in {separated.Stems[0].Elapsed.TotalSeconds:F2} s."
                )
            );
        WriteObject(separated.Stems, enumerateCollection: true);
    }

    private void ShowProgress(AudioChunk chunk)
    {
        (int done, long started) = _done.GetOrCreateValue(chunk.Track).Value;
        _done.GetOrCreateValue(chunk.Track).Value = (++done, started == 0 ? started = Stopwatch.GetTimestamp() : started);
        if (_shown != chunk.Track)
        {
            _progress!.Begin(chunk.Track.Source);
            _shown = chunk.Track;
        }
        // From the first result on, so the time to load and the first chunk do not count.
        TimeSpan? remaining = done > 1 ? Stopwatch.GetElapsedTime(started) / (done - 1) * Math.Max(0, chunk.Count - done) : null;
        _progress!.Report(new SeparationProgress(SeparationStage.Separating, done, Math.Max(done, chunk.Count), remaining));
        if (done >= chunk.Count)
            _shown = null;
    }
}
