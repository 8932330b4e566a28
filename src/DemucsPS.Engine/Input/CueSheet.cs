using System.Globalization;
using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Input;

/// <summary>
/// Reads CUE sheets: where the tracks of a CD lie in its audio file, or files, and what they are called. A track is what is from its INDEX
/// 01 to the next track's; what is before the first one's in a file is a hidden track where it is as long as one.
/// </summary>
internal sealed class CueSheet
{
    private const int MaxTracks = 99,
        MaxMinutes = 99_999;

    /// <summary>The shortest track that a CD may have, in its frames: 4 s (IEC 60908).</summary>
    private const int LeastTrack = 4 * CueTrack.CdRate;

    private readonly string _path;
    private readonly Action<string> _notice;
    private readonly Dictionary<string, string> _album = [];
    private readonly List<Entry> _entries = [];
    private string? _file;
    private int _line;

    private CueSheet(string path, Action<string> notice) => (_path, _notice) = (path, notice);

    /// <summary>Whether a file is taken for a CUE sheet, by its name.</summary>
    public static bool IsCueSheet(string path) => Path.GetExtension(path).Equals(".cue", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the tracks of a sheet. Their files need not exist.</summary>
    /// <param name="path">Full path of the sheet.</param>
    /// <param name="notice">Receives in a sentence what is in no track.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/> or
    /// <see cref="DemucsError.TrackListInvalid"/>.</exception>
    public static IReadOnlyList<CueTrack> Read(string path, Action<string> notice)
    {
        CueSheet sheet = new(path, notice);
        foreach (string line in PlaylistText.ReadLines(path))
        {
            sheet._line++;
            sheet.Take(line);
        }
        return sheet.Tracks();
    }

    private void Take(string line)
    {
        string[] words = CueLine.Words(line);
        Entry? track = _entries.LastOrDefault();
        Dictionary<string, string> tags = track?.Tags ?? _album;
        switch (words[0].ToUpperInvariant(), words.Length)
        {
            case ("FILE", >= 2):
                (string file, string kind) = CueLine.File(line);
                if (kind.ToUpperInvariant() is "BINARY" or "MOTOROLA")
                    throw Invalid($"names a raw CD image, '{file}', which is not an audio file");
                _file = Playlist.Resolve(_path, file, Path.GetDirectoryName(_path)!);
                break;
            case ("TRACK", >= 3):
                if (_file is null)
                    throw Invalid("has a TRACK before any FILE");
                if (
                    _entries.Count == MaxTracks
                    || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                    || number is < 1 or > MaxTracks
                )
                    throw Invalid($"has the track number '{words[1]}'; track numbers are 1 to {MaxTracks}");
                _entries.Add(new Entry(number, words[2].Equals("AUDIO", StringComparison.OrdinalIgnoreCase)));
                break;
            case ("INDEX", >= 3):
                if (track is null || _file is null)
                    throw Invalid("has an INDEX before any TRACK");
                if (int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index == 1)
                    (track.File, track.Start) = (_file, ParseTime(words[2]));
                break;
            case ("TITLE", >= 2):
                tags[track is null ? "album" : "title"] = CueLine.Text(line, 1);
                break;
            case ("PERFORMER", >= 2):
                tags[track is null ? "albumartist" : "artist"] = CueLine.Text(line, 1);
                break;
            case ("SONGWRITER", >= 2):
                tags["composer"] = CueLine.Text(line, 1);
                break;
            case ("FLAGS", >= 2) when track is not null:
                track.IsPreEmphasized |= words.Skip(1).Any(flag => flag.Equals("PRE", StringComparison.OrdinalIgnoreCase));
                break;
            case ("ISRC", >= 2) when track is not null:
                tags["isrc"] = words[1];
                break;
            case ("REM", >= 3) when track is null && words[1].ToUpperInvariant() is "DATE" or "GENRE":
                tags[words[1].ToLowerInvariant()] = CueLine.Text(line, 2);
                break;
            case ("REM", >= 3) when track is null && words[1].Equals("DISCNUMBER", StringComparison.OrdinalIgnoreCase):
                tags["disc"] = CueLine.Text(line, 2);
                break;
        }
    }

    private CueTrack[] Tracks()
    {
        Entry[] audio = [.. _entries.Where(e => e.IsAudio && e.File is not null)];
        if (audio.Length == 0)
            throw PlaylistText.Invalid(_path, "is not a CUE sheet with audio tracks: it has no TRACK … AUDIO with an INDEX 01");
        return [.. audio.SelectMany(TracksOf)];
    }

    /// <summary>A track, after what is before it in its file if that is one, too.</summary>
    private IEnumerable<CueTrack> TracksOf(Entry entry)
    {
        Entry[] inFile = [.. _entries.Where(e => e.File == entry.File)];
        if (inFile[0] == entry && entry.Start >= LeastTrack)
            yield return Hidden(entry) with
            {
                IsPreEmphasized = entry.IsPreEmphasized,
            };
        else if (inFile[0] == entry && entry.Start > 0)
            _notice(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{_path}': the {(double)entry.Start / CueTrack.CdRate:F2} s before track {entry.Number} in '{entry.File}' belong to no track. They are ignored."
                )
            );
        // Data tracks end audio tracks, too.
        Entry? next = _entries.SkipWhile(other => other != entry).Skip(1).FirstOrDefault(other => other.File is not null);
        long? end = next?.File == entry.File ? next!.Start : null;
        if (end <= entry.Start)
            throw PlaylistText.Invalid(_path, $"is damaged: track {next!.Number} does not begin after track {entry.Number}");
        yield return new CueTrack(entry.File!, entry.Number, entry.Start, end, Tags(entry.Number, entry.Tags))
        {
            IsPreEmphasized = entry.IsPreEmphasized,
        };
    }

