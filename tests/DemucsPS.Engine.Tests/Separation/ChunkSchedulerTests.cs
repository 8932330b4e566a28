using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Inference;

namespace DemucsPS.Engine.Tests.Separation;

public sealed class ChunkSchedulerTests
{
    [Theory]
    // O: on its own thread; S: sharing all threads; small letters: gives its memory back.
    [InlineData(2, 6, "OOOOOO")]
    [InlineData(2, 5, "OOoos")]
    [InlineData(2, 3, "oos")]
    [InlineData(2, 1, "s")]
    [InlineData(4, 10, "OOOOooooss")]
    [InlineData(4, 3, "sss")]
    [InlineData(1, 3, "OOO")]
    public void Rounds_are_as_wide_as_there_are_jobs(int jobs, int chunks, string expected)
    {
        string got = string.Concat(
            Enumerable
                .Range(0, chunks)
                .Select(index =>
                {
                    RunResources share = new ChunkScheduler(jobs, chunks).Share(index);
                    char letter = share.OwnThreadOnly ? 'O' : 'S';
                    return share.ReleasesMemory ? char.ToLowerInvariant(letter) : letter;
                })
        );
        Assert.Equal(expected, got);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 3)]
    [InlineData(4, 4)]
    public void As_many_jobs_as_threads_give_each_a_thread_and_the_same_bits(int jobs, int onOwnThread)
    {
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["mixing.onnx"], SmallModels.Mixing());
        Check(folder["mixing.onnx"], SmallModels.Segment, jobs, onOwnThread);
    }

    [Theory]
    [LongInlineData(4, 4)]
    public void So_they_do_with_a_reference_model(int jobs, int onOwnThread) =>
        Check(RepositoryFiles.TinyModel, 343_980, jobs, onOwnThread);

    private static void Check(string path, int segment, int jobs, int onOwnThread)
    {
        const int Threads = 3,
            Chunks = 4;
        ModelSource model = ModelSource.Find(path);
        OnnxSessionOptions options = new() { IntraOpThreads = Threads };
        MemoryTrack track = MemoryTrack.Noise(Chunks * ChunkPlan.Create(segment, segment, new SeparationOptions().Overlap).Stride, 4);
        Assert.Equal(Separate(1, out _), Separate(jobs, out int runs));
        Assert.Equal(onOwnThread, runs);

        float[] Separate(int atOnce, out int onOwnThreads)
        {
            using ModelBag bag = ModelBag.Load(new ModelSelection { Models = [model] }, null, options, jobs: atOnce);
            StemMatrix vocals = StemMatrix.Choose(bag.Contract.Stems, ["vocals"]);
            MemorySink sink = new(1);
            Separator separator = new(bag, vocals, new SeparationOptions { Jobs = atOnce });
            Assert.Equal(Chunks, separator.CountChunks(track.Left.Length));
            separator.Separate(
                track.Restarted(),
                "track",
                TrackStatistics.Measure(track.Restarted(), "track"),
                sink,
                null,
                TestContext.Current.CancellationToken
            );
            Assert.Equal(Chunks, bag.RunCount);
            onOwnThreads = bag.OwnThreadRunCount;
            return sink.Interleaved(0);
        }
    }
}
