using System.Text;
using System.Text.Json;
using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Tests.Batch;

public sealed class ResultsFileTests
{
    [Fact]
    public void A_line_that_was_cut_off_costs_no_other()
    {
        using TemporaryFolder folder = new();
        string path = folder["results", "1.jsonl"];
        new ResultsFile(path).Append(Outcome("/music/it's\n\"a\" $(b).wav", TrackStatus.Done));
        string whole = File.ReadAllText(path);
        Assert.Single(whole, c => c == '\n');
        Assert.Equal("done", JsonDocument.Parse(whole).RootElement.GetProperty("status").GetString());
        for (int length = 1; length < Encoding.UTF8.GetByteCount(whole); length += 7)
        {
            File.WriteAllBytes(path, [.. Encoding.UTF8.GetBytes(whole), .. Encoding.UTF8.GetBytes(whole)[..length]]);
            Assert.Equal(["/music/it's\n\"a\" $(b).wav"], ResultsFile.Read(path).Select(line => line.Source));
            ResultsFile next = new(path);
            next.Append(Outcome("/music/c.wav", TrackStatus.Failed) with { Error = "AudioTrackCorrupt" });
            Assert.Equal(["/music/it's\n\"a\" $(b).wav", "/music/c.wav"], ResultsFile.Read(path).Select(line => line.Source));
        }
    }

    [Fact]
    public void Deaths_are_counted_where_a_track_is_no_further()
    {
        using TemporaryFolder folder = new();
        ResultsFile results = new(folder["1.jsonl"]);
        Assert.Empty(results.Deaths());
        Die("a", 0);
        Die("a", 0);
        Assert.Equal(2, results.Deaths()[("a", "a")]);
        Die("a", 0.3);
        Assert.Equal(1, results.Deaths()[("a", "a")]);
        Die("a", 0.3);
        Die("a", 0.31);
        Assert.Equal(3, results.Deaths()[("a", "a")]);
        results.Append(Outcome("a", TrackStatus.Left));
        Assert.Equal(3, results.Deaths()[("a", "a")]);
        results.Append(Outcome("a", TrackStatus.Done));
        Assert.Empty(results.Deaths());

        void Die(string source, double kept) =>
            results.Append(Outcome(source, TrackStatus.Failed) with { Error = "WorkerDied", Kept = kept });
    }

    [Fact]
    public void Where_nothing_can_be_written_it_is_said()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder["file"], "");
        Assert.Equal(DemucsError.StemWriteFailed, Assert.Throws<DemucsException>(() => new ResultsFile(folder["file", "1.jsonl"])).Error);
    }

    [Fact]
    public void Results_go_to_files_only()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Names of pipes are no names of files here.");
        using TemporaryFolder folder = new();
        NamedPipe.Create(folder["pipe"]);
        foreach (string other in new[] { folder["pipe"], folder.Path })
        {
            DemucsException error = Assert.Throws<DemucsException>(() => new ResultsFile(other));
            Assert.Equal((DemucsError.StemWriteFailed, other), (error.Error, error.Path));
        }
        // And where it cannot be read when it is wanted.
        ResultsFile results = new(folder["1.jsonl"]);
        File.Delete(folder["1.jsonl"]);
        NamedPipe.Create(folder["1.jsonl"]);
        Assert.Equal(DemucsError.StemWriteFailed, Assert.Throws<DemucsException>(() => results.Deaths()).Error);
    }

    [Fact]
    public void What_a_living_worker_is_at_is_no_death()
    {
        using TemporaryFolder folder = new();
        ResultsFile results = new(folder["1.jsonl"]);
        results.Begin(Outcome("a", TrackStatus.Left));
        Assert.Equal("a", new ResultsFile(folder["1.jsonl"]).Unfinished()!.Source);
        using (results.Hold())
        {
            DemucsException error = Assert.Throws<DemucsException>(() => new ResultsFile(folder["1.jsonl"]).Hold());
            Assert.Equal((DemucsError.SeparationRunning, folder["1.jsonl"]), (error.Error, error.Path));
        }
        using (new ResultsFile(folder["1.jsonl"]).Hold())
            Assert.Equal("a", new ResultsFile(folder["1.jsonl"]).Unfinished()!.Source);
        Assert.Equal(["1.jsonl", "1.jsonl.running"], folder.Files().Order(StringComparer.Ordinal));
    }

    private static TrackOutcome Outcome(string source, TrackStatus status) =>
        new()
        {
            Time = DateTimeOffset.UtcNow,
            Status = status,
            Source = source,
            Track = source,
        };
}