    /// <summary>What is before a track.</summary>
    private CueTrack Hidden(Entry track)
    {
        bool isFirst = track == _entries[0] && track.Number == 1;
        int number = isFirst ? 0 : track.Number;
        Dictionary<string, string> own = new()
        {
            ["title"] = isFirst ? "Hidden track" : $"Before track {track.Number.ToString(CultureInfo.InvariantCulture)}",
        };
        if (track.Tags.TryGetValue("artist", out string? artist) && !_album.ContainsKey("albumartist"))
            own["artist"] = artist;
        return new CueTrack(track.File!, number, 0, track.Start, Tags(number, own));
    }

    private TrackTags Tags(int number, Dictionary<string, string> own)
    {
        AudioTagBuilder tags = new();
        foreach ((string field, string value) in own)
            tags.Add(field, value);
        tags.Add("track", number.ToString(CultureInfo.InvariantCulture));
        tags.Seal();
        foreach ((string field, string value) in _album)
            tags.Add(field, value);
        if (_album.TryGetValue("albumartist", out string? artist))
            tags.Add("artist", artist);
        return new TrackTags(tags.Build());
    }

    private long ParseTime(string text)
    {
        string[] parts = text.Split(':');
        int[] numbers = [.. parts.Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out int n) ? n : -1)];
        return numbers is [>= 0 and <= MaxMinutes, >= 0 and < 60, >= 0 and < 75]
            ? (((numbers[0] * 60L) + numbers[1]) * 75) + numbers[2]
            : throw Invalid($"has the time '{text}'; times are minutes:seconds:frames, with at most 59 seconds and 74 frames");
    }

    private DemucsException Invalid(string what) => PlaylistText.Invalid(_path, $"{what} (line {_line})");

    private sealed class Entry(int number, bool isAudio)
    {
        public int Number => number;

        public bool IsAudio => isAudio;

        public string? File { get; set; }

        public long Start { get; set; }

        public bool IsPreEmphasized { get; set; }

        public Dictionary<string, string> Tags { get; } = [];
    }
}
