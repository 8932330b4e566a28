using System.Text.Json;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Models.Catalog;

namespace DemucsPS.Engine.Models;

/// <summary>
/// What installation notes beside a model's files, in <c>model.json</c>: a model with such a file is whole, and its hashes are known.
/// </summary>
internal sealed record ModelRecord
{
    public const string FileName = "model.json";

    private const int MostBytes = 1 << 16;

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
    };

    /// <summary>When it was installed, in UTC.</summary>
    public required DateTime InstalledAt { get; init; }

    /// <summary>Where from.</summary>
    public required string Source { get; init; }

    /// <summary>The contract, as <see cref="ModelInfo.Contract"/> has it; null if it was not looked at.</summary>
    public string? Contract { get; init; }

    /// <summary>The stems' names; null if it was not looked at.</summary>
    public IReadOnlyList<string>? Stems { get; init; }

    /// <summary>The segment's length in frames; null if it was not looked at.</summary>
    public int? SegmentFrames { get; init; }

    /// <summary>The files, the graph first.</summary>
    public required IReadOnlyList<FileRecord> Files { get; init; }

    /// <summary>Reads the note of a model's folder.</summary>
    /// <returns>Null if there is none that can be used.</returns>
    public static ModelRecord? Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            if (!File.Exists(path) || RegularFile.InsteadOf(path) is not null || new FileInfo(path).Length > MostBytes)
                return null;
            ModelRecord? record = JsonSerializer.Deserialize<ModelRecord>(File.ReadAllBytes(path), s_json);
            // A note that was edited must not lead out of the folder.
            return
                record is { Files.Count: > 0 }
                && record.Files.All(f => f is { Name: not null, Sha256: not null } && f.Name == Path.GetFileName(f.Name))
                && ModelFiles.IsModel(record.Files[0].Name)
                ? record
                : null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException || e.IsFileError())
        {
            return null;
        }
    }

    /// <summary>Writes the note; it appears whole or not at all.</summary>
    public void Write(string folder)
    {
        string path = Path.Combine(folder, FileName),
            temporary = path + ".tmp";
        File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(this, s_json));
        DurableFiles.Rename(temporary, path, overwrite: true);
    }

    /// <summary>Whether all files are there in their sizes.</summary>
    public bool IsWhole(string folder) =>
        Files.All(f => RegularFile.Info(Path.Combine(folder, f.Name)) is { Exists: true } file && file.Length == f.Size);

    /// <summary>Whether it has the same files as the catalog.</summary>
    public bool Matches(CatalogEntry entry) =>
        Files.Count == entry.Files.Count
        && Files
            .Zip(entry.Files)
            .All(p => p.First.Name == p.Second.Name && p.First.Size == p.Second.Size && p.First.Sha256 == p.Second.Sha256);

    /// <param name="Name">The file's name, without folders.</param>
    /// <param name="Size">Its length in bytes.</param>
    /// <param name="Sha256">Its SHA-256, hexadecimal in lower case.</param>
    public sealed record FileRecord(string Name, long Size, string Sha256);
}
