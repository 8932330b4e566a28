using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Player;

/// <summary>
/// A page that plays the stems of a track in a browser: one HTML file, without anything from elsewhere. With several variants it compares
/// separations of the same track, at the same level.
/// </summary>
public sealed record PlayerPage
{
    /// <summary>The track's name.</summary>
    public required string Title { get; init; }

    /// <summary>The separations, at least one, of different names.</summary>
    public required IReadOnlyList<PlayerVariant> Variants { get; init; }

    /// <summary>The mix; null for the one that the variants know, if any.</summary>
    public TrackSource? Mix { get; init; }

    /// <summary>Where the page has its sound from.</summary>
    public PlayerAudio Audio { get; init; }

    /// <summary>Whether a file of the page's name is replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>The page of the stems in a folder.</summary>
    public static PlayerPage Create(StemFolder folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        return new PlayerPage { Title = folder.Title, Variants = [folder.Variant] };
    }

    /// <summary>One page for several separations of one track, of which the first gives the title.</summary>
    /// <param name="folders">Where they are. Those of one model are told apart by their folders.</param>
    public static PlayerPage Comparing(IReadOnlyList<StemFolder> folders)
    {
        ArgumentOutOfRangeException.ThrowIfZero(folders.Count);
        return new PlayerPage
        {
            Title = folders[0].Title,
            Variants = [.. folders.Select(folder => folder.Variant with { Name = NameAmong(folders, folder) })],
        };
    }

    /// <summary>Refuses what cannot become a page, before any file is read.</summary>
    /// <param name="path">Full path of the page to be.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: there are no stems, or two of one name.
    /// <see cref="DemucsError.StemExists"/>: there is a file of that name.</exception>
    public void Check(string path)
    {
        CheckVariants();
        if (Directory.Exists(path))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{path}' is a folder. Give the name of a file, such as '{Path.Combine(path, StemFolder.PageName)}'.",
                path
            );
        if (!Overwrite && File.Exists(path))
            throw new DemucsException(DemucsError.StemExists, $"The page '{path}' already exists.", path) { Remedies = [Remedy.Replace] };
        foreach (
            TrackSource source in Variants
                .SelectMany(v => v.Stems.Select(s => s.Source))
                .Append(Mix ?? Variants[0].Mix)
                .OfType<TrackSource>()
        )
        {
            if (string.Equals(source.Path, path, StringComparison.OrdinalIgnoreCase))
                throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"The page would overwrite its own source '{path}'. Choose another name.",
                    path
                );
        }
    }

    /// <summary>Writes the page, whole or not at all.</summary>
    /// <param name="path">Full path of the file; folders that it needs are made.</param>
    /// <param name="progress">Receives how far it is.</param>
    /// <param name="cancellationToken">Ends the work; nothing is left then.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">As <see cref="Check"/>; a stem cannot be read; or <see cref="DemucsError.StemWriteFailed"/>: the
    /// page cannot be written.</exception>
    public PlayerPageFile Write(string path, IProgress<PlayerProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));
        Check(path);
        string folder = Path.GetDirectoryName(path)!,
            partial = Path.Combine(folder, $".{Guid.NewGuid():N}.player.partial");
        try
        {
            Directory.CreateDirectory(folder);
            PlayerPageFile? page = null;
            DurableFiles.Write(path, partial, Overwrite, this, (stream, content) =>
            {
                using PageWork work = new(content, path, served: null, progress, cancellationToken);
                page = work.Write(stream) with { Bytes = stream.Length };
            });
            return page!;
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw DurableFiles.Failed(path, e);
        }
    }

    /// <summary>Makes the page in the temporary folder and gives it, and the sound that it plays, to browsers of this machine.</summary>
    /// <param name="progress">Receives how far it is.</param>
    /// <param name="cancellationToken">Ends the making, not the serving.</param>
    /// <returns>The server, which runs until it is disposed.</returns>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">A stem cannot be read, or <see cref="DemucsError.StemWriteFailed"/>: the temporary folder or the
    /// network of this machine cannot be used.</exception>
    public PlayerServer Serve(IProgress<PlayerProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        CheckVariants();
        DirectoryInfo? folder = null;
        try
        {
            folder = Directory.CreateTempSubdirectory("demucsps-player-");
            string path = Path.Combine(folder.FullName, StemFolder.PageName);
            Dictionary<string, ServedFile> served = [];
            using (FileStream stream = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                using PageWork work = new(this, path, (folder.FullName, served), progress, cancellationToken);
                PlayerPageFile page = work.Write(stream);
                served[""] = ServedFile.Create(path, "text/html; charset=utf-8");
                PlayerServer server = new(page with { Bytes = stream.Length }, served, folder);
                folder = null;
                return server;
            }
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException || e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"The page of '{Title}' cannot be served: {e.Message} Check the folder that TMPDIR or TEMP names, or write the page to a file.",
                null,
                e
            );
        }
        finally
        {
            folder?.Delete(recursive: true);
        }
    }

    /// <summary>
    /// The variant's name; where others have it, too, with the innermost folder that is another for each of them, or a number where there
    /// is none.
    /// </summary>
    private static string NameAmong(IReadOnlyList<StemFolder> folders, StemFolder folder)
    {
        string name = folder.Variant.Name;
        StemFolder[] same = [.. folders.Where(f => f.Variant.Name == name)];
        if (same.Length == 1)
            return name;
        string[][] places = Array.ConvertAll(same, f =>
            Path.GetDirectoryName(f.PagePath)!.Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar)
        );
        int own = Array.IndexOf(same, folder);
        for (int level = 1; level <= places.Min(place => place.Length); level++)
        {
            if (places.Select(place => place[^level]).Distinct(StringComparer.Ordinal).Count() == same.Length)
                return $"{name} ({places[own][^level]})";
        }
        return FormattableString.Invariant($"{name} ({own + 1})");
    }

    private void CheckVariants()
    {
        if (Variants.Count == 0 || Variants.Any(v => v.Stems.Count == 0))
            throw new DemucsException(DemucsError.ParameterInvalid, $"'{Title}' has no stems to play.");
        if (Twice(Variants.Select(v => v.Name)) is { } variant)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"Two separations of '{Title}' are called '{variant}'. Give them different names."
            );
        foreach (PlayerVariant of in Variants)
        {
            if (Twice(of.Stems.Select(s => s.Name)) is { } stem)
                throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"Two stems of '{Title}' are called '{stem}'. Give them different names, or move them to different folders."
                );
        }

        static string? Twice(IEnumerable<string> names) =>
            names.GroupBy(n => n, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1)?.Key;
    }
}
