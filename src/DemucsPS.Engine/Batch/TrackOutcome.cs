using System.Text.Json.Serialization;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Records;

namespace DemucsPS.Engine.Batch;

/// <summary>What happened to one track in one run of a worker: a line of a <see cref="ResultsFile"/>.</summary>
public sealed record TrackOutcome
{
    /// <summary>Layout of the line.</summary>
    public int Schema { get; init; } = 1;

    /// <summary>When, by the worker's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What was done.</summary>
    public required TrackStatus Status { get; init; }

    /// <summary>Full path of the source.</summary>
    public required string Source { get; init; }

    /// <summary>The track's name; of one file there can be several.</summary>
    public required string Track { get; init; }

    /// <summary>The worker's share, as 3/10; null for all.</summary>
    public string? Shard { get; init; }

    /// <summary>The machine that worked.</summary>
    public string? Machine { get; init; }

    /// <summary>The model's name.</summary>
    public string? Model { get; init; }

    /// <summary>Seconds of work in this run.</summary>
    public double? Seconds { get; init; }

    /// <summary>Seconds of music; null if nothing was separated or skipped.</summary>
    public double? Duration { get; init; }

    /// <summary>Whether an interrupted separation was continued.</summary>
    public bool Resumed { get; init; }

    /// <summary>The error's id, the name of a <see cref="DemucsError"/>.</summary>
    public string? Error { get; init; }

    /// <summary>The error message, or what is kept of an unfinished track.</summary>
    public string? Message { get; init; }

    /// <summary>What share of an unfinished track is kept for another run, 0 to 1.</summary>
    public double? Kept { get; init; }

    /// <summary>SHA-256 of the source's bytes.</summary>
    public string? SourceSha256 { get; init; }

    /// <summary>The files of the stems.</summary>
    public IReadOnlyList<StemOutcome> Stems { get; init; } = [];

    /// <summary>Whether two lines speak of the same track.</summary>
    public bool IsSameTrack(TrackOutcome other) => Source == other.Source && Track == other.Track;

    /// <summary>That of a track that was separated or skipped.</summary>
    internal static TrackOutcome Create(TrackSource track, SeparationResult result, TimeSpan elapsed, DateTimeOffset now)
    {
        // The hashes of a run's files are in its provenance, which was written last.
        SeparationProvenance provenance = SeparationProvenance.Read(result.ProvenancePath);
        string folder = Path.GetDirectoryName(result.ProvenancePath)!;
        return new TrackOutcome
        {
            Time = now,
            Status = result.Skipped ? TrackStatus.Skipped : TrackStatus.Done,
            Source = track.Path,
            Track = track.Name,
            Model = result.Model,
            Seconds = Math.Round(elapsed.TotalSeconds, 3),
            Duration = result.Duration.TotalSeconds,
            Resumed = result.Resumed,
            SourceSha256 = provenance.Separation.Source.Sha256,
            Stems =
            [
                .. provenance.Stems.Select(stem => new StemOutcome(
                    stem.Name,
                    Path.GetFullPath(Path.Combine(folder, stem.File)),
                    stem.Bytes,
                    stem.Sha256
                )),
            ],
        };
    }
}

/// <summary>A stem's file.</summary>
/// <param name="Name">The stem.</param>
/// <param name="Path">Full path.</param>
/// <param name="Bytes">Its length.</param>
/// <param name="Sha256">Hash of its bytes.</param>
public sealed record StemOutcome(string Name, string Path, long Bytes, string Sha256);

/// <summary>The types in lines of results, described at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(TrackOutcome))]
internal sealed partial class OutcomeTypes : JsonSerializerContext;
