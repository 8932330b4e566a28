using System.Text.RegularExpressions;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Weights;

namespace DemucsPS.Engine.Models;

/// <summary>
/// The models of a user: a catalog of what is known, and a folder of what is installed, with a folder for each model. Keeps nothing open.
/// </summary>
public sealed partial class ModelLibrary
{
    /// <summary>The environment variable that names another models folder.</summary>
    public const string FolderVariable = "DEMUCSPS_MODELS";

    /// <summary>The environment variable that names a catalog file of the user.</summary>
    public const string CatalogVariable = "DEMUCSPS_CATALOG";

    /// <summary>The environment variable that names the model to use where none is named.</summary>
    public const string ModelVariable = "DEMUCSPS_MODEL";

    /// <summary>The model to use where none is named and it is installed.</summary>
    public const string PreferredName = "htdemucs";

    /// <summary>A catalog file in the models folder, which is also read.</summary>
    public const string CatalogFileName = "catalog.json";

    private readonly string? _default;

    private ModelLibrary(string folder, ModelCatalog catalog, string? defaultModel)
    {
        Folder = folder;
        Catalog = catalog;
        _default = defaultModel;
    }

    /// <summary>Full path of the models folder; it need not exist.</summary>
    public string Folder { get; }

    /// <summary>What is known.</summary>
    public ModelCatalog Catalog { get; }

    /// <summary>The library that the environment variables name, or that of the user's local application data.</summary>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: a variable is not a full path; <see cref="DemucsError.CatalogInvalid"/>: a catalog file
    /// cannot be used.
    /// </exception>
    public static ModelLibrary Open() =>
        Open(
            ApplicationFolder.FromVariable(FolderVariable) ?? Path.Combine(ApplicationFolder.Path, "models"),
            ApplicationFolder.FromVariable(CatalogVariable),
            Environment.GetEnvironmentVariable(ModelVariable)
        );

    /// <summary>A library.</summary>
    /// <param name="folder">Full path of the models folder; a <see cref="CatalogFileName"/> in it is read.</param>
    /// <param name="catalog">Full path of a further catalog file, or null.</param>
    /// <param name="defaultModel">The model to use where none is named: a name or a path; null for an installed
    /// <see cref="PreferredName"/>, else the built-in model.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.CatalogInvalid"/>: a catalog file cannot be used.</exception>
    public static ModelLibrary Open(string folder, string? catalog = null, string? defaultModel = null)
    {
        if (!Path.IsPathFullyQualified(folder))
            throw new ArgumentException($"'{folder}' is not a full path.", nameof(folder));
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        string beside = Path.Combine(folder, CatalogFileName);
        List<string> files = [];
        if (catalog is not null)
            files.Add(catalog);
        if (File.Exists(beside) && beside != catalog)
            files.Add(beside);
        return new ModelLibrary(folder, ModelCatalog.With(files), string.IsNullOrWhiteSpace(defaultModel) ? null : defaultModel);
    }

    /// <summary>All models: the built-in ones, those of the catalog in its order, then those that are installed and not in it.</summary>
    /// <param name="failed">Receives folders that cannot be read, whose models are left out; null to end with the first.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: a folder cannot be read.</exception>
    public IReadOnlyList<ModelInfo> List(Action<DemucsException>? failed = null)
    {
        List<ModelInfo> models = [];
        HashSet<string?> told = [];
        foreach (string name in Catalog.Entries.Select(e => e.Name).Concat(Try(Uncatalogd) ?? []))
        {
            if (Try(() => Describe(name)) is { } model)
                models.Add(model);
        }
        return models;

        // A bag and its model tell of the same folder.
        T? Try<T>(Func<T?> look)
            where T : class
        {
            try
            {
                return look();
            }
            catch (DemucsException e) when (failed is not null)
            {
                if (told.Add(e.Path))
                    failed(e);
                return null;
            }
        }
    }

