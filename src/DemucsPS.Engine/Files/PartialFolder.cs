using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Files;

/// <summary>
/// The folder of a track's unfinished files, inside the folder of its stems and so on the same file system. One process at a time has it.
/// Disposed, it is deleted with all in it, and with the folders that were made for it, unless it was told to stay.
/// </summary>
internal sealed class PartialFolder : IDisposable
{
    /// <summary>Name of the folder whose content another run can continue.</summary>
    public const string ResumableName = "demucsps.partial";

    private const string LockName = "lock";

    private readonly List<string> _created;
    private readonly Lease _lease;
    private bool _disposed;

    private PartialFolder(string path, List<string> created, Lease lease)
    {
        FolderPath = path;
        _created = created;
        _lease = lease;
    }

    /// <summary>Full path.</summary>
    public string FolderPath { get; }

    /// <summary>Whether the files stay when this is disposed.</summary>
    public bool Stays { get; set; }

    /// <summary>Takes a partial folder, which may have been left by another run.</summary>
    /// <param name="path">Full path; made with its parents if it does not exist.</param>
    /// <param name="terms">How the lease on it is kept; null for the usual.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.SeparationRunning"/>: another process has it;
    /// <see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static PartialFolder Take(string path, LeaseTerms? terms = null)
    {
        while (true)
        {
            List<string> created = [];
            string lockPath = Path.Combine(path, LockName);
            try
            {
                Create(path, created);
                if (Lease.TryTake(lockPath, terms ?? LeaseTerms.Here, out LeaseHolder? holder) is { } lease)
                    return new PartialFolder(path, created, lease);
                throw Running(path, holder!);
            }
            catch (DirectoryNotFoundException) when (Directory.Exists(Path.GetDirectoryName(path)))
            {
                // Its last owner has just deleted it.
            }
            catch (Exception e) when (e.IsFileError())
            {
                Delete(created);
                string folder = Path.GetDirectoryName(path)!;
                throw new DemucsException(
                    DemucsError.StemWriteFailed,
                    $"The folder '{folder}' cannot be created or written to: {e.Message} Choose a writable destination.",
                    folder,
                    e
                );
            }
        }
    }

    /// <summary>Full path of a file in it.</summary>
    public string this[string name] => Path.Combine(FolderPath, name);

    /// <summary>
    /// Refuses to go on where another process has taken over, for this one was held up for longer than leases last. To be asked before
    /// anything is noted or gets its name.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.SeparationRunning"/>.</exception>
    public void CheckOwned()
    {
        if (!_lease.Check())
            throw new DemucsException(
                DemucsError.SeparationRunning,
                $"This process was paused for so long that another process took over '{Path.GetDirectoryName(FolderPath)}'. Leave the track to that process.",
                FolderPath
            );
    }

    /// <summary>Deletes all files that another run may have left, that named first before all others.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Clear(string first)
    {
        try
        {
            DurableFiles.Delete(this[first]);
            foreach (string file in Directory.EnumerateFiles(FolderPath).Where(f => !Lease.IsOf(Path.GetFileName(f), LockName)))
                DurableFiles.Delete(file);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"'{FolderPath}', left by another run, cannot be emptied: {e.Message} Delete it.",
                FolderPath,
                e
            );
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        // What is there is another's by now.
        if (_lease.IsLost)
            Stays = true;
        try
        {
            if (!Stays)
                Clear(SeparationJournal.FileName);
        }
        catch (DemucsException)
        {
            // The name says what it is; failing here would hide the error that led here.
        }
        _lease.Dispose();
        if (!Stays)
            Delete([.. _created.Contains(FolderPath) ? [] : new[] { FolderPath }, .. _created]);
    }

    private static DemucsException Running(string path, LeaseHolder holder)
    {
        string until = holder.FreeAfter is null
            ? "Wait for it, or choose another destination."
            : "Wait for it, or choose another destination. If that process is gone, the folder becomes free after some minutes.";
        return new DemucsException(
            DemucsError.SeparationRunning,
            $"{(holder.Note is null ? "Another process" : $"Another process ({holder})")} is separating into '{Path.GetDirectoryName(path)}' right now. {until}",
            path
        )
        {
            MayPass = holder.FreeAfter,
        };
    }

    private static void Create(string path, List<string> created)
    {
        List<string> missing = [];
        for (string? f = path; f is not null && !Directory.Exists(f); f = Path.GetDirectoryName(f))
            missing.Add(f);
        foreach (string f in Enumerable.Reverse(missing))
        {
            Directory.CreateDirectory(f);
            created.Insert(0, f);
        }
    }

    /// <summary>Deletes folders that are empty, the innermost first.</summary>
    private static void Delete(IEnumerable<string> folders)
    {
        foreach (string folder in folders)
        {
            try
            {
                Directory.Delete(folder);
            }
            catch (Exception e) when (e.IsFileError())
            {
                // There is something else in it: it is not ours to delete.
                return;
            }
        }
    }
}
