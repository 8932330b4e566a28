using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Tests.Inference;

public sealed class OnnxSessionTests
{
    [Fact]
    public void Inputs_outputs_and_metadata_are_read()
    {
        using OnnxSession session = OnnxSession.FromBytes(SmallModels.Split(sources: "a,b,c,d"), new OnnxSessionOptions());
        Assert.Equal(["mix float32[1,2,8192]", "z float32[1,4,2048,8]"], session.Inputs.Select(i => i.ToString()));
        Assert.Equal(["waves float32[1,4,2,8192]", "spectra float32[1,4,4,2048,8]"], session.Outputs.Select(o => o.ToString()));
        Assert.Equal("a,b,c,d", session.Metadata["sources"]);
    }

    [Fact]
    public void A_run_reads_and_writes_the_callers_own_memory()
    {
        float[] x = [1, 2, 3, 4, 5, 6, 7, 8, 9],
            y = new float[11];
        using OnnxSession session = OnnxSession.FromBytes(SmallModels.Slow(3, 1), new OnnxSessionOptions());
        // Also a part of an array: only that part is written.
        session.Run(
            [OnnxTensor.Create("x", x.AsMemory(), 3, 3)],
            [OnnxTensor.Create("y", y.AsMemory(1, 9), 3, 3)],
            TestContext.Current.CancellationToken
        );
        Assert.Equal([0, 30, 36, 42, 66, 81, 96, 102, 126, 150, 0], y);
    }

