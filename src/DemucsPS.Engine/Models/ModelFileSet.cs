using DemucsPS.Engine.Models.Preparation;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The files that a loaded model was made of, and whether they are still the same: their lengths and times are taken before it is loaded, their hashes on another thread, from when they are
/// first asked for.
/// </summary>
internal sealed class ModelFileSet
{
    // Graphs with weights in another file have some megabytes; larger ones hold their weights.
    private const long MaxGraphBytes = 64 << 20;

    private readonly (string Path, long Bytes, DateTime Modified)[] _stamps;
    private readonly Lazy<Task<FileIdentity[]>> _identities;

    private ModelFileSet(IEnumerable<string> paths)
    {
        _stamps = [.. paths.Select(p => new FileInfo(p)).Where(f => f.Exists).Select(f => (f.FullName, f.Length, f.LastWriteTimeUtc))];
        _identities = new(() => Task.Run(() => _stamps.Select(stamp => new FileIdentity(Path.GetFileName(stamp.Path), stamp.Bytes, DurableFiles.Hash(stamp.Path, CancellationToken.None))).ToArray()));
    }

    /// <summary>The files of a model that is about to be loaded.</summary>
    /// <param name="original">Full path of the file that the user named.</param>
    /// <param name="runs">Full path of the file that runs: the same, or its prepared copy.</param>
    public static ModelFileSet Of(string original, string runs)
    {
        // Without a copy both are one, which need not be parsed twice.
        string[] graphs = [.. new[] { original, runs }.Distinct()];
        return new(graphs.Concat(graphs.SelectMany(Weights)).Distinct());
    }

    /// <summary>Begins to read the files. Nobody has to wait for it, nor to end it: it takes a fraction of a second, and changes nothing.</summary>
    public void BeginReading() => _ = _identities.Value;

    /// <summary>The files by what is in them. Waits until they are read.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: one was replaced since the model was loaded.</exception>
    public IReadOnlyList<FileIdentity> Identify(CancellationToken cancellationToken)
    {
        try
        {
            FileIdentity[] identities = _identities.Value.WaitAsync(cancellationToken).GetAwaiter().GetResult();
            foreach ((string path, long bytes, DateTime modified) in _stamps)
            {
                FileInfo now = new(path);
                if (now.Length != bytes || now.LastWriteTimeUtc != modified)
                    throw Replaced(path, null);
            }
            return identities;
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
