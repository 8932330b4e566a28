using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Models;

/// <summary>A model that is installed, built in, or could be installed.</summary>
public sealed record ModelInfo
{
    /// <summary>The model's name, by which it is used and installed.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, in a sentence; empty if unknown.</summary>
    public string Description { get; init; } = "";

    /// <summary>Whether it can be used now: installed or built in; of a bag, all of its models.</summary>
    public required bool Installed { get; init; }

    /// <summary>Full path of its file; null for a bag, for what is built in and for what is not installed.</summary>
    public string? Path { get; init; }

    /// <summary>Size of its files in bytes; from the catalog if it is not installed; for a bag, the sum of its models.</summary>
    public required long Size { get; init; }

    /// <summary>
    /// The contract by the catalog, or as it was recognized when a model of the user's own was installed: split, real-imaginary or
    /// waveform; null if neither says it.
    /// </summary>
    public string? Contract { get; init; }

    /// <summary>The stems' names; empty if not known before it is loaded.</summary>
    public IReadOnlyList<string> Stems { get; init; } = [];

    /// <summary>The length of a segment in frames of 44,100 a second; null if not known before it is loaded.</summary>
    public int? SegmentFrames { get; init; }

    /// <summary>
    /// Whether its files had the SHA-256 of the catalog when they were installed and have their sizes still; false also for a model that is
    /// not in the catalog.
    /// Testing the model takes the hashes again.
    /// </summary>
    public required bool Verified { get; init; }

    /// <summary>The names of a bag's models; empty for a single model.</summary>
    public IReadOnlyList<string> Members { get; init; } = [];

    /// <summary>Where it was installed from; null if not known.</summary>
    public string? Source { get; init; }

    /// <summary>When it was installed, in UTC; null if not known.</summary>
    public DateTime? InstalledAt { get; init; }

    /// <summary>What is to be known of its license; null for nothing.</summary>
    public string? LicenseNotice { get; init; }

    /// <summary>Published scores.</summary>
    public IReadOnlyList<ModelScore> Scores { get; init; } = [];

    /// <summary>What a contract is called in catalogs.</summary>
    internal static string ContractOf(ModelContractKind kind) =>
        kind switch
        {
            ModelContractKind.Split => "split",
            ModelContractKind.RealImaginaryApart => "real-imaginary",
            ModelContractKind.WaveformOnly => "waveform",
            _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
        };

    /// <inheritdoc/>
    public override string ToString() => Name;
}
