using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The folder with the prepared copies of a user's models. A copy's name says what it was made of and by which rewrites, so equal names
/// have equal contents; it appears whole or not at
/// all. Beyond <see cref="MaxBytes"/> the copies that were not used for longest go. In the place of a copy that a test has refused lies a
/// note of that. Nothing but these is ever touched
/// there. Safe in several threads and processes at once.
/// </summary>
/// <remarks>
/// A copy's name is <c>MODEL.CONTENT.SURROUNDINGS.vVERSION.prepared.onnx</c>, or <c>….int8.prepared.onnx</c>, or with another word for one
/// that is not for the CPU, see <see cref="NameOf"/>; a note's is <c>….refused.txt</c>, for the first two.
/// </remarks>
public sealed partial class PreparationCache
{
    /// <summary>The environment variable that names another cache folder.</summary>
    public const string FolderVariable = "DEMUCSPS_CACHE";

    /// <summary>Bytes that the copies may have together: those of all models of the catalog in both precisions.</summary>
    public const long MaxBytes = 8_000_000_000;

    // A name that is too long for a file would keep the model from being prepared.
    private const int MaxNameBytes = 100;

    private const string TemporarySuffix = ".tmp",
        AcceleratorSuffix = ".accelerator" + ModelFiles.PreparedSuffix,
        CompiledSuffix = ".compiled" + ModelFiles.PreparedSuffix,
        ReducedSuffix = ".bfloat16" + ModelFiles.PreparedSuffix;

    private static readonly TimeSpan s_temporaryAge = TimeSpan.FromDays(1);

    private readonly long _limit;

    private PreparationCache(string folder, string otherFolder, long limit)
    {
        Folder = folder;
        OtherFolder = otherFolder;
        _limit = limit;
    }

    /// <summary>Full path of the folder; it need not exist.</summary>
    public string Folder { get; }

    /// <summary>Full path of the folder for what is written on the way to a copy if the cache has no room for it.</summary>
    internal string OtherFolder { get; }

    /// <summary>The cache that the environment variable names, or that of the user's local application data.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the variable is not a full path.</exception>
    public static PreparationCache Open() =>
        Open(ApplicationFolder.FromVariable(FolderVariable) ?? Path.Combine(ApplicationFolder.Path, "cache"));

    /// <summary>A cache.</summary>
    /// <param name="folder">Full path of its folder.</param>
    public static PreparationCache Open(string folder) => Open(folder, Path.GetTempPath());

