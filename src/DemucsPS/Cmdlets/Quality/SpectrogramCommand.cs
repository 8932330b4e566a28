using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Pictures;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Cmdlets;

/// <summary>
/// What cmdlets that draw spectrograms have in common: all that comes in is drawn in one picture, when the last of it is there.
/// </summary>
public abstract class SpectrogramCommand : PSCmdlet, IDisposable
{
    private protected const string PathSet = "Path",
        LiteralPathSet = "LiteralPath",
        AudioSet = "Audio";

    private readonly CancellationTokenSource _stop = new();
    private readonly List<SpectrogramPanel> _panels = [];
    private TrackList? _tracks;
    private SpectrogramOptions? _options;
    private SeparationResult? _result;
    private object? _target;
    private bool _failed;

    /// <summary>Audio files, folders, playlists and CUE sheets; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ParameterSetName = PathSet)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [FileToPath]
    public string[] Path { get; set; } = [];

    /// <summary>The same, by literal names.</summary>
    [Parameter(Mandatory = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Tracks, chunks, stems, spectrograms and results of this module, files, and paths.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, ParameterSetName = AudioSet)]
    [ValidateNotNullOrEmpty]
    public object[] Audio { get; set; } = [];

    /// <summary>How frequencies are spread over the axis.</summary>
    [Parameter]
    public FrequencyScale FrequencyScale { get; set; }

    /// <summary>The lowest frequency in Hz; 0 for 20, or 0 if the scale is not logarithmic.</summary>
    [Parameter]
    public double MinFrequency { get; set; }

    /// <summary>The highest frequency in Hz; 0 for the highest that there is.</summary>
    [Parameter]
    public double MaxFrequency { get; set; }

    /// <summary>The level of the lowest color in dB.</summary>
    [Parameter]
    public double MinDb { get; set; } = new SpectrogramOptions().MinDb;

    /// <summary>The level of the highest color in dB.</summary>
    [Parameter]
    public double MaxDb { get; set; } = new SpectrogramOptions().MaxDb;

    /// <summary>The colors of levels.</summary>
    [Parameter]
    public PictureColors Colors { get; set; }

    /// <summary>What is around spectrograms.</summary>
    [Parameter]
    public PictureTheme Theme { get; set; }

    /// <summary>Width of the picture in pixels.</summary>
    [Parameter]
    public int Width { get; set; } = new SpectrogramOptions().Width;

    /// <summary>Height of the picture in pixels; 0 for some that suits the number of spectrograms.</summary>
    [Parameter]
    public int Height { get; set; }

    /// <summary>Pixels an inch.</summary>
    [Parameter]
    public int Dpi { get; set; } = new SpectrogramOptions().Dpi;

    /// <summary>Where in the tracks to begin, in seconds.</summary>
    [Parameter]
    public double Start { get; set; }

    /// <summary>How much to show, in seconds; 0 for all.</summary>
    [Parameter]
    public double Duration { get; set; }

    /// <summary>Samples in a frame.</summary>
    [Parameter]
    public int FrameSize { get; set; } = new SpectrogramOptions().FrameSize;

    /// <summary>Samples from one frame to the next; 0 for a frame a column.</summary>
    [Parameter]
    public int HopSize { get; set; }

    /// <summary>What a pixel shows of the levels in it.</summary>
    [Parameter]
    public PixelPower PixelPower { get; set; }

    /// <summary>Draw where chunks begin and fade into each other.</summary>
    [Parameter]
    public SwitchParameter ChunkGrid { get; set; }

    /// <summary>Share of a chunk that neighbors have in common, for the chunk grid; no number for what is known of the tracks.</summary>
    [Parameter]
    public double Overlap { get; set; } = double.NaN;

    /// <summary>Length of a chunk in seconds, for the chunk grid; 0 for what is known, or that of htdemucs.</summary>
    [Parameter]
    public double Segment { get; set; }

