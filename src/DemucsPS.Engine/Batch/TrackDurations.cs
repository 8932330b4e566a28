using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Machine;

namespace DemucsPS.Engine.Batch;

/// <summary>
/// The lengths of all tracks of a batch, in a file that all its workers read: they must share out by the same numbers, or a track could be
/// in two shares, or in none. So the first worker measures them while the others wait, and as long as the same is requested, the file stays
/// as it is, whatever becomes of the tracks meanwhile. For other inputs it is made again; what it says of files that have the same path,
/// size and time is kept.
/// </summary>
public sealed class TrackDurations
{
    private const int CurrentSchema = 1;

    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(200);

    private static readonly DurationTypes s_json = new(
        new JsonSerializerOptions
        {
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        }
    );

    private TrackDurations(IReadOnlyList<TrackDuration> tracks) => Tracks = tracks;

    /// <summary>The tracks, in the order of their keys.</summary>
    public IReadOnlyList<TrackDuration> Tracks { get; }

    /// <summary>The key of a track.</summary>
    public static string KeyOf(TrackSource track)
    {
        string key = track.Path;
        if (track.StreamIndex != 0)
            key += string.Create(CultureInfo.InvariantCulture, $"\0stream {track.StreamIndex}");
        if (track.Range is { } range)
            key += string.Create(CultureInfo.InvariantCulture, $"\0from {range.Start} {range.Length}");
        if (track.Channels is { } pair)
            key += string.Create(CultureInfo.InvariantCulture, $"\0channels {pair.Left} {pair.Right}");
        if (track.TrackName is { } name)
            key += $"\0{name}";
        return key;
    }

