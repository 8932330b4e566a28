using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Quality;

/// <summary>A track whose estimated stems are to be compared with the references.</summary>
public sealed record EstimatedTrack
{
    // Levels of a test set: DIR/test/TRACK, DIR/MODEL/TRACK. Deeper ones are unusual.
    private const int MaxDepth = 3;

    /// <summary>What it is called.</summary>
    public required string Track { get; init; }

    /// <summary>The folders between the one that was named and the track's; null for none.</summary>
    public string? Model { get; init; }

    /// <summary>Full path of the folder of the estimates.</summary>
    public required string EstimateFolder { get; init; }

    /// <summary>Full path of the folder of the references.</summary>
    public required string ReferenceFolder { get; init; }

    /// <summary>Where the estimates are, by stem name.</summary>
    public required IReadOnlyDictionary<string, TrackSource> Estimates { get; init; }

    /// <summary>Where the references are, by stem name.</summary>
    public required IReadOnlyDictionary<string, TrackSource> References { get; init; }

    /// <summary>Full path of the true mix; null for none.</summary>
    public string? MixPath { get; init; }

    /// <summary>Full paths of what is called a mix as well, and is not used.</summary>
    public IReadOnlyList<string> OtherMixPaths { get; init; } = [];

    /// <summary>Why it cannot be measured, such as a damaged provenance; null if it can.</summary>
    public DemucsException? Fault { get; init; }

    /// <summary>
    /// Finds the tracks of two folders. Either has the stems of one track in it, or folders of tracks, also below folders such as
    /// <c>test</c> or a model's name; those of one name belong together.
    /// Where there are references of one track only, estimates of it may be called otherwise.
    /// </summary>
    /// <param name="path">Full path of the folder of estimates, or of a provenance in it.</param>
    /// <param name="reference">Full path of the folder of references.</param>
    /// <param name="warn">Receives messages about tracks that have no counterpart.</param>
    /// <returns>The tracks, in order. One whose stems cannot be used is among them, with a <see cref="Fault"/>, so that it does not keep
    /// the rest.</returns>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.AudioTrackNotFound"/>: a folder does not exist or has no stems, or no track has a counterpart. The fault of
    /// the only track.
    /// </exception>
    public static IReadOnlyList<EstimatedTrack> Find(string path, string reference, Action<string>? warn = null)
    {
        List<(string? Above, NamedStems Folder)> references = Search(reference, "references"),
            estimates = Search(path, "estimates");
        if (references.Count == 1 && estimates.Select(e => e.Folder.Track).Distinct(StemNames.PathComparer).Count() == 1)
            return [.. estimates.Select(e => Pair(e.Above, e.Folder, references[0].Folder))];
        foreach (
            IGrouping<string, (string? Above, NamedStems Folder)> doubled in references
                .GroupBy(r => r.Folder.Track, StemNames.PathComparer)
                .Where(g => g.Count() > 1)
        )
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{doubled.Key}' has references in '{doubled.First().Folder.Folder}' and in '{doubled.Last().Folder.Folder}'. Name the folder of one of them.",
                reference
            );
        Dictionary<string, NamedStems> byName = references.ToDictionary(r => r.Folder.Track, r => r.Folder, StemNames.PathComparer);
        EstimatedTrack[] pairs =
        [
            .. estimates
                .Where(e => IsKept(e.Folder))
                .Select(e => Pair(e.Above, e.Folder, byName.GetValueOrDefault(e.Folder.Track, e.Folder))),
        ];
        if (pairs.Length == 0)
        {
            throw new DemucsException(
                DemucsError.AudioTrackNotFound,
                $"No track has both estimates in '{path}' and references in '{reference}'. Estimates: {List(estimates)}. References: {List(references)}. Give the folders of a track the same name.",
                path
            );
        }
        foreach ((_, NamedStems folder) in estimates.Where(e => !IsKept(e.Folder)))
            warn?.Invoke($"'{folder.Folder}' has no references in '{reference}'. It is skipped.");
        string[] missing = [.. byName.Keys.Except(pairs.Select(p => p.Track), StemNames.PathComparer).Order(StringComparer.Ordinal)];
        if (missing.Length > 0)
            warn?.Invoke(
                $"{(missing.Length == 1 ? "One track has" : $"{missing.Length} tracks have")} references but no estimates: {string.Join(", ", missing.Take(10).Select(m => $"'{m}'"))}{(missing.Length > 10 ? " and others" : "")}."
            );
        return pairs;