    /// <summary>A line above all.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Title { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        _options = new SpectrogramOptions
        {
            FrequencyScale = FrequencyScale,
            MinFrequency = MinFrequency == 0 ? null : MinFrequency,
            MaxFrequency = MaxFrequency == 0 ? null : MaxFrequency,
            MinDb = MinDb,
            MaxDb = MaxDb,
            Colors = Colors,
            Theme = Theme,
            Width = Width,
            Height = Height == 0 ? null : Height,
            Dpi = Dpi,
            Start = Start == 0 ? null : Start,
            Duration = Duration == 0 ? null : Duration,
            FrameSize = FrameSize,
            Hop = HopSize == 0 ? null : HopSize,
            PixelPower = PixelPower,
            ChunkGrid = ChunkGrid,
            Overlap = double.IsNaN(Overlap) ? null : Overlap,
            Segment = Segment == 0 ? null : Segment,
            Title = Title,
        };
        _tracks = new TrackList(new TrackListOptions { CanRecurse = false }, WriteVerbose, Fail);
        try
        {
            _options.Check();
            Prepare();
        }
        catch (DemucsException e)
        {
            ThrowTerminatingError(e.ToRecord(null));
        }
    }

    /// <inheritdoc/>
    protected sealed override void ProcessRecord()
    {
        if (ParameterSetName != AudioSet)
            AddFiles(ParameterSetName == PathSet ? Path : LiteralPath, ParameterSetName == LiteralPathSet);
        foreach (object given in ParameterSetName == AudioSet ? Audio : [])
            Add(given is PSObject wrapped ? wrapped.BaseObject : given);
    }

    /// <inheritdoc/>
    protected sealed override void EndProcessing()
    {
        // A picture that lacks one of those that were requested is not what was requested.
        if (_failed || _panels.Count == 0)
            return;
        SpectrogramOptions options = _options! with
        {
            Title = Title ?? (_result is { } result && result.Stems.Count == _panels.Count ? $"{result.Track} ({result.Model})" : null),
        };
        TrackProgress progress = new(this, "Drawing spectrograms");
        try
        {
            if (!IsWanted(_panels))
                return;
            progress.Begin(new TrackSource(_panels.Count == 1 ? _panels[0].Name : $"{_panels.Count} spectrograms"));
            SpectrogramPicture picture = SpectrogramPicture.Create(_panels, options, progress, _stop.Token);
            progress.Complete();
            foreach (string warning in picture.Warnings)
                WriteWarning(warning);
            Give(picture);
        }
        catch (DemucsException e)
        {
            progress.Complete();
            WriteError(e.ToRecord(_target));
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
    }

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Finds out whether there is a place for the picture.</summary>
    /// <exception cref="DemucsException">There is none.</exception>
    private protected abstract void Prepare();

    /// <summary>Whether it is to be drawn.</summary>
    private protected virtual bool IsWanted(IReadOnlyList<SpectrogramPanel> panels) => true;

    /// <summary>The picture is there.</summary>
    private protected abstract void Give(SpectrogramPicture picture);

    private void Add(object given)
    {
        _target = given;
        switch (given)
        {
            case string path:
                AddFiles([path], literal: false);
                break;
            case FileSystemInfo file:
                AddFiles([file.FullName], literal: true);
                break;
            case AudioTrack track:
                _panels.Add(SpectrogramPanel.Create(track));
                break;
            case AudioChunk chunk:
                _panels.Add(SpectrogramPanel.Create(chunk));
                break;
            case ChunkSpectrogram spectrogram:
                _panels.Add(SpectrogramPanel.Create(spectrogram));
                break;
            case StemChunk stem:
                _panels.Add(SpectrogramPanel.Create(stem));
                break;
            case Stem stem:
                _panels.Add(SpectrogramPanel.Create(stem));
                break;
            case SeparationResult result:
                _panels.AddRange(SpectrogramPanel.Create(result));
                _result = result;
                break;
            default:
                Fail(
                    new DemucsException(
                        DemucsError.ParameterInvalid,
                        $"A {given.GetType().Name} has no spectrogram. Give audio files, or tracks, chunks, stems, spectrograms or results of this module."
                    )
                );
                break;
        }
    }

    private void AddFiles(string[] names, bool literal)
    {
        foreach ((string file, string target) in this.ResolveFiles(names, literal, () => _failed = true))
        {
            _target = target;
            foreach (TrackSource source in _tracks!.Expand(file))
                _panels.Add(SpectrogramPanel.Create(source));
        }
    }

    private void Fail(DemucsException e)
    {
        _failed = true;
        WriteError(e.ToRecord(_target));
    }
}
