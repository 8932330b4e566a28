using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Naming;

/// <summary>
/// Where the files of stems go: below one folder, named by a template. Remembers the files of one batch, so that two sources do not
/// overwrite each other's stems. Thread-safe.
/// </summary>
public sealed class StemNames
{
    private readonly string _root;
    private readonly Dictionary<string, TrackSource> _claimed = new(PathComparer);

    /// <summary>Starts a batch.</summary>
    /// <param name="root">Full path of the folder for all output; need not exist.</param>
    /// <param name="template">How files are named; null for MODEL/TRACK/STEM, or MODEL/TRACK where one file contains all stems.</param>
    public StemNames(string root, FileNameTemplate? template = null)
    {
        if (!Path.IsPathFullyQualified(root))
            throw new ArgumentException($"'{root}' is not a full path.", nameof(root));
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        Template = template;
    }

    /// <summary>Whether paths are the same file on this system.</summary>
    internal static StringComparer PathComparer { get; } =
        OperatingSystem.IsLinux() ? StringComparer.Ordinal : StringComparer.OrdinalIgnoreCase;

    /// <summary>Full path of the folder for all output.</summary>
    public string Root => _root;

    /// <summary>How files are named; null for the usual.</summary>
    public FileNameTemplate? Template { get; }

    /// <summary>The full paths of a track's files, in the order of the stems.</summary>
    /// <param name="model">The model's name.</param>
    /// <param name="source">The track.</param>
    /// <param name="tags">Its tags.</param>
    /// <param name="stems">Names of the stems.</param>
    /// <param name="extension">Such as <c>.wav</c>.</param>
    /// <param name="oneFile">Whether there is but one file for all stems.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the template gives two stems the same
    /// file.</exception>
    public IReadOnlyList<string> For(
        string model,
        TrackSource source,
        IReadOnlyDictionary<string, string> tags,
        IReadOnlyList<string> stems,
        string extension,
        bool oneFile = false
    )
    {
        FileNameTemplate template = Template ?? (oneFile ? FileNameTemplate.OneFile : FileNameTemplate.Default);
        string[] paths = [.. stems.Select(stem => Path.Combine(_root, template.Expand(model, source, tags, stem) + extension))];
        // On every system as on the strictest, so that a template that works here works everywhere.
        if (paths.GroupBy(p => p, StringComparer.OrdinalIgnoreCase).FirstOrDefault(g => g.Count() > 1) is { } shared)
        {
            string[] same = [.. stems.Where((_, i) => string.Equals(paths[i], shared.Key, StringComparison.OrdinalIgnoreCase))];
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The stems {string.Join(", ", same)} of '{source.Path}' would all go to '{shared.Key}'. Add the field {{stem}} to the file name template '{template}'.",
                source.Path
            )
            {
                Parameter = EngineParameter.FileNameTemplate,
            };
        }
        return paths;
    }

    /// <summary>Takes files for a source for the rest of the batch, or until <see cref="Release"/>.</summary>
    /// <returns>Those that the source did not have before: what to release if they are not written.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemExists"/>: another source of the batch has one of them.</exception>
    public IReadOnlyList<string> Claim(TrackSource source, IReadOnlyList<string> paths)
    {
        lock (_claimed)
        {
            if (paths.FirstOrDefault(p => _claimed.TryGetValue(p, out TrackSource? owner) && owner != source) is { } taken)
            {
                throw new DemucsException(
                    DemucsError.StemExists,
                    $"A stem of {Described(source)} would go to '{taken}', as would one of {Described(_claimed[taken])} in the same batch. Separate one of them to another destination, or use a file name template that gives different names{Apart(source, _claimed[taken])}.",
                    source.Path
                );
            }
            return [.. paths.Where(path => _claimed.TryAdd(path, source))];
        }
    }

    /// <summary>A path alone does not tell apart the tracks of a CUE sheet or the pairs of a surround file.</summary>
    private static string Described(TrackSource source) =>
        source is { TrackName: null, Channels: null } ? $"'{source.Path}'" : $"'{source.Name}' of '{source.Path}'";

    /// <summary>A template for two files of one name, where their paths have what tells them apart.</summary>
    private static string Apart(TrackSource one, TrackSource other)
    {
        string? field =
            Differ(Path.GetExtension(one.Path), Path.GetExtension(other.Path)) ? "ext"
            : Differ(Path.GetFileName(Path.GetDirectoryName(one.Path)), Path.GetFileName(Path.GetDirectoryName(other.Path))) ? "folder"
            : null;
        return field is null ? "" : $", such as '{{model}}/{{name}} ({{{field}}})/{{stem}}'";

        static bool Differ(string? a, string? b) => !string.Equals(a, b, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Gives files back that were not written.</summary>
    public void Release(IReadOnlyList<string> paths)
    {
        lock (_claimed)
        {
            foreach (string path in paths)
                _claimed.Remove(path);
        }
    }
}
