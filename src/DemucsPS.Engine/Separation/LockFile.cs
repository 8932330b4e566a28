namespace DemucsPS.Engine.Separation;

/// <summary>
/// A file that one process at a time has, and that goes when it lets go of it; however the process ends, the system lets go. Others may have opened the file by then, and get the lock of a file
/// that no name leads to any more, so whoever has a lock looks whether it is on the file of that name.
/// </summary>
internal sealed class LockFile : IDisposable
{
    private const int MostBytes = 1 << 16;

    private readonly FileStream _file;

    private LockFile(FileStream file) => _file = file;

    /// <summary>Takes the lock.</summary>
    /// <param name="path">Full path; its folder exists.</param>
    /// <returns>Null where its last owner has just let go of it: then it can be tried again.</returns>
    /// <exception cref="IOException">Somebody else has it, or the file cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be made.</exception>
    public static LockFile? TryTake(string path) => TryTake(path, null);

    /// <summary>As above.</summary>
    /// <param name="path">Full path; its folder exists.</param>
    /// <param name="locked">Called when the file is locked, and before it is looked whether it has its name still.</param>
    internal static LockFile? TryTake(string path, Action? locked)
    {
        // Windows deletes it as the last handle is closed, and nobody can open it meanwhile.
        FileStream file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0, OperatingSystem.IsWindows() ? FileOptions.DeleteOnClose : FileOptions.None);
        bool isTaken = false;
        try
        {
            locked?.Invoke();
            isTaken = OperatingSystem.IsWindows() || IsAt(path, file);
            return isTaken ? new LockFile(file) : null;
        }
        finally
        {
            if (!isTaken)
                file.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            // While it is locked: whoever opened it before finds out.
            if (!OperatingSystem.IsWindows())
                File.Delete(_file.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays, and can be locked all the same.
        }
        _file.Dispose();
    }

    /// <summary>Whether the name leads to the file that is open and locked, which its length shows: opening it once more would ask for the lock, and which file it is .NET does not tell.</summary>
    private static bool IsAt(string path, FileStream file)
    {
        long mark = Random.Shared.Next(1, MostBytes);
        RandomAccess.SetLength(file.SafeFileHandle, mark);
        return new FileInfo(path) is { Exists: true } named && named.Length == mark;
    }
}
