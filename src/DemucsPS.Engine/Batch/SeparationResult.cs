using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Stems;

namespace DemucsPS.Engine.Batch;

/// <summary>The result of one track.</summary>
public sealed record SeparationResult
{
    /// <summary>Full path of the source.</summary>
    public required string SourcePath { get; init; }

    /// <summary>
    /// The track's name: the source's name without extension, unless a CUE sheet or a choice of channels gave it another.
    /// </summary>
    public required string Track { get; init; }

    /// <summary>The model's name; several, joined by +, for a bag.</summary>
    public required string Model { get; init; }

    /// <summary>False if the built-in baseline took part, which is not Demucs.</summary>
    public required bool IsDemucs { get; init; }

    /// <summary>What ran the model.</summary>
    public required ExecutionProvider ExecutionProvider { get; init; }

    /// <summary>The precision in which the model was computed.</summary>
    public required ModelPrecision Precision { get; init; }

    /// <summary>The written files.</summary>
    public required IReadOnlyList<StemFile> Stems { get; init; }

    /// <summary>Length of the stems.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Length of the stems in frames.</summary>
    public required long Frames { get; init; }

    /// <summary>Sample rate of the stems in Hz.</summary>
    public required int SampleRate { get; init; }

    /// <summary>Time it took.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Seconds of work per second of music: below 1 is faster than playing.</summary>
    public double RealTimeFactor => Elapsed / Duration;

    /// <summary>Chunks separated, over all shifts.</summary>
    public required int Chunks { get; init; }

    /// <summary>Factor applied to all stems to avoid clipping; 1 for none.</summary>
    public required float Gain { get; init; }

    /// <summary>
    /// Power of what the sum of the stems has more or less than the mix, against the mix, in dB, before they were rounded; null if they are
    /// not meant to sum to it.
    /// </summary>
    public double? NullTestDb { get; init; }

    /// <summary>
    /// The parts whose sound the source has lost, in their order: times in the track, frames at the source's own rate. Silence replaces
    /// those that are filled; at most 1,000.
    /// </summary>
    public IReadOnlyList<TrackGap> Gaps { get; init; } = [];

    /// <summary>Chunks that were not separated at the first attempt.</summary>
    public IReadOnlyList<ChunkRetry> Retries { get; init; } = [];

    /// <summary>Whether an interrupted separation was continued.</summary>
    public bool Resumed { get; init; }

    /// <summary>Whether the stems already existed, so that nothing was done.</summary>
    public bool Skipped { get; init; }

    /// <summary>Full path of the provenance file.</summary>
    public required string ProvenancePath { get; init; }

    /// <summary>Warnings for the user: about the source, the model and the stems.</summary>
    public required IReadOnlyList<string> Warnings { get; init; }
}