    /// <summary>One model by its name, in any case; null if it is neither in the catalog nor installed.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: its folder cannot be read.</exception>
    public ModelInfo? Describe(string name)
    {
        CatalogEntry? entry = Catalog.Find(name);
        if (entry is { IsBuiltIn: true })
            return Of(entry) with { Installed = true, Verified = true };
        if (entry is { IsBag: true })
        {
            ModelInfo[] members = [.. entry.Members.Select(m => Describe(m.Model)!)];
            return Of(entry) with
            {
                Installed = members.All(m => m.Installed),
                Verified = members.All(m => m.Verified),
                Size = members.Sum(m => m.Size),
                LicenseNotice = string.Join("\n", members.Select(m => m.LicenseNotice).OfType<string>().Distinct())
                    is { Length: > 0 } notice
                    ? notice
                    : null,
                InstalledAt = members.All(m => m.Installed) ? members.Max(m => m.InstalledAt) : null,
            };
        }
        name = entry?.Name ?? name;
        if (!SafeFileName.IsPortable(name) || Installed(FolderOf(name)) is not { } found)
            return entry is null ? null : Of(entry);
        ModelInfo info = entry is null
            ? new ModelInfo
            {
                Name = name,
                Installed = true,
                Verified = false,
                Size = 0,
            }
            : Of(entry);
        ModelRecord? record = found.Record;
        return info with
        {
            Installed = true,
            Path = found.Path,
            Size = record?.Files.Sum(f => f.Size) ?? RegularFile.Info(found.Path).Length,
            Verified = record is not null && entry is not null && record.Matches(entry) && record.IsWhole(FolderOf(name)),
            Contract = entry?.Contract ?? record?.Contract,
            Stems = entry?.Stems ?? record?.Stems ?? [],
            SegmentFrames = entry?.SegmentFrames ?? record?.SegmentFrames,
            Source = record?.Source,
            InstalledAt = record?.InstalledAt,
        };
    }

    // What is used where neither the user nor a variable names a model.
    private string UsualName => Describe(PreferredName) is { Installed: true } ? PreferredName : ModelSource.BaselineName;

