using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Files;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Separation;

namespace DemucsPS.Engine.Tests.Batch;

/// <summary>One worker's tracks: what is begun, what is left, what is noted.</summary>
public sealed class BatchRunTests : IDisposable
{
    private static readonly string s_model = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    private readonly InterruptedTrack _track = new(s_model, 30_000);
    private readonly TurnedClock _clock = new();
    private readonly List<string> _begun = [],
        _left = [];

    public void Dispose() => _track.Dispose();

    [Theory]
    [InlineData("01:50:00", 6600)]
    [InlineData("0:00:30", 30)]
    [InlineData("1-01:00:00", 90000)]
    [InlineData("48:00:00", 172800)]
    [InlineData("1-24:00:00", 0)]
    [InlineData("01:60:00", 0)]
    [InlineData("100", 0)]
    [InlineData("00:00:00", 0)]
    [InlineData("1:00", 0)]
    [InlineData("-1:00:00", 0)]
    public void Limits_are_hours_minutes_and_seconds(string text, int seconds)
    {
        if (seconds > 0)
            Assert.Equal(seconds, TimeLimit.Parse(text).TotalSeconds);
        else
            Assert.Equal(EngineParameter.TimeLimit, Assert.Throws<DemucsException>(() => TimeLimit.Parse(text)).Parameter);
    }

    [Fact]
    public void What_would_not_end_in_time_is_not_begun_and_what_is_shorter_is()
    {
        // The clock goes on by a hundred seconds a second of music; assumed were fifty.
        TrackSource[] tracks = [Noise("a", 1), Noise("b", 1.5), Noise("c", 0.4), Noise("d", 0.1)];
        TimeLimit limit = new(TimeSpan.FromSeconds(190), TimeSpan.Zero, 50, _clock);
        BatchEnd end = Run(tracks, limit, factor: 100);
        // After a, 90 seconds are left: b takes 150 of them, c 40, and then d 10.
        Assert.Equal(["a", "c", "d"], _begun);
        Assert.Equal(new BatchEnd(0, true), end);
        Assert.StartsWith("1 track was not started: ", Assert.Single(_left), StringComparison.Ordinal);
        Assert.True(limit.RealTimeFactor >= 100);
        Assert.Equal([("a", TrackStatus.Done), ("c", TrackStatus.Done), ("d", TrackStatus.Done)], Results());
        // Another run goes on with what is left.
        Assert.Equal(new BatchEnd(0, false), Run(tracks, new TimeLimit(TimeSpan.FromSeconds(300), TimeSpan.Zero, 50, _clock), factor: 100));
        Assert.Equal(("b", TrackStatus.Done), Results()[^3]);
    }

    [Fact]
    public void What_no_run_could_end_is_begun_last_so_that_its_journal_goes_on()
    {
        Assert.Equal(
            new BatchEnd(0, false),
            Run([Noise("long", 3), Noise("short", 0.1)], new TimeLimit(TimeSpan.FromSeconds(100), TimeSpan.Zero, 100, _clock), factor: 100)
        );
        Assert.Equal(["short", "long"], _begun);
        // And where not even the first fits into what is left, it is begun all the same: else no run would ever do anything.
        _begun.Clear();
        TimeLimit limit = new(TimeSpan.FromSeconds(100), TimeSpan.Zero, 100, _clock);
        _clock.Turn(TimeSpan.FromSeconds(50));
        Run([Noise("only", 0.5), Noise("other", 0.5)], limit, factor: 10);
        Assert.Equal("only", _begun[0]);
    }

    [Fact]
    public void A_track_in_which_workers_died_is_taken_last_and_at_last_not_at_all()
    {
        TrackSource[] tracks = [Noise("poisoned", 1), Noise("a", 1), Noise("b", 1)];
        ResultsFile results = new(_track.Folder["results.jsonl"]);
        for (int run = 1; run <= 4; run++)
        {
            // As a worker leaves it that crashed.
            if (run < 4)
                results.Begin(
                    new TrackOutcome
                    {
                        Time = DateTimeOffset.UtcNow,
                        Status = TrackStatus.Left,
                        Source = tracks[0].Path,
                        Track = "poisoned",
                        Kept = 0,
                    }
                );
            _begun.Clear();
            BatchEnd end = Run(tracks, null, 0, poisoned: "poisoned");
            Assert.Equal(run < 3 ? ["a", "b", "poisoned"] : ["a", "b"], _begun);
            Assert.Equal(1, end.Failed);
            Assert.False(File.Exists(_track.Folder["results.jsonl.running"]));
            // What stands in for the crash is no death.
            if (run < 3)
                Rewrite(line => !line.Contains("StemChunkMissing", StringComparison.Ordinal));
        }
        Assert.Equal(5, ResultsFile.Read(_track.Folder["results.jsonl"]).Count(line => line.Error == "WorkerDied"));

        void Rewrite(Func<string, bool> keep) =>
            File.WriteAllLines(_track.Folder["results.jsonl"], File.ReadAllLines(_track.Folder["results.jsonl"]).Where(keep));
    }

