using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Where stems go: ROOT/MODEL/TRACK, as users of the official tool expect. Remembers the folders of one batch, so that two sources of the same name do not
/// overwrite each other's stems. Thread-safe.
/// </summary>
public sealed class StemFolders
{
    private readonly string _root;
    private readonly Dictionary<string, TrackSource> _claimed = new(PathComparer);

    /// <summary>Starts a batch.</summary>
    /// <param name="root">Full path of the folder for all output; need not exist.</param>
    public StemFolders(string root)
    {
        if (!Path.IsPathFullyQualified(root))
            throw new ArgumentException($"'{root}' is not a full path.", nameof(root));
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
    }

    /// <summary>Whether paths are the same file on this system.</summary>
    internal static StringComparer PathComparer { get; } = OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    /// <summary>The folder for a source's stems.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="source">The track.</param>
    public string For(string model, TrackSource source)
    {
        // Windows drops trailing dots and spaces from names, and a track called ".." must not lead elsewhere.
        string track = source.Name.TrimEnd('.', ' ');
        return Path.Combine(_root, model, track.Length == 0 ? "_" : track);
    }

    /// <summary>As <see cref="For"/>, and takes the folder for this source for the rest of the batch, or until <see cref="Release"/>.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/>: another source of the batch has it.</exception>
    public string Claim(string model, TrackSource source)
    {
        string folder = For(model, source);
        lock (_claimed)
        {
            if (_claimed.TryAdd(folder, source) || _claimed[folder] == source)
                return folder;
            throw new DemucsException(DemucsError.StemExists,
                $"The stems of '{source.Path}' would go to '{folder}', like those of '{_claimed[folder].Path}' from the same batch. Separate one of them into another destination.", source.Path);
        }
    }

    /// <summary>Gives a folder back whose stems were not written.</summary>
    public void Release(string folder)
    {
        lock (_claimed)
            _claimed.Remove(folder);
    }
}
