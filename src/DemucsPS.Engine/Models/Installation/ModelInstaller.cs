using System.Globalization;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Models.Installation;

/// <summary>
/// Installs and removes models. A model's files get their names only when all of them are there and have the right hashes. Safe in several
/// processes at once: the second waits, and finds the model installed. An interrupted installation leaves only partial files, which the
/// next one continues.
/// </summary>
public sealed class ModelInstaller
{
    private const string PartialSuffix = ".partial";

    private readonly ModelLibrary _library;
    private readonly TransferSettings _settings;

    /// <summary>Prepares installations.</summary>
    public ModelInstaller(ModelLibrary library)
        : this(library, new TransferSettings()) { }

    internal ModelInstaller(ModelLibrary library, TransferSettings settings)
    {
        _library = library;
        _settings = settings;
    }

    /// <summary>What <see cref="InstallAsync"/> would fetch.</summary>
    /// <param name="name">The model's or bag's name.</param>
    /// <param name="options">How.</param>
    /// <returns>The models that are not installed, of a bag each by itself; with <see cref="ModelInstallOptions.Force"/> all.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: no such model;
    /// <see cref="DemucsError.ParameterInvalid"/>: nothing that can be installed.</exception>
    public IReadOnlyList<ModelInfo> Plan(string name, ModelInstallOptions options)
    {
        CatalogEntry? entry = _library.Catalog.Find(name);
        if (entry is { IsBuiltIn: true })
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"The model '{entry.Name}' is built in. There is nothing to install.",
                name
            );
        if (entry is null)
        {
            if (!SafeFileName.IsPortable(name))
                throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"'{name}' is not a valid model name. Letters, digits, '.', '-' and '_' are allowed.",
                    name
                );
            if (options.Source is null || IsAddress(options.Source))
            {
                throw new DemucsException(
                    DemucsError.DemucsModelNotFound,
                    $"The catalog has no model named '{name}'. It has {string.Join(", ", _library.Catalog.Entries.Where(e => !e.IsBuiltIn).Select(e => e.Name))}. To install your own model, give its file or folder as the source.",
                    name
                );
            }
            return
            [
                _library.Describe(name)
                    ?? new ModelInfo
                    {
                        Name = name,
                        Installed = false,
                        Verified = false,
                        Size = 0,
                    },
            ];
        }
        IEnumerable<ModelInfo> models = (entry.IsBag ? entry.Members.Select(m => m.Model) : [entry.Name]).Select(m =>
            _library.Describe(m)!
        );
        return [.. models.Where(m => options.Force || !IsDone(_library.Catalog.Find(m.Name)!))];
    }

    /// <summary>Installs a model, or all models of a bag. What is installed already is left alone.</summary>
    /// <param name="name">Its name in the catalog; or another, for a model of the user's own, with a local file or folder as the
    /// source.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Receives how far it is, on any thread; null to go without.</param>
    /// <param name="cancellationToken">Ends it; partial files stay.</param>
    /// <returns>The installed model.</returns>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelNotFound"/>: no such model; <see cref="DemucsError.LicenseNotAccepted"/>: its notice was not
    /// accepted, and the message tells it; <see cref="DemucsError.ModelDownloadFailed"/>, <see cref="DemucsError.ModelHashMismatch"/>,
    /// <see cref="DemucsError.ModelWriteFailed"/>, <see cref="DemucsError.ModelInUse"/>; <see cref="DemucsError.DemucsModelInvalid"/>: a
    /// model of the user's own cannot be used; <see cref="DemucsError.ParameterInvalid"/>: the source does not fit.
    /// </exception>
    public async Task<ModelInfo> InstallAsync(
        string name,
        ModelInstallOptions options,
        IProgress<ModelInstallProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<ModelInfo> planned = Plan(name, options);
        if (!options.AcceptLicense && planned.Select(m => m.LicenseNotice).FirstOrDefault(n => n is not null) is { } notice)
            throw new DemucsException(
                DemucsError.LicenseNotAccepted,
                $"The model '{name}' cannot be installed before its license notice is accepted. {notice}",
                name
            )
            {
                Remedies = [Remedy.AcceptLicense],
            };
        using ModelTransfer transfer = new(_settings);
        foreach (ModelInfo model in planned)
        {
            Installation installation = new(model.Name, _library.FolderOf(model.Name), options, transfer, progress, cancellationToken);
            using ModelLock held = await ModelLock
                .TakeAsync(_library, model.Name, () => installation.Report(ModelInstallStage.Waiting, 0, model.Size), cancellationToken)
                .ConfigureAwait(false);
            string folder = installation.Folder;
            bool existed = Directory.Exists(folder);
            try
            {
                if (_library.Catalog.Find(model.Name) is not { } entry)
                    InstallOwn(installation);
                else if (options.Force || !IsDone(entry))
                    await InstallEntryAsync(entry, installation).ConfigureAwait(false);
            }
            catch when (!existed && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any())
            {
                Directory.Delete(folder);
                throw;
            }
        }
        return _library.Describe(name)!;
    }

    /// <summary>Takes a model, or all models of a bag, out of the library, with all files in its folder and its prepared copies.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="cancellationToken">Ends it before anything is deleted, or between two models of a bag.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelNotFound"/>: it is not installed; <see cref="DemucsError.ParameterInvalid"/>: it is built in, or
    /// not a name; <see cref="DemucsError.ModelInUse"/>: a program has it open, or is installing it.
    /// </exception>
    public void Remove(string name, CancellationToken cancellationToken = default)
    {
        foreach (string folder in Removable(name))
            RemoveFolder(Path.GetFileName(folder), folder, cancellationToken);
    }

    /// <summary>The folders that <see cref="Remove"/> would delete.</summary>
    /// <param name="name">The model's name.</param>
    /// <exception cref="DemucsException">As <see cref="Remove"/>.</exception>
    public IReadOnlyList<string> Removable(string name)
    {
        CatalogEntry? entry = _library.Catalog.Find(name);
        if (entry is { IsBuiltIn: true })
            throw new DemucsException(DemucsError.ParameterInvalid, $"The model '{entry.Name}' is built in and cannot be removed.", name);
        if (!SafeFileName.IsPortable(name))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{name}' is not a model's name. Only models in '{_library.Folder}' can be removed, by name. Delete other files yourself.",
                name
            );
        IEnumerable<string> names = entry is { IsBag: true } ? entry.Members.Select(m => m.Model) : [entry?.Name ?? name];
        string[] folders = [.. names.Select(_library.FolderOf).Where(IsOurs)];
        return folders.Length > 0
            ? folders
            : throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The model '{name}' is not installed in '{_library.Folder}'. There is nothing to remove.",
                name
            );
    }

    private static bool IsOurs(string folder) =>
        Directory.Exists(folder)
        && (
            ModelLibrary.Installed(folder) is not null
            || Directory
                .EnumerateFiles(folder)
                .All(f => f.EndsWith(PartialSuffix, StringComparison.Ordinal) || f.EndsWith(".tag", StringComparison.Ordinal))
        );

    private void RemoveFolder(string name, string folder, CancellationToken cancellationToken)
    {
        using ModelLock held = ModelLock.TryTake(_library, name)
            ?? throw new DemucsException(
                DemucsError.ModelInUse,
                $"The model '{name}' is being installed by another program. Wait for that program, or stop it.",
                folder
            );
        try
        {
            // The graph first: if a program has it open on a system that minds, nothing is lost yet.
            if (ModelLibrary.Installed(folder) is { } installed)
            {
                string content = ContentOf(installed.Path, installed.Record, cancellationToken);
                File.Delete(installed.Path);
                PreparationCache.Open().RemoveOf(installed.Path, content);
            }
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.ModelInUse,
                $"The model '{name}' cannot be removed from '{folder}': {e.Message} Close programs that use it, and check the permissions.",
                folder,
                e
            );
        }
    }

    /// <summary>What names a model's copies in the cache.</summary>
    private static string ContentOf(string path, ModelRecord? record, CancellationToken cancellationToken)
    {
        try
        {
            if (ModelFiles.IsWeights(path))
                return WeightsModel.Identify(path, cancellationToken);
        }
        catch (DemucsException)
        {
            // What cannot be read has no copy that can be found.
        }
        return record?.Files[0].Sha256 ?? DurableFiles.Hash(path, cancellationToken);
    }

    private bool IsDone(CatalogEntry entry)
    {
        string folder = _library.FolderOf(entry.Name);
        return ModelRecord.Read(folder) is { } record && record.Matches(entry) && record.IsWhole(folder);
    }

    private async Task InstallEntryAsync(CatalogEntry entry, Installation to)
    {
        ModelTransfer.Stored(to.Folder, () => Directory.CreateDirectory(to.Folder));
        string[] partials = [.. entry.Files.Select(f => to.Partial(f.Name))];
        CheckSpace(to.Folder, entry.Size - partials.Where(File.Exists).Sum(p => new FileInfo(p).Length));
        long before = 0;
        for (int i = 0; i < entry.Files.Count; i++)
        {
            CatalogFile file = entry.Files[i];
            long start = before;
            Action<long> told = done =>
                to.Report(done < file.Size ? ModelInstallStage.Fetching : ModelInstallStage.Verifying, start + done, entry.Size);
            told(0);
            (Uri? address, string? path) = Locate(entry, i, to.Options.Source);
            if (address is not null)
                await to.Transfer.DownloadAsync(address, file, partials[i], told, to.CancellationToken).ConfigureAwait(false);
            else
                to.Transfer.Copy(path!, file, partials[i], told, to.CancellationToken);
            before += file.Size;
        }
        ModelRecord record = new()
        {
            InstalledAt = DateTime.UtcNow,
            Source = to.Options.Source ?? entry.Files[0].Url.ToString(),
            Contract = entry.Contract,
            Stems = entry.Stems,
            SegmentFrames = entry.SegmentFrames,
            Files = [.. entry.Files.Select(f => new ModelRecord.FileRecord(f.Name, f.Size, f.Sha256))],
        };
        Publish(record, to);
        Prepare(record, to);
    }

    /// <summary>Installs a model that no catalog knows: it must load, and its hashes are noted, so that later changes are seen.</summary>
    private void InstallOwn(Installation to)
    {
        if (!to.Options.Force && ModelLibrary.Installed(to.Folder) is not null)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"A model '{to.Name}' is already installed, and no catalog lists it, so the source cannot be verified. Choose another name.",
                to.Name
            )
            {
                Remedies = [Remedy.Replace],
            };
        ModelSource source = ModelSource.Find(PathOf(to.Options.Source!));
        ModelContract contract;
        using (SeparationModel model = SeparationModel.Load(source, new OnnxSessionOptions(), cancellationToken: to.CancellationToken))
            contract = model.Contract;
        ModelRecord record = new()
        {
            InstalledAt = DateTime.UtcNow,
            Source = source.Path!,
            Contract = ModelInfo.ContractOf(contract.Kind),
            Stems = contract.Stems,
            SegmentFrames = contract.SegmentFrames,
            Files = CopyOwn(source.Path!, to),
        };
        Publish(record, to);
        to.Options.Warn?.Invoke(
            $"The model '{to.Name}' is in no catalog, so its SHA-256 could not be verified. It was recorded ({record.Files[0].Sha256}); Test-DemucsModel and demucsps models test compare with it."
        );
        Prepare(record, to);
    }

    /// <summary>Copies a model and the files with its weights into partial files.</summary>
    private List<ModelRecord.FileRecord> CopyOwn(string model, Installation to)
    {
        string[] from = [model, .. ExternalWeights.Read(model)];
        if (Array.Find(from, f => Path.GetDirectoryName(f) != Path.GetDirectoryName(model)) is { } elsewhere)
            throw new DemucsException(
                DemucsError.DemucsModelInvalid,
                $"Model '{model}' has its weights in another folder, in '{elsewhere}'. It can be used where it is, but not installed: only files in the model's folder are installed. Export it again with its weights in a file in the same folder.",
                model
            );
        ModelTransfer.Stored(to.Folder, () => Directory.CreateDirectory(to.Folder));
        long total = from.Sum(f => RegularFile.Info(f).Length),
            before = 0;
        CheckSpace(to.Folder, total);
        List<ModelRecord.FileRecord> files = [];
        foreach (string file in from)
        {
            string name = files.Count == 0 ? to.Name + Path.GetExtension(file) : Path.GetFileName(file);
            long start = before;
            string hash = to.Transfer.Copy(
                file,
                to.Partial(name),
                long.MaxValue - 1,
                done => to.Report(ModelInstallStage.Fetching, start + done, total),
                to.CancellationToken
            );
            files.Add(new ModelRecord.FileRecord(name, new FileInfo(to.Partial(name)).Length, hash));
            before += files[^1].Size;
        }
        return files;
    }

    private static void Publish(ModelRecord record, Installation to)
    {
        try
        {
            // Without its note a model counts as whole only by its graph, so that one comes last of the files.
            DurableFiles.Delete(Path.Combine(to.Folder, ModelRecord.FileName));
            string[] names = [.. record.Files.Select(f => f.Name)];
            foreach (string name in names.Reverse())
                DurableFiles.Rename(to.Partial(name), Path.Combine(to.Folder, name), overwrite: true);
            foreach (
                string old in Directory
                    .EnumerateFiles(to.Folder)
                    .Where(f => (ModelFiles.IsModel(f) || ModelFiles.IsPrepared(f)) && !names.Contains(Path.GetFileName(f)))
            )
                File.Delete(old);
            record.Write(to.Folder);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.ModelInUse,
                $"The model's files in '{to.Folder}' cannot be replaced: {e.Message} Close programs that use it, check the permissions, and try again.",
                to.Folder,
                e
            );
        }
    }

    private static void Prepare(ModelRecord record, Installation to)
    {
        if (!to.Options.Prepare)
            return;
        long size = record.Files.Sum(f => f.Size);
        to.Report(ModelInstallStage.Preparing, size, size);
        try
        {
            ModelSource source = ModelSource.Find(Path.Combine(to.Folder, record.Files[0].Name));
            PreparationCache cache = PreparationCache.Open();
            Action<string>? warn = to.Options.Warn;
            PreparedModel? copy = source.IsWeights
                ? WeightsModel.Prepare(source, GraphTarget.Cpu, cache, warn, renew: false, to.CancellationToken)
                : PreparedModel.Prepare(source.Path!, GraphTarget.Cpu, cache, warn, to.CancellationToken);
            copy?.Dispose();
        }
        catch (DemucsException e) when (e.Error == DemucsError.ModelWriteFailed)
        {
            // The model is installed anyway.
            to.Options.Warn?.Invoke(e.Message);
        }
    }

    private void CheckSpace(string folder, long missing)
    {
        long needed = missing + (1 << 20);
        long free;
        try
        {
            free = _settings.FreeSpace(folder);
        }
        catch (Exception e) when (e is ArgumentException || e.IsFileError())
        {
            // Shares without a drive do not tell; what does not fit then fails when it is written.
            return;
        }
        if (free < needed)
        {
            throw new DemucsException(
                DemucsError.ModelWriteFailed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"'{folder}' has {free / 1e6:F0} MB free, but the model needs {needed / 1e6:F0} MB. Free disk space, or choose another folder with {ModelLibrary.FolderVariable}."
                ),
                folder
            );
        }
    }

    private static bool IsAddress(string source) =>
        Uri.TryCreate(source, UriKind.Absolute, out Uri? uri) && !uri.IsFile && !Path.IsPathFullyQualified(source);

    /// <summary>The path that a source is or, as a file URI, means.</summary>
    private static string PathOf(string source) =>
        source.StartsWith("file:", StringComparison.OrdinalIgnoreCase) && Uri.TryCreate(source, UriKind.Absolute, out Uri? uri)
            ? uri.LocalPath
            : source;

    private static (Uri? Address, string? Path) Locate(CatalogEntry entry, int index, string? source)
    {
        CatalogFile file = entry.Files[index];
        string hosted = Uri.UnescapeDataString(file.Url.Segments[^1]);
        if (source is null)
            return file.Url.IsFile ? (null, file.Url.LocalPath) : (file.Url, null);
        if (IsAddress(source))
        {
            Uri address = new(source);
            ModelTransfer.CheckAddress(address);
            if (source.EndsWith('/'))
                return (new Uri(address, file.Url.Segments[^1]), null);
            return entry.Files.Count == 1
                ? (address, null)
                : throw new DemucsException(
                    DemucsError.ParameterInvalid,
                    $"'{source}' is one file, but the model '{entry.Name}' has {entry.Files.Count} files. Give the address of their folder, with / at the end.",
                    source
                );
        }
        source = PathOf(source);
        if (!Directory.Exists(source) && index == 0)
            return File.Exists(source)
                ? (null, source)
                : throw new DemucsException(
                    DemucsError.ModelDownloadFailed,
                    $"'{source}' does not exist, so the model '{entry.Name}' cannot be installed from it. Check the path.",
                    source
                );
        string folder = Directory.Exists(source) ? source : Path.GetDirectoryName(source)!;
        // As it is named in a models folder, as a browser saves it, a whole models folder, or as the hub's cache lays files out.
        string[] candidates =
        [
            Path.Combine(folder, file.Name),
            Path.Combine(folder, hosted),
            Path.Combine(folder, entry.Name, file.Name),
            Path.Combine(folder, entry.Name, hosted),
            .. HubPaths(folder, file, hosted),
        ];
        return Array.Find(candidates, File.Exists) is { } found
            ? (null, found)
            : throw new DemucsException(
                DemucsError.ModelDownloadFailed,
                $"The folder '{folder}' has no file for the model '{entry.Name}'. Expected: {string.Join(", ", candidates.Select(c => Path.GetRelativePath(folder, c)).Distinct())}.",
                folder
            );
    }

    /// <summary>
    /// Where the hub's cache has a file: <c>models--OWNER--NAME/snapshots/REVISION/FILE</c>, a link to <c>blobs/SHA256</c>, below the
    /// cache's folder; which of them was given, does not matter. Links are lost where a cache is carried on what knows none, blobs are not.
    /// </summary>
    private static IEnumerable<string> HubPaths(string folder, CatalogFile file, string hosted)
    {
        if (file.Url.Segments is not ["/", var owner, var name, "resolve/", var revision, ..])
            yield break;
        string repository = string.Join(new string('-', 2), "models", owner.TrimEnd('/'), name.TrimEnd('/'));
        foreach (string root in (string[])[folder, Path.Combine(folder, repository), Path.Combine(folder, "hub", repository)])
        {
            yield return Path.Combine(root, "snapshots", revision.TrimEnd('/'), hosted);
            yield return Path.Combine(root, "blobs", file.Sha256);
        }
        // The folder of a snapshot, of which the blobs are two folders up.
        yield return Path.Combine(folder, "..", "..", "blobs", file.Sha256);
    }

    /// <summary>Where a model goes, and how.</summary>
    private sealed record Installation(
        string Name,
        string Folder,
        ModelInstallOptions Options,
        ModelTransfer Transfer,
        IProgress<ModelInstallProgress>? Progress,
        CancellationToken CancellationToken
    )
    {
        public string Partial(string file) => Path.Combine(Folder, file + PartialSuffix);

        public void Report(ModelInstallStage stage, long done, long total) =>
            Progress?.Report(new ModelInstallProgress(Name, stage, done, total));
    }
}
