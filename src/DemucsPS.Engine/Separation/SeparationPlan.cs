namespace DemucsPS.Engine.Separation;

/// <summary>What a separation would do, from the source's header alone.</summary>
/// <param name="SourcePath">Full path of the source.</param>
/// <param name="StemPaths">Full paths of the files that would be written.</param>
/// <param name="Frames">Length by the source's header; null where it does not say.</param>
/// <param name="Chunks">Chunks to separate, over all shifts; null where the length is not known.</param>
/// <param name="Bytes">Bytes to write; null where the length is not known.</param>
public sealed record SeparationPlan(string SourcePath, IReadOnlyList<string> StemPaths, long? Frames, int? Chunks, long? Bytes)
{
    /// <summary>The plan in words: chunks and bytes, then the files and their folder.</summary>
    public string Work
    {
        get
        {
            string length = this is { Chunks: { } chunks, Bytes: { } bytes }
                ? FormattableString.Invariant($"{chunks} {(chunks == 1 ? "chunk" : "chunks")}, {bytes / 1e6:F1} MB to write")
                : "length not known before it is read";
            return $"{length}: {string.Join(", ", StemPaths.Select(Path.GetFileName))} in '{Path.GetDirectoryName(StemPaths[0])}'";
        }
    }
}
