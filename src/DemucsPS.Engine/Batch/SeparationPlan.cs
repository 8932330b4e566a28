using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Batch;

/// <summary>What a separation would do.</summary>
/// <param name="SourcePath">Full path of the source.</param>
/// <param name="StemPaths">Full paths of the files that would be written.</param>
/// <param name="Frames">Length by the source's header; null if it does not declare it.</param>
/// <param name="Chunks">Chunks to separate, over all shifts; null if the length is not known.</param>
/// <param name="Bytes">Bytes to write; null if the length is not known.</param>
public sealed record SeparationPlan(string SourcePath, IReadOnlyList<string> StemPaths, long? Frames, int? Chunks, long? Bytes)
{
    /// <summary>
    /// Whether frames, chunks and bytes are estimates: some files do not declare their length, or declare it wrongly, and only decoding
    /// gives the exact length.
    /// </summary>
    public bool IsEstimate { get; init; }

    /// <summary>Whether the bytes are an upper limit: the size of encoded files depends on the music.</summary>
    public bool BytesAreMost { get; init; }

    /// <summary>
    /// Whether there is nothing to do, because the files exist, unchanged, from the same source, models and parameters; false if not
    /// checked.
    /// </summary>
    public bool Skips { get; init; }

    /// <summary>How the existing files differ from what is requested; empty if not checked, or if there are none.</summary>
    public IReadOnlyList<string> Differences { get; init; } = [];

    /// <summary>
    /// What the source's samples are stored as, and what decodes them where it is not this library, as in "mp3 via ffmpeg"; null if no file
    /// is read.
    /// </summary>
    public string? Codec { get; init; }

    /// <summary>The precision in which the models are computed.</summary>
    public ModelPrecision Precision { get; init; }

    /// <summary>How much later than its file the sound begins; zero for most.</summary>
    public TimeSpan Late { get; init; }

    /// <summary>What happens to that time.</summary>
    public LateStart LateStart { get; init; }

    /// <summary>The plan as text: chunks and bytes, then the files and their folders.</summary>
    public string Work =>
        Skips
            ? $"already there, unchanged: {Names}"
            : $"{(Chunks is { } chunks ? FormattableString.Invariant($"{About}{chunks} {(chunks == 1 ? "chunk" : "chunks")}") : "length unknown until read")}{(Precision == ModelPrecision.Full ? "" : $"{(Chunks is null ? "," : "")} in {Precision}")}{(Bytes is null ? ": " : ", ")}{Files}"
                + (
                    Late == TimeSpan.Zero
                        ? ""
                        : FormattableString.Invariant(
                            $"; the sound begins {Late.TotalSeconds:F3} s late, {(LateStart == LateStart.Silence ? "so stems begin with that much silence" : "and stems begin with it")}"
                        )
                )
                + (Differences.Count > 0 ? $"; the existing stems differ: {string.Join("; ", Differences)}" : "");

    /// <summary>The files as text: bytes, where they are known, then names and folders.</summary>
    public string Files =>
        (
            Bytes is { } bytes
                ? FormattableString.Invariant($"{(BytesAreMost ? "at most about " : About)}{bytes / 1e6:F1} MB to write: ")
                : ""
        ) + Names;

    private string Names =>
        string.Join(
            "; ",
            StemPaths.GroupBy(Path.GetDirectoryName).Select(g => $"{string.Join(", ", g.Select(Path.GetFileName))} in '{g.Key}'")
        );

    private string About => IsEstimate ? "about " : "";
}