    /// <summary>Finds what a user named.</summary>
    /// <param name="given">Names of models or bags, full or relative paths of files, or of folders with one model, with <c>@</c> and the
    /// beginning of the file's SHA-256 after it where it must be that one; none for the default.</param>
    /// <param name="weights">One row a model, or null.</param>
    /// <param name="toFullPath">Makes a path full, by whatever the user's location is.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.DemucsModelNotFound"/>: there is no such model, or it is not installed, and the message says how to;
    /// <see cref="DemucsError.ModelHashMismatch"/>: the model's file is another one;
    /// <see cref="DemucsError.ParameterInvalid"/>: a bag beside other models, or with weights or a hash.
    /// </exception>
    public ModelSelection Select(
        IReadOnlyList<string> given,
        IReadOnlyList<IReadOnlyList<double>>? weights,
        Func<string, string> toFullPath
    )
    {
        if (given.Count == 0 && _default is not null)
        {
            try
            {
                return Select([_default], weights, toFullPath);
            }
            catch (DemucsException e)
            {
                throw new DemucsException(e.Error, $"{e.Message} ${ModelVariable} names this model as the default.", e.Path, e)
                {
                    Parameter = e.Parameter,
                    Remedies = e.Remedies,
                };
            }
        }
        if (given.Count == 0)
            given = [UsualName];
        if (given.FirstOrDefault(BagFile.IsBag) is { } file)
            return SelectBag(toFullPath(file), given.Count, weights);
        CatalogEntry? bag = given.Select(Catalog.Find).FirstOrDefault(e => e is { IsBag: true });
        if (bag is null)
        {
            return new ModelSelection
            {
                Models = [.. given.Select(g => Source(g, toFullPath))],
                Weights = weights,
                Stems = given.Count > 1 ? Catalog.Find(given[0])?.Stems : null,
            };
        }
        if (given.Count > 1)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{bag.Name}' is itself a bag of models ({string.Join(", ", bag.Members.Select(m => m.Model))}). Use it alone, or name its models."
            );
        if (weights is not null)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{bag.Name}' is a bag with its own weights. Leave the weights out, or name its models ({string.Join(", ", bag.Members.Select(m => m.Model))})."
            );
        string[] missing = [.. bag.Members.Select(m => m.Model).Where(m => Describe(m) is not { Installed: true })];
        if (missing.Length > 0)
            throw NotInstalled(
                bag.Name,
                missing.Length < bag.Members.Count ? $" ({string.Join(", ", missing)} of its models are missing)" : ""
            );
        return new ModelSelection
        {
            Models = [.. bag.Members.Select(m => Source(m.Model, toFullPath))],
            Weights = [.. bag.Members.Select(m => m.Weights)],
            BagName = bag.Name,
            Stems = bag.Stems,
        };
    }

    /// <summary>
    /// What a user named, as text that means the same models elsewhere and later, or are refused there: names with their files' hashes,
    /// full paths, and for nothing the default.
    /// </summary>
    /// <param name="given">As for <see cref="Select"/>.</param>
    /// <param name="toFullPath">Makes a path full, by whatever the user's location is.</param>
    /// <returns>At least one, which <see cref="Select"/> takes. A bag of the catalog keeps its name, since its models have hashes
    /// there.</returns>
    /// <exception cref="DemucsException">As <see cref="Select"/>.</exception>
    public IReadOnlyList<string> Pin(IReadOnlyList<string> given, Func<string, string> toFullPath)
    {
        _ = Select(given, null, toFullPath);
        if (given.Count == 0)
            given = [_default ?? UsualName];
        return
        [
            .. given.Select(model =>
                BagFile.IsBag(model) ? toFullPath(model)
                : Catalog.Find(model) is { IsBag: true } bag ? bag.Name
                : Pin(model, toFullPath)
            ),
        ];
    }

    private string Pin(string given, Func<string, string> toFullPath)
    {
        // A hash that was given stays beside a path; a name has to have one. Whether it is the file's, was looked at when the model was
        // chosen.
        Match pinned = Path.Exists(toFullPath(given)) ? Match.Empty : Pinned().Match(given);
        string name = pinned.Success ? pinned.Groups["name"].Value : given;
        ModelSource model = Unpinned(name, toFullPath);
        if (model.Path is not { } path)
            return model.Name;
        if (!SafeFileName.IsPortable(name) || Describe(name) is null)
            return pinned.Success ? $"{toFullPath(name)}@{pinned.Groups["hash"].Value}" : toFullPath(name);
        try
        {
            return $"{model.Name}@{DurableFiles.Hash(path, CancellationToken.None)}";
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The model '{path}' cannot be read: {e.Message} Check its permissions.",
                path,
                e
            );
        }
    }

    /// <summary>Finds the models of a bag's file, which lie next to it.</summary>
    private static ModelSelection SelectBag(string path, int given, IReadOnlyList<IReadOnlyList<double>>? weights)
    {
        BagFile bag = BagFile.Read(path);
        if (given > 1 || weights is not null)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{path}' is itself a bag of models ({string.Join(", ", bag.Models)}) with its own weights. Use it alone, or name the files of its models.",
                path
            );
        string folder = Path.GetDirectoryName(path)!;
        return new ModelSelection
        {
            Models = [.. bag.Models.Select(Member)],
            Weights = bag.Weights,
            BagName = Path.GetFileNameWithoutExtension(path),
        };

        ModelSource Member(string signature)
        {
            string file = Path.Combine(folder, signature + SafetensorsFile.Extension);
            if (File.Exists(file))
                return ModelSource.Find(file).Shortened(bag.Segment);
            string? checkpoint = Directory.EnumerateFiles(folder, signature + "*.th").Order(StringComparer.Ordinal).FirstOrDefault();
            return checkpoint is not null
                ? ModelSource.Find(checkpoint)
                : throw new DemucsException(
                    DemucsError.DemucsModelNotFound,
                    $"The bag of models '{path}' needs '{signature}{SafetensorsFile.Extension}', which is not in its folder. Copy the file there.",
                    path
                );
        }
    }

    /// <summary>Finds one model, which is not a bag; as <see cref="Select"/>.</summary>
    internal ModelSource Source(string given, Func<string, string> toFullPath)
    {
        Match pinned = Pinned().Match(given);
        if (!pinned.Success || Path.Exists(toFullPath(given)))
        {
            CheckHashLength(given, toFullPath);
            return Unpinned(given, toFullPath);
        }
        (string name, string hash) = (pinned.Groups["name"].Value, pinned.Groups["hash"].Value.ToLowerInvariant());
        if (BagFile.IsBag(name) || Catalog.Find(name) is { IsBag: true } or { IsBuiltIn: true })
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"'{name}' is not a single file, so it has no hash. Name its models, each with its hash, or leave the hash out.",
                given
            );
        ModelSource model = Unpinned(name, toFullPath);
        try
        {
            string found = DurableFiles.Hash(model.Path!, CancellationToken.None);
            if (!found.StartsWith(hash, StringComparison.Ordinal))
                throw new DemucsException(
                    DemucsError.ModelHashMismatch,
                    $"The model '{model.Path}' has the SHA-256 {found}, but one that begins with {hash} is required. Install or name a model with that hash.",
                    model.Path
                );
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The model '{model.Path}' cannot be read: {e.Message} Check its permissions.",
                model.Path,
                e
            );
        }
        return model;
    }

    private void CheckHashLength(string given, Func<string, string> toFullPath)
    {
        Match misfit = Mispinned().Match(given);
        if (!misfit.Success || Path.Exists(toFullPath(given)))
            return;
        (string name, int digits) = (misfit.Groups["name"].Value, misfit.Groups["hash"].Length);
        if (Catalog.Find(name) is null && !Path.Exists(toFullPath(name)) && !(SafeFileName.IsPortable(name) && Describe(name) is not null))
            return;
        throw new DemucsException(
            DemucsError.ParameterInvalid,
            $"'{given}' has {digits} {(digits == 1 ? "digit" : "digits")} of a SHA-256 after the @, but 8 to 64 are needed. Give {(digits < 8 ? "more" : "only the digits")} of the hash, or leave it out.",
            given
        );
    }

    private ModelSource Unpinned(string given, Func<string, string> toFullPath)
    {
        // A name is a name wherever the user is; a file of that name is meant by a path such as ./htdemucs.
        if (SafeFileName.IsPortable(given) && Describe(given) is { } model)
        {
            if (model.Path is { } path)
                return ModelSource.Installed(model.Name, path, OtherThanBefore(model.Name, path));
            return model.Installed ? ModelSource.Find(model.Name) : throw NotInstalled(model.Name, "");
        }
        string full = toFullPath(given);
        if (given.AsSpan().ContainsAny("/\\:") || Path.HasExtension(given) || Path.Exists(full))
            return ModelSource.Find(full);
        throw new DemucsException(
            DemucsError.DemucsModelNotFound,
            $"There is no model named '{given}'. Known models are {string.Join(", ", List(_ => { }).Select(m => m.Name))}. For another model, give the path of a .safetensors, .onnx or .ort file, of a folder with one, or of a bag's .yaml file.",
            given
        );
    }

    /// <summary>
    /// That a model was installed when its name meant another kind of file, and which runs; null if the name means what was installed.
    /// </summary>
    private string? OtherThanBefore(string name, string path)
    {
        if (
            Catalog.Find(name) is not { Files.Count: > 0 } entry
            || ModelRecord.Read(FolderOf(name)) is not { } record
            || ModelFiles.IsWeights(path) == ModelFiles.IsWeights(entry.Files[0].Name)
        )
            return null;
        return $"The installed model '{name}' is outdated: '{path}' is used, from {record.Source}. The catalog now has '{entry.Files[0].Name}' ({entry.Description}) To use it: Install-DemucsModel {name}, or demucsps models install {name}.";
    }

    /// <summary>The folder of a model.</summary>
    /// <param name="name">A safe name.</param>
    internal string FolderOf(string name) =>
        SafeFileName.IsPortable(name)
            ? Path.Combine(Folder, name)
            : throw new ArgumentException($"'{name}' cannot be a folder's name.", nameof(name));

    /// <summary>What is in a model's folder; null for no model.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.DemucsModelNotFound"/>: the folder cannot be read.</exception>
    internal static (string Path, ModelRecord? Record)? Installed(string folder)
    {
        if (!Directory.Exists(folder))
            return null;
        if (ModelRecord.Read(folder) is { } record)
            return (Path.Combine(folder, record.Files[0].Name), record);
        // Somebody may have copied a model there by hand.
        string[] found = ModelFiles.In(folder);
        return found.Length == 1 ? (found[0], null) : null;
    }

    private static ModelInfo Of(CatalogEntry entry) =>
        new()
        {
            Name = entry.Name,
            Description = entry.Description,
            Installed = false,
            Size = entry.Size,
            Contract = entry.Contract,
            Stems = entry.Stems,
            SegmentFrames = entry.SegmentFrames,
            Verified = false,
            Members = [.. entry.Members.Select(m => m.Model)],
            LicenseNotice = entry.LicenseNotice,
            Scores = entry.Scores,
        };

    /// <summary>Names of folders that may be models', and not the catalog's.</summary>
    private string[] Uncatalogd()
    {
        if (!Directory.Exists(Folder))
            return [];
        try
        {
            return
            [
                .. Directory
                    .EnumerateDirectories(Folder)
                    .Select(folder => Path.GetFileName(folder))
                    .Where(name => SafeFileName.IsPortable(name) && Catalog.Find(name) is null)
                    .Order(StringComparer.OrdinalIgnoreCase),
            ];
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.DemucsModelNotFound,
                $"The models folder '{Folder}' cannot be read: {e.Message} Check its permissions, or set {FolderVariable} to another folder.",
                Folder,
                e
            );
        }
    }

    private static DemucsException NotInstalled(string name, string detail) =>
        new(
            DemucsError.DemucsModelNotFound,
            $"The model '{name}' is not installed{detail}. To install it: Install-DemucsModel {name}, or demucsps models install {name}.",
            name
        );

    [GeneratedRegex("^(?<name>.+)@(?<hash>[0-9a-fA-F]{8,64})$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Pinned();

    [GeneratedRegex("^(?<name>.+)@(?<hash>[0-9a-fA-F]{0,7}|[0-9a-fA-F]{65,})$", RegexOptions.CultureInvariant | RegexOptions.Singleline)]
    private static partial Regex Mispinned();
}
