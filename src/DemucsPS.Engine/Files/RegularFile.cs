using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Files;

/// <summary>
/// Files that others name are looked at before they are opened: opening a pipe waits for its other end, where nothing can be canceled, and
/// devices may have no end.
/// </summary>
/// <remarks>
/// .NET tells no kinds of files without opening them (its attributes and lengths are those of an empty file), so the system is asked.
/// </remarks>
internal static partial class RegularFile
{
    /// <summary>
    /// What a path is if not a file: <c>a pipe</c>, <c>a folder</c>. Null for a file, if it does not exist and if unknown.
    /// </summary>
    /// <param name="path">Full path. Links are followed.</param>
    public static string? InsteadOf(string path)
    {
        if (OperatingSystem.IsLinux())
            return OnLinux(path);
        if (OperatingSystem.IsMacOS())
            return OnMacOS(path);
        // Names such as NUL become those of devices here, where this version of Windows still takes them so.
        return ByName(Path.GetFullPath(path)) ?? (Directory.Exists(path) ? "a folder" : null);
    }

    /// <summary>Length and time of a file; of what a link leads to, where it is one, and not of the link.</summary>
    /// <param name="path">Full path; the file need not exist.</param>
    /// <exception cref="IOException">A link leads in a circle.</exception>
    public static FileInfo Info(string path) =>
        File.Exists(path) && File.ResolveLinkTarget(path, returnFinalTarget: true) is FileInfo target ? target : new FileInfo(path);

    /// <summary>Opens a file for reading.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="share">What others may do meanwhile.</param>
    /// <param name="bufferSize">Buffer size of the stream in bytes; 0 for none.</param>
    /// <param name="options">As for any file.</param>
    /// <exception cref="IOException">It cannot be read, or is not a file: a pipe, a device, a folder.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static FileStream OpenRead(
        string path,
        FileShare share = FileShare.ReadWrite | FileShare.Delete,
        int bufferSize = 4096,
        FileOptions options = FileOptions.None
    )
    {
        if (InsteadOf(path) is { } other)
            throw new IOException($"It is {other}, not a file.");
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, share, bufferSize, options);
        if (stream.CanSeek)
            return stream;
        stream.Dispose();
        throw new IOException("It is a pipe or a device, not a file.");
    }

    /// <summary>
    /// What a name says, which is how devices are told from files on Windows: asking the system about a pipe there would already take the
    /// place of one who reads it.
    /// </summary>
    /// <param name="full">Full path on Windows.</param>
    internal static string? ByName(string full)
    {
        if (full.StartsWith(@"\\.\", StringComparison.Ordinal) || full.StartsWith(@"\\?\", StringComparison.Ordinal))
        {
            string name = full[4..];
            if (name.StartsWith(@"UNC\", StringComparison.OrdinalIgnoreCase))
                full = @"\\" + name[4..];
            else if (name.StartsWith(@"pipe\", StringComparison.OrdinalIgnoreCase))
                return "a pipe";
            else if (name.Length > 0 && !name.Contains('\\', StringComparison.Ordinal) && name[^1] != ':')
                return "a device";
        }
        return
            full.StartsWith(@"\\", StringComparison.Ordinal)
            && full.Split('\\') is [_, _, _, var share, _, ..]
            && share.Equals("pipe", StringComparison.OrdinalIgnoreCase)
            ? "a pipe"
            : null;
    }

    private static string? OnLinux(string path)
    {
        // struct statx is the same on all architectures: 256 bytes, stx_mode at 28.
        const int CurrentFolder = -100;
        const uint TypeOnly = 1;
        Span<byte> status = stackalloc byte[256];
        if (StatX(CurrentFolder, path, 0, TypeOnly, ref MemoryMarshal.GetReference(status)) != 0)
            return null;
        return (MemoryMarshal.Read<ushort>(status[28..]) & 0xF000) switch
        {
            0x8000 => null,
            0x4000 => "a folder",
            0x1000 => "a pipe",
            0xC000 => "a socket",
            _ => "a device",
        };
    }

    private static string? OnMacOS(string path)
    {
        // struct attrlist: five words of attributes, ATTR_CMN_OBJTYPE of the common ones. The answer: its length, then an enum vtype of
        // <sys/vnode.h>.
        Span<byte> wanted = stackalloc byte[24],
            answer = stackalloc byte[8];
        wanted.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(wanted, 5);
        BinaryPrimitives.WriteUInt32LittleEndian(wanted[4..], 8);
        if (
            GetAttributes(path, ref MemoryMarshal.GetReference(wanted), ref MemoryMarshal.GetReference(answer), (nuint)answer.Length, 0)
            != 0
        )
            return null;
        return BinaryPrimitives.ReadUInt32LittleEndian(answer[4..]) switch
        {
            1 => null,
            2 => "a folder",
            6 => "a socket",
            7 => "a pipe",
            _ => "a device",
        };
    }

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte status);

    [LibraryImport("libc", EntryPoint = "getattrlist", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetAttributes(string path, ref byte wanted, ref byte answer, nuint answerBytes, nuint options);
}
