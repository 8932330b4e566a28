using System.Text.Json;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Levels;

namespace DemucsPS.Engine.Records;

/// <summary>
/// What of a track's separation is on disk, so that another run can continue from there. It is replaced as a whole, and only after the disk
/// has what it claims; so it may claim too little after a death, never too much.
/// </summary>
internal sealed record SeparationJournal
{
    /// <summary>Its name in the <see cref="PartialFolder"/>.</summary>
    public const string FileName = "journal.json";

    private const int CurrentSchema = 1;

    /// <summary>Layout of the file; another number cannot be read.</summary>
    public required int Schema { get; init; }

    /// <summary>What is separated, and how.</summary>
    public required SeparationIdentity Identity { get; init; }

    /// <summary>Length of the track in frames.</summary>
    public required long Frames { get; init; }

    /// <summary>Its length at its source's own rate.</summary>
    public required long SourceFrames { get; init; }

    /// <summary>μ of the first pass.</summary>
    public required double Mean { get; init; }

    /// <summary>σ of the first pass.</summary>
    public required double Deviation { get; init; }

    /// <summary>Peak of the first pass.</summary>
    public required float SourcePeak { get; init; }

    /// <summary>The parts whose sound the source has lost.</summary>
    /// <remarks>Journals of earlier versions do not have it, and then the code that reads them sets null.</remarks>
    public IReadOnlyList<TrackGap> Gaps
    {
        get;
        init => field = value ?? [];
    } = [];

    /// <summary>Frames of every staged stem that are on disk.</summary>
    public required long DurableFrames { get; init; }

    /// <summary>Greatest absolute sample of each stem within those.</summary>
    public required IReadOnlyList<float> Peaks { get; init; }

    /// <summary>How far the stems' sum is from the mix within those.</summary>
    public required NullTestSums NullTest { get; init; }

    /// <summary>The files that are on disk whole under temporary names; null for the others.</summary>
    public required IReadOnlyList<StemFileRecord?> Finished { get; init; }

    /// <summary>Whether final files are getting their final names: from here on there is no way back.</summary>
    public required bool Renaming { get; init; }

    /// <summary>Chunks that were not separated at the first attempt.</summary>
    public required IReadOnlyList<ChunkRetry> Retries { get; init; }

    /// <summary>Time spent, in seconds.</summary>
    public required double Elapsed { get; init; }

    /// <summary>How often it was continued.</summary>
    public required int Resumed { get; init; }

    /// <summary>The journal of a separation that begins.</summary>
    public static SeparationJournal Begin(SeparationIdentity identity, TrackStatistics statistics, int outputs, int files) =>
        new()
        {
            Schema = CurrentSchema,
            Identity = identity,
            Frames = statistics.Frames,
            SourceFrames = statistics.SourceFrames,
            Mean = statistics.Mean,
            Deviation = statistics.Deviation,
            SourcePeak = statistics.Peak,
            Gaps = statistics.Gaps,
            DurableFrames = 0,
            Peaks = new float[outputs],
            NullTest = default,
            Finished = new StemFileRecord?[files],
            Renaming = false,
            Retries = [],
            Elapsed = 0,
            Resumed = 0,
        };

    /// <summary>What the first pass found.</summary>
    public TrackStatistics Statistics() => new(Frames, Mean, Deviation, SourcePeak) { SourceFrames = SourceFrames, Gaps = Gaps };

    /// <summary>Reads a journal.</summary>
    /// <param name="path">Full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ResumeMismatch"/>: there is none that can be used.</exception>
    public static SeparationJournal Read(string path)
    {
        try
        {
            SeparationJournal journal = RecordFile.Read<SeparationJournal>(path);
            return journal.Fault() is { } fault ? throw Damaged(path, fault, null) : journal;
        }
        catch (Exception e) when (e is JsonException or InvalidDataException || e.IsFileError())
        {
            throw Damaged(path, e.Message, e);
        }
    }

    /// <summary>Writes it, after the disk has what it claims.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>.</exception>
    public void Write(string path) => RecordFile.Write(path, this, path + ".new");

    private string? Fault() =>
        Schema != CurrentSchema ? $"its format is {Schema}; this version reads {CurrentSchema}"
        : Identity.Models.Any(m => m is null || m.Files.Any(f => f is null))
        || Retries.Any(r => r is null)
        || Gaps.Count > TrackGaps.Max
        || Gaps.Any(g => g is null)
            ? "its lists have gaps"
        : Frames < 1 || SourceFrames < 1 || DurableFrames < 0 || DurableFrames > Frames ? "its numbers of frames make no sense"
        : !double.IsFinite(Mean) || !(Deviation >= 0 && double.IsFinite(Deviation)) || !(SourcePeak >= 0 && float.IsFinite(SourcePeak))
            ? "its statistics make no sense"
        : Peaks.Count == 0 || Finished.Count is not 1 && Finished.Count != Peaks.Count || !Peaks.All(p => p >= 0 && float.IsFinite(p))
            ? "its stems make no sense"
        : (Renaming || Finished.Any(f => f is not null)) && DurableFrames != Frames ? "it has stems finished before they were whole"
        : !(Elapsed >= 0 && double.IsFinite(Elapsed))
        || Resumed < 0
        || !double.IsFinite(NullTest.Mix)
        || !double.IsFinite(NullTest.Residual)
            ? "its sums make no sense"
        : null;

    private static DemucsException Damaged(string path, string fault, Exception? cause) =>
        new(
            DemucsError.ResumeMismatch,
            $"The separation in '{Path.GetDirectoryName(path)}' cannot be resumed: its journal is damaged ({fault}).",
            path,
            cause
        )
        {
            Remedies = [Remedy.StartAnew],
        };
}
