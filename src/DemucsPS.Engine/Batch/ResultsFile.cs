using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Batch;

/// <summary>
/// What became of the tracks of one worker: a JSON object a line, written in one piece and to the disk before the next track begins. A file is one worker's at a time; its later runs go on in it.
/// Beside it, while a track is worked on, lies <c>FILE.running</c>, which says which: what a worker finds there when it starts is a track in which one died.
/// </summary>
public sealed class ResultsFile
{
    /// <summary>How often workers may die in a track before it is given up.</summary>
    public const int MaxDeaths = 3;

    // Of a track: twenty deaths with some progress each are the most that a track can take.
    private const double GoodProgress = 0.05;

    private const string RunningSuffix = ".running";

    private static readonly OutcomeTypes s_json = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        // Names of any script stay readable; line breaks and quotes are escaped all the same.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter<TrackStatus>(JsonNamingPolicy.CamelCase) },
    });

    private readonly string _path;

    /// <summary>Opens a file of results, which need not exist.</summary>
    /// <param name="path">Full path; folders are made.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be written.</exception>
    public ResultsFile(string path)
    {
        _path = path;
        Do(() =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using FileStream file = Open();
            // Where a worker died in mid-line, the next line is a line of its own.
            if (file.Length > 0)
            {
                file.Position = file.Length - 1;
                if (file.ReadByte() != '\n')
                    file.WriteByte((byte)'\n');
            }
        });
    }

    /// <summary>The lines of a file of results; those that cannot be read, for a worker died in them, are left out.</summary>
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

    /// <summary>Adds a line.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be written.</exception>
    public void Append(TrackOutcome outcome) => Do(() =>
    {
        byte[] line = [.. JsonSerializer.SerializeToUtf8Bytes(outcome, s_json.TrackOutcome), (byte)'\n'];
        using FileStream file = Open();
        file.Position = file.Length;
        file.Write(line);
        file.Flush(flushToDisk: true);
    });

    /// <summary>Notes that a track is begun.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it cannot be noted.</exception>
    internal void Begin(TrackOutcome track) => Do(() => File.WriteAllBytes(_path + RunningSuffix, JsonSerializer.SerializeToUtf8Bytes(track, s_json.TrackOutcome)));

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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Tracks in which workers died, and how often in the same place of it: one that took it further was not ended by it.</summary>
    internal Dictionary<(string Source, string Track), int> Deaths()
    {
        Dictionary<(string, string), (int Count, double Kept)> deaths = [];
        foreach (TrackOutcome outcome in Read(_path))
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
            return line.Length > 0 && JsonSerializer.Deserialize(line, s_json.TrackOutcome) is { Source: not null, Track: not null } outcome ? outcome : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    // Opened for each line: others read it meanwhile, and what was cut off it is not written over.
    private FileStream Open() => RefusalPatience.System.Do(() => new FileStream(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0));

    private void Do(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.StemWriteFailed, $"The results cannot be written to '{_path}': {e.Message} {RefusalPatience.System.RemedyFor(e)}", _path, e);
        }
    }
}
