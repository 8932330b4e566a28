using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tests.Models.Weights;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>Several chunks computed by a model at once.</summary>
public sealed class ChunkBatchTests
{
    // Eight chunks at the overlap of 0.25: with three at once, one place is left over.
    private const int Frames = 390_000;

    private static readonly MemoryTrack s_track = MemoryTrack.Noise(Frames, 21);

    private static readonly Lazy<float[]> s_oneByOne = new(() =>
    {
        using ModelBag bag = Bag(1);
        return Separate(bag, new SeparationOptions { Overlap = 0.25 });
    });

    [Theory]
    [InlineData(2, 1, 0)]
    [InlineData(3, 1, 0)]
    [InlineData(3, 2, 0)]
    [InlineData(2, 1, 1)]
    public void Stems_are_those_of_chunks_one_by_one_to_rounding(int batch, int jobs, int shifts)
    {
        SeparationOptions options = new()
        {
            Overlap = 0.25,
            Jobs = jobs,
            Shifts = shifts,
            Seed = 5,
        };
        float[] expected = s_oneByOne.Value;
        if (shifts > 0)
        {
            using ModelBag one = Bag(1);
            expected = Separate(one, options);
        }
        using ModelBag bag = Bag(batch);
        Assert.EndsWith($", batches of {batch}", bag.Runtime, StringComparison.Ordinal);
        float[] stems = Separate(bag, options);
        Assert.InRange(TestSegment.Agreement([expected], [stems]), 100, double.PositiveInfinity);
        // Eight chunks, one time each, and those of the same batch in one run.
        if (shifts == 0)
            Assert.Equal((8 + batch - 1) / batch, bag.RunCount);
    }

    [Fact]
    public void Bits_depend_neither_on_jobs_nor_on_where_a_separation_begins()
    {
        using ModelBag bag = Bag(3);
        float[] whole = Separate(bag, new SeparationOptions { Overlap = 0.25 });
        Assert.Equal(whole, Separate(bag, new SeparationOptions { Overlap = 0.25, Jobs = 2 }));
        // In the middle of the second batch.
        const int First = 220_000;
        int before = bag.RunCount;
        Assert.Equal(whole[(2 * First)..], Separate(bag, new SeparationOptions { Overlap = 0.25 }, First));
        Assert.Equal(2, bag.RunCount - before);
    }

    [Fact]
    public void A_chunk_that_fails_is_tried_again_by_itself_and_the_others_go_on()
    {
        using ModelBag bag = Bag(3);
        float[] whole = Separate(bag, new SeparationOptions { Overlap = 0.25 });
        List<ChunkRetry> retried = [];
        int failing = 0,
            before = bag.RunCount;
        float[] stems = Separate(
            bag,
            new SeparationOptions
            {
                Overlap = 0.25,
                Attempting = (chunk, attempt) =>
                {
                    if ((chunk, attempt) == (1, 1))
                        Volatile.Write(ref failing, Environment.CurrentManagedThreadId);
                },
            },
            retried: retried,
            observe: step =>
            {
                if (step != ChunkStep.Transformed || Volatile.Read(ref failing) != Environment.CurrentManagedThreadId)
                    return;
                Volatile.Write(ref failing, 0);
                // By then the others wait for it, and must be told that it does not come.
                Thread.Sleep(500);
                throw Failure();
            }
        );
        Assert.Equal(whole, stems);
        Assert.Contains("injected", Assert.Single(Assert.Single(retried).Failures), StringComparison.Ordinal);
        Assert.Equal(3 + 1, bag.RunCount - before);
    }

    [Fact]
    public void Where_a_run_fails_each_of_its_chunks_is_tried_again()
    {
        using ModelBag bag = Bag(3);
        float[] whole = Separate(bag, new SeparationOptions { Overlap = 0.25 });
        List<ChunkRetry> retried = [];
        int running = 0,
            before = bag.RunCount;
        float[] stems = Separate(
            bag,
            new SeparationOptions { Overlap = 0.25, Jobs = 2 },
            retried: retried,
            observe: step =>
            {
                if (step == ChunkStep.Running && Interlocked.Increment(ref running) == 1)
                    throw Failure();
            }
        );
        Assert.Equal(whole, stems);
        // The second batch has all of its chunks, too, should it have come first.
        Assert.Equal(3, retried.Count);
        Assert.Equal(2 + 3, bag.RunCount - before);
    }

