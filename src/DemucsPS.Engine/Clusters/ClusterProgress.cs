using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Clusters;

/// <summary>The results of a job's tracks, read from the lines that its tasks wrote.</summary>
public sealed class ClusterProgress
{
    private readonly ClusterJob _job;
    private readonly IReadOnlyList<ClusterSubmission> _submissions;
    private readonly double _meanSeconds;
    private readonly TimeSpan _work,
        _separated,
        _separatedWork;
    private readonly DateTimeOffset? _first,
        _last;

    private ClusterProgress(ClusterJob job)
    {
        _job = job;
        _submissions = job.Submissions();
        IReadOnlyList<string> paths = job.Paths(1);
        IReadOnlyList<double?> durations = job.Durations(1);
        if (paths.Count != durations.Count)
            throw ClusterRecords.Invalid(
                job.Folder,
                FormattableString.Invariant($"Its list has {paths.Count} tracks but {durations.Count} lengths.")
            );
        ClusterTrack[] tracks = new ClusterTrack[paths.Count];
        Dictionary<string, int> numbers = new(paths.Count, StringComparer.Ordinal);
        for (int i = 0; i < tracks.Length; i++)
        {
            tracks[i] = new ClusterTrack(paths[i], TrackState.Missing, durations[i] is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
            numbers[paths[i]] = i;
        }
        _meanSeconds = durations.OfType<double>().DefaultIfEmpty(0).Average();
        foreach ((string node, TrackOutcome outcome) in Outcomes(job))
        {
            TimeSpan took = TimeSpan.FromSeconds(outcome.Seconds ?? 0);
            _work += took;
            DateTimeOffset begun = outcome.Time - took;
            _first = _first < begun ? _first : begun;
            _last = _last > outcome.Time ? _last : outcome.Time;
            if (outcome is { Status: TrackStatus.Done, Resumed: false, Duration: { } music })
            {
                _separated += TimeSpan.FromSeconds(music);
                _separatedWork += took;
            }
            if (numbers.TryGetValue(outcome.Source, out int number))
                tracks[number] = With(tracks[number], outcome, took, node);
        }
        Tracks = tracks;
    }

    /// <summary>The tracks, in the order of the first submission's tasks.</summary>
    public IReadOnlyList<ClusterTrack> Tracks { get; }

    /// <summary>Seconds of work per second of audio, over all tracks that were separated in one go; null if there is none yet.</summary>
    public double? RealTimeFactor => _separated > TimeSpan.Zero ? _separatedWork / _separated : null;

    /// <summary>Reads what there is now.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ClusterJobInvalid"/>.</exception>
    public static ClusterProgress Read(ClusterJob job) => new(job);

    /// <summary>Failures by their causes, the most frequent first.</summary>
    public IReadOnlyList<FailureGroup> Failures() =>
        [
            .. Tracks
                .Where(track => track.State == TrackState.Failed)
                .GroupBy(track => track.Error ?? "")
                .Select(group => new FailureGroup(
                    group.Key,
                    group.Count(),
                    [.. group.Select(track => track.Node).OfType<string>().Distinct().Order(StringComparer.Ordinal)],
                    group.First().Message ?? "",
                    group.First().SourcePath
                ))
                .OrderByDescending(group => group.Count)
                .ThenBy(group => group.Error, StringComparer.Ordinal),
        ];

    /// <summary>All of it in numbers.</summary>
    /// <param name="tasks">What the scheduler says of <see cref="ClusterJob.Submissions"/>; null if it does not answer.</param>
    public ClusterStatus Status(SlurmTasks? tasks)
    {
        int done = Tracks.Count(track => track.State == TrackState.Done),
            failed = Tracks.Count(track => track.State == TrackState.Failed);
        TimeSpan audio = Sum(Tracks),
            audioDone = Sum(Tracks.Where(track => track.State == TrackState.Done));
        TimeSpan? span = _last - _first;
        double? pace = span > TimeSpan.Zero && audioDone > TimeSpan.Zero ? audioDone / span : null;
        bool isActive = tasks?.IsActive == true;
        return new ClusterStatus
        {
            JobPath = _job.Folder,
            State =
                Tracks.Count > 0 && done == Tracks.Count ? ClusterJobState.Done
                : isActive
                    ? tasks!.Running > 0 ? ClusterJobState.Running
                        : ClusterJobState.Waiting
                : _submissions.All(submission => submission.Arrays.Count == 0) && done + failed == 0 ? ClusterJobState.Prepared
                : tasks is null && _submissions.Any(submission => submission.Arrays.Count > 0) ? ClusterJobState.Unknown
                : ClusterJobState.Incomplete,
            Tracks = Tracks.Count,
            Done = done,
            Failed = failed,
            Audio = audio,
            AudioDone = audioDone,
            Work = _work,
            RealTimeFactor = RealTimeFactor,
            Throughput = pace,
            Remaining = isActive && pace is { } known ? (audio - audioDone) / known : null,
            Tasks = tasks,
            JobIds = [.. _submissions.SelectMany(submission => submission.Arrays).Select(array => array.Id)],
            Failures = Failures(),
        };
    }

    /// <summary>Tracks of a task that are done already, whoever has done them.</summary>
    internal static HashSet<string> DoneBy(IEnumerable<string> files) =>
        [.. files.SelectMany(Lines).Where(IsDone).Select(outcome => outcome.Source)];

    private TimeSpan Sum(IEnumerable<ClusterTrack> tracks) =>
        tracks.Aggregate(TimeSpan.Zero, (sum, track) => sum + (track.Duration ?? TimeSpan.FromSeconds(_meanSeconds)));

    private static ClusterTrack With(ClusterTrack track, TrackOutcome outcome, TimeSpan took, string node)
    {
        track = track with
        {
            Elapsed = track.Elapsed + took,
            Separations = track.Separations + (outcome.Status == TrackStatus.Done ? 1 : 0),
        };
        // Stems that are there stay there, whatever another attempt came to.
        if (IsDone(outcome))
            return track with
            {
                State = TrackState.Done,
                Duration = outcome.Duration is { } seconds ? TimeSpan.FromSeconds(seconds) : track.Duration,
                Node = node,
                Error = null,
                Message = null,
                Stems = outcome.Stems,
            };
        return track.State == TrackState.Done
            ? track
            : track with
            {
                State = outcome.Status == TrackStatus.Failed ? TrackState.Failed : TrackState.Left,
                Node = node,
                Error = outcome.Error,
                Message = outcome.Message,
            };
    }

    private static bool IsDone(TrackOutcome outcome) => outcome.Status is TrackStatus.Done or TrackStatus.Skipped;

    private static IEnumerable<(string Node, TrackOutcome Outcome)> Outcomes(ClusterJob job) =>
        job.ResultsFiles()
            .SelectMany(file => Lines(file).Select(outcome => (Node: NodeOf(file), Outcome: outcome)))
            .OrderBy(line => line.Outcome.Time);

    private static string NodeOf(string file) =>
        Path.GetFileNameWithoutExtension(file) is var name && name.IndexOf('@', StringComparison.Ordinal) is >= 0 and var at
            ? name[(at + 1)..]
            : "";

    private static IEnumerable<TrackOutcome> Lines(string file)
    {
        try
        {
            // All at once: it is a task's, and the file is closed before anything else is done.
            return [.. ResultsFile.Read(file)];
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw ClusterRecords.Invalid(file, e.Message, e);
        }
    }
}
