using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// Divides the chunks of a track into rounds of as many as there are jobs. The runs of a round keep to a thread each, so none waits for
/// another; the chunks that are left over after
/// the last round would keep one thread each busy and leave the others idle, so they share all threads.
/// </summary>
/// <param name="Jobs">Chunks that run at once, at least 1.</param>
/// <param name="Chunks">Chunks of the track.</param>
internal readonly record struct ChunkScheduler(int Jobs, int Chunks)
{
    private int LeftOver => Chunks % Jobs;

    /// <summary>How a chunk runs.</summary>
    /// <param name="index">Its number in the order of starting, from 0.</param>
    public RunResources Share(int index)
    {
        int behindRounds = Chunks - LeftOver;
        // Both kinds of runs have memory of their own, so the one is told to give its back before the other begins.
        return new RunResources(index < behindRounds, LeftOver > 0 && index >= behindRounds - Jobs);
    }
}
