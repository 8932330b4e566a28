using System.Globalization;

namespace DemucsPS.Engine.Audio;

/// <summary>Reads CUE sheets: where the tracks of a CD lie in its audio file, or files, and what they are called. A track is what is from its INDEX 01 to the next track's.</summary>
internal sealed class CueSheet
{
    private const int MaxTracks = 99, MaxMinutes = 99_999;

    private readonly string _path;
    private readonly Dictionary<string, string> _album = [];
    private readonly List<Entry> _entries = [];
    private string? _file;
    private int _line;

    private CueSheet(string path) => _path = path;

    /// <summary>Whether a file is taken for a CUE sheet, by its name.</summary>
    public static bool IsCueSheet(string path) => Path.GetExtension(path).Equals(".cue", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the tracks of a sheet. Their files need not exist.</summary>
    /// <param name="path">Full path of the sheet.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/> or <see cref="DemucsError.TrackListInvalid"/>.</exception>
    public static IReadOnlyList<CueTrack> Read(string path)
    {
        CueSheet sheet = new(path);
        foreach (string line in ListText.ReadLines(path))
        {
            sheet._line++;
            sheet.Take(line);
        }
        return sheet.Tracks();
    }

    private void Take(string line)
    {
        string[] words = Words(line);
        Entry? track = _entries.LastOrDefault();
        Dictionary<string, string> tags = track?.Tags ?? _album;
        switch (words[0].ToUpperInvariant(), words.Length)
        {
            case ("FILE", >= 2):
                if (words.Length > 2 && words[^1].ToUpperInvariant() is "BINARY" or "MOTOROLA")
                    throw Invalid($"names a raw CD image, '{words[1]}', which is no audio file");
                _file = Playlist.Resolve(_path, words[1], Path.GetDirectoryName(_path)!);
                break;
            case ("TRACK", >= 3):
                if (_file is null)
                    throw Invalid("has a TRACK before any FILE");
                if (_entries.Count == MaxTracks || !int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number is < 1 or > MaxTracks)
                    throw Invalid($"has the track number '{words[1]}'; there can be 1 to {MaxTracks}");
                _entries.Add(new Entry(number, words[2].Equals("AUDIO", StringComparison.OrdinalIgnoreCase)));
                break;
            case ("INDEX", >= 3):
                if (track is null || _file is null)
                    throw Invalid("has an INDEX before any TRACK");
                if (int.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index == 1)
                    (track.File, track.Start) = (_file, ParseTime(words[2]));
                break;
            case ("TITLE", >= 2):
                tags[track is null ? "album" : "title"] = words[1];
                break;
            case ("PERFORMER", >= 2):
                tags[track is null ? "albumartist" : "artist"] = words[1];
                break;
            case ("SONGWRITER", >= 2):
                tags["composer"] = words[1];
                break;
            case ("ISRC", >= 2) when track is not null:
                tags["isrc"] = words[1];
                break;
            case ("REM", >= 3) when track is null && words[1].ToUpperInvariant() is "DATE" or "GENRE":
                tags[words[1].ToLowerInvariant()] = words[2];
                break;
            case ("REM", >= 3) when track is null && words[1].Equals("DISCNUMBER", StringComparison.OrdinalIgnoreCase):
                tags["disc"] = words[2];
                break;
        }
    }

    private CueTrack[] Tracks()
    {
        Entry[] audio = [.. _entries.Where(e => e.IsAudio && e.File is not null)];
        if (audio.Length == 0)
            throw ListText.Invalid(_path, "is no CUE sheet with audio tracks: there is no TRACK … AUDIO with an INDEX 01");
        return [.. audio.Select(e =>
        {
            // Data tracks end audio tracks, too.
            Entry? next = _entries.SkipWhile(other => other != e).Skip(1).FirstOrDefault(other => other.File is not null);
            long? end = next?.File == e.File ? next!.Start : null;
            return end <= e.Start
                ? throw ListText.Invalid(_path, $"is damaged: track {next!.Number} does not begin behind track {e.Number}")
                : new CueTrack(e.File!, e.Number, e.Start, end, Tags(e));
        })];
    }

    private TrackTags Tags(Entry track)
    {
        AudioTagBuilder tags = new();
        foreach ((string field, string value) in track.Tags)
            tags.Add(field, value);
        tags.Add("track", track.Number.ToString(CultureInfo.InvariantCulture));
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
            : throw Invalid($"has the time '{text}'; a time is minutes:seconds:frames, with 60 seconds and 75 frames at most");
    }

    private DemucsException Invalid(string what) => ListText.Invalid(_path, $"{what} (line {_line})");

    /// <summary>Splits a line at spaces; what is in quotation marks is one word. Never empty.</summary>
    private static string[] Words(string line)
    {
        List<string> words = [];
        for (int at = 0; at < line.Length;)
        {
            if (char.IsWhiteSpace(line[at]))
            {
                at++;
                continue;
            }
            bool isQuoted = line[at] == '"';
            int start = isQuoted ? at + 1 : at;
            int end = isQuoted ? line.IndexOf('"', start) : line.AsSpan(start).IndexOfAny(' ', '\t') is >= 0 and int length ? start + length : line.Length;
            end = end < 0 ? line.Length : end;
            words.Add(line[start..end]);
            at = isQuoted ? end + 1 : end;
        }
        return words.Count > 0 ? [.. words] : [""];
    }

    private sealed class Entry(int number, bool isAudio)
    {
        public int Number => number;

        public bool IsAudio => isAudio;

        public string? File { get; set; }

        public long Start { get; set; }

        public Dictionary<string, string> Tags { get; } = [];
    }
}
