using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The files that a loaded model was made of, and whether they are still the same: their lengths and times are taken before it is loaded, their hashes when they are first asked for.
/// </summary>
internal sealed class ModelFileSet
{
    // Graphs with weights in another file have some megabytes; larger ones hold their weights.
    private const long MaxGraphBytes = 64 << 20;

    private readonly (string Path, long Bytes, DateTime Modified)[] _stamps;

    private ModelFileSet(IEnumerable<string> paths) => _stamps = [.. paths.Select(p => new FileInfo(p)).Where(f => f.Exists).Select(f => (f.FullName, f.Length, f.LastWriteTimeUtc))];

    /// <summary>The files of a model that is about to be loaded.</summary>
    /// <param name="original">Full path of the file that the user named.</param>
    /// <param name="runs">Full path of the file that runs: the same, or its prepared copy.</param>
    public static ModelFileSet Of(string original, string runs)
    {
        // Without a copy both are one, which need not be parsed twice.
        string[] graphs = [.. new[] { original, runs }.Distinct()];
        return new(graphs.Concat(graphs.SelectMany(Weights)).Distinct());
    }

    /// <summary>Reads all files to their ends.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: one was replaced since the model was loaded.</exception>
    public IReadOnlyList<FileIdentity> Identify(CancellationToken cancellationToken)
    {
        try
        {
            return [.. _stamps.Select(stamp =>
            {
                string hash = DurableFiles.Hash(stamp.Path, cancellationToken);
                FileInfo now = new(stamp.Path);
                return now.Length == stamp.Bytes && now.LastWriteTimeUtc == stamp.Modified ? new FileIdentity(now.Name, stamp.Bytes, hash) : throw Replaced(stamp.Path, null);
            })];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Replaced(_stamps[0].Path, e);
        }
    }

    private static IEnumerable<string> Weights(string graph)
    {
        string folder = Path.GetDirectoryName(graph)!;
        IEnumerable<string> names = [];
        if (new FileInfo(graph) is { Exists: true, Length: <= MaxGraphBytes })
        {
            try
            {
                names = GraphModel.Parse(File.ReadAllBytes(graph)).ExternalFiles;
            }
            catch (Exception e) when (e is InvalidDataException or IOException or UnauthorizedAccessException)
            {
                // Loading it says better what is wrong.
            }
        }
        return names.Append(Path.GetFileName(graph) + ".data").Select(name => Path.GetFullPath(Path.Combine(folder, name)));
    }

    private static DemucsException Replaced(string path, Exception? cause) =>
        new(DemucsError.DemucsModelInvalid, $"The model file '{path}' was replaced or removed after it was loaded. Start again.", path, cause);
}
