namespace DemucsPS.Engine.Batch;

/// <summary>The summary of a batch.</summary>
/// <param name="Tracks">Tracks that were tried.</param>
/// <param name="Separated">Tracks whose stems were written.</param>
/// <param name="Failed">Tracks that had an error.</param>
/// <param name="Stems">Files that were written.</param>
/// <param name="Duration">Length of the separated tracks.</param>
/// <param name="Elapsed">Time that they took.</param>
public sealed record SeparationSummary(int Tracks, int Separated, int Failed, int Stems, TimeSpan Duration, TimeSpan Elapsed)
{
    /// <summary>Nothing was tried yet.</summary>
    public static SeparationSummary None { get; } = new(0, 0, 0, 0, TimeSpan.Zero, TimeSpan.Zero);

    /// <summary>Tracks whose stems were there already.</summary>
    public int Skipped { get; init; }

    /// <summary>With one more track that was separated, or skipped.</summary>
    public SeparationSummary With(SeparationResult result) =>
        result.Skipped
            ? this with
            {
                Tracks = Tracks + 1,
                Skipped = Skipped + 1,
            }
            : this with
            {
                Tracks = Tracks + 1,
                Separated = Separated + 1,
                Stems = Stems + result.Stems.Count,
                Duration = Duration + result.Duration,
                Elapsed = Elapsed + result.Elapsed,
            };

    /// <summary>With one more track that failed.</summary>
    public SeparationSummary WithFailure() => this with { Tracks = Tracks + 1, Failed = Failed + 1 };

    /// <summary>For people: <c>12 of 13 tracks separated, 1 failed: 48 files, 0:51:20 of music in 0:20:11</c>.</summary>
    public override string ToString() =>
        FormattableString.Invariant(
            $"{Separated} of {Tracks} {(Tracks == 1 ? "track" : "tracks")} separated{(Skipped > 0 ? $", {Skipped} skipped" : "")}{(Failed > 0 ? $", {Failed} failed" : "")}: {Stems} {(Stems == 1 ? "file" : "files")}, {Duration:h\\:mm\\:ss} of music in {Elapsed:h\\:mm\\:ss}"
        );
}
