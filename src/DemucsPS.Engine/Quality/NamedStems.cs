using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Quality;

/// <summary>The stems of one track in a folder, by their names.</summary>
/// <param name="Folder">Full path.</param>
/// <param name="Track">What the track is called.</param>
/// <param name="Stems">Full paths by stem name, in order.</param>
/// <param name="MixPath">Full path of the mix; null for none.</param>
internal sealed record NamedStems(string Folder, string Track, SortedDictionary<string, string> Stems, string? MixPath)
{
    private static readonly string[] MixNames = ["mixture", "mix"];

    /// <summary>The tracks whose stems lie in a folder itself: one, but several where their provenances say so.</summary>
    /// <param name="folder">Full path.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: two files are the same stem. <see cref="DemucsError.ProvenanceInvalid"/>: a provenance is damaged. <see cref="DemucsError.AudioTrackNotFound"/>: the folder
    /// cannot be read.
    /// </exception>
    public static IEnumerable<NamedStems> In(string folder)
    {
        string[] files;
        try
        {
            files = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.AudioTrackNotFound, $"The folder '{folder}' cannot be read: {e.Message}", folder, e);
        }
        string[] provenances = [.. SeparationVerification.Find(folder).Where(File.Exists)];
        if (provenances.Length == 0)
            return Named(folder, files) is { } one ? [one] : [];
        return provenances.Select(path =>
        {
            string name = Path.GetFileName(path);
            SortedDictionary<string, string> stems = new(StringComparer.OrdinalIgnoreCase);
            foreach (StemProvenance stem in SeparationProvenance.Read(path).Stems)
                stems[stem.Name] = Path.GetFullPath(Path.Combine(folder, stem.File));
            // A template such as {model}/{folder}/{stem} calls the provenance after a stem; where it is alone in its folder, that folder is the track's.
            return new NamedStems(folder, name == SeparationProvenance.FileName || provenances.Length == 1 ? Path.GetFileName(folder) : name[..^(SeparationProvenance.FileName.Length + 1)], stems, null);
        });
    }

    private static NamedStems? Named(string folder, string[] files)
    {
        SortedDictionary<string, string> stems = new(StringComparer.OrdinalIgnoreCase);
        string? mix = null;
        foreach (string file in files.Where(f => TrackList.IsAudio(f)))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            if (MixNames.Contains(name, StringComparer.OrdinalIgnoreCase))
                mix ??= file;
            else if (!stems.TryAdd(name, file))
                throw new DemucsException(DemucsError.ParameterInvalid, $"'{stems[name]}' and '{file}' are the same stem. Leave one of them in the folder.", file);
        }
        return stems.Count == 0 ? null : new NamedStems(folder, Path.GetFileName(folder), stems, mix);
    }
}
