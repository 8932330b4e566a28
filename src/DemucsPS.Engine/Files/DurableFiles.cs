using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace DemucsPS.Engine.Files;

/// <summary>
/// Changes of files, in an order that outlasts a crash of the machine: what is in a file is on disk before the file gets its name, and
/// names are on disk once the folder was flushed. Windows cannot be asked for the latter: it writes names in order, but up to some seconds
/// later, so that a power cut can undo the last ones and leaves the state before.
/// </summary>
internal static partial class DurableFiles
{
    /// <summary>Writes a small file whole or not at all: at any moment its name has the old content or the new one.</summary>
    /// <param name="path">Full path; its folder exists.</param>
    /// <param name="content">All of it.</param>
    /// <param name="temporary">Full path of a file to write to first, on the same file system; replaced if it exists, and gone afterwards
    /// in any case.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be written, or something that is not a file
    /// has the name.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> content, string temporary)
    {
        RefuseOther(path);
        try
        {
            Write(path, temporary, overwrite: true, content, static (stream, bytes) => stream.Write(bytes));
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw Failed(path, e);
        }
    }

    /// <summary>Writes a file whole or not at all: at any moment its name has what was there before, or all of it.</summary>
    /// <param name="path">Full path; its folder exists.</param>
    /// <param name="temporary">Full path of a file to write to first, on the same file system; replaced if it exists, and gone afterwards
    /// in any case.</param>
    /// <param name="overwrite">Whether it may replace a file.</param>
    /// <param name="content">What is written.</param>
    /// <param name="write">Writes all of it.</param>
    /// <exception cref="IOException">It failed, or there is a file of that name.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not allowed.</exception>
    public static void Write<T>(string path, string temporary, bool overwrite, T content, Action<FileStream, T> write)
        where T : allows ref struct
    {
        FileStream stream = new(temporary, FileMode.Create, FileAccess.Write, FileShare.None);
        try
        {
            using (stream)
            {
                write(stream, content);
                stream.Flush(flushToDisk: true);
            }
            Rename(temporary, path, overwrite);
        }
        catch
        {
            // On a full disk it would keep the room that is missing.
            Delete(temporary);
            throw;
        }
        FlushFolder(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// Gives a file another name, at once and as a whole. Where Windows refuses because a program has one of the two open, it is tried
    /// again for a moment.
    /// </summary>
    /// <param name="from">Full path.</param>
    /// <param name="to">Full path on the same file system.</param>
    /// <param name="overwrite">Whether it may replace a file of that name.</param>
    /// <exception cref="IOException">It failed, or there is a file of that name.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not allowed.</exception>
    public static void Rename(string from, string to, bool overwrite) =>
        RefusalPatience.System.Do(() =>
        {
            File.Move(from, to, overwrite);
            return true;
        });

    /// <summary>
    /// Deletes a file if it is there. Where Windows refuses because a program has it open, it is tried again for a moment.
    /// </summary>
    /// <exception cref="IOException">It failed.</exception>
    /// <exception cref="UnauthorizedAccessException">It is not allowed.</exception>
    public static void Delete(string path) =>
        RefusalPatience.System.Do(() =>
        {
            File.Delete(path);
            return true;
        });

    /// <summary>
    /// Waits until the disk has the names in a folder. On Windows it does nothing: <see cref="File.Move(string, string, bool)"/> does not
    /// wait for the disk there. NTFS logs names in order, and flushing any file's content, which every checkpoint does, brings the earlier
    /// ones to disk with it. File systems that cannot do it are not asked twice.
    /// </summary>
    public static void FlushFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        using SafeFileHandle handle = Open(folder, OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000);
        if (!handle.IsInvalid)
            _ = Synchronize(handle);
    }

    /// <summary>SHA-256 of a file's bytes, in lower-case hexadecimal digits.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public static string Hash(string path, CancellationToken cancellationToken)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, path, cancellationToken);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Adds a file's bytes to what is hashed.</summary>
    /// <inheritdoc cref="Hash"/>
    public static void Append(IncrementalHash hash, string path, CancellationToken cancellationToken)
    {
        using FileStream stream = RegularFile.OpenRead(path, bufferSize: 0, options: FileOptions.SequentialScan);
        byte[] buffer = new byte[1 << 18];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            cancellationToken.ThrowIfCancellationRequested();
            hash.AppendData(buffer, 0, count);
        }
    }

    /// <summary>
    /// Refuses to write where something is that is not a file: who may do anything would have a device replaced by a file, and a pipe takes
    /// what is written and has nothing to read.
    /// </summary>
    /// <param name="path">Full path; the file need not exist.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public static void RefuseOther(string path)
    {
        if (RegularFile.InsteadOf(path) is { } other)
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"'{path}' cannot be written: it is {other}, not a file. Name a file.",
                path
            );
    }

    /// <summary>The error for a file that could not be written.</summary>
    public static DemucsException Failed(string path, Exception cause) =>
        new(
            DemucsError.StemWriteFailed,
            $"Writing '{path}' failed: {cause.Message} {RefusalPatience.System.RemedyFor(cause)}",
            path,
            cause
        );

    // O_RDONLY is 0 everywhere; the flag given is O_CLOEXEC, so that no child process inherits the folder.
    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Synchronize(SafeFileHandle file);
}
