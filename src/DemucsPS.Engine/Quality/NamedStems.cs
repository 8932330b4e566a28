using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Quality;

/// <summary>The stems of one track in a folder, by their names.</summary>
/// <param name="Folder">Full path.</param>
/// <param name="Track">The track's name.</param>
/// <param name="Stems">Where they are, by stem name, in order.</param>
internal sealed record NamedStems(string Folder, string Track, SortedDictionary<string, TrackSource> Stems)
{
    /// <summary>Full paths of mixes, in order.</summary>
    public IReadOnlyList<string> MixPaths { get; init; } = [];

    /// <summary>Why it has no stems that can be used; null if it has.</summary>
    public DemucsException? Fault { get; init; }

    /// <summary>The tracks whose stems lie in a folder itself: one, but several where their provenances say so.</summary>
    /// <param name="folder">Full path.</param>
    /// <returns>The tracks; a <see cref="Fault"/> is <see cref="DemucsError.ParameterInvalid"/>: two files are the same stem, or
    /// <see cref="DemucsError.ProvenanceInvalid"/>: a provenance is damaged.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: the folder cannot be read.</exception>
    public static IReadOnlyList<NamedStems> In(string folder)
    {
        string[] files;
        try
        {
            files = [.. Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal)];
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(DemucsError.AudioTrackNotFound, $"The folder '{folder}' cannot be read: {e.Message}", folder, e);
        }
        string[] provenances = [.. SeparationVerification.Find(folder).Where(File.Exists)];
        if (provenances.Length == 0)
            return Named(folder, files) is { } one ? [one] : [];
        NamedStems[] tracks = [.. provenances.Select(path => OfProvenance(path, provenances.Length == 1))];
        // Two of one name, such as a song in two versions, can only be told apart by their files.
        HashSet<string> several = new(
            tracks.GroupBy(t => t.Track, StemNames.PathComparer).Where(g => g.Count() > 1).Select(g => g.Key),
            StemNames.PathComparer
        );
        return
        [
            .. tracks.Select(
                (track, i) => several.Contains(track.Track) ? track with { Track = PrefixOf(provenances[i]) ?? track.Track } : track
            ),
        ];
    }

    /// <summary>The track of a provenance.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="isAlone">Whether there is no other in its folder.</param>
    public static NamedStems OfProvenance(string path, bool isAlone)
    {
        string folder = Path.GetDirectoryName(path)!;
        string? prefix = PrefixOf(path);
        SortedDictionary<string, TrackSource> stems = new(StringComparer.OrdinalIgnoreCase);
        try
        {
            SeparationProvenance provenance = SeparationProvenance.Read(path);
            foreach ((string name, TrackSource source) in provenance.Sources(folder))
                stems[name] = source;
            // A template such as {model}/{folder}/{stem} calls the provenance after a stem; where it is alone in its folder, that folder is
            // the track's.
            bool isFolderTracks =
                prefix is null || isAlone && provenance.Stems.Any(s => s.Name.Equals(prefix, StringComparison.OrdinalIgnoreCase));
            return new NamedStems(folder, isFolderTracks ? Path.GetFileName(folder) : SourceNameOf(provenance) ?? prefix!, stems);
        }
        catch (DemucsException e) when (e.Error == DemucsError.ProvenanceInvalid)
        {
            return new NamedStems(folder, prefix ?? Path.GetFileName(folder), stems) { Fault = e };
        }
    }

    /// <summary>What is before the usual name of a provenance; null for nothing.</summary>
    private static string? PrefixOf(string provenance) =>
        Path.GetFileName(provenance)[..^SeparationProvenance.FileName.Length] is { Length: > 0 } prefix ? prefix[..^1] : null;

    /// <summary>
    /// What the track is called that was separated. Test sets call every track's file a mix, and its folder after the track.
    /// </summary>
    private static string? SourceNameOf(SeparationProvenance provenance)
    {
        if (provenance.Separation.Parameters.GetValueOrDefault("track") is { } track && track != SeparationParameters.WholeFile)
            return track;
        string path = provenance.Separation.Source.Path,
            name = Path.GetFileNameWithoutExtension(path);
        return (MixNames.Contains(name) ? Path.GetFileName(Path.GetDirectoryName(path)) : name) is { Length: > 0 } found ? found : null;
    }

    private static NamedStems? Named(string folder, string[] files)
    {
        SortedDictionary<string, TrackSource> stems = new(StringComparer.OrdinalIgnoreCase);
        List<string> mixes = [];
        DemucsException? fault = null;
        foreach (string file in files.Where(f => TrackList.IsAudio(f)))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            if (MixNames.Contains(name))
                mixes.Add(file);
            else if (!stems.TryAdd(name, new TrackSource(file)))
                fault ??= new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"'{stems[name].Path}' and '{file}' are the same stem. Leave one of them in the folder.",
                    file
                );
        }
        return stems.Count == 0 ? null : new NamedStems(folder, Path.GetFileName(folder), stems) { MixPaths = mixes, Fault = fault };
    }
}
