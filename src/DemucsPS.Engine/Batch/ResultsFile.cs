using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Batch;

/// <summary>
/// What happened to the tracks of one worker: a JSON object per line, written in one piece and to the disk before the next track begins. A
/// file is one worker's at a time; its later runs go on in it. Beside it, while a track is worked on, lies <c>FILE.running</c>, which says
/// which: what a worker finds there when it starts is a track in which one died.
/// </summary>
public sealed class ResultsFile
{
    /// <summary>How often workers may die in a track before it is given up.</summary>
    public const int MaxDeaths = 3;

    // Of a track: twenty deaths with some progress each are the most that a track can take.
    private const double GoodProgress = 0.05;

    private const string RunningSuffix = ".running";

    // Thirty years of work or of music: what is more is damage, and sums of what is less can be counted with.
    private const double MaxSeconds = 1e9;

    private static readonly OutcomeTypes s_json = new(
        new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            // Names of any script stay readable; line breaks and quotes are escaped anyway.
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter<TrackStatus>(JsonNamingPolicy.CamelCase) },
        }
    );

    private readonly string _path;

    /// <summary>Opens a file of results, which need not exist.</summary>
    /// <param name="path">Full path; folders are created.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be written, or is not a file.</exception>
    public ResultsFile(string path)
    {
        DurableFiles.RefuseOther(path);
        _path = path;
        Do(() =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using FileStream file = Open();
            // Where a worker died in mid-line, the next line starts on its own line.
            if (file.Length > 0)
            {
                file.Position = file.Length - 1;
                if (file.ReadByte() != '\n')
                    file.WriteByte((byte)'\n');
            }
        });
    }

    /// <summary>The lines of a file of results; unreadable ones, from workers that died, are skipped.</summary>
    /// <param name="path">Full path.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static IEnumerable<TrackOutcome> Read(string path)
    {
        using FileStream file = RegularFile.OpenRead(path, bufferSize: 1 << 16);
        using StreamReader reader = new(file);
        while (reader.ReadLine() is { } line)
        {
            if (Parse(line) is { } outcome)
                yield return outcome;
        }
    }

    /// <summary>Takes the file for one worker, so that no other takes the track of a living one for that of a dead one.</summary>
    /// <param name="terms">How it is held; null as this machine does.</param>
    /// <returns>Lets go of it.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.SeparationRunning"/>: another worker writes to it.
    /// <see cref="DemucsError.StemWriteFailed"/>: it cannot be held.</exception>
    internal IDisposable Hold(LeaseTerms? terms = null)
    {
        Lease? lease = null;
        LeaseHolder? holder = null;
        Do(() => lease = Lease.TryTake(_path + ".lock", terms ?? LeaseTerms.Here, out holder));
        return lease
            ?? throw new DemucsException(
                DemucsError.SeparationRunning,
                $"{holder} is writing results to '{_path}'. Give each worker its own file{(holder?.FreeAfter is { } left ? FormattableString.Invariant($". If that worker is dead, try again in {Math.Ceiling(left.TotalSeconds)} s") : "")}.",
                _path
            )
            {
                MayPass = holder?.FreeAfter,
            };
    }

    /// <summary>Adds a line.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be written.</exception>
    public void Append(TrackOutcome outcome) =>
        Do(() =>
        {
            byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(outcome, s_json.TrackOutcome), (byte)'\n'];
            using FileStream file = Open();
            file.Position = file.Length;
            file.Write(line);
            file.Flush(flushToDisk: true);
        });

    /// <summary>Notes that a track is started.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be noted.</exception>
    internal void Begin(TrackOutcome track) =>
        Do(() => File.WriteAllBytes(_path + RunningSuffix, JsonSerializer.SerializeToUtf8Bytes(track, s_json.TrackOutcome)));

    /// <summary>Notes that no track is under way.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be noted.</exception>
    internal void End() => Do(() => DurableFiles.Delete(_path + RunningSuffix));

    /// <summary>The track in which an earlier worker died; null for none.</summary>
    internal TrackOutcome? Unfinished()
    {
        try
        {
            return Parse(File.ReadAllText(_path + RunningSuffix));
        }
        catch (Exception e) when (e.IsFileError())
        {
            return null;
        }
    }

    /// <summary>
    /// Tracks in which workers died, and how often in the same place of it: one that took it further was not ended by it.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: the file cannot be read, and so not gone on
    /// in.</exception>
    internal Dictionary<(string Source, string Track), int> Deaths()
    {
        Dictionary<(string, string), (int Count, double Kept)> deaths = [];
        TrackOutcome[] outcomes = [];
        Do(() => outcomes = [.. Read(_path)]);
        foreach (TrackOutcome outcome in outcomes)
        {
            (string, string) key = (outcome.Source, outcome.Track);
            if (outcome.Error == nameof(DemucsError.WorkerDied))
            {
                (int count, double kept) = deaths.GetValueOrDefault(key);
                deaths[key] = outcome.Kept > kept + GoodProgress ? (1, outcome.Kept.Value) : (count + 1, kept);
            }
            else if (outcome.Status != TrackStatus.Left)
            {
                deaths.Remove(key);
            }
        }
        return deaths.ToDictionary(death => death.Key, death => death.Value.Count);
    }

    private static TrackOutcome? Parse(string line)
    {
        try
        {
            return
                line.Length > 0
                && JsonSerializer.Deserialize(line, s_json.TrackOutcome) is { Source: not null, Track: not null } outcome
                && IsPossible(outcome)
                ? outcome
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether times can be counted with: a line that says what cannot be is damaged.</summary>
    private static bool IsPossible(TrackOutcome outcome) =>
        outcome.Time.Year >= 2000 && IsLength(outcome.Seconds) && IsLength(outcome.Duration) && outcome.Kept is null or (>= 0 and <= 1);

    private static bool IsLength(double? seconds) => seconds is null or (>= 0 and <= MaxSeconds);

    // Opened for each line: others read it meanwhile, and what was cut off it is not written over.
    private FileStream Open() =>
        RefusalPatience.System.Do(() =>
            new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0)
        );

    private void Do(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"The results cannot be written to '{_path}': {e.Message} {RefusalPatience.System.RemedyFor(e)}",
                _path,
                e
            );
        }
    }
}
