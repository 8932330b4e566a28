using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Models.Catalogue;

/// <summary>The models that are known by name: those of the program, and those of the user's own catalogue files. Immutable.</summary>
public sealed class ModelCatalogue
{
    private static readonly Lazy<IReadOnlyList<CatalogueEntry>> BuiltInEntries = new(ReadBuiltIn);

    private ModelCatalogue(IReadOnlyList<CatalogueEntry> entries) => Entries = entries;

    /// <summary>The catalogue of the program.</summary>
    public static ModelCatalogue BuiltIn => new(BuiltInEntries.Value);

    /// <summary>All entries, those of the program first.</summary>
    public IReadOnlyList<CatalogueEntry> Entries { get; }

    /// <summary>The program's catalogue with further ones.</summary>
    /// <param name="paths">Full paths of catalogue files.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.CatalogueInvalid"/>: a file cannot be read or used; the message names it and the entry.</exception>
    public static ModelCatalogue With(IEnumerable<string> paths)
    {
        List<CatalogueEntry> entries = [.. BuiltInEntries.Value];
        foreach (string path in paths)
        {
            foreach (CatalogueEntry entry in CatalogueReader.Read(ReadFile(path), path, allowBuiltIn: false))
            {
                if (Find(entries, entry.Name) is not null)
                    throw Wrong(path, entry, "a model of that name is in a catalogue that comes before; choose another name");
                entries.Add(entry);
            }
            foreach (CatalogueEntry bag in entries.Where(e => e.IsBag))
            {
                foreach (CatalogueMember member in bag.Members)
                {
                    if (Find(entries, member.Model) is not { } model)
                        throw Wrong(path, bag, $"its bag has the model '{member.Model}', which is in no catalogue");
                    if (model.IsBag || !model.Stems.SequenceEqual(bag.Stems, StringComparer.OrdinalIgnoreCase) || model.SegmentFrames != bag.SegmentFrames)
                        throw Wrong(path, bag, $"its bag has '{member.Model}', which is a bag itself or has other stems or segments");
                }
            }
        }
        return new ModelCatalogue(entries);
    }

    /// <summary>The entry of that name, in any case; null if there is none.</summary>
    public CatalogueEntry? Find(string name) => Find(Entries, name);

    private static CatalogueEntry? Find(IEnumerable<CatalogueEntry> entries, string name) =>
        entries.FirstOrDefault(e => string.Equals(e.Name, name, StringComparison.OrdinalIgnoreCase));

    private static IReadOnlyList<CatalogueEntry> ReadBuiltIn()
    {
        using Stream stream = typeof(ModelCatalogue).Assembly.GetManifestResourceStream("catalogue.json")!;
        using MemoryStream bytes = new();
        stream.CopyTo(bytes);
        return CatalogueReader.Read(bytes.ToArray(), "of the program", allowBuiltIn: true);
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            using FileStream file = RegularFile.OpenRead(path);
            byte[] bytes = new byte[CatalogueReader.MostBytes + 1];
            return bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.CatalogueInvalid, $"The catalogue '{path}' cannot be read: {e.Message}", path, e);
        }
    }

    private static DemucsException Wrong(string path, CatalogueEntry entry, string what) =>
        new(DemucsError.CatalogueInvalid, $"The catalogue '{path}' cannot be used: in model '{entry.Name}', {what}. Correct the file, or take it away.", path);
}
