namespace DemucsPS.Engine.Models.Catalog;

/// <summary>A model of the catalog: built in, files to install, or a bag of other entries.</summary>
public sealed record CatalogEntry
{
    /// <summary>The model's name; also that of its folder.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in a sentence.</summary>
    public required string Description { get; init; }

    /// <summary>Whether it comes with the program.</summary>
    public bool IsBuiltIn { get; init; }

    /// <summary>The contract it is said to have; null if not stated, as for a bag.</summary>
    public string? Contract { get; init; }

    /// <summary>The stems' names in the model's order.</summary>
    public required IReadOnlyList<string> Stems { get; init; }

    /// <summary>The length of its segments in sample frames.</summary>
    public required int SegmentFrames { get; init; }

    /// <summary>What a user must know of its license, and accept, before it is installed; null for nothing.</summary>
    public string? LicenseNotice { get; init; }

    /// <summary>Published scores.</summary>
    public IReadOnlyList<ModelScore> Scores { get; init; } = [];

    /// <summary>Its files, the graph first; empty for a bag and for what is built in.</summary>
    public IReadOnlyList<CatalogFile> Files { get; init; } = [];

    /// <summary>The models of a bag; empty for a single model.</summary>
    public IReadOnlyList<CatalogMember> Members { get; init; } = [];

    /// <summary>Whether it is a bag.</summary>
    public bool IsBag => Members.Count > 0;

    /// <summary>The sum of the files' sizes in bytes.</summary>
    public long Size => Files.Sum(f => f.Size);
}
