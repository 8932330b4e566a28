using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The files that a loaded model was made of, and whether they are still the same: their lengths and times are taken before it is loaded, their hashes on another thread, from when they are
/// first asked for.
/// </summary>
internal sealed class ModelFileSet
{
    private readonly (string Path, long Bytes, DateTime Modified)[] _stamps;
    private readonly Lock _gate = new();
    private Task<FileIdentity[]>? _reading;

    private ModelFileSet(IEnumerable<string> paths)
    {
        _stamps = [.. paths.Select(p => (Path: p, Info: RegularFile.Info(p))).Where(f => f.Info.Exists).Select(f => (f.Path, f.Info.Length, f.Info.LastWriteTimeUtc))];
    }

    /// <summary>The files of a model that is about to be loaded.</summary>
    /// <param name="original">Full path of the file that the user named.</param>
    /// <param name="runs">Full path of the file that runs: the same, or its prepared copy.</param>
    public static ModelFileSet Of(string original, string runs)
    {
        // Without a copy both are one, which need not be parsed twice.
        string[] graphs = [.. new[] { original, runs }.Distinct()];
        return new(graphs.Concat(graphs.SelectMany(ExternalWeights.Of)).Distinct());
    }

    /// <summary>Begins to read the files. Nobody has to wait for it.</summary>
    /// <param name="cancellationToken">Ends it; then they are read when they are asked for.</param>
    public void BeginReading(CancellationToken cancellationToken) => _ = Reading(cancellationToken);

    /// <summary>The files by what is in them. Waits until they are read.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: one was replaced since the model was loaded.</exception>
    public IReadOnlyList<FileIdentity> Identify(CancellationToken cancellationToken)
    {
        try
        {
            FileIdentity[] identities = Wait(cancellationToken);
            foreach ((string path, long bytes, DateTime modified) in _stamps)
            {
                FileInfo now = RegularFile.Info(path);
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

    private FileIdentity[] Wait(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return Reading(cancellationToken).WaitAsync(cancellationToken).GetAwaiter().GetResult();
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Whoever began it has given up.
            }
        }
    }

    private Task<FileIdentity[]> Reading(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_reading is null or { IsCanceled: true })
                _reading = Task.Run(() => _stamps.Select(stamp => new FileIdentity(Path.GetFileName(stamp.Path), stamp.Bytes, DurableFiles.Hash(stamp.Path, cancellationToken))).ToArray(), cancellationToken);
            return _reading;
        }
    }

    private static DemucsException Replaced(string path, Exception? cause) =>
        new(DemucsError.DemucsModelInvalid, $"The model file '{path}' was replaced or removed after it was loaded. Start again.", path, cause);
}
