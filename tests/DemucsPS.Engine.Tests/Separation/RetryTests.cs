using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>Chunks whose runs fail.</summary>
public sealed class RetryTests
{
    private static readonly string s_small = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx");

    public static TheoryData<string> Failures => ["runtime", "memory", "managed memory"];

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_tenth_of_all_runs_fails_and_the_batch_ends_whole_with_the_retries_on_record(int jobs)
    {
        using InterruptedTrack track = new(s_small, frames: 300_000);
        track.Separate("whole", new SeparationOptions { Overlap = 0.5 });
        // By a hash of chunk and attempt, so that it does not matter which thread comes first. Never three times in a row.
        Dictionary<int, int> failed = [];
        SeparationOptions options = new()
        {
            Overlap = 0.5,
            Jobs = jobs,
            Attempting = (chunk, attempt) =>
            {
                if (attempt > 2 || new Random(1000 * chunk + attempt).Next(10) != 0)
                    return;
                lock (failed)
                    failed[chunk] = attempt;
                throw Failure(chunk % 2 == 0 ? "runtime" : "not finite");
            },
        };
        SeparationResult result = track.Separate("out", options);
        track.AssertSameStems("whole", "out");
        Assert.InRange(failed.Count, result.Chunks / 20, result.Chunks / 4);
        Assert.Equal(failed.OrderBy(f => f.Key).Select(f => (f.Key, f.Value)), result.Retries.Select(r => (r.Chunk, r.Failures.Count)));
        SeparationProvenance provenance = SeparationProvenance.Read(result.ProvenancePath);
        Assert.Equal(failed.Keys.Order(), provenance.Retries.Select(r => r.Chunk));
        Assert.All(provenance.Retries, r => Assert.All(r.Failures, f => Assert.Contains("injected", f, StringComparison.Ordinal)));
    }

    [Theory]
    [MemberData(nameof(Failures))]
    public void A_chunk_that_always_fails_is_named_and_what_was_done_before_is_kept(string kind)
    {
        using InterruptedTrack track = new(s_small);
        track.Separate("whole", new SeparationOptions());
        int attempts = 0;
        DemucsException e = Assert.Throws<DemucsException>(() =>
            track.Separate(
                "out",
                new SeparationOptions
                {
                    RetryCount = 3,
                    Attempting = (chunk, _) =>
                    {
                        if (chunk != 7)
                            return;
                        attempts++;
                        throw Failure(kind);
                    },
                }
            )
        );
        // Where memory ran out while another chunk was in work, that attempt does not count.
        int expected = kind == "runtime" ? 4 : 5;
        Assert.Equal(expected, attempts);
        Assert.Equal(kind == "runtime" ? DemucsError.DemucsModelInvalid : DemucsError.OutOfMemory, e.Error);
        Assert.StartsWith(
            $"Chunk 7 (of 0 to 25) of noise.wav could not be separated in {expected} attempts.",
            e.Message,
            StringComparison.Ordinal
        );
        Assert.Equal([Remedy.Resume], e.Remedies);
        Assert.Equal(["demucsps.partial"], track.Names("out"));
        Assert.True(track.Separate("out", new SeparationOptions(), output => output with { Resume = true }).Resumed);
        track.AssertSameStems("whole", "out");
    }

    [Fact]
    public void Without_retries_the_first_failure_ends_the_track()
    {
        using InterruptedTrack track = new(s_small);
        int attempts = 0;
        Assert.Throws<DemucsException>(() =>
            track.Separate(
                "out",
                new SeparationOptions { RetryCount = 0, Attempting = (chunk, _) => throw Failure("runtime", chunk == 0 ? attempts++ : 0) }
            )
        );
        Assert.Equal(1, attempts);
        // Nothing was done that could be kept.
        Assert.False(Directory.Exists(track.Folder["out"]));
    }

    [Fact]
    public void After_memory_ran_out_fewer_chunks_run_at_once_and_all_are_separated()
    {
        using InterruptedTrack track = new(s_small);
        track.Separate("whole", new SeparationOptions());
        int failures = 0;
        SeparationResult result = track.Separate(
            "out",
            new SeparationOptions
            {
                Jobs = 8,
                // Not one retry is left to a chunk that ran alone.
                RetryCount = 0,
                Attempting = (chunk, attempt) =>
                {
                    if (chunk == 4 && attempt <= 3)
                        throw Failure("memory", failures++);
                },
            }
        );
        Assert.Equal(3, failures);
        Assert.Equal(3, Assert.Single(result.Retries).Failures.Count);
        track.AssertSameStems("whole", "out");
    }

    [Fact]
    public void Attempts_that_lack_memory_make_room()
    {
        using ChunkAttempts attempts = new(retries: 0, jobs: 8);
        List<int> jobs = [];
        List<string> failures = [];
        DemucsException e = Assert.Throws<DemucsException>(() =>
            attempts.Run(
                "chunk 1",
                failures,
                _ =>
                {
                    jobs.Add(attempts.Jobs);
                    throw Failure("memory");
                },
                CancellationToken.None
            )
        );
        Assert.Equal([8, 4, 2, 1], jobs);
        Assert.Equal(4, failures.Count);
        Assert.Equal(DemucsError.OutOfMemory, e.Error);
        // And one at a time still works.
        int running = 0,
            most = 0;
        Parallel.For(0, 20, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i => attempts.Run(
                $"chunk {i}",
                [],
                _ =>
                {
                    most = Math.Max(most, Interlocked.Increment(ref running));
                    Thread.Yield();
                    Interlocked.Decrement(ref running);
                },
                CancellationToken.None
            ));
        Assert.Equal(1, most);
    }

    [Fact]
    public void One_bad_track_does_not_stop_the_others()
    {
        using InterruptedTrack track = new(s_small);
        string second = track.Folder["second.wav"];
        File.Copy(track.SourcePath, second);
        int tracks = 0;
        FileSeparator separator = track.Over(
            track.Folder["out"],
            new SeparationOptions
            {
                RetryCount = 1,
                Attempting = (chunk, _) => _ = chunk == 3 && tracks == 0 ? throw Failure("runtime") : 0,
            }
        );
        Assert.Throws<DemucsException>(() => separator.Separate(new TrackSource(track.SourcePath)));
        tracks++;
        Assert.Equal(4, separator.Separate(new TrackSource(second)).Stems.Count);
    }

    private static Exception Failure(string kind, int number = 0) =>
        kind switch
        {
            "managed memory" => new InsufficientMemoryException("injected"),
            "memory" => new DemucsException(DemucsError.OutOfMemory, $"injected {number}: no memory"),
            "not finite" => new DemucsException(DemucsError.DemucsModelInvalid, "injected: not finite"),
            _ => new DemucsException(DemucsError.DemucsModelInvalid, "injected: the runtime failed"),
        };
}