    [Fact]
    public void Chunks_of_a_run_that_failed_are_tried_again_one_after_another()
    {
        // Each takes the memory of a batch, inputs of all places included.
        using ModelBag bag = Bag(8);
        float[] whole = Separate(bag, new SeparationOptions { Overlap = 0.25 });
        List<ChunkRetry> retried = [];
        bool failed = false;
        int atWork = 0,
            most = 0;
        float[] stems = Separate(
            bag,
            new SeparationOptions { Overlap = 0.25, Jobs = 2 },
            retried: retried,
            observe: step =>
            {
                if (step == ChunkStep.Running && !failed)
                {
                    failed = true;
                    throw Failure();
                }
                if (step == ChunkStep.Transformed && failed)
                {
                    most = Math.Max(most, Interlocked.Increment(ref atWork));
                    Thread.Sleep(20);
                }
                if (step == ChunkStep.Done && failed)
                    Interlocked.Decrement(ref atWork);
            }
        );
        Assert.Equal(whole, stems);
        Assert.Equal(8, retried.Count);
        Assert.Equal(1, most);
    }

    [Fact]
    public void A_batch_that_lacks_memory_is_not_tried_again()
    {
        // It would take as much again, and a batch of 64 takes long to fail.
        using ModelBag bag = Bag(4);
        DemucsException e = Assert.Throws<DemucsException>(() =>
            Separate(
                bag,
                new SeparationOptions { Overlap = 0.25 },
                observe: step =>
                {
                    if (step == ChunkStep.Running)
                        throw new InsufficientMemoryException("injected.");
                }
            )
        );
        Assert.Equal(DemucsError.OutOfMemory, e.Error);
        Assert.Equal(
            "Chunk 0 (of 0 to 7) of track could not be separated in 1 attempt. Not enough memory for a chunk: injected. Use smaller batches, run fewer jobs, or close other programs.",
            e.Message
        );
    }

    [Fact]
    public void A_chunk_that_always_fails_ends_the_track_though_others_wait_for_it()
    {
        using ModelBag bag = Bag(4);
        DemucsException e = Assert.Throws<DemucsException>(() =>
            Separate(
                bag,
                new SeparationOptions
                {
                    Overlap = 0.25,
                    RetryCount = 1,
                    Attempting = (chunk, _) =>
                    {
                        if (chunk == 2)
                            throw Failure();
                    },
                }
            )
        );
        Assert.StartsWith("Chunk 2 (of 0 to 7) of track could not be separated in 2 attempts.", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Canceling_wakes_those_that_wait()
    {
        using ModelBag bag = Bag(4);
        using CancellationTokenSource stop = new();
        int transformed = 0;
        Assert.ThrowsAny<OperationCanceledException>(() =>
            Separate(
                bag,
                new SeparationOptions { Overlap = 0.25 },
                observe: step =>
                {
                    if (step != ChunkStep.Transformed || Interlocked.Increment(ref transformed) != 3)
                        return;
                    stop.Cancel();
                    // The others wait for it.
                    stop.Token.WaitHandle.WaitOne(TimeSpan.FromSeconds(1));
                    throw new OperationCanceledException(stop.Token);
                },
                cancellationToken: stop.Token
            )
        );
    }

    [Fact]
    public async Task Canceling_wakes_those_that_wait_for_chunks_that_are_never_started()
    {
        using ModelBag bag = Bag(3);
        using CancellationTokenSource stop = new();
        Task separation = Task.Run(() =>
            Separate(
                bag,
                new SeparationOptions { Overlap = 0.25 },
                chunkDone: done =>
                {
                    // Of six chunks two were taken, and the first of the last batch was started.
                    if (done != 2)
                        return;
                    // By then it waits for the other one.
                    Thread.Sleep(500);
                    stop.Cancel();
                },
                cancellationToken: stop.Token
            ),
            TestContext.Current.CancellationToken
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => separation.WaitAsync(TimeSpan.FromMinutes(1)));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(1L)]
    public void The_models_of_a_bag_get_the_same_batches_together_or_in_turn(long? memory)
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["other.safetensors"], LittleModel.With("t_weight_pos_embed", 0.5));
        ModelSource[] models = [ModelSource.Find(LittleModel.File), ModelSource.Find(folder["other.safetensors"])];
        SeparationOptions options = new() { Overlap = 0.25, Jobs = 2 };
        using ModelBag one = Load(models, 1, null),
            two = Load(models, 3, memory);
        Assert.InRange(TestSegment.Agreement([Separate(one, options)], [Separate(two, options)]), 100, double.PositiveInfinity);
        Assert.Equal(6, two.RunCount);
    }

