using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS;

/// <summary>Finds the tracks that the user of a cmdlet named, record by record; what cannot be found is an error record.</summary>
internal sealed class TrackInput
{
    /// <summary>Names of the parameter sets.</summary>
    public const string PathSet = "Path",
        LiteralPathSet = "LiteralPath";

    private readonly PSCmdlet _cmdlet;
    private readonly ITrackInput _given;
    private readonly Action? _failed;
    private readonly TrackList _tracks;
    private string _target = "";

    /// <param name="cmdlet">The cmdlet, with its parameters bound but those from the pipeline.</param>
    /// <param name="given">Those parameters.</param>
    /// <param name="outputFolder">Full path of the folder that files are written to, which is skipped in folders; null for none.</param>
    /// <param name="failed">Called for each error, before it is written.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: a parameter is out of range.</exception>
    public TrackInput(PSCmdlet cmdlet, ITrackInput given, string? outputFolder = null, Action? failed = null)
    {
        _cmdlet = cmdlet;
        _given = given;
        _failed = failed;
        TrackListOptions options = new()
        {
            StreamIndex = given.StreamIndex,
            ChannelLayout = given.ChannelLayout,
            LateStart = given.LateStart,
            OnDamage = given.OnDamage,
            Recurse = given.Recurse,
            Include = given.Include,
            Exclude = given.Exclude,
            OutputFolder = outputFolder,
        };
        // One for all records, so that what comes twice is known.
        _tracks = new TrackList(options, cmdlet.WriteVerbose, e =>
        {
            _failed?.Invoke();
            cmdlet.WriteError(e.ToRecord(_target));
        });
    }

    /// <summary>The tracks of the current record, each with what errors should name.</summary>
    public IEnumerable<(TrackSource Source, string Target)> Tracks()
    {
        bool literal = _cmdlet.ParameterSetName == LiteralPathSet;
        foreach ((string file, string target) in _cmdlet.ResolveFiles(literal ? _given.LiteralPath : _given.Path, literal, _failed))
        {
            _target = target;
            foreach (TrackSource source in _tracks.Expand(file))
                yield return (source, source.Path == file ? target : source.Path);
        }
    }
}
