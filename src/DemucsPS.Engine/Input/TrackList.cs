using System.IO.Enumeration;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Naming;

namespace DemucsPS.Engine.Input;

/// <summary>
/// Makes the tracks of a batch of what a user names: audio files; folders; M3U playlists, whose entries are local files; and CUE sheets,
/// whose tracks are parts of a file. A track that was given before is left out. Not thread-safe.
/// </summary>
public sealed class TrackList
{
    private static readonly string[] s_audioExtensions =
    [
        "wav",
        "wave",
        "bwf",
        "rf64",
        "w64",
        "flac",
        "mp3",
        "mp2",
        "m4a",
        "m4b",
        "aac",
        "ogg",
        "oga",
        "opus",
        "wma",
        "aif",
        "aiff",
        "aifc",
        "wv",
        "ape",
        "alac",
        "caf",
        "mka",
        "tta",
        "mpc",
        "tak",
        "ac3",
        "dts",
        "au",
    ];

    private readonly TrackListOptions _options;
    private readonly Action<string> _notice;
    private readonly Action<DemucsException> _failed;
    private readonly HashSet<TrackSource> _given = [];
    private int _told;

    /// <summary>Begins a batch.</summary>
    /// <param name="options">What is taken.</param>
    /// <param name="notice">Receives in sentences what was left out, or taken from elsewhere than said. Called while tracks are taken from
    /// <see cref="Expand"/>.</param>
    /// <param name="failed">Receives what cannot be used; the batch continues. Called likewise.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: an option is out of range.</exception>
    public TrackList(TrackListOptions options, Action<string> notice, Action<DemucsException> failed)
    {
        options.Check();
        _options = options;
        _notice = sentence =>
        {
            _told++;
            notice(sentence);
        };
        _failed = e =>
        {
            _told++;
            failed(e);
        };
    }

