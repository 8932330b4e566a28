using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The files that a loaded model was made of, and whether they are still the same: their lengths and times are taken before it is loaded,
/// their hashes on another thread, from when they are first asked for.
/// </summary>
internal sealed class ModelFileSet
{
    private readonly (string Path, long Bytes, DateTime Modified)[] _stamps;
    private readonly Lock _gate = new();

    // This program's own: what it is stays, whatever becomes of its file. Kept until it is read.
    private PreparedModel? _copy;
    private Task<FileIdentity[]>? _reading;

    private ModelFileSet(string original, PreparedModel? copy)
    {
        _copy = copy?.Share();
        _stamps =
        [
            .. ExternalWeights
                .Read(original)
                .Prepend(original)
                .Select(p => (Path: p, Info: RegularFile.Info(p)))
                .Where(f => f.Info.Exists)
                .Select(f => (f.Path, f.Info.Length, f.Info.LastWriteTimeUtc)),
        ];
    }

    /// <summary>The files of a model that is about to be loaded.</summary>
    /// <param name="original">Full path of the file that the user named.</param>
    /// <param name="copy">The prepared copy that runs; null if the file itself does.</param>
    public static ModelFileSet Create(string original, PreparedModel? copy) => new(original, copy);

    /// <summary>Begins to read the files. Nobody has to wait for it.</summary>
    /// <param name="cancellationToken">Ends it; then they are read when they are requested.</param>
    public void BeginReading(CancellationToken cancellationToken) => _ = Reading(cancellationToken);

    /// <summary>The files by what is in them. Waits until they are read.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelInvalid"/>: one was replaced since the model was
    /// loaded.</exception>
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
        catch (Exception e) when (e.IsFileError())
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
                _reading = Task.Run(() => Read(cancellationToken), cancellationToken);
            return _reading;
        }
    }

    private FileIdentity[] Read(CancellationToken cancellationToken)
    {
        // First, since whoever loads it reads it just now, to know that it is intact.
        FileIdentity? copied = _copy is { } copy ? new FileIdentity(copy.Name, copy.Length, copy.Hash(cancellationToken)) : null;
        List<FileIdentity> identities =
        [
            .. _stamps.Select(stamp => new FileIdentity(
                Path.GetFileName(stamp.Path),
                stamp.Bytes,
                DurableFiles.Hash(stamp.Path, cancellationToken)
            )
            {
                Model = ModelFiles.IsWeights(stamp.Path) ? WeightsModel.Identify(stamp.Path, cancellationToken) : null,
            }),
        ];
        // The file that was named, the one that runs, then weights.
        if (copied is not null)
            identities.Insert(1, copied);
        _copy?.Dispose();
        _copy = null;
        return [.. identities];
    }

    private static DemucsException Replaced(string path, Exception? cause) =>
        new(
            DemucsError.DemucsModelInvalid,
            $"The model file '{path}' was replaced or removed after it was loaded. Start again.",
            path,
            cause
        );
}
