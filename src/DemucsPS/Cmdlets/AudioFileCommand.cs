using System.Management.Automation;
using DemucsPS.Engine.Audio;

namespace DemucsPS.Cmdlets;

/// <summary>What cmdlets that take audio files have in common: how files, folders and lists are named, and that their tracks are taken one by one.</summary>
public abstract class AudioFileCommand : PSCmdlet
{
    private protected const string PathSet = "Path", LiteralPathSet = "LiteralPath";

    private TrackList? _tracks;
    private string _target = "";

    /// <summary>Audio files, folders, playlists and CUE sheets; wildcards are allowed.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = PathSet)]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    [FileToPath]
    public string[] Path { get; set; } = [];

    /// <summary>The same, by names taken as they are.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = LiteralPathSet)]
    [Alias("PSPath")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Take folders with the folders in them.</summary>
    [Parameter]
    public SwitchParameter Recurse { get; set; }

    /// <summary>Names of the files that are taken from folders.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Include { get; set; } = [];

    /// <summary>Names of files and folders that are left out of folders.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    [SupportsWildcards]
    public string[] Exclude { get; set; } = [];

    /// <summary>The audio stream of each file, counted from 0.</summary>
    [Parameter]
    [ValidateRange(0, int.MaxValue)]
    public int StreamIndex { get; set; }

    /// <summary>What is taken of files with more than two channels.</summary>
    [Parameter]
    public ChannelLayout ChannelLayout { get; set; }

    /// <inheritdoc/>
    protected sealed override void ProcessRecord()
    {
        TrackListOptions options = new() { StreamIndex = StreamIndex, ChannelLayout = ChannelLayout, Recurse = Recurse, Include = Include, Exclude = Exclude, OutputFolder = OutputFolder };
        // One for all records, so that what comes twice is known.
        _tracks ??= new TrackList(options, WriteVerbose, e => WriteError(e.ToRecord(_target)));
        bool literal = ParameterSetName == LiteralPathSet;
        foreach ((string file, string target) in this.ResolveFiles(literal ? LiteralPath : Path, literal))
        {
            _target = target;
            foreach (TrackSource source in _tracks.Expand(file))
                ProcessTrack(source, source.Path == file ? target : source.Path);
        }
    }

    /// <summary>Full path of the folder that files are written to, which is left out of folders; null for none.</summary>
    private protected virtual string? OutputFolder => null;

    /// <summary>Works on one track.</summary>
    /// <param name="source">The track.</param>
    /// <param name="target">What errors should name.</param>
    private protected abstract void ProcessTrack(TrackSource source, string target);
}
