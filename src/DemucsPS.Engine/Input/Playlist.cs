using System.Globalization;
using System.Text;
using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Input;

/// <summary>
/// Reads M3U playlists: a path a line, relative to the playlist's folder, or a file URI; lines that begin with # are comments.
/// </summary>
internal static class Playlist
{
    /// <summary>Whether a file is taken for a playlist, by its name.</summary>
    public static bool IsPlaylist(string path) => Path.GetExtension(path).ToUpperInvariant() is ".M3U" or ".M3U8";

    /// <summary>Reads the full paths of the files in a playlist. They need not exist.</summary>
    /// <param name="path">Full path of the playlist.</param>
    /// <param name="refused">Receives the entries that are not local files.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/> or
    /// <see cref="DemucsError.TrackListInvalid"/>.</exception>
    public static IReadOnlyList<string> Read(string path, Action<DemucsException> refused)
    {
        string folder = Path.GetDirectoryName(path)!;
        List<string> files = [];
        IReadOnlyList<string> lines = PlaylistText.ReadLines(path);
        if (lines.Any(line => line.StartsWith("#EXT-X-", StringComparison.Ordinal)))
            throw PlaylistText.Invalid(path, "is the index of a stream (HLS), not a playlist of files");
        foreach (string line in lines.Where(line => line.Length > 0 && line[0] != '#'))
        {
            try
            {
                files.Add(Resolve(path, line, folder));
            }
            catch (DemucsException e)
            {
                refused(e);
            }
        }
        return files;
    }

    /// <summary>
    /// The full path that an entry of a list means: as it stands where there is such a file, else with the separators of Windows or
    /// percent-encoded, as some programs write paths.
    /// </summary>
    /// <param name="list">The list, for messages.</param>
    /// <param name="entry">A path or a file URI.</param>
    /// <param name="folder">Full path of the folder that relative paths begin in.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.TrackListInvalid"/>: it is not a local file.</exception>
    internal static string Resolve(string list, string entry, string folder)
    {
        int scheme = entry.IndexOf(':', StringComparison.Ordinal);
        bool isFileUri = entry.StartsWith("file:", StringComparison.OrdinalIgnoreCase);
        if (!isFileUri && scheme > 1 && entry.AsSpan(scheme).StartsWith("://"))
            throw NotLocal(list, entry);
        string path = isFileUri ? PathOf(entry) ?? throw NotLocal(list, entry) : entry;
        string decoded = Decode(path);
        // In a URI percent signs begin codes, in a path not, unless only so a file is found; the separators of Windows are some where no
        // file is called so.
        string[] readings = isFileUri ? [decoded, path] : [path, WithSlashes(path), decoded, WithSlashes(decoded)];
        string said =
            isFileUri ? decoded
            : Path.DirectorySeparatorChar == '\\' ? path
            : WithSlashes(path);
        if (said.Contains('\0', StringComparison.Ordinal))
            throw PlaylistText.Invalid(list, "has a file name with a zero character");
        return readings
            .Where(reading => !reading.Contains('\0', StringComparison.Ordinal))
            .Select(reading => Path.GetFullPath(reading, folder))
            .FirstOrDefault(File.Exists)
            ?? Path.GetFullPath(said, folder);
    }

    private static DemucsException NotLocal(string list, string entry) =>
        PlaylistText.Invalid(list, $"names '{entry}', which is not a local file; network addresses are not supported");

    private static string WithSlashes(string path) => path.Replace('\\', '/');

    /// <summary>
    /// The path of a file URI, still encoded; null if it is none of this machine. What a URI would have as a query or fragment is taken for
    /// part of the name, as programs write it that do not encode it.
    /// </summary>
    private static string? PathOf(string uri)
    {
        string rest = uri["file:".Length..];
        if (rest.StartsWith("//", StringComparison.Ordinal))
        {
            int path = rest.IndexOf('/', 2);
            if (path < 0 || rest[2..path] is not "" && !rest[2..path].Equals("localhost", StringComparison.OrdinalIgnoreCase))
                return null;
            rest = rest[path..];
        }
        if (!rest.StartsWith('/') || rest.StartsWith("//", StringComparison.Ordinal))
            return null;
        // file:///C:/Music
        return Path.DirectorySeparatorChar == '\\'
            ? rest.TrimStart('/') is [_, ':' or '|', ..] and var drive
                ? $"{drive[0]}:{drive[2..]}"
                : null
            : rest;
    }

    /// <summary>Percent-encoded bytes as text: UTF-8, otherwise Latin-1. Percent signs that begin no code stay.</summary>
    private static string Decode(string text)
    {
        if (!text.Contains('%', StringComparison.Ordinal))
            return text;
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = 0;
        for (int at = 0; at < bytes.Length; length++)
        {
            bool isCode =
                bytes[at] == '%'
                && at + 2 < bytes.Length
                && char.IsAsciiHexDigit((char)bytes[at + 1])
                && char.IsAsciiHexDigit((char)bytes[at + 2]);
            bytes[length] = isCode
                ? byte.Parse(bytes.AsSpan(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture)
                : bytes[at];
            at += isCode ? 3 : 1;
        }
        return PlaylistText.Decode(bytes.AsSpan(0, length));
    }
}