    /// <summary>The tracks of one name, one by one, in the order of their names or of the list.</summary>
    /// <param name="path">Full path of a file, folder or list. A file need not exist, nor be audio: whoever opens it will say so.</param>
    public IEnumerable<TrackSource> Expand(string path)
    {
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));
        bool isFolder = Directory.Exists(path),
            isEmpty = true;
        int told = _told;
        IEnumerable<string> files = isFolder ? FilesIn(new DirectoryInfo(path)) : [path];
        foreach (TrackSource track in files.SelectMany(file => TracksOf(file, isListed: false)).SelectMany(Layout))
        {
            isEmpty = false;
            // Systems that do not tell cases apart in names must not here, either.
            TrackSource key =
                StemNames.PathComparer == StringComparer.Ordinal ? track : track with { Path = track.Path.ToUpperInvariant() };
            if (_given.Add(key))
                yield return track;
            else
                _notice($"'{track.Path}' is skipped: {track.Name} is already on the list.");
        }
        // Success would be taken for stems.
        if (isFolder && isEmpty && told == _told)
        {
            _failed(
                new DemucsException(
                    DemucsError.AudioTrackNotFound,
                    $"The folder '{path}' has no audio files. {(_options.CanRecurse ? "Check the path, and the patterns of included and excluded names." : $"Check the path, or name the files, such as '{Path.Combine(path, "*", "*.wav")}'.")}",
                    path
                )
                {
                    Remedies = _options.Recurse || !_options.CanRecurse ? [] : [Remedy.Recurse],
                }
            );
        }
    }

    /// <summary>Whether a file is taken from a folder if nothing else is said: by the extension of its name.</summary>
    internal static bool IsAudio(string name) =>
        s_audioExtensions.Contains(Path.GetExtension(name).TrimStart('.'), StringComparer.OrdinalIgnoreCase);

    private IEnumerable<string> FilesIn(DirectoryInfo folder)
    {
        if (
            _options.OutputFolder is { } output
            && StemNames.PathComparer.Equals(Path.TrimEndingDirectorySeparator(folder.FullName), Path.TrimEndingDirectorySeparator(output))
        )
        {
            _notice($"'{folder.FullName}' is skipped: it is the folder for stems.");
            yield break;
        }
        FileSystemInfo[] entries;
        try
        {
            // As the options do by default: hidden entries and those of the system are left out, but not what may not be read.
            entries =
            [
                .. folder
                    .EnumerateFileSystemInfos("*", new EnumerationOptions { IgnoreInaccessible = false })
                    .OrderBy(e => e.Name, StringComparer.Ordinal),
            ];
        }
        catch (Exception e) when (e.IsFileError())
        {
            _failed(
                new DemucsException(
                    DemucsError.AudioTrackNotFound,
                    $"The folder '{folder.FullName}' cannot be read: {e.Message} Check the permissions, or exclude the folder.",
                    folder.FullName,
                    e
                )
            );
            yield break;
        }
        foreach (FileSystemInfo entry in entries.Where(e => e is FileInfo && IsWanted(e.Name)))
            yield return entry.FullName;
        // Links can lead in circles, so those to folders are not followed.
        foreach (
            DirectoryInfo inner in entries
                .OfType<DirectoryInfo>()
                .Where(d => _options.Recurse && !d.Attributes.HasFlag(FileAttributes.ReparsePoint) && !Matches(_options.Exclude, d.Name))
        )
        {
            foreach (string file in FilesIn(inner))
                yield return file;
        }
    }

    private bool IsWanted(string name) =>
        (_options.Include.Count == 0 ? IsAudio(name) : Matches(_options.Include, name)) && !Matches(_options.Exclude, name);

    private static bool Matches(IReadOnlyList<string> patterns, string name) =>
        patterns.Any(p => FileSystemName.MatchesSimpleExpression(p, name));

    private IEnumerable<TrackSource> TracksOf(string file, bool isListed)
    {
        try
        {
            if (CueSheet.IsCueSheet(file))
                return TracksOfSheet(file, CueSheet.Read(file, _notice));
            if (!Playlist.IsPlaylist(file))
                return
                [
                    new TrackSource(file)
                    {
                        StreamIndex = _options.StreamIndex,
                        LateStart = _options.LateStart,
                        OnDamage = _options.OnDamage,
                    },
                ];
            if (isListed)
                throw PlaylistText.Invalid(file, "is a playlist inside another playlist");
            bool isRefused = false;
            IReadOnlyList<string> entries = Playlist.Read(
                file,
                refused =>
                {
                    isRefused = true;
                    _failed(refused);
                }
            );
            if (entries.Count == 0 && !isRefused)
                throw PlaylistText.Invalid(file, "is a playlist without entries");
            return entries.SelectMany(entry => TracksOf(entry, isListed: true));
        }
        catch (DemucsException e)
        {
            _failed(e);
            return [];
        }
    }

    private IEnumerable<TrackSource> TracksOfSheet(string sheet, IReadOnlyList<CueTrack> tracks)
    {
        foreach (IGrouping<string, CueTrack> file in tracks.GroupBy(track => track.File))
        {
            TrackSource whole = new(FileOfSheet(sheet, file.Key))
            {
                StreamIndex = _options.StreamIndex,
                LateStart = _options.LateStart,
                OnDamage = _options.OnDamage,
            };
            int sampleRate;
            try
            {
                // Damage concerns the track that it is in.
                using AudioReader reader = AudioFile.Open(whole with { OnDamage = DamageHandling.Warn });
                sampleRate = reader.SampleRate;
            }
            catch (DemucsException e)
            {
                _failed(e);
                continue;
            }
            foreach (CueTrack track in file)
                yield return whole with
                {
                    Range = track.Range(sampleRate),
                    TrackName = track.Name,
                    Tags = track.Tags,
                    IsPreEmphasized = track.IsPreEmphasized,
                };
        }
    }

    /// <summary>The file that a sheet means: often it was converted to another format after the sheet was written.</summary>
    private string FileOfSheet(string sheet, string file)
    {
        if (File.Exists(file))
            return file;
        string[] others = [.. s_audioExtensions.Select(extension => Path.ChangeExtension(file, extension)).Where(File.Exists)];
        if (others.Length != 1)
            return file;
        _notice($"'{sheet}' names '{file}', which does not exist. '{others[0]}' is used instead.");
        return others[0];
    }

    private IEnumerable<TrackSource> Layout(TrackSource track)
    {
        if (_options.ChannelLayout == ChannelLayout.FirstTwo)
            return [track];
        try
        {
            using AudioReader reader = AudioFile.Open(track);
            return reader.Channels <= 2
                ? [track]
                : [.. Audio.ChannelNames.Pairs(reader.ChannelNames).Select(pair => track with { Channels = pair })];
        }
        catch (DemucsException e)
        {
            _failed(e);
            return [];
        }
    }
}
