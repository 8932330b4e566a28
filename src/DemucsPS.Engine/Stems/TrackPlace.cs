using System.Security.Cryptography;
using System.Text;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Stems;

/// <summary>
/// Where a track's files lie, and where that lies which belongs to them: unfinished files and the provenance. A track has its own folder
/// unless file names are chosen, or one file holds all stems; then several tracks may share a folder, or one be spread over several, and
/// names that begin with the first file's tell them apart.
/// </summary>
internal sealed class TrackPlace
{
    // Eight hexadecimal digits and what is before them.
    private const int HashBytes = 9;

    private readonly string _prefix;

    /// <param name="paths">Full paths of the files, at least one.</param>
    /// <param name="extension">Theirs.</param>
    /// <param name="isOwn">Whether no other track's files can be in their folder.</param>
    public TrackPlace(IReadOnlyList<string> paths, string extension, bool isOwn)
    {
        Folder = Path.GetDirectoryName(paths[0])!;
        while (
            !paths.All(path =>
                path.StartsWith(
                    Path.EndsInDirectorySeparator(Folder) ? Folder : Folder + Path.DirectorySeparatorChar,
                    StringComparison.Ordinal
                )
            )
        )
            Folder = Path.GetDirectoryName(Folder)!;
        _prefix = isOwn ? "" : Key(Relative(paths[0])[..^extension.Length]) + ".";
    }

    /// <summary>Full path of the innermost folder that all files are in.</summary>
    public string Folder { get; }

    /// <summary>Full path of the <see cref="PartialFolder"/> whose content another run can continue.</summary>
    public string PartialPath => Path.Combine(Folder, _prefix + PartialFolder.ResumableName);

    /// <summary>Full path of the <see cref="SeparationJournal"/> in it.</summary>
    public string JournalPath => Path.Combine(PartialPath, SeparationJournal.FileName);

    /// <summary>Full path of the <see cref="SeparationProvenance"/>.</summary>
    public string ProvenancePath => Path.Combine(Folder, _prefix + SeparationProvenance.FileName);

    /// <summary>A file's path from the folder on, with / between folders.</summary>
    public string Relative(string path) => Path.GetRelativePath(Folder, path).Replace(Path.DirectorySeparatorChar, '/');

    private static string Key(string relative)
    {
        string key = SafeFileName.Clean(relative.Replace("/", " - ", StringComparison.Ordinal));
        if (Encoding.UTF8.GetByteCount(key) <= SafeFileName.MaxBytes)
            return key;
        // What is cut off may be all that tells two tracks apart.
        return $"{SafeFileName.Cut(key, SafeFileName.MaxBytes - HashBytes)}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(relative)).AsSpan(0, 4))}";
    }
}
