using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Separation;

/// <summary>What a separation would do, from the source's header alone.</summary>
/// <param name="SourcePath">Full path of the source.</param>
/// <param name="StemPaths">Full paths of the files that would be written.</param>
/// <param name="Frames">Length by the source's header; null where it does not say.</param>
/// <param name="Chunks">Chunks to separate, over all shifts; null where the length is not known.</param>
/// <param name="Bytes">Bytes to write; null where the length is not known, or what an encoder makes of it.</param>
public sealed record SeparationPlan(string SourcePath, IReadOnlyList<string> StemPaths, long? Frames, int? Chunks, long? Bytes)
{
    /// <summary>Whether frames, chunks and bytes are nearly right: some files do not say how long they are, and only decoding tells it exactly.</summary>
    public bool IsEstimate { get; init; }

    /// <summary>In what numbers the models are computed.</summary>
    public ModelPrecision Precision { get; init; }

    /// <summary>The plan in words: chunks and bytes, then the files and their folders.</summary>
    public string Work => $"{(Chunks is { } chunks ? FormattableString.Invariant($"{About}{chunks} {(chunks == 1 ? "chunk" : "chunks")}") : "length not known before it is read")}{(Precision == ModelPrecision.Full ? "" : $"{(Chunks is null ? "," : "")} in {Precision}")}{(Bytes is null ? ": " : ", ")}{Files}";

    /// <summary>The files in words: bytes, where they are known, then names and folders.</summary>
    public string Files => (Bytes is { } bytes ? FormattableString.Invariant($"{About}{bytes / 1e6:F1} MB to write: ") : "")
        + string.Join("; ", StemPaths.GroupBy(Path.GetDirectoryName).Select(g => $"{string.Join(", ", g.Select(Path.GetFileName))} in '{g.Key}'"));

    private string About => IsEstimate ? "about " : "";
}
