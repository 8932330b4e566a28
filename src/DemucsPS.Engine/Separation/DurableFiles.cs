using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace DemucsPS.Engine.Separation;

/// <summary>Changes of files that outlast a crash of the machine once the call has returned. Failures become errors that name the file.</summary>
internal static partial class DurableFiles
{
    /// <summary>Writes a small file whole or not at all: at any moment its name has the old content or the new one.</summary>
    /// <param name="path">Full path; its folder exists.</param>
    /// <param name="content">All of it.</param>
    /// <param name="temporary">Full path of a file to write to first, on the same file system; replaced if it exists.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content, string temporary)
    {
        try
        {
            using (FileStream stream = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                stream.Write(content);
                stream.Flush(flushToDisk: true);
            }
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(path, e);
        }
        FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>Waits until the disk has the names in a folder. Windows writes them through by itself, and file systems that cannot do it are not asked twice.</summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        using SafeFileHandle handle = Open(folder, OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000);
        if (!handle.IsInvalid)
            _ = Synchronise(handle);
    }

    /// <summary>SHA-256 of a file's bytes, in lower-case hexadecimal digits.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static string Hash(string path, CancellationToken cancellationToken)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, FileOptions.SequentialScan);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[1 << 18];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>The error for a file that could not be written.</summary>
    public static DemucsException Failed(string path, Exception cause) =>
        new(DemucsError.StemWriteFailed, $"Writing '{path}' failed: {cause.Message} Check that the disk has room and is still there, and the folder's permissions.", path, cause);

    // O_RDONLY is 0 everywhere; the flag given is O_CLOEXEC, so that no child process inherits the folder.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronise(SafeFileHandle file);
}
