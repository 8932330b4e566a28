namespace DemucsPS.Engine.Audio;

/// <summary>Reads M3U playlists: a path a line, relative to the playlist's folder, or a file URI; lines that begin with # are comments.</summary>
internal static class Playlist
{
    /// <summary>Whether a file is taken for a playlist, by its name.</summary>
    public static bool IsPlaylist(string path) => Path.GetExtension(path).ToUpperInvariant() is ".M3U" or ".M3U8";

    /// <summary>Reads the full paths of the files in a playlist. They need not exist.</summary>
    /// <param name="path">Full path of the playlist.</param>
    /// <param name="refused">Told the entries that are no local files.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/> or <see cref="DemucsError.TrackListInvalid"/>.</exception>
    public static IReadOnlyList<string> Read(string path, Action<DemucsException> refused)
    {
        string folder = Path.GetDirectoryName(path)!;
        List<string> files = [];
        IReadOnlyList<string> lines = ListText.ReadLines(path);
        if (lines.Any(line => line.StartsWith("#EXT-X-", StringComparison.Ordinal)))
            throw ListText.Invalid(path, "is the index of a stream (HLS), not a playlist of files");
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

    /// <summary>The full path that an entry of a list means.</summary>
    /// <param name="list">The list, for messages.</param>
    /// <param name="entry">A path or a file URI.</param>
    /// <param name="folder">Full path of the folder that relative paths begin in.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.TrackListInvalid"/>: it is no local file.</exception>
    internal static string Resolve(string list, string entry, string folder)
    {
        int scheme = entry.IndexOf(':', StringComparison.Ordinal);
        bool isFileUri = entry.StartsWith("file:", StringComparison.OrdinalIgnoreCase);
        if (isFileUri && Uri.TryCreate(entry, UriKind.Absolute, out Uri? uri) && uri.IsFile && uri.Host is "" or "localhost" && !uri.LocalPath.Contains('\0', StringComparison.Ordinal))
            return Path.GetFullPath(uri.LocalPath);
        if (isFileUri || (scheme > 1 && entry.AsSpan(scheme).StartsWith("://")))
            throw ListText.Invalid(list, $"names '{entry}', which is not a local file; nothing is fetched from a network");
        if (entry.Contains('\0', StringComparison.Ordinal))
            throw ListText.Invalid(list, "has a name with a zero character");
        string full = Path.GetFullPath(entry, folder);
        // Lists made on Windows have its separators.
        return Path.DirectorySeparatorChar != '\\' && entry.Contains('\\', StringComparison.Ordinal) && !File.Exists(full) ? Path.GetFullPath(entry.Replace('\\', '/'), folder) : full;
    }
}