    /// <summary>What files of lengths are for: the inputs, in any order, and what is taken of them.</summary>
    /// <param name="inputs">Full paths as they were given.</param>
    /// <param name="options">What is taken of them.</param>
    public static string InputsHash(IEnumerable<string> inputs, TrackListOptions options)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{options.StreamIndex} {options.ChannelLayout} {options.LateStart} {options.Recurse} {options.OutputFolder}"
            )
        );
        foreach (string pattern in options.Include)
            Add("+" + pattern);
        foreach (string pattern in options.Exclude)
            Add("-" + pattern);
        foreach (string input in inputs.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            Add(input);
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Add(string text)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(text));
            hash.AppendData([0]);
        }
    }

    /// <summary>
    /// The lengths of a batch: those in the file, or else they are measured and the file is written; if another process is at it, once that
    /// is done.
    /// </summary>
    /// <param name="path">Full path of the file.</param>
    /// <param name="inputs">Full paths of what was given.</param>
    /// <param name="options">What is taken of them.</param>
    /// <param name="waiting">Receives once, in a sentence, that another process measures.</param>
    /// <param name="cancellationToken">Ends it; what was measured is lost then.</param>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: the file cannot be written, or is none.</exception>
    public static TrackDurations Load(
        string path,
        IReadOnlyList<string> inputs,
        TrackListOptions options,
        Action<string>? waiting = null,
        CancellationToken cancellationToken = default
    )
    {
        DurableFiles.RefuseOther(path);
        string wanted = InputsHash(inputs, options);
        bool told = false;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (TryRead(path) is { } found && found.Head.Inputs == wanted)
                return new TrackDurations(found.Tracks);
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                using Lease? lease = Lease.TryTake(path + ".lock", LeaseTerms.Here, out LeaseHolder? holder);
                if (lease is not null)
                {
                    // It may have come between the look and the lease.
                    (DurationsHead Head, TrackDuration[] Tracks)? before = TryRead(path);
                    if (before?.Head.Inputs == wanted)
                        return new TrackDurations(before.Value.Tracks);
                    TrackDuration[] measured = Measure(inputs, options, before?.Tracks ?? [], cancellationToken);
                    Write(path, wanted, measured);
                    return new TrackDurations(measured);
                }
                if (!told)
                    waiting?.Invoke($"{holder} is measuring the lengths of the tracks for '{path}'. This process waits for it.");
                told = true;
            }
            catch (Exception e) when (e.IsFileError())
            {
                throw new DemucsException(
                    DemucsError.StemWriteFailed,
                    $"The lengths of the tracks cannot be written to '{path}': {e.Message} Name a file in a folder that all workers can write to.",
                    path,
                    e
                );
            }
            cancellationToken.WaitHandle.WaitOne(s_interval);
        }
    }

    /// <summary>The length of one track.</summary>
    internal static TrackDuration Measure(TrackSource track)
    {
        FileInfo? file = null;
        try
        {
            file = RegularFile.Info(track.Path);
            TrackHeader header = TrackHeader.Read(track);
            return Load((double?)header.Frames / header.SampleRate);
        }
        catch (Exception e) when (e is DemucsException || e.IsFileError())
        {
            // Whoever gets it will say what is wrong with it. A link that leads nowhere exists, and has no length.
            file = null;
            return Load(0);
        }

        TrackDuration Load(double? seconds) =>
            file is { Exists: true }
                ? new(KeyOf(track), file.Length, file.LastWriteTimeUtc, seconds)
                : new(KeyOf(track), -1, default, seconds);
    }

    private static TrackDuration[] Measure(
        IReadOnlyList<string> inputs,
        TrackListOptions options,
        TrackDuration[] known,
        CancellationToken cancellationToken
    )
    {
        Dictionary<string, TrackDuration> before = known.ToDictionary(track => track.Key, StringComparer.Ordinal);
        // What is wrong with a list or a folder, each worker says itself.
        TrackList list = new(options, _ => { }, _ => { });
        TrackSource[] tracks = [.. inputs.SelectMany(list.Expand)];
        TrackDuration[] measured = new TrackDuration[tracks.Length];
        Parallel.For(
            0,
            tracks.Length,
            new ParallelOptions { MaxDegreeOfParallelism = MachineLimits.Processors, CancellationToken = cancellationToken },
            i =>
                measured[i] =
                    before.TryGetValue(KeyOf(tracks[i]), out TrackDuration? then) && IsSame(then, tracks[i].Path)
                        ? then
                        : Measure(tracks[i])
        );
        // Two of one name are the same samples.
        return [.. measured.DistinctBy(track => track.Key).OrderBy(track => track.Key, StringComparer.Ordinal)];
    }

    private static bool IsSame(TrackDuration then, string path)
    {
        try
        {
            return RegularFile.Info(path) is { Exists: true } file && file.Length == then.Size && file.LastWriteTimeUtc == then.Time;
        }
        catch (Exception e) when (e.IsFileError())
        {
            return false;
        }
    }

    private static void Write(string path, string inputs, TrackDuration[] tracks)
    {
        using MemoryStream content = new();
        JsonSerializer.Serialize(content, new DurationsHead(CurrentSchema, inputs, tracks.Length), s_json.DurationsHead);
        foreach (TrackDuration track in tracks)
        {
            content.WriteByte((byte)'\n');
            JsonSerializer.Serialize(content, track, s_json.TrackDuration);
        }
        content.WriteByte((byte)'\n');
        DurableFiles.Replace(
            path,
            content.GetBuffer().AsSpan(0, (int)content.Length),
            string.Create(CultureInfo.InvariantCulture, $"{path}.{Guid.NewGuid():N}.tmp")
        );
    }

    /// <returns>Null if there is none that can be used.</returns>
    private static (DurationsHead Head, TrackDuration[] Tracks)? TryRead(string path)
    {
        try
        {
            if (!File.Exists(path))
                return null;
            using FileStream stream = RegularFile.OpenRead(path, bufferSize: 1 << 16);
            using StreamReader reader = new(stream, Encoding.UTF8);
            if (
                reader.ReadLine() is not { } first
                || JsonSerializer.Deserialize(first, s_json.DurationsHead) is not { Schema: CurrentSchema } head
            )
                return null;
            List<TrackDuration> tracks = [];
            while (reader.ReadLine() is { } line)
            {
                if (
                    JsonSerializer.Deserialize(line, s_json.TrackDuration) is
                    { Key: not null, Seconds: null or (>= 0 and < double.PositiveInfinity) } track
                )
                    tracks.Add(track);
            }
            // As this program never writes it.
            if (tracks.DistinctBy(track => track.Key).Count() != tracks.Count)
                return null;
            return tracks.Count == head.Tracks ? (head, [.. tracks]) : null;
        }
        catch (Exception e) when (e is JsonException || e.IsFileError())
        {
            return null;
        }
    }
}