    [Theory]
    [InlineData(OnnxOptimizationLevel.None, 2)]
    [InlineData(OnnxOptimizationLevel.Basic, 1)]
    [InlineData(OnnxOptimizationLevel.All, 1)]
    public void The_optimization_level_reaches_the_runtime(OnnxOptimizationLevel level, int nodes)
    {
        using TemporaryFolder folder = new();
        OnnxGraphWriter graph = new("constants");
        OnnxValue constant = graph.Constant([1f, 2], [2]);
        // The sum of constants is a node less where the runtime computes it at load.
        graph.Output("y", graph.Input("x", 2) * (constant + constant), 2);
        OnnxSession
            .FromBytes(
                graph.ToBytes("tests", ""),
                new OnnxSessionOptions { OptimizationLevel = level, OptimizedModelPath = folder["rewritten.onnx"] }
            )
            .Dispose();
        Assert.Equal(nodes, GraphModel.Parse(File.ReadAllBytes(folder["rewritten.onnx"])).Nodes.Count);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public void The_arena_is_there_only_where_it_is_wanted(bool arena, bool pattern)
    {
        using OnnxSession session = OnnxSession.FromBytes(
            SmallModels.Slow(3, 1),
            new OnnxSessionOptions { CpuArena = arena, MemoryPattern = pattern }
        );
        float[] x = [1, 2, 3, 4, 5, 6, 7, 8, 9],
            y = new float[9];
        // Only an arena can be shrunk.
        Exception? refused = Record.Exception(() =>
            session.Run(
                [OnnxTensor.Create("x", x.AsMemory(), 3, 3)],
                [OnnxTensor.Create("y", y.AsMemory(), 3, 3)],
                shrink: true,
                TestContext.Current.CancellationToken
            )
        );
        Assert.Equal(arena ? null : OnnxRuntimeErrorCode.InvalidArgument, (refused as OnnxRuntimeException)?.Code);
        Assert.Equal(arena ? [30, 36, 42, 66, 81, 96, 102, 126, 150] : new float[9], y);
    }

    [Fact]
    public void Configuration_entries_reach_the_runtime()
    {
        OnnxSessionOptions wrong = new()
        {
            IntraOpThreads = 3,
            ConfigEntries = new Dictionary<string, string> { ["session.intra_op_thread_affinities"] = "nonsense" },
        };
        OnnxRuntimeException refused = Assert.Throws<OnnxRuntimeException>(() => OnnxSession.FromBytes(SmallModels.Slow(3, 1), wrong));
        Assert.Contains("affinit", refused.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Loading_is_canceled_in_the_middle()
    {
        using TemporaryFolder folder = new();
        using CancellationTokenSource stop = new();
        byte[] model = SmallModels.Slow(3, 1);
        File.WriteAllBytes(folder["model.onnx"], model);
        OnnxSessionOptions options = new() { OptimizedModelPath = folder["optimized.onnx"], Creating = stop.Cancel };
        Assert.ThrowsAny<OperationCanceledException>(() => OnnxSession.FromFile(folder["model.onnx"], options, stop.Token));
        Assert.ThrowsAny<OperationCanceledException>(() => OnnxSession.FromBytes(model, options, stop.Token));
        // It did not come to writing this, which comes last.
        Assert.Equal(["model.onnx"], folder.Files());
        OnnxSession.FromBytes(model, options with { Creating = null }, CancellationToken.None).Dispose();
        Assert.Equal(2, folder.Files().Length);
    }

    [Fact]
    public void Errors_carry_the_runtimes_own_words()
    {
        OnnxRuntimeException notAModel = Assert.Throws<OnnxRuntimeException>(() =>
            OnnxSession.FromBytes("nonsense"u8.ToArray(), new OnnxSessionOptions())
        );
        Assert.Equal(OnnxRuntimeErrorCode.InvalidProtobuf, notAModel.Code);

        using OnnxSession session = OnnxSession.FromBytes(SmallModels.Slow(3, 1), new OnnxSessionOptions());
        OnnxRuntimeException wrongShape = Assert.Throws<OnnxRuntimeException>(() =>
            session.Run(
                [OnnxTensor.Create("x", new float[8].AsMemory(), 2, 4)],
                [OnnxTensor.Create("y", new float[9].AsMemory(), 3, 3)],
                TestContext.Current.CancellationToken
            )
        );
        Assert.Equal(OnnxRuntimeErrorCode.InvalidArgument, wrongShape.Code);
        Assert.Contains("dimensions", wrongShape.Message, StringComparison.OrdinalIgnoreCase);

        Assert.Throws<ArgumentException>(() => OnnxTensor.Create("x", new float[8].AsMemory(), 3, 3));
    }

    [Fact]
    public async Task A_canceled_run_ends_before_its_time()
    {
        // Thousands of products, minutes of work: finishing at all within the limit shows that the run was stopped.
        using OnnxSession session = OnnxSession.FromBytes(
            SmallModels.Slow(1024, 20000),
            new OnnxSessionOptions { OptimizationLevel = OnnxOptimizationLevel.None }
        );
        using CancellationTokenSource stop = new(TimeSpan.FromMilliseconds(300));
        float[] x = new float[1024 * 1024],
            y = new float[1024 * 1024];
        Task run = Task.Run(
            () =>
                session.Run(
                    [OnnxTensor.Create("x", x.AsMemory(), 1024, 1024)],
                    [OnnxTensor.Create("y", y.AsMemory(), 1024, 1024)],
                    stop.Token
                ),
            CancellationToken.None
        );
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.WaitAsync(TimeSpan.FromMinutes(1), CancellationToken.None));
    }

    [Fact]
    public async Task Disposing_during_a_run_lets_the_run_finish()
    {
        float[] x = [1, 0, 0, 1],
            y = new float[4];
        OnnxSession session = OnnxSession.FromBytes(
            SmallModels.Slow(2, 20000),
            new OnnxSessionOptions { OptimizationLevel = OnnxOptimizationLevel.None }
        );
        Task run = Task.Run(
            () => session.Run([OnnxTensor.Create("x", x.AsMemory(), 2, 2)], [OnnxTensor.Create("y", y.AsMemory(), 2, 2)]),
            CancellationToken.None
        );
        session.Dispose();
        try
        {
            await run;
            Assert.Equal(x, y);
        }
        catch (ObjectDisposedException)
        {
            // Disposing came first; the run was refused, which is as good.
        }
        Assert.Throws<ObjectDisposedException>(() => session.Run([], [], TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Many_threads_may_run_one_session()
    {
        using OnnxSession session = OnnxSession.FromBytes(SmallModels.Slow(64, 10), new OnnxSessionOptions());
        float[] x = MemoryTrack.Noise(64 * 64, 1).Left;
        float[][] results = new float[16][];
        Parallel.For(0, results.Length, i =>
        {
            results[i] = new float[64 * 64];
            session.Run([OnnxTensor.Create("x", x.AsMemory(), 64, 64)], [OnnxTensor.Create("y", results[i].AsMemory(), 64, 64)]);
        });
        Assert.All(results, r => Assert.Equal(results[0], r));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void A_session_without_workers_gives_the_same_bits_and_ends(int threads)
    {
        const int Size = 200;
        float[] x = MemoryTrack.Noise(Size * Size, 1).Left,
            shared = new float[Size * Size];
        OnnxSessionOptions options = new() { IntraOpThreads = threads };
        byte[] model = SmallModels.Slow(Size, 20);
        using (OnnxSession session = OnnxSession.FromBytes(model, options))
        {
            Assert.Equal(0, session.WithheldThreads);
            Run(session, shared);
        }

        // Disposing joins the workers, so a session that could not end would hang here. Twice, because nothing of the first may be left.
        for (int time = 0; time < 2; time++)
        {
            using OnnxSession session = OnnxSession.FromBytes(model, options with { CallersOnly = true });
            // All that the runtime would start: everything else is computed by those who call.
            Assert.Equal(threads - 1, session.WithheldThreads);
            float[][] results = new float[8][];
            Parallel.For(0, results.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
                Run(session, results[i] = new float[Size * Size])
            );
            Assert.All(results, r => Assert.Equal(shared, r));
        }

        void Run(OnnxSession session, float[] y) =>
            session.Run([OnnxTensor.Create("x", x.AsMemory(), Size, Size)], [OnnxTensor.Create("y", y.AsMemory(), Size, Size)]);
    }

    [Fact]
    public void A_model_that_is_refused_leaves_no_worker_behind() =>
        Assert.Throws<OnnxRuntimeException>(() =>
            OnnxSession.FromBytes("nonsense"u8.ToArray(), new OnnxSessionOptions { IntraOpThreads = 4, CallersOnly = true })
        );

    [Fact]
    public void Memory_is_given_back_and_taken_again()
    {
        float[] x = MemoryTrack.Noise(64 * 64, 1).Left,
            first = new float[64 * 64],
            second = new float[64 * 64];
        using OnnxSession session = OnnxSession.FromBytes(SmallModels.Slow(64, 5), new OnnxSessionOptions());
        foreach (bool shrink in new[] { true, false, true, true })
        {
            session.Run(
                [OnnxTensor.Create("x", x.AsMemory(), 64, 64)],
                [OnnxTensor.Create("y", second.AsMemory(), 64, 64)],
                shrink,
                TestContext.Current.CancellationToken
            );
            if (first[0] == 0)
                second.CopyTo(first, 0);
            Assert.Equal(first, second);
        }
    }

    [Fact]
    public void Sessions_come_and_go_while_others_run()
    {
        // All have their memory from one arena, which is there as long as any of them.
        float[] x = MemoryTrack.Noise(64 * 64, 1).Left;
        byte[] model = SmallModels.Slow(64, 5);
        float[][] results = new float[32][];
        Parallel.For(0, results.Length, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            results[i] = new float[64 * 64];
            using OnnxSession session = OnnxSession.FromBytes(model, new OnnxSessionOptions { IntraOpThreads = 1, CpuArena = i % 4 != 0 });
            Assert.Throws<OnnxRuntimeException>(() => OnnxSession.FromBytes("nonsense"u8.ToArray(), new OnnxSessionOptions()));
            session.Run(
                [OnnxTensor.Create("x", x.AsMemory(), 64, 64)],
                [OnnxTensor.Create("y", results[i].AsMemory(), 64, 64)],
                shrink: i % 4 == 1,
                CancellationToken.None
            );
        });
        Assert.All(results, r => Assert.Equal(results[0], r));
    }

    [Fact]
    public void The_library_says_where_and_what_it_is()
    {
        Assert.True(File.Exists(OnnxRuntimeLibrary.Path));
        Assert.Matches(@"^1\.\d+\.\d+", OnnxRuntimeLibrary.Version);
        Assert.Contains("CPUExecutionProvider", OnnxRuntimeLibrary.AvailableProviders);
    }
}
