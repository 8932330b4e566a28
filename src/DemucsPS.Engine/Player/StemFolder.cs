using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Player;

/// <summary>The stems of one track in a folder.</summary>
/// <param name="Title">The track's name.</param>
/// <param name="PagePath">Full path of the page that belongs next to them.</param>
/// <param name="Variant">The stems.</param>
public sealed record StemFolder(string Title, string PagePath, PlayerVariant Variant)
{
    /// <summary>The name of a page next to stems.</summary>
    public const string PageName = "player.html";

    /// <summary>Folders below the one that is named: a model's, a track's, and one more for templates.</summary>
    private const int MaxDepth = 3;

    /// <summary>Finds stems.</summary>
    /// <param name="path">Full path of a folder of stems, with provenance or without; of a folder of such folders; or of a
    /// provenance.</param>
    /// <param name="damaged">Receives each damaged provenance in a folder, which is passed over; null if the first one ends the
    /// search.</param>
    /// <returns>A track each, in the order of their paths; at least one, or none where all were damaged.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: there are none.
    /// <see cref="DemucsError.ProvenanceInvalid"/>: a provenance is damaged.</exception>
    public static IReadOnlyList<StemFolder> Find(string path, Action<DemucsException>? damaged = null)
    {
        bool isDamaged = false;
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));
        try
        {
            if (File.Exists(path))
            {
                return SeparationProvenance.IsNamed(path)
                    ? [OfProvenance(path)]
                    : throw new DemucsException(
                        DemucsError.AudioTrackNotFound,
                        $"'{path}' is a file. Give the folder of a track's stems, or the {SeparationProvenance.FileName} in it.",
                        path
                    );
            }
            if (!Directory.Exists(path))
                throw new DemucsException(
                    DemucsError.AudioTrackNotFound,
                    $"The folder '{path}' does not exist. Give the folder of a track's stems.",
                    path
                );
            IReadOnlyList<StemFolder> found = [.. Walk(Path.TrimEndingDirectorySeparator(path), 0, damaged is null ? null : PassOver)];
            return found.Count > 0 || isDamaged
                ? found
                : throw new DemucsException(
                    DemucsError.AudioTrackNotFound,
                    $"No stems were found in '{path}'. Give the folder to which Invoke-DemucsSeparation or demucsps separate wrote a track's stems, or any folder of audio files.",
                    path
                );
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(DemucsError.AudioTrackNotFound, $"The folder '{path}' cannot be read: {e.Message}", path, e);
        }

        void PassOver(DemucsException e)
        {
            isDamaged = true;
            damaged(e);
        }
    }

    /// <summary>That of a separation.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProvenanceInvalid"/>.</exception>
    public static StemFolder Create(SeparationResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        return OfProvenance(result.ProvenancePath) with { Title = result.Track };
    }

    private static IEnumerable<StemFolder> Walk(string folder, int depth, Action<DemucsException>? damaged)
    {
        string[] files = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)];
        string[] provenances = [.. files.Where(SeparationProvenance.IsNamed)];
        string[] audio = [.. files.Where(f => TrackList.IsAudio(f))];
        if (provenances.Length > 0)
            return provenances.Select(provenance => Try(provenance, damaged)).OfType<StemFolder>();
        if (audio.Length > 0)
            return [new StemFolder(Path.GetFileName(folder), Path.Combine(folder, PageName), PlayerVariant.OfFiles(audio))];
        return depth == MaxDepth
            ? []
            : Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal).SelectMany(inner => Walk(inner, depth + 1, damaged));
    }

    private static StemFolder? Try(string provenance, Action<DemucsException>? damaged)
    {
        try
        {
            return OfProvenance(provenance);
        }
        catch (DemucsException e) when (damaged is not null)
        {
            damaged(e);
            return null;
        }
    }

    private static StemFolder OfProvenance(string path)
    {
        string folder = Path.GetDirectoryName(path)!,
            prefix = Path.GetFileName(path)[..^SeparationProvenance.FileName.Length];
        PlayerVariant variant = PlayerVariant.OfProvenance(path, out string source);
        if (prefix.Length == 0)
            return new StemFolder(
                Path.GetFileName(folder) is { Length: > 0 } name ? name : "stems",
                Path.Combine(folder, PageName),
                variant
            );
        // Names of a template: the provenance is called after the first stem, which is one of the track's.
        string title = source.Length > 0 ? source : prefix.TrimEnd('.');
        bool isAlone =
            prefix.StartsWith(title, StringComparison.Ordinal)
            && !Directory
                .EnumerateFiles(folder)
                .Any(other =>
                    other != path
                    && SeparationProvenance.IsNamed(other)
                    && Path.GetFileName(other).StartsWith(title, StringComparison.OrdinalIgnoreCase)
                );
        return new StemFolder(title, Path.Combine(folder, (isAlone ? title + "." : prefix) + PageName), variant);
    }
}