    [Fact]
    public void What_takes_one_chunk_at_a_time_is_refused_before_anything_is_loaded()
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["model.onnx"], SmallModels.Split());
        foreach (string model in new[] { folder["model.onnx"], "baseline" })
        {
            DemucsException e = Assert.Throws<DemucsException>(() => Open(ModelSource.Find(model), 2));
            Assert.Equal(DemucsError.ParameterInvalid, e.Error);
            Assert.Contains("takes one chunk at a time, so the batch size must be 1 and not 2", e.Message, StringComparison.Ordinal);
            Assert.Equal(EngineParameter.BatchSize, e.Parameter);
            Open(ModelSource.Find(model), 1).Dispose();
        }
        foreach (int batch in new[] { -1, 0, 65 })
        {
            DemucsException e = Assert.Throws<DemucsException>(() => Open(ModelSource.Find(LittleModel.File), batch));
            Assert.Equal((DemucsError.ParameterInvalid, EngineParameter.BatchSize), (e.Error, e.Parameter));
        }
    }

    [Theory]
    [InlineData(0, 0, 8, 3)]
    [InlineData(2, 0, 8, 2)]
    [InlineData(1, 4, 4, 2)]
    [InlineData(1, 5, 3, 1)]
    public void A_batch_knows_how_many_chunks_it_will_have(int batch, int first, int count, int members)
    {
        Assert.Equal(members, new ChunkPlace(first, first, count, AllCome: true).MembersOf(batch, 3));
        Assert.Equal(1, new ChunkPlace(first, first, count, AllCome: false).MembersOf(batch, 3));
    }

    private static ModelBag Bag(int batch) => Load([ModelSource.Find(LittleModel.File)], batch, null);

    private static ModelBag Load(IReadOnlyList<ModelSource> models, int batch, long? memory) =>
        ModelBag.Load(
            new ModelSelection { Models = models, BatchSize = batch },
            null,
            new OnnxSessionOptions(),
            prepare: true,
            Assert.Fail,
            jobs: 2,
            memory
        );

    private static ModelBag Open(ModelSource model, int batch) =>
        ModelBag.Open(new ModelSelection { Models = [model], BatchSize = batch }, null, new OnnxSessionOptions());

    private static DemucsException Failure() => new(DemucsError.DemucsModelInvalid, "injected");

    private static float[] Separate(
        ModelBag bag,
        SeparationOptions options,
        long firstFrame = 0,
        List<ChunkRetry>? retried = null,
        Action<ChunkStep>? observe = null,
        Action<int>? chunkDone = null,
        CancellationToken cancellationToken = default
    )
    {
        // Chunks that wait for one that never comes must fail the test, not hold it up.
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        MemorySink sink = new(1);
        StemMatrix selection = StemMatrix.Choose(bag.Contract.Stems, ["vocals"]);
        new Separator(bag, selection, options) { Observe = observe }.Separate(
            s_track.Restarted(),
            "track",
            TrackStatistics.Measure(s_track.Restarted(), "track", cancellationToken: CancellationToken.None),
            sink,
            chunkDone,
            firstFrame,
            retried is null ? null : retried.Add,
            null,
            limit.Token
        );
        return sink.Interleaved(0).ToArray();
    }
}
