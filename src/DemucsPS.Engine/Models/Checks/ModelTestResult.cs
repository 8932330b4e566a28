using System.Text.Json.Serialization;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models.Catalog;
using DemucsPS.Engine.Models.Contracts;

namespace DemucsPS.Engine.Models.Checks;

/// <summary>What testing a model found.</summary>
public sealed record ModelTestResult
{
    /// <summary>The model's name.</summary>
    public required string Name { get; init; }

    /// <summary>Full path of its file; null for the built-in model.</summary>
    public string? Path { get; init; }

    /// <summary>Whether nothing is wrong with it.</summary>
    public bool Passed => Problems.Count == 0;

    /// <summary>What is wrong with it, a sentence each; empty for a good model.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>
    /// Whether its files have the SHA-256 that the catalog states or that was noted when it was installed; null if none is known.
    /// </summary>
    public bool? HashMatches { get; init; }

    /// <summary>The SHA-256 of the model's file, hexadecimal in lower case; null for the built-in model.</summary>
    public string? Sha256 { get; init; }

    /// <summary>Its contract, as it was recognized; null if it could not be loaded.</summary>
    public ModelContractKind? Contract { get; init; }

    /// <summary>What ran it; null if it could not be loaded.</summary>
    public ExecutionProvider? ExecutionProvider { get; init; }

    /// <summary>The precision in which it was computed.</summary>
    public ModelPrecision Precision { get; init; }

    /// <summary>The stems' names; empty if it could not be loaded.</summary>
    public IReadOnlyList<string> Stems { get; init; } = [];

    /// <summary>The length of a segment in frames; null if it could not be loaded.</summary>
    public int? SegmentFrames { get; init; }

    /// <summary>The loudest stem of the test segment against the segment, by root mean square, in dB; null if it did not run.</summary>
    public double? LevelDb { get; init; }

    /// <summary>Time to load it; null if it could not be loaded.</summary>
    public TimeSpan? LoadTime { get; init; }

    /// <summary>Time to separate one segment; null if it did not run.</summary>
    public TimeSpan? RunTime { get; init; }

    /// <summary>What the process's memory had grown by when the segment was separated, in bytes; null if it did not run.</summary>
    public long? Memory { get; init; }

    /// <summary>
    /// The stems of another execution provider against those of the CPU, or of another precision against those of full precision, as a
    /// ratio of signal to difference in dB: the higher, the smaller the loss. Null if neither was requested.
    /// </summary>
    public double? DifferenceDb { get; init; }

    /// <summary>Time that what is compared with took for the segment; null if nothing is.</summary>
    public TimeSpan? ReferenceRunTime { get; init; }

    /// <summary>
    /// How exact the model and its prepared copy are, chunk by chunk; empty if the model has no copy or runs without, and in tests of
    /// another execution provider or precision.
    /// </summary>
    public IReadOnlyList<PreparationComparison> Preparation { get; init; } = [];

    /// <summary>
    /// Whether the file contains weights by themselves, so that what runs was written from them and there is no form as exported.
    /// </summary>
    [JsonIgnore]
    public bool IsWrittenFromWeights => Path is not null && ModelFiles.IsWeights(Path);

    /// <summary>
    /// Why the model could not be run in float64, or not even as exported, so that less is known of its preparation; null if it could, or
    /// was not to be.
    /// </summary>
    public string? NotRecomputed { get; init; }

    /// <summary>Whether the prepared copy was found to lose against the model, and is refused from now on.</summary>
    public bool PreparationRefused => Refusal is not null;

    /// <summary>
    /// The error that using the prepared copy is from now on, <see cref="DemucsError.PreparationRefused"/>; null if it is not refused.
    /// </summary>
    [JsonIgnore]
    public DemucsException? Refusal { get; init; }
}