        // What is damaged is said in any case.
        bool IsKept(NamedStems estimate) => estimate.Fault is not null || byName.ContainsKey(estimate.Track);

        static string List(List<(string? Above, NamedStems Folder)> tracks) =>
            string.Join(", ", tracks.Take(5).Select(t => $"'{t.Folder.Track}'")) + (tracks.Count > 5 ? " and others" : "");
    }

    /// <summary>The stems of a separation and their references.</summary>
    /// <param name="result">The separation.</param>
    /// <param name="reference">Full path of the folder of references.</param>
    /// <exception cref="DemucsException">As <see cref="Find"/>.</exception>
    public static EstimatedTrack Create(SeparationResult result, string reference)
    {
        List<(string? Above, NamedStems Folder)> references = Search(reference, "references");
        NamedStems estimate = NamedStems.OfProvenance(result.ProvenancePath, isAlone: true) with { Track = result.Track };
        NamedStems[] candidates =
            references.Count == 1
                ? [references[0].Folder]
                // Test sets have a mixture in each track's folder, whose name is the track's.
                :
                [
                    .. references
                        .Select(r => r.Folder)
                        .Where(f =>
                            StemNames.PathComparer.Equals(f.Track, result.Track)
                            || StemNames.PathComparer.Equals(f.Folder, Path.GetDirectoryName(result.SourcePath))
                        ),
                ];
        return candidates.Length == 1
            ? Pair(result.Model, estimate, candidates[0]) with
            {
                Track = references.Count == 1 ? result.Track : candidates[0].Track,
            }
            : throw new DemucsException(
                DemucsError.AudioTrackNotFound,
                $"'{reference}' has {(candidates.Length == 0 ? "no references" : "more than one folder of references")} for '{result.Track}'.",
                result.SourcePath
            );
    }

    private static EstimatedTrack Pair(string? above, NamedStems estimate, NamedStems reference) =>
        new()
        {
            Track = estimate.Track,
            Model = above,
            EstimateFolder = estimate.Folder,
            ReferenceFolder = reference.Folder,
            Estimates = estimate.Stems,
            References = reference.Stems,
            MixPath = reference.MixPaths.Count > 0 ? reference.MixPaths[0] : null,
            OtherMixPaths = [.. reference.MixPaths.Skip(1)],
            Fault = estimate.Fault ?? reference.Fault,
        };

    private static List<(string? Above, NamedStems Folder)> Search(string root, string what)
    {
        root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        if (File.Exists(root))
        {
            return SeparationProvenance.IsNamed(root)
                ? [(null, Usable(NamedStems.OfProvenance(root, SeparationVerification.Find(Path.GetDirectoryName(root)!).Count == 1)))]
                : throw new DemucsException(
                    DemucsError.AudioTrackNotFound,
                    $"'{root}' is a file. Give the folder of the {what}, or the {SeparationProvenance.FileName} in it.",
                    root
                );
        }
        if (!Directory.Exists(root))
            throw new DemucsException(
                DemucsError.AudioTrackNotFound,
                $"The folder '{root}' of {what} does not exist. Check the name.",
                root
            );
        List<(string?, NamedStems)> found = [];
        Add(root, null, 0);
        if (found.Count == 1)
            Usable(found[0].Item2);
        return found.Count > 0
            ? found
            : throw new DemucsException(
                DemucsError.AudioTrackNotFound,
                $"'{root}' and its subfolders have no stems ({what} were expected). Stems are audio files named after their content, such as vocals.wav.",
                root
            );

        static NamedStems Usable(NamedStems one) => one.Fault is { } fault ? throw fault : one;

        void Add(string folder, string? above, int depth)
        {
            IReadOnlyList<NamedStems> here = NamedStems.In(folder);
            // What lies above a track: the model of OUTPUT/MODEL/TRACK, and of OUTPUT/MODEL/TRACK.stem.mp4.
            string? name =
                depth == 0 ? null
                : above is null ? Path.GetFileName(folder)
                : $"{above}/{Path.GetFileName(folder)}";
            foreach (NamedStems one in here)
                found.Add((one.Track == Path.GetFileName(folder) ? above : name, one));
            if (here.Count > 0 || depth == MaxDepth)
                return;
            foreach (string inner in Directory.EnumerateDirectories(folder).Order(StringComparer.Ordinal))
                Add(inner, name, depth + 1);
        }
    }
}
