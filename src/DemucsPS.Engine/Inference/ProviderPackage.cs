using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Inference;

/// <summary>A vendor's package with a plug-in library: what of it this platform needs, checked before it is unpacked.</summary>
internal sealed class ProviderPackage : IDisposable
{
    // The largest known, with all of CUDA's libraries, has some two gigabytes.
    private const long MostBytes = 8L << 30;

    private const int MostFiles = 2000,
        MostRecordBytes = 16 << 20,
        BufferBytes = 1 << 20;

    private static readonly uint[] s_crc =
    [
        .. Enumerable
            .Range(0, 256)
            .Select(n =>
            {
                uint value = (uint)n;
                for (int bit = 0; bit < 8; bit++)
                    value = (value & 1) != 0 ? value >> 1 ^ 0xEDB88320 : value >> 1;
                return value;
            }),
    ];

    private readonly string _path;
    private readonly ZipArchive _archive;
    private readonly List<(ZipArchiveEntry Entry, string Name)> _files;
    private readonly string _library;
    private readonly Dictionary<string, byte[]>? _hashes;

    private ProviderPackage(string path, ExecutionProvider provider, ZipArchive archive)
    {
        _path = path;
        _archive = archive;
        ZipArchiveEntry library = Library(provider);
        string folder = library.FullName[..^library.Name.Length];
        _library = library.Name;
        _files =
        [
            .. archive
                .Entries.Where(entry => entry.FullName.StartsWith(folder, StringComparison.Ordinal) && IsNeeded(entry))
                .Select(entry => (entry, entry.FullName[folder.Length..])),
        ];
        foreach ((_, string name) in _files)
        {
            if (name.Split('/').Any(part => part is "" or "." or ".." || part.AsSpan().ContainsAny("\\:") || part.Any(char.IsControl)))
                throw Fault($"its file '{name}' would be unpacked outside the folder of the execution provider");
        }
        if (_files.Select(file => file.Name).Distinct(StringComparer.OrdinalIgnoreCase).Count() < _files.Count)
            throw Fault("it has two files of the same name");
        if (_files.Count > MostFiles || Bytes is > MostBytes or < 0)
            throw Fault(
                FormattableString.Invariant(
                    $"it has {_files.Count} files of {Bytes} bytes; the limit is {MostFiles} files of {MostBytes} bytes"
                )
            );
        _hashes = Record();
    }

    /// <summary>Files that would be unpacked.</summary>
    public int Count => _files.Count;

    /// <summary>Bytes that they say they have.</summary>
    public long Bytes => _files.Sum(file => file.Entry.Length);

    /// <summary>Whether the package lists its files' SHA-256.</summary>
    public bool HasHashes => _hashes is not null;

    /// <summary>Opens a package and finds what is needed of it.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProviderPackageInvalid"/>.</exception>
    public static ProviderPackage Open(ExecutionProvider provider, string path)
    {
        ZipArchive? archive = null;
        try
        {
            archive = new ZipArchive(RegularFile.OpenRead(path), ZipArchiveMode.Read);
            return new ProviderPackage(path, provider, archive);
        }
        catch (Exception e)
        {
            archive?.Dispose();
            if (e is FileNotFoundException or DirectoryNotFoundException)
                throw Invalid(path, $"does not exist. It should be {ProviderInstaller.SourceOf(provider)}.", e);
            if (e.IsFileError())
                throw Invalid(path, $"cannot be read: {e.Message}", e);
            if (e is InvalidDataException)
                throw Invalid(
                    path,
                    $"is damaged or not a zip archive, as wheels and NuGet packages are: {e.Message} It should be {ProviderInstaller.SourceOf(provider)}.",
                    e
                );
            throw;
        }
    }