    /// <summary>As above, with the other folder, and with another bound than <see cref="MaxBytes"/>.</summary>
    internal static PreparationCache Open(string folder, string otherFolder, long limit = MaxBytes) =>
        new(
            Path.IsPathFullyQualified(folder)
                ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))
                : throw new ArgumentException($"'{folder}' is not a full path.", nameof(folder)),
            otherFolder,
            limit
        );

    /// <summary>The copies, those that were used last first.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ModelWriteFailed"/>: the folder cannot be read.</exception>
    public IReadOnlyList<CachedCopy> List()
    {
        try
        {
            return [.. Copies()];
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.ModelWriteFailed,
                $"The cache of prepared copies '{Folder}' cannot be read: {e.Message}",
                Folder,
                e
            );
        }
    }

    /// <summary>Removes a copy. Programs that run it are not disturbed, or (on Windows) keep it.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ModelInUse"/>: it cannot be removed.</exception>
    public void Remove(CachedCopy copy)
    {
        if (Path.GetDirectoryName(copy.Path) != Folder || !Name().IsMatch(Path.GetFileName(copy.Path)))
            throw new ArgumentException($"'{copy.Path}' is not a copy in '{Folder}'.", nameof(copy));
        try
        {
            File.Delete(copy.Path);
        }
        catch (DirectoryNotFoundException)
        {
            // Another process was faster.
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.ModelInUse,
                $"The prepared copy '{copy.Path}' cannot be removed: {e.Message} Close programs that use it, and check the permissions.",
                copy.Path,
                e
            );
        }
    }

    /// <summary>
    /// Removes the copies of a model, as far as possible: those that are left do no harm. Those of another model with the same content have
    /// another name, and stay.
    /// </summary>
    /// <param name="model">The model's file.</param>
    /// <param name="sha256">Of that file, in hexadecimal.</param>
    internal void RemoveOf(string model, string sha256)
    {
        string name = ModelPartOf(model),
            content = sha256[..16].ToLowerInvariant();
        RemoveAll(copy => copy.Model == name && Name().Match(Path.GetFileName(copy.Path)).Groups["content"].Value == content);
    }

    /// <summary>The name of a copy.</summary>
    /// <param name="model">The model's file.</param>
    /// <param name="content">SHA-256 of that file.</param>
    /// <param name="surroundings">SHA-256 of all else that the copy depends on.</param>
    /// <param name="target">What it is for.</param>
    internal static string NameOf(string model, ReadOnlySpan<byte> content, ReadOnlySpan<byte> surroundings, GraphTarget target)
    {
        string suffix =
            (target.Precision, target.Form) switch
            {
                (ModelPrecision.Int8, _) => ModelFiles.Int8Suffix,
                (_, GraphForm.Cpu) => ModelFiles.PreparedSuffix,
                (_, GraphForm.Accelerator) => AcceleratorSuffix,
                (_, GraphForm.Compiled) => CompiledSuffix,
                (_, GraphForm.CompiledReduced) => ReducedSuffix,
                _ => throw new ArgumentOutOfRangeException(nameof(target), target, null),
            };
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{ModelPartOf(model)}.{Convert.ToHexStringLower(content[..8])}.{Convert.ToHexStringLower(surroundings[..8])}.v{PreparedModel.RewriteVersion}{suffix}"
        );
    }

    private static string ModelPartOf(string model) =>
        SafeFileName.Finish(SafeFileName.Cut(SafeFileName.Clean(Path.GetFileNameWithoutExtension(model)), MaxNameBytes));

    /// <summary>A copy by its name, opened, and used from now on; null if there is none.</summary>
    internal FileStream? Find(string name)
    {
        string path = Path.Combine(Folder, name);
        FileStream? stream = null;
        try
        {
            stream = RegularFile.OpenRead(path, FileShare.Read | FileShare.Delete, bufferSize: 0);
            if (stream.Length is > 0 and <= int.MaxValue)
            {
                Touch(path);
                return stream;
            }
        }
        catch (Exception e) when (e.IsFileError())
        {
            // Then it is made again.
        }
        stream?.Dispose();
        return null;
    }

    /// <summary>A copy by its name and content, without using it; null if there is none.</summary>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    internal FileIdentity? Identify(string name, CancellationToken cancellationToken)
    {
        string path = Path.Combine(Folder, name);
        try
        {
            return File.Exists(path)
                ? new FileIdentity(name, RegularFile.Info(path).Length, DurableFiles.Hash(path, cancellationToken))
                : null;
        }
        catch (Exception e) when (e.IsFileError())
        {
            // Then it would be made again.
            return null;
        }
    }

    /// <summary>Whether any copy was refused.</summary>
    internal bool HoldsRefusals
    {
        get
        {
            try
            {
                return Copies().Any(copy => copy.IsRefused);
            }
            catch (Exception e) when (e.IsFileError())
            {
                return false;
            }
        }
    }

    /// <summary>Why a copy was refused; null for one that was not.</summary>
    internal string? ReasonAgainst(string name)
    {
        string note = NoteOf(name);
        try
        {
            if (!File.Exists(note))
                return null;
            using StreamReader reader = new(RegularFile.OpenRead(note));
            return reader.ReadToEnd();
        }
        catch (FileNotFoundException)
        {
            // Somebody has just removed it.
            return null;
        }
        catch (Exception e) when (e.IsFileError())
        {
            return $"The reason cannot be read: {e.Message}";
        }
    }

    /// <summary>
    /// Puts a note in the place of a copy and of that for <see cref="ModelPrecision.Int8"/>, which is made by the same rewrites.
    /// </summary>
    /// <param name="name">The name of a copy.</param>
    /// <param name="reason">Why, a sentence.</param>
    /// <exception cref="IOException">The note cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    internal void Refuse(string name, string reason)
    {
        Directory.CreateDirectory(Folder);
        string stem = WithoutSuffix(name);
        DurableFiles.Write(
            NoteOf(name),
            TemporaryIn(Folder),
            overwrite: true,
            Encoding.UTF8.GetBytes(reason),
            static (stream, note) => stream.Write(note)
        );
        Delete(Path.Combine(Folder, stem + ModelFiles.PreparedSuffix));
        Delete(Path.Combine(Folder, stem + ModelFiles.Int8Suffix));
    }

    /// <summary>Takes the note away that a copy was refused.</summary>
    internal void Allow(string name) => Delete(NoteOf(name));

    /// <summary>Adds a copy, and makes room for it.</summary>
    /// <returns>The copy, opened.</returns>
    /// <exception cref="IOException">It cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    internal FileStream Add(string name, IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken) =>
        Add(name, stream =>
        {
            foreach (ReadOnlyMemory<byte> piece in pieces)
            {
                cancellationToken.ThrowIfCancellationRequested();
                stream.Write(piece.Span);
            }
        });

    /// <summary>As above, of a copy that is written piece by piece.</summary>
    internal FileStream Add(string name, Action<Stream> write)
    {
        Directory.CreateDirectory(Folder);
        string path = Path.Combine(Folder, name),
            temporary = TemporaryIn(Folder);
        try
        {
            using (FileStream stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0))
            {
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            try
            {
                DurableFiles.Rename(temporary, path, overwrite: true);
            }
            catch (Exception e) when (e.IsFileError() && File.Exists(path))
            {
                // Windows refuses to replace an open file; another process was faster, and its copy is the same.
            }
        }
        finally
        {
            Delete(temporary);
        }
        FileStream added = Find(name) ?? throw new IOException($"'{path}' was written, but cannot be read.");
        Trim(path);
        return added;
    }

    /// <summary>A path for a file that does no harm if it is left, and is removed later.</summary>
    internal static string TemporaryIn(string folder) => Path.Combine(folder, $"{Guid.NewGuid():N}.prepared{TemporarySuffix}");

    internal static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // Another process has it open; it does no harm.
        }
    }

    /// <summary>Removes what older versions left, what was left half written, and beyond the bound what was not used for longest.</summary>
    private void Trim(string added)
    {
        try
        {
            foreach (string file in Directory.EnumerateFiles(Folder, "*" + TemporarySuffix))
            {
                if (Temporary().IsMatch(Path.GetFileName(file)) && DateTime.UtcNow - File.GetLastWriteTimeUtc(file) > s_temporaryAge)
                    Delete(file);
            }
            RemoveAll(copy => VersionOf(copy) < PreparedModel.RewriteVersion);
            long bytes = 0;
            foreach (CachedCopy copy in Copies())
            {
                bytes += copy.Size;
                if (bytes > _limit && copy.Path != added && !copy.IsRefused)
                    Delete(copy.Path);
            }
        }
        catch (Exception e) when (e.IsFileError())
        {
            // The next one that is added makes room.
        }
    }

    private void RemoveAll(Func<CachedCopy, bool> which)
    {
        try
        {
            foreach (CachedCopy copy in Copies().Where(which).ToArray())
                Delete(copy.Path);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // They go when they are not used for longest.
        }
    }

    private string NoteOf(string name) => Path.Combine(Folder, WithoutSuffix(name) + ModelFiles.RefusedSuffix);

    private static string WithoutSuffix(string name) => name[..Name().Match(name).Groups["suffix"].Index];

    private IEnumerable<CachedCopy> Copies() =>
        !Directory.Exists(Folder)
            ? []
            : new DirectoryInfo(Folder)
                .EnumerateFiles()
                .Where(file => file.LinkTarget is null)
                .Select(file => (File: file, Match: Name().Match(file.Name)))
                .Where(found => found.Match.Success)
                .Select(found => new CachedCopy
                {
                    Model = found.Match.Groups["model"].Value,
                    Precision = found.Match.Groups["suffix"].Value switch
                    {
                        ModelFiles.Int8Suffix => ModelPrecision.Int8,
                        ReducedSuffix => ModelPrecision.BFloat16,
                        _ => ModelPrecision.Full,
                    },
                    Form = found.Match.Groups["suffix"].Value switch
                    {
                        AcceleratorSuffix => nameof(GraphForm.Accelerator),
                        CompiledSuffix or ReducedSuffix => nameof(GraphForm.Compiled),
                        _ => nameof(GraphForm.Cpu),
                    },
                    IsRefused = found.File.Name.EndsWith(ModelFiles.RefusedSuffix, StringComparison.Ordinal),
                    Size = found.File.Length,
                    LastUsed = found.File.LastAccessTimeUtc,
                    IsCurrent = found.Match.Groups["version"].Value == PreparedModel.RewriteVersion.ToString(CultureInfo.InvariantCulture),
                    Path = found.File.FullName,
                })
                .OrderByDescending(copy => copy.LastUsed);

    private static int VersionOf(CachedCopy copy) =>
        int.Parse(Name().Match(Path.GetFileName(copy.Path)).Groups["version"].ValueSpan, CultureInfo.InvariantCulture);

    // The time of the last access, which systems keep or do not, is set here; the time of the last change stays.
    private static void Touch(string path)
    {
        try
        {
            File.SetLastAccessTimeUtc(path, DateTime.UtcNow);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // It is read-only; then it cannot be removed either.
        }
    }

    [GeneratedRegex(
        @"^(?<model>.+)\.(?<content>[0-9a-f]{16})\.[0-9a-f]{16}\.v(?<version>[0-9]{1,6})(?<suffix>(\.int8|\.accelerator|\.compiled|\.bfloat16)?\.prepared\.onnx|\.refused\.txt)$",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Name();

    [GeneratedRegex(@"^[0-9a-f]{32}\.prepared\.tmp$", RegexOptions.CultureInvariant)]
    private static partial Regex Temporary();
}
