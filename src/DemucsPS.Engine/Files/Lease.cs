using System.Collections.Concurrent;
using System.Globalization;

namespace DemucsPS.Engine.Files;

/// <summary>
/// Something that one process at a time has, on all machines that share a file system. Nothing is left of it when it is given back; when
/// its owner dies, others can take it over.
/// </summary>
/// <remarks>
/// <para> A lease is a file that must not exist before (O_EXCL, which NFS since version 3, Lustre and SMB do as one step), with a note of
/// its owner that is renewed. It is never taken over by changing or replacing it: whoever finds that it has expired makes the next one,
/// <c>NAME+1</c>, which again only one can, and the highest number counts. An owner that was held up for so long sees that when it renews
/// its own, or is asked to <see cref="Check"/>.
/// </para>
/// <para> Three things show that an owner is dead. Its machine is this one, since the same start, and the lock that it had on the file is
/// free. Or the file has not changed for as long as a lease lasts, by this process's own clock, which needs no clock that two machines
/// agree on. Or the time in it is over by more than clocks can be apart.
/// </para>
/// </remarks>
internal sealed class Lease : IDisposable
{
    /// <summary>Leases of others as they were when they were seen first.</summary>
    private static readonly ConcurrentDictionary<string, (string Content, long Seen)> s_seen = new(StringComparer.Ordinal);

    private readonly Lock _gate = new();
    private readonly LeaseTerms _terms;
    private readonly string _path;
    private readonly int _number;
    private readonly FileStream _file;
    private readonly bool _isLocked;
    private ITimer? _timer;
    private long _renewed;
    private long _count;
    private bool _lost;
    private bool _disposed;

    private Lease(LeaseTerms terms, string path, int number, FileStream file)
    {
        _terms = terms;
        _path = path;
        _number = number;
        _file = file;
        _isLocked = terms.Locks && IsLocked(NameOf(path, number));
        _renewed = terms.Clock.GetTimestamp();
        Write();
        _timer = terms.Clock.CreateTimer(_ => Renew(), null, terms.Renewal, terms.Renewal);
    }

    /// <summary>Takes a lease.</summary>
    /// <param name="path">Full path of its file; the folder exists.</param>
    /// <param name="terms">How it is kept.</param>
    /// <param name="holder">Who has it, if this returns null.</param>
    /// <returns>Null if another has it.</returns>
    /// <exception cref="IOException">The file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be made or read.</exception>
    public static Lease? TryTake(string path, LeaseTerms terms, out LeaseHolder? holder)
    {
        while (true)
        {
            int highest = Highest(path),
                number = highest + 1;
            if (highest >= 0)
            {
                (bool isGone, holder) = Judge(NameOf(path, highest), terms);
                if (isGone)
                    continue;
                if (holder is not null)
                    return null;
            }
            string name = NameOf(path, number);
            if (TryCreate(name, terms) is not { } file)
                continue;
            // What was there when it was looked may have been old: of one that a higher one stands beside, nobody is the owner. And what
            // was dead may have been cleared away since and its name taken again. Whoever takes that looks for a higher one afterwards, and
            // here the lower one is looked at once more after the higher was made, so that one of the two sees the other.
            if (Highest(path) > number || (highest >= 0 && Judge(NameOf(path, highest), terms) is not (false, null)))
            {
                Remove(name);
                file.Dispose();
                continue;
            }
            holder = null;
            Forget(path);
            try
            {
                return new Lease(terms, path, number, file);
            }
            catch
            {
                // Such as a full disk.
                Remove(name);
                file.Dispose();
                throw;
            }
        }
    }

    /// <returns>Null if another process was faster.</returns>
    private static FileStream? TryCreate(string name, LeaseTerms terms)
    {
        try
        {
            // Windows deletes it when the last handle is closed, and it cannot be opened meanwhile.
            return new FileStream(
                name,
                FileMode.CreateNew,
                FileAccess.ReadWrite,
                terms.Locks ? FileShare.None : FileShare.ReadWrite | FileShare.Delete,
                bufferSize: 0,
                OperatingSystem.IsWindows() && terms.Locks ? FileOptions.DeleteOnClose : FileOptions.None
            );
        }
        catch (IOException e) when (IsTaken(e) || File.Exists(name) || RefusalPatience.System.IsOpenElsewhere(e))
        {
            // Or it was created here, but could not be locked because another process was just reading it: then it is free.
            if (!OperatingSystem.IsWindows() && RefusalPatience.System.IsOpenElsewhere(e))
                Remove(name);
            return null;
        }
    }

    /// <summary>Whether a file is one of a lease's.</summary>
    /// <param name="file">A file's name.</param>
    /// <param name="name">The name of the lease.</param>
    public static bool IsOf(string file, string name) => NumberOf(file, name) is not null;

    /// <summary>Whether another has taken over, for this process was held up for longer than a lease lasts.</summary>
    public bool IsLost
    {
        get
        {
            lock (_gate)
                return _lost;
        }
    }

