using System.Text.Json;
using System.Text.Json.Serialization;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Records;

/// <summary>Where stems come from: a small file next to them.</summary>
internal sealed record SeparationProvenance
{
    /// <summary>Its name, in the folder of the stems.</summary>
    public const string FileName = "demucsps.json";

    private const int CurrentSchema = 1;

    /// <summary>More stems than any model has.</summary>
    private const int MaxStems = 1000;

    /// <summary>Layout of the file; another number cannot be read.</summary>
    public int Schema { get; init; } = CurrentSchema;

    /// <summary>When the stems were finished, by this machine's clock.</summary>
    public required DateTimeOffset Date { get; init; }

    /// <summary>What was separated, and how.</summary>
    public required SeparationIdentity Separation { get; init; }

    /// <summary>Chunks that ran at once at most; the stems do not depend on it.</summary>
    public required int Jobs { get; init; }

    /// <summary>Length of the track in frames as it was separated, at 44,100 Hz.</summary>
    public required long Frames { get; init; }

    /// <summary>Frames per second of the stems' files.</summary>
    public required int SampleRate { get; init; }

    /// <summary>Length of the stems in frames at that rate.</summary>
    public required long StemFrames { get; init; }

    /// <summary>Chunks, over all shifts.</summary>
    public required int Chunks { get; init; }

    /// <summary>Factor applied to all stems to avoid clipping; 1 for none.</summary>
    public required float Gain { get; init; }

    /// <summary>
    /// Power of what the sum of the stems has more or less than the mix, against the mix, in dB, before the stems were rounded; null if
    /// they are not meant to sum to it.
    /// </summary>
    [JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
    public required double? NullTestDb { get; init; }

    /// <summary>The stems.</summary>
    public required IReadOnlyList<StemProvenance> Stems { get; init; }

    /// <summary>Chunks that were not separated at the first attempt.</summary>
    public required IReadOnlyList<ChunkRetry> Retries { get; init; }

    /// <summary>What is wrong with the source although it could be used, in sentences.</summary>
    /// <remarks>Provenances of earlier versions do not have it, and then the code that reads them sets null.</remarks>
    public IReadOnlyList<string> Warnings
    {
        get;
        init => field = value ?? [];
    } = [];

    /// <summary>The parts whose sound the source has lost.</summary>
    /// <remarks>As <see cref="Warnings"/>.</remarks>
    public IReadOnlyList<TrackGap> Gaps
    {
        get;
        init => field = value ?? [];
    } = [];

    /// <summary>How often the separation was interrupted and continued.</summary>
    public required int Resumed { get; init; }

    /// <summary>Time spent, in seconds, over all runs.</summary>
    public required double Elapsed { get; init; }

    /// <summary>Reads a provenance.</summary>
    /// <param name="path">Full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ProvenanceInvalid"/>: there is none that can be used.</exception>
    public static SeparationProvenance Read(string path)
    {
        try
        {
            SeparationProvenance provenance = RecordFile.Read<SeparationProvenance>(path);
            return provenance.Fault() is { } fault ? throw Invalid(path, fault, null) : provenance;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DemucsException(
                DemucsError.ProvenanceInvalid,
                $"'{path}' does not exist. Give the folder of a track's stems, or its {FileName}.",
                path,
                e
            );
        }
        catch (Exception e) when (e is JsonException or InvalidDataException || e.IsFileError())
        {
            throw Invalid(path, e.Message, e);
        }
    }

    /// <summary>Whether a file is called as one.</summary>
    /// <param name="path">Its path.</param>
    public static bool IsNamed(string path) =>
        Path.GetFileName(path) is var name && (name == FileName || name.EndsWith("." + FileName, StringComparison.Ordinal));

    /// <summary>Where the samples of each stem are.</summary>
    /// <param name="folder">Full path of the folder of the provenance.</param>
    public IReadOnlyList<(string Name, TrackSource Source)> Sources(string folder) =>
        Separation.Parameters.GetValueOrDefault("format") == nameof(StemFileFormat.StemMp4)
            // One file: its first stream is the mix, the others are the outputs after it.
            ?
            [
                .. Separation
                    .Parameters.GetValueOrDefault("outputs", "")
                    .Split(", ")
                    .Select(
                        (output, stream) =>
                            (
                                output.Split(" = ")[0],
                                new TrackSource(Path.GetFullPath(Path.Combine(folder, Stems[0].File))) { StreamIndex = stream }
                            )
                    )
                    .Skip(1),
            ]
            : [.. Stems.Select(stem => (stem.Name, new TrackSource(Path.GetFullPath(Path.Combine(folder, stem.File)))))];

    private string? Fault() =>
        Schema != CurrentSchema ? $"its format is {Schema}; this version reads {CurrentSchema}"
        : Stems.Count is 0 or > MaxStems
        || Stems.Any(s => s is null)
        || Separation.Models.Any(m => m is null || m.Files.Any(f => f is null))
        || Retries.Any(r => r is null)
        || Warnings.Any(w => w is null)
        || Gaps.Count > TrackGaps.Max
        || Gaps.Any(g => g is null)
            ? "its lists have gaps or are too long"
        : Stems.Any(s => !IsInside(s.File)) ? "it names a file outside its folder"
        : Frames < 1
        || SampleRate < 1
        || StemFrames < 1
        || Chunks < 0
        || Resumed < 0
        || !(Elapsed >= 0 && double.IsFinite(Elapsed))
        || !float.IsFinite(Gain)
        || NullTestDb is { } db && double.IsNaN(db)
            ? "its numbers make no sense"
        : null;

    private static bool IsInside(string file) =>
        file.Length > 0
        && !file.AsSpan().ContainsAny('\\', ':', '\0')
        && !Path.IsPathRooted(file)
        && !file.Split('/').Any(part => part is "" or "." or "..");

    private static DemucsException Invalid(string path, string fault, Exception? cause) =>
        new(
            DemucsError.ProvenanceInvalid,
            $"'{path}' is not a provenance file, or is damaged: {fault.TrimEnd('.')}. Separate the track again.",
            path,
            cause
        );
}
