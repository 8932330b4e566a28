using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Batch;

/// <summary>What a separation would do.</summary>
/// <param name="SourcePath">Full path of the source.</param>
/// <param name="StemPaths">Full paths of the files that would be written.</param>
/// <param name="Frames">Length by the source's header; null where it does not say.</param>
/// <param name="Chunks">Chunks to separate, over all shifts; null where the length is not known.</param>
/// <param name="Bytes">Bytes to write; null where the length is not known.</param>
public sealed record SeparationPlan(string SourcePath, IReadOnlyList<string> StemPaths, long? Frames, int? Chunks, long? Bytes)
{
    /// <summary>Whether frames, chunks and bytes are nearly right: some files do not say how long they are, or nobody has checked it, and only decoding tells it exactly.</summary>
    public bool IsEstimate { get; init; }

    /// <summary>Whether the bytes are the most that there can be: what an encoder makes of it depends on the music.</summary>
    public bool BytesAreMost { get; init; }

    /// <summary>Whether nothing is to be done, since the files are there, unchanged, and of the same source, models and parameters; false where nobody looked.</summary>
    public bool Skips { get; init; }

    /// <summary>In what the files that are there are not what is asked for; empty where nobody looked, or there are none.</summary>
    public IReadOnlyList<string> Differences { get; init; } = [];

    /// <summary>What the source's samples are stored as, and what decodes them where it is not this library, as in "mp3 via ffmpeg"; null where no file is read.</summary>
    public string? Codec { get; init; }

    /// <summary>In what numbers the models are computed.</summary>
    public ModelPrecision Precision { get; init; }

    /// <summary>How much later than its file the sound begins; zero for most.</summary>
    public TimeSpan Late { get; init; }

    /// <summary>What becomes of that time.</summary>
    public LateStart LateStart { get; init; }

    /// <summary>The plan in words: chunks and bytes, then the files and their folders.</summary>
    public string Work => Skips ? $"there and unchanged: {Names}"
        : $"{(Chunks is { } chunks ? FormattableString.Invariant($"{About}{chunks} {(chunks == 1 ? "chunk" : "chunks")}") : "length not known before it is read")}{(Precision == ModelPrecision.Full ? "" : $"{(Chunks is null ? "," : "")} in {Precision}")}{(Bytes is null ? ": " : ", ")}{Files}"
        + (Late == TimeSpan.Zero ? "" : FormattableString.Invariant($"; the sound begins {Late.TotalSeconds:F3} s late, {(LateStart == LateStart.Silence ? "so much silence is in front" : "and stems begin with it")}"))
        + (Differences.Count > 0 ? $"; what is there differs: {string.Join("; ", Differences)}" : "");

    /// <summary>The files in words: bytes, where they are known, then names and folders.</summary>
    public string Files => (Bytes is { } bytes ? FormattableString.Invariant($"{(BytesAreMost ? "at most about " : About)}{bytes / 1e6:F1} MB to write: ") : "") + Names;

    private string Names => string.Join("; ", StemPaths.GroupBy(Path.GetDirectoryName).Select(g => $"{string.Join(", ", g.Select(Path.GetFileName))} in '{g.Key}'"));

    private string About => IsEstimate ? "about " : "";
}
