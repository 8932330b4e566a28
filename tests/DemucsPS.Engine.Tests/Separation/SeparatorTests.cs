using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Separation;

public sealed class SeparatorTests
{
    [Theory]
    [InlineData(1, 0.25, 0)]
    [InlineData(100, 0.25, 0)]
    [InlineData(8192, 0.05, 0)]
    [InlineData(8193, 0.05, 0)]
    [InlineData(50000, 0.05, 0)]
    [InlineData(50000, 0.75, 0)]
    [InlineData(50000, 0.25, 3)]
    [InlineData(3000, 0.25, 2)]
    public void A_model_that_multiplies_gives_the_track_multiplied(int frames, double overlap, int shifts)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split(normalization: "none"));
        MemoryTrack track = MemoryTrack.Noise(frames, 5);
        float[][] outputs = Separate(
            bag,
            track,
            StemMatrix.Choose(bag.Contract.Stems, null),
            new SeparationOptions
            {
                Overlap = overlap,
                Shifts = shifts,
                Seed = 3,
            }
        );
        for (int stem = 0; stem < 4; stem++)
        {
            Assert.Equal(2 * frames, outputs[stem].Length);
            for (int i = 0; i < frames; i++)
            {
                Assert.Equal(track.Left[i] * (stem + 1), outputs[stem][2 * i], 1e-5f);
                Assert.Equal(track.Right[i] * (stem + 1), outputs[stem][2 * i + 1], 1e-5f);
            }
        }
    }

    [Fact]
    public void The_normalization_is_undone()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split());
        MemoryTrack track = MemoryTrack.Noise(20000, 6);
        for (int i = 0; i < 20000; i++)
        {
            track.Left[i] = 0.01f * track.Left[i] + 0.3f;
            track.Right[i] = 0.01f * track.Right[i] + 0.3f;
        }
        // The model doubles the normalized mix, so the mean stays and what is around it doubles.
        float[] bass = Separate(bag, track, StemMatrix.Choose(bag.Contract.Stems, ["bass"]), new SeparationOptions())[0];
        double mean = TrackStatistics.Measure(track.Restarted(), "track").Mean;
        for (int i = 0; i < 20000; i++)
            Assert.Equal(mean + 2 * (track.Left[i] - mean), bass[2 * i], 1e-5);
    }

    [Fact]
    public void A_bag_is_the_weighted_mean_and_models_without_weight_are_not_run()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["a.onnx"], SmallModels.Split(normalization: "none", factor: 1));
        // Not a number in every stem: any run of it would be noticed.
        File.WriteAllBytes(folder["b.onnx"], SmallModels.Split(normalization: "none", factor: float.NaN));
        File.WriteAllBytes(folder["c.onnx"], SmallModels.Split(normalization: "none", factor: 5));
        using ModelBag bag = ModelBag.Load(
            [.. new[] { "a.onnx", "b.onnx", "c.onnx" }.Select(f => ModelSource.Find(folder[f]))],
            [
                [1, 0, 0, 3],
                [0, 1, 0, 0],
                [0, 0, 1, 1],
            ],
            new OnnxSessionOptions()
        );
        Assert.Equal("a+b+c", bag.Name);
        MemoryTrack track = MemoryTrack.Noise(9000, 7);
        float[][] outputs = Separate(
            bag,
            track,
            StemMatrix.Choose(bag.Contract.Stems, ["drums", "other", "vocals"]),
            new SeparationOptions()
        );
        for (int i = 0; i < 9000; i++)
        {
            Assert.Equal(track.Left[i], outputs[0][2 * i], 1e-5f);
            Assert.Equal(track.Left[i] * 15, outputs[1][2 * i], 1e-4f);
            Assert.Equal(track.Left[i] * (3 * 4 + 1 * 20) / 4, outputs[2][2 * i], 1e-4f);
        }
        DemucsException notFinite = Assert.Throws<DemucsException>(() =>
            Separate(bag, track.Restarted(), StemMatrix.Choose(bag.Contract.Stems, ["bass"]), new SeparationOptions())
        );
        Assert.Equal(DemucsError.DemucsModelInvalid, notFinite.Error);
        Assert.Contains("not finite", notFinite.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void The_number_of_jobs_changes_no_bit(int jobs)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split());
        MemoryTrack track = MemoryTrack.Noise(100000, 8);
        SeparationOptions options = new() { Overlap = 0.3, Shifts = 2 };
        StemMatrix all = StemMatrix.Choose(bag.Contract.Stems, null);
        Assert.Equal(Separate(bag, track.Restarted(), all, options), Separate(bag, track.Restarted(), all, options with { Jobs = jobs }));
    }

    [Fact]
    public void Frames_come_out_with_the_chunk_that_makes_them_final()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split());
        MemoryTrack track = MemoryTrack.Noise(100000, 9);
        StemMatrix selection = StemMatrix.Choose(bag.Contract.Stems, ["bass"]);
        MemorySink sink = new(1);
        List<int> written = [];
        new Separator(bag, selection, new SeparationOptions()).Separate(
            track,
            "track",
            TrackStatistics.Measure(track.Restarted(), "track"),
            sink,
            _ => written.Add(sink.Interleaved(0).Length / 2),
            CancellationToken.None
        );
        Assert.Equal([.. Enumerable.Range(1, 12).Select(i => i * 7782), 100000], written);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Frames_are_written_while_later_chunks_are_in_the_model(int jobs)
    {
        const int Blocked = 5;
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split());
        MemoryTrack track = MemoryTrack.Noise(100000, 9);
        using ManualResetEventSlim atModel = new(),
            written = new();
        int runs = 0;
        CountingSink sink = new(frames =>
        {
            // Chunk k makes the frames before chunk k + 1 final. With this many jobs, the runs before the blocked one end.
            if (frames >= (Blocked - jobs + 1) * 7782)
                written.Set();
        });
        using ThreadLocal<int> chunkOfThread = new();
        SeparationOptions options = new() { Jobs = jobs, Attempting = (chunk, _) => chunkOfThread.Value = chunk };
        Separator separator = new(bag, StemMatrix.Choose(bag.Contract.Stems, ["bass"]), options)
        {
            Observe = step =>
            {
                // None overtakes another on its way to the model, whatever the system does with their threads.
                if (step == ChunkStep.Transformed)
                    SpinWait.SpinUntil(() => Volatile.Read(ref runs) >= chunkOfThread.Value);
                if (step != ChunkStep.Running || Interlocked.Increment(ref runs) <= Blocked)
                    return;
                atModel.Set();
                // Were nothing written before this run ends, it would never end.
                written.Wait(TestContext.Current.CancellationToken);
            },
        };
        separator.Separate(
            track,
            "track",
            TrackStatistics.Measure(track.Restarted(), "track"),
            sink,
            null,
            TestContext.Current.CancellationToken
        );
        Assert.True(atModel.IsSet);
        Assert.Equal(100000, sink.Frames);
        Assert.Equal(13, runs);
    }

    [Fact]
    public void The_next_segment_is_read_and_transformed_while_the_model_runs()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split());
        MemoryTrack track = MemoryTrack.Noise(100000, 9);
        TrackStatistics statistics = TrackStatistics.Measure(track.Restarted(), "track");
        using ManualResetEventSlim transformed = new();
        int segments = 0,
            runs = 0;
        Separator separator = new(bag, StemMatrix.Choose(bag.Contract.Stems, ["bass"]), new SeparationOptions())
        {
            Observe = step =>
            {
                if (step == ChunkStep.Transformed && Interlocked.Increment(ref segments) == 2)
                    transformed.Set();
                // The first run does not end before the second segment is ready.
                if (step == ChunkStep.Running && Interlocked.Increment(ref runs) == 1)
                    transformed.Wait(TestContext.Current.CancellationToken);
            },
        };
        separator.Separate(track, "track", statistics, new MemorySink(1), null, TestContext.Current.CancellationToken);
        Assert.Equal(13, runs);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void No_more_runs_are_in_the_model_than_there_are_jobs(int jobs)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split());
        MemoryTrack track = MemoryTrack.Noise(100000, 9);
        // As many slots as jobs are taken, and the chunk after them is ready: only then does the first run begin.
        using CountdownEvent slots = new(jobs),
            segments = new(jobs + 1);
        Lock gate = new();
        int inside = 0,
            most = 0,
            runs = 0;
        Separator separator = new(bag, StemMatrix.Choose(bag.Contract.Stems, null), new SeparationOptions { Jobs = jobs })
        {
            Observe = step =>
            {
                bool first = false;
                lock (gate)
                {
                    if (step == ChunkStep.Transformed && !segments.IsSet)
                        segments.Signal();
                    if (step == ChunkStep.Running)
                    {
                        most = Math.Max(most, ++inside);
                        first = ++runs <= jobs;
                        if (first)
                            slots.Signal();
                    }
                    // Told within the slot: after it, another worker could already be counted.
                    if (step == ChunkStep.Done)
                        inside--;
                }
                if (!first)
                    return;
                slots.Wait(TestContext.Current.CancellationToken);
                segments.Wait(TestContext.Current.CancellationToken);
            },
        };
        separator.Separate(
            track,
            "track",
            TrackStatistics.Measure(track.Restarted(), "track"),
            new MemorySink(4),
            null,
            TestContext.Current.CancellationToken
        );
        Assert.Equal(0, inside);
        Assert.Equal(13, runs);
        Assert.Equal(jobs, most);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void A_source_that_changes_between_the_passes_is_refused(int change)
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split());
        MemoryTrack measured = MemoryTrack.Noise(20000, 10),
            read = MemoryTrack.Noise(20000 + change, 10);
        StemMatrix selection = StemMatrix.Choose(bag.Contract.Stems, null);
        DemucsException error = Assert.Throws<DemucsException>(() =>
            new Separator(bag, selection, new SeparationOptions()).Separate(
                read,
                "track.wav",
                TrackStatistics.Measure(measured, "track.wav"),
                new MemorySink(4),
                null,
                CancellationToken.None
            )
        );
        Assert.Equal(DemucsError.AudioTrackCorrupt, error.Error);
        Assert.Contains("track.wav", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Canceling_ends_the_separation()
    {
        using TemporaryFolder folder = new();
        using ModelBag bag = Bag(folder, SmallModels.Split());
        MemoryTrack track = MemoryTrack.Noise(1_000_000, 11);
        using CancellationTokenSource stop = new();
        int last = 0;
        Assert.ThrowsAny<OperationCanceledException>(() =>
            new Separator(bag, StemMatrix.Choose(bag.Contract.Stems, null), new SeparationOptions { Jobs = 2 }).Separate(
                track,
                "track",
                TrackStatistics.Measure(track.Restarted(), "track", cancellationToken: CancellationToken.None),
                new MemorySink(4),
                done =>
                {
                    last = done;
                    if (done == 3)
                        stop.Cancel();
                },
                stop.Token
            )
        );
        Assert.Equal(3, last);
    }

    [Fact]
    public void Statistics_are_those_of_the_mean_of_the_channels()
    {
        MemoryTrack track = MemoryTrack.Noise(100_003, 12);
        double[] mono = [.. track.Left.Zip(track.Right, (l, r) => ((double)l + r) / 2)];
        double mean = mono.Average(),
            deviation = Math.Sqrt(mono.Sum(x => (x - mean) * (x - mean)) / (mono.Length - 1));
        TrackStatistics statistics = TrackStatistics.Measure(track, "track");
        Assert.Equal(100_003, statistics.Frames);
        Assert.Equal(mean, statistics.Mean, 1e-12);
        Assert.Equal(deviation, statistics.Deviation, 1e-12);
        Assert.Equal(track.Left.Concat(track.Right).Max(Math.Abs), statistics.Peak);
        Assert.Equal(0, TrackStatistics.Measure(new MemoryTrack([0.5f], [0.5f]), "one").Deviation);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Samples_that_are_no_numbers_are_found(float value)
    {
        MemoryTrack track = MemoryTrack.Noise(50_000, 13);
        track.Right[40_001] = value;
        DemucsException error = Assert.Throws<DemucsException>(() => TrackStatistics.Measure(track, "/music/bad.wav"));
        Assert.Equal(DemucsError.AudioTrackCorrupt, error.Error);
        Assert.Contains("/music/bad.wav", error.Message, StringComparison.Ordinal);
        Assert.Contains("40001", error.Message, StringComparison.Ordinal);
    }

    private static ModelBag Bag(TemporaryFolder folder, byte[] model)
    {
        File.WriteAllBytes(folder["model.onnx"], model);
        return ModelBag.Load([ModelSource.Find(folder["model.onnx"])], null, new OnnxSessionOptions());
    }

    private static float[][] Separate(ModelBag bag, MemoryTrack track, StemMatrix selection, SeparationOptions options)
    {
        MemorySink sink = new(selection.Names.Count);
        new Separator(bag, selection, options).Separate(
            track,
            "track",
            TrackStatistics.Measure(track.Restarted(), "track"),
            sink,
            null,
            CancellationToken.None
        );
        return [.. Enumerable.Range(0, selection.Names.Count).Select(sink.Interleaved)];
    }
}