    /// <summary>Unpacks what is needed, and compares it with the package's hashes and checksums.</summary>
    /// <param name="folder">Full path of an empty folder.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The library's name.</returns>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProviderPackageInvalid"/>: a file is not what the package says.</exception>
    /// <exception cref="IOException">A file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public string Unpack(string folder, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[BufferBytes];
        foreach ((ZipArchiveEntry entry, string name) in _files)
        {
            string target = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            using IncrementalHash sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            uint crc = uint.MaxValue;
            using (FileStream file = new(target, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                Stream content = Reading(entry, entry.Open);
                long left = entry.Length;
                for (int read; (read = Reading(entry, () => content.Read(buffer))) > 0; left -= read)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (read > left)
                        break;
                    sha256.AppendData(buffer, 0, read);
                    foreach (byte value in buffer.AsSpan(0, read))
                        crc = s_crc[(byte)(crc ^ value)] ^ crc >> 8;
                    file.Write(buffer, 0, read);
                }
                content.Dispose();
                if (left != 0 || ~crc != entry.Crc32)
                    throw Fault($"its file '{entry.FullName}' is damaged");
                file.Flush(flushToDisk: true);
            }
            if (
                _hashes is not null
                && !(_hashes.TryGetValue(entry.FullName, out byte[]? expected) && expected.AsSpan().SequenceEqual(sha256.GetHashAndReset()))
            )
                throw Fault(
                    _hashes.ContainsKey(entry.FullName)
                        ? $"its file '{entry.FullName}' has a different SHA-256 than its list declares"
                        : $"its list of hashes lacks the file '{entry.FullName}'"
                );
        }
        return _library;
    }

    /// <inheritdoc/>
    public void Dispose() => _archive.Dispose();

    // What is left out is for Python.
    private static bool IsNeeded(ZipArchiveEntry entry) =>
        entry.Name.Length > 0 && Path.GetExtension(entry.Name) is not (".py" or ".pyc" or ".pyi");

    private ZipArchiveEntry Library(ExecutionProvider provider)
    {
        ZipArchiveEntry[] named = [.. _archive.Entries.Where(entry => ProviderLibraries.IsNamed(entry.Name, provider))];
        if (named.Length == 0)
            throw Fault($"it has no plug-in library of {provider}. It should be {ProviderInstaller.SourceOf(provider)}");
        return Array.Find(named, IsForHere)
            ?? throw Fault($"it has no plug-in library for {Platform}: {string.Join(", ", named.Select(entry => entry.FullName))}");
    }

    private static string Platform =>
        $"{(OperatingSystem.IsWindows() ? "Windows" : OperatingSystem.IsMacOS() ? "macOS" : "Linux")} on {RuntimeInformation.ProcessArchitecture}";

    /// <summary>Whether a library begins as those of this system and this kind of processor do.</summary>
    private bool IsForHere(ZipArchiveEntry entry)
    {
        byte[] head = new byte[4096];
        using Stream content = Reading(entry, entry.Open);
        int length = Reading(entry, () => content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false));
        bool isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        if (length < 64)
            return false;
        if (OperatingSystem.IsWindows())
        {
            return head.AsSpan(0, 2).SequenceEqual("MZ"u8)
                && BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(60)) is >= 0 and < 4000 and int header
                && BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(header + 4)) == (isArm ? 0xAA64 : 0x8664);
        }
        return OperatingSystem.IsMacOS()
            ? BinaryPrimitives.ReadUInt32LittleEndian(head) is 0xFEEDFACF or 0xBEBAFECA
            : head.AsSpan(0, 4).SequenceEqual("\u007FELF"u8)
                && BinaryPrimitives.ReadUInt16LittleEndian(head.AsSpan(18)) == (isArm ? 183 : 62);
    }

    /// <summary>The SHA-256 of each file by a wheel's RECORD; null if there is none.</summary>
    private Dictionary<string, byte[]>? Record()
    {
        ZipArchiveEntry? record = _archive.Entries.FirstOrDefault(entry =>
            entry.FullName.EndsWith(".dist-info/RECORD", StringComparison.Ordinal) && entry.FullName.Count(c => c == '/') == 1
        );
        if (record is null)
            return null;
        if (record.Length > MostRecordBytes)
            throw Fault("its list of hashes is too long");
        Dictionary<string, byte[]> hashes = [];
        using StreamReader reader = new(Reading(record, record.Open), Encoding.UTF8);
        while (Reading(record, reader.ReadLine) is { } line)
        {
            // NAME,sha256=HASH,BYTES; a name that has commas is in quotation marks.
            int end = line.LastIndexOf(",sha256=", StringComparison.Ordinal);
            if (end < 0)
                continue;
            string name = line[..end] is ['"', .. var quoted, '"'] ? quoted.Replace("\"\"", "\"", StringComparison.Ordinal) : line[..end];
            string hash = line[(end + 8)..].Split(',')[0].Replace('-', '+').Replace('_', '/');
            byte[] bytes = new byte[SHA256.HashSizeInBytes];
            if (
                !Convert.TryFromBase64String(hash.PadRight((hash.Length + 3) / 4 * 4, '='), bytes, out int written)
                || written != bytes.Length
            )
                throw Fault($"its list of hashes has no SHA-256 for '{name}'");
            hashes[name] = bytes;
        }
        return hashes;
    }

    private T Reading<T>(ZipArchiveEntry entry, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is InvalidDataException or EndOfStreamException)
        {
            throw Invalid(_path, $"cannot be used: its file '{entry.FullName}' is damaged: {e.Message} Download it again.", e);
        }
    }

    private DemucsException Fault(string fault) => Invalid(_path, $"cannot be used: {fault}. Download it again from its vendor.", null);

    private static DemucsException Invalid(string path, string fault, Exception? cause) =>
        new(DemucsError.ProviderPackageInvalid, $"The package '{path}' {fault}", path, cause);
}