    [Fact]
    public void A_track_that_another_worker_has_is_left_and_taken_over_when_that_one_is_dead()
    {
        TrackSource[] tracks = [Noise("a", 1), Noise("b", 1)];
        string folder = _track.Folder["out", "small", "a", "demucsps.partial"];
        Directory.CreateDirectory(folder);
        // Of another machine, which is heard of again and again.
        int count = 0;
        void Renew() =>
            File.WriteAllBytes(Path.Combine(folder, "lock"), new LeaseNote("node7 x", 7, false, DateTimeOffset.UtcNow, count++).ToBytes());
        Renew();
        BatchEnd end = Run(tracks, null, 0, wait: _ =>
        {
            Renew();
            _clock.Turn(TimeSpan.FromMinutes(1));
        });
        Assert.Equal(new BatchEnd(0, true), end);
        Assert.Contains("on node7", Assert.Single(_left), StringComparison.Ordinal);
        TrackOutcome[] lines = [.. ResultsFile.Read(_track.Folder["results.jsonl"])];
        Assert.Equal(["b", "a"], lines.Select(line => line.Track));
        Assert.Equal((TrackStatus.Left, "SeparationRunning"), (lines[1].Status, lines[1].Error));

        // Nothing is heard of it any more, since long ago.
        File.WriteAllBytes(
            Path.Combine(folder, "lock"),
            new LeaseNote("node7 x", 7, false, DateTimeOffset.UtcNow - TimeSpan.FromHours(1), count).ToBytes()
        );
        Assert.Equal(new BatchEnd(0, false), Run(tracks, null, 0));
        Assert.Equal(
            ["demucsps.json", "bass.wav", "drums.wav", "other.wav", "vocals.wav"],
            Directory
                .GetFileSystemEntries(_track.Folder["out", "small", "a"])
                .Select(file => Path.GetFileName(file))
                .OrderBy(name => name != "demucsps.json")
                .ThenBy(name => name, StringComparer.Ordinal)
        );
    }

    [Fact]
    public void Lines_have_the_hashes_of_what_was_written()
    {
        Run([Noise("a", 1)], null, 0);
        Run([Noise("a", 1)], null, 0);
        TrackOutcome[] lines = [.. ResultsFile.Read(_track.Folder["results.jsonl"])];
        Assert.Equal([TrackStatus.Done, TrackStatus.Skipped], lines.Select(line => line.Status));
        Assert.Equal(lines[0].Stems, lines[1].Stems);
        Assert.Equal(4, lines[0].Stems.Count);
        Assert.All(lines[0].Stems, stem => Assert.Equal(DurableFiles.Hash(stem.Path, CancellationToken.None), stem.Sha256));
        Assert.Equal(DurableFiles.Hash(lines[0].Source, CancellationToken.None), lines[0].SourceSha256);
        Assert.Equal((1, "2/3"), (lines[0].Duration, lines[0].Shard));
    }

    private TrackSource Noise(string name, double seconds)
    {
        string path = _track.Folder[$"{name}.wav"];
        if (!File.Exists(path))
            InterruptedTrack.WriteNoise(path, (int)(44100 * seconds));
        return new TrackSource(path);
    }

    private List<(string, TrackStatus)> Results() =>
        [.. ResultsFile.Read(_track.Folder["results.jsonl"]).Select(line => (line.Track, line.Status))];

    private BatchEnd Run(TrackSource[] tracks, TimeLimit? limit, double factor, string? poisoned = null, Action<TimeSpan>? wait = null)
    {
        FileSeparator separator = _track.Over(_track.Folder["out"], new SeparationOptions(), output =>
            output with
            {
                Resume = true,
                SkipExisting = true,
            }
        );
        BatchRun run = new(separator, new ResultsFile(_track.Folder["results.jsonl"]), limit, new ShardNumber(2, 3))
        {
            Clock = _clock,
            Wait = (time, _) => (wait ?? (_ => Assert.Fail("waited")))(time),
            Beginning = track =>
            {
                _begun.Add(track.Name);
                // What takes long is turned, not waited for.
                if (!File.Exists(_track.Folder["out", "small", track.Name, "demucsps.json"]))
                    _clock.Turn(separator.Foresee(track).Music!.Value * factor);
                return track.Name == poisoned ? throw new DemucsException(DemucsError.StemChunkMissing, "as if it crashed") : null;
            },
            Done = result => { },
            Failed = (_, _) => { },
            Busy = (_, error) => _left.Add(error.Message),
            Left = _left.Add,
        };
        return run.Run(tracks, new Dictionary<TrackSource, DemucsException>(), CancellationToken.None);
    }
}
