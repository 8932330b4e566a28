using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

public sealed class ChunkPaceTests
{
    [Theory]
    [InlineData(10, 3, "2.50 s per chunk, 18 s for the remaining 7.")]
    [InlineData(3, 3, "2.50 s per chunk.")]
    [InlineData(1, 1, "2.50 s per chunk.")]
    public void The_time_of_a_chunk_is_said_once_after_the_first_few(int chunks, int after, string said)
    {
        TimeSpan now = TimeSpan.FromHours(1);
        ChunkPace pace = new(() => now);
        Assert.Null(pace.Take(new SeparationProgress(SeparationStage.Measuring, 100, 100, null)));
        Assert.Null(pace.Take(new SeparationProgress(SeparationStage.Separating, 0, chunks, null)));
        for (int done = 1; done <= chunks; done++)
        {
            now += TimeSpan.FromSeconds(2.5);
            Assert.Equal(done == after ? said : null, pace.Take(new SeparationProgress(SeparationStage.Separating, done, chunks, null)));
        }
        Assert.Null(pace.Take(new SeparationProgress(SeparationStage.Writing, 1, 4, null)));
    }
}