    /// <summary>Finds out whether the lease is still had, where it was not renewed in time.</summary>
    /// <returns>Whether it is.</returns>
    public bool Check()
    {
        lock (_gate)
        {
            if (!_lost && !_disposed && _terms.Clock.GetElapsedTime(_renewed) > _terms.Lifetime / 2)
                Renew();
            return !_lost;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            _timer?.Dispose();
            _timer = null;
            try
            {
                // The own one last, and while it is locked: until then it keeps others out.
                for (int number = _lost ? _number : 0; number <= _number; number++)
                {
                    if (number < _number || !OperatingSystem.IsWindows() || !_terms.Locks)
                        Remove(NameOf(_path, number));
                }
            }
            finally
            {
                _file.Dispose();
            }
        }
    }

    private void Renew()
    {
        lock (_gate)
        {
            if (_disposed || _lost)
                return;
            try
            {
                if (Highest(_path) > _number)
                {
                    _lost = true;
                    return;
                }
                Write();
                _renewed = _terms.Clock.GetTimestamp();
            }
            catch (Exception e) when (e.IsFileError())
            {
                // The disk is full or away. It is tried again; if that takes too long, another takes over.
            }
        }
    }

    private void Write() =>
        RandomAccess.Write(
            _file.SafeFileHandle,
            new LeaseNote(_terms.Machine, Environment.ProcessId, _isLocked, _terms.Clock.GetUtcNow(), _count++).ToBytes(),
            0
        );

    /// <returns>Whether there is no such lease any more, and otherwise who has it; null if it is free.</returns>
    private static (bool IsGone, LeaseHolder? Holder) Judge(string name, LeaseTerms terms)
    {
        byte[] content;
        DateTimeOffset written;
        try
        {
            using FileStream file = RegularFile.OpenRead(name, bufferSize: 0);
            // Of what is open: its name may lead nowhere by now, and then .NET gives a time long ago.
            written = File.GetLastWriteTimeUtc(file.SafeFileHandle);
            content = new byte[Math.Min(file.Length, 4096)];
            content = content[..file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false)];
        }
        catch (FileNotFoundException)
        {
            return (true, null);
        }
        catch (IOException e) when (RefusalPatience.System.IsOpenElsewhere(e))
        {
            // The system lets go of a dead process's locks.
            return (false, new LeaseHolder(null, null));
        }
        catch (UnauthorizedAccessException) when (OperatingSystem.IsWindows())
        {
            // It is just being deleted.
            return (false, new LeaseHolder(null, null));
        }
        LeaseNote? note = LeaseNote.Parse(content);
        if (note is { Locks: true } && note.Machine == terms.Machine)
            return (false, null);
        DateTimeOffset now = terms.Clock.GetUtcNow(),
            renewed = note?.Renewed ?? written;
        if (now - renewed > terms.Lifetime + terms.Skew)
            return (false, null);
        string stamp = Convert.ToHexString(content);
        (string Content, long Seen) first = s_seen.AddOrUpdate(name, (stamp, terms.Clock.GetTimestamp()), (_, seen) =>
            seen.Content == stamp ? seen : (stamp, terms.Clock.GetTimestamp())
        );
        TimeSpan left = terms.Lifetime - terms.Clock.GetElapsedTime(first.Seen);
        return (false, left <= TimeSpan.Zero ? null : new LeaseHolder(note, left));
    }

    /// <summary>
    /// Whether a file could not be made because there was one of that name, which may be gone again: EEXIST, or ERROR_FILE_EXISTS of
    /// Windows.
    /// </summary>
    private static bool IsTaken(IOException e) => OperatingSystem.IsWindows() ? (e.HResult & 0xFFFF) == 80 : e.HResult == 17;

    /// <summary>Whether others on this machine see that a file is locked: some file systems cannot do it.</summary>
    private static bool IsLocked(string name)
    {
        try
        {
            using FileStream file = new(name, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            return false;
        }
        catch (IOException e)
        {
            return RefusalPatience.System.IsOpenElsewhere(e);
        }
    }

    private static int Highest(string path)
    {
        string name = Path.GetFileName(path);
        // In patterns a backslash escapes.
        return Directory
            .EnumerateFiles(Path.GetDirectoryName(path)!, name.Replace("\\", "\\\\", StringComparison.Ordinal) + "*")
            .Select(file => NumberOf(Path.GetFileName(file), name) ?? -1)
            .DefaultIfEmpty(-1)
            .Max();
    }

    private static int? NumberOf(string file, string name) =>
        file == name ? 0
        : file.StartsWith(name + "+", StringComparison.Ordinal)
        && int.TryParse(file.AsSpan(name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
        && number > 0
            ? number
        : null;

    private static string NameOf(string path, int number) =>
        number == 0 ? path : string.Create(CultureInfo.InvariantCulture, $"{path}+{number}");

    private static void Forget(string path)
    {
        foreach (
            string name in s_seen.Keys.Where(seen =>
                IsOf(Path.GetFileName(seen), Path.GetFileName(path)) && Path.GetDirectoryName(seen) == Path.GetDirectoryName(path)
            )
        )
            s_seen.TryRemove(name, out _);
    }

    private static void Remove(string name)
    {
        try
        {
            File.Delete(name);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // It stays, and is taken over some time.
        }
    }
}
