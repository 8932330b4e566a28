using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Models.Catalog;

/// <summary>The models that are known by name: those of the program, and those of the user's own catalog files. Immutable.</summary>
public sealed class ModelCatalog
{
    private static readonly Lazy<IReadOnlyList<CatalogEntry>> s_builtInEntries = new(ReadBuiltIn);

    private ModelCatalog(IReadOnlyList<CatalogEntry> entries) => Entries = entries;

    /// <summary>The catalog of the program.</summary>
    public static ModelCatalog BuiltIn => new(s_builtInEntries.Value);

    /// <summary>All entries, those of the program first.</summary>
    public IReadOnlyList<CatalogEntry> Entries { get; }

    /// <summary>The program's catalog with further ones.</summary>
    /// <param name="paths">Full paths of catalog files.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.CatalogInvalid"/>: a file cannot be read or used; the message names it and
    /// the entry.</exception>
    public static ModelCatalog With(IEnumerable<string> paths)
    {
        List<CatalogEntry> entries = [.. s_builtInEntries.Value];
        foreach (string path in paths)
        {
            foreach (CatalogEntry entry in CatalogReader.Read(ReadFile(path), path, allowBuiltIn: false))
            {
                if (Find(entries, entry.Name) is not null)
                    throw Wrong(path, entry, "an earlier catalog already has a model of that name; choose another name");
                entries.Add(entry);
            }
            foreach (CatalogEntry bag in entries.Where(e => e.IsBag))
            {
                foreach (CatalogMember member in bag.Members)
                {
                    if (Find(entries, member.Model) is not { } model)
                        throw Wrong(path, bag, $"its bag has the model '{member.Model}', which is in no catalog");
                    if (
                        model.IsBag
                        || !model.Stems.SequenceEqual(bag.Stems, StringComparer.OrdinalIgnoreCase)
                        || model.SegmentFrames != bag.SegmentFrames
                    )
                        throw Wrong(path, bag, $"its bag has '{member.Model}', which is itself a bag or has other stems or segments");
                }
            }
        }
        return new ModelCatalog(entries);
    }

    /// <summary>The entry of that name, in any case; null if there is none.</summary>
    public CatalogEntry? Find(string name) => Find(Entries, name);

    private static CatalogEntry? Find(IEnumerable<CatalogEntry> entries, string name) =>
        entries.FirstOrDefault(e => string.Equals(e.Name, name, StringComparison.OrdinalIgnoreCase));

    private static IReadOnlyList<CatalogEntry> ReadBuiltIn()
    {
        using Stream stream = typeof(ModelCatalog).Assembly.GetManifestResourceStream("catalog.json")!;
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return CatalogReader.Read(bytes.ToArray(), "of the program", allowBuiltIn: true);
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            using FileStream file = RegularFile.OpenRead(path);
            byte[] bytes = new byte[CatalogReader.MostBytes + 1];
            return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(DemucsError.CatalogInvalid, $"The catalog '{path}' cannot be read: {e.Message}", path, e);
        }
    }

    private static DemucsException Wrong(string path, CatalogEntry entry, string what) =>
        new(
            DemucsError.CatalogInvalid,
            $"The catalog '{path}' cannot be used: in model '{entry.Name}', {what}. Correct or remove the file.",
            path
        );
}
