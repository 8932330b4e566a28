using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Records;

/// <summary>Whether the stems of a track are those that their provenance speaks of.</summary>
/// <param name="ProvenancePath">Full path of the provenance.</param>
/// <param name="SourcePath">Where the source lay.</param>
/// <param name="Model">The model's name; several, joined by +, for a bag.</param>
/// <param name="Version">The version of this library that wrote them.</param>
/// <param name="Date">When.</param>
/// <param name="Stems">The stems.</param>
public sealed record SeparationVerification(
    string ProvenancePath,
    string SourcePath,
    string Model,
    string Version,
    DateTimeOffset Date,
    IReadOnlyList<VerifiedStem> Stems
)
{
    /// <summary>Whether all stems are as they were written.</summary>
    public bool IsIntact => Stems.All(s => s.State == StemFileState.Intact);

    /// <summary>The provenances of a folder.</summary>
    /// <param name="path">Full path of a folder of stems, which several tracks may share, or of a provenance.</param>
    /// <returns>Full paths, in order; the path itself for a file, and what <see cref="Verify"/> would read for a folder without
    /// any.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProvenanceInvalid"/>: the folder cannot be read.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        if (!Directory.Exists(path))
            return [path];
        try
        {
            string[] found = [.. Directory.EnumerateFiles(path).Where(SeparationProvenance.IsNamed).Order(StringComparer.Ordinal)];
            return found.Length > 0 ? found : [path];
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(DemucsError.ProvenanceInvalid, $"The folder '{path}' cannot be read: {e.Message}", path, e);
        }
    }

    /// <summary>Reads all stems of a track to their ends.</summary>
    /// <param name="path">Full path of the folder of the stems, or of the provenance in it.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProvenanceInvalid"/>: there is no provenance, or it is damaged.</exception>
    public static SeparationVerification Verify(string path, CancellationToken cancellationToken = default)
    {
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));
        string file = Directory.Exists(path) ? Path.Combine(path, SeparationProvenance.FileName) : path;
        SeparationProvenance provenance = SeparationProvenance.Read(file);
        string folder = Path.GetDirectoryName(file)!;
        return new SeparationVerification(
            file,
            provenance.Separation.Source.Path,
            string.Join('+', provenance.Separation.Models.Select(m => m.Name)),
            provenance.Separation.Version,
            provenance.Date,
            Array.ConvertAll([.. provenance.Stems], stem =>
            {
                string stemPath = Path.GetFullPath(Path.Combine(folder, stem.File));
                return new VerifiedStem(stem.Name, stemPath, StateOf(stemPath, stem, cancellationToken));
            })
        );
    }

    private static StemFileState StateOf(string path, StemProvenance stem, CancellationToken cancellationToken)
    {
        try
        {
            FileInfo file = new(path);
            return !file.Exists ? StemFileState.Missing
                : file.Length == stem.Bytes && DurableFiles.Hash(path, cancellationToken) == stem.Sha256 ? StemFileState.Intact
                : StemFileState.Changed;
        }
        catch (Exception e) when (e.IsFileError())
        {
            return StemFileState.Unreadable;
        }
    }
}
