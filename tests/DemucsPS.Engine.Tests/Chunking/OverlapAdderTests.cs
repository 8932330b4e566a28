using DemucsPS.Engine.Chunking;

namespace DemucsPS.Engine.Tests.Chunking;

public sealed class OverlapAdderTests
{
    private const int Segment = 100;

    [Theory]
    [InlineData(0.05, 1)]
    [InlineData(0.25, 1)]
    [InlineData(0.25, 2)]
    [InlineData(0.75, 1)]
    public void Chunks_of_one_signal_join_to_that_signal(double overlap, double power)
    {
        float[] signal = MemoryTrack.Noise(1234, 1).Left;
        Assert.All(
            Join(signal.Length, overlap, power, (_, chunk) => signal.AsSpan((int)chunk.Offset, chunk.Length).ToArray()).Zip(signal),
            p => Assert.Equal(p.Second, p.First, 1e-6f)
        );
    }

    [Fact]
    public void Neighbors_are_crossfaded_linearly_in_the_frames_they_share()
    {
        // Chunk 0 is all 0, chunk 1 all 1: the join shows the gain of chunk 1.
        float[] joined = Join(180, 0.2, 1, (index, chunk) => Enumerable.Repeat((float)index, chunk.Length).ToArray());
        Assert.All(joined[..80], x => Assert.Equal(0, x));
        for (int i = 0; i < 20; i++)
            Assert.Equal((i + 1) / 21f, joined[80 + i], 1e-6f);
        Assert.All(joined[100..160], x => Assert.Equal(1, x));
    }

    [Fact]
    public void Chunks_out_of_order_are_refused()
    {
        OverlapAdder adder = new(1, TransitionWeights.Create(Segment));
        adder.AddWeights(0, Segment);
        adder.Advance(50);
        Assert.Throws<ArgumentOutOfRangeException>(() => adder.AddWeights(40, 10));
        Assert.Throws<ArgumentOutOfRangeException>(() => adder.AddWeights(100, Segment));
    }

    private static float[] Join(int frames, double overlap, double power, Func<int, ChunkSpan, float[]> chunkOf)
    {
        ChunkPlan plan = ChunkPlan.Create(frames, Segment, overlap);
        OverlapAdder adder = new(1, TransitionWeights.Create(Segment, power));
        List<float> joined = [];
        for (int i = 0; i < plan.Count; i++)
        {
            Take(plan[i].Offset);
            adder.AddWeights(plan[i].Offset, plan[i].Length);
            adder.AddSignal(0, plan[i].Offset, chunkOf(i, plan[i]));
        }
        Take(frames);
        return [.. joined];

        void Take(long end)
        {
            float[] part = new float[end - adder.Start];
            adder.Read(0, adder.Start, part);
            joined.AddRange(part);
            adder.Advance(part.Length);
        }
    }
}
