using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tests.Separation;

public sealed class CheckpointPaceTests
{
    [Theory]
    // At first a quarter of what is done, then two hundred times what it takes.
    [InlineData(0.01, 2, 0.5)]
    [InlineData(0.01, 8, 2)]
    [InlineData(0.01, 100, 2)]
    [InlineData(0.01, 36000, 2)]
    // On a slow disk half a minute.
    [InlineData(0.5, 36000, 30)]
    // Where that takes too much of the time, a twentieth of it.
    [InlineData(0.5, 4, 10)]
    [InlineData(5, 36000, 100)]
    public void The_pause_is_a_share_of_the_time_within_what_may_be_lost(double took, double done, double pause) =>
        Assert.Equal(pause, CheckpointPace.PauseAfter(TimeSpan.FromSeconds(took), TimeSpan.FromSeconds(done)).TotalSeconds, 6);
}
