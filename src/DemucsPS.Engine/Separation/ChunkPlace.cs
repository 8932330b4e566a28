using DemucsPS.Engine.Inference;

namespace DemucsPS.Engine.Separation;

/// <summary>Where a chunk is among those of its track.</summary>
/// <param name="Number">Its number among all chunks of the track, from 0.</param>
/// <param name="First">The number of the first that will be started.</param>
/// <param name="Count">How many will be, that one included.</param>
/// <param name="AllCome">Whether they will be started one after the other, without a gap; otherwise it is looked at what else is there
/// when it runs, and each has a batch to itself.</param>
internal readonly record struct ChunkPlace(int Number, int First, int Count, bool AllCome)
{
    /// <summary>How many chunks of a batch will be started.</summary>
    /// <param name="batch">Its number; batch 0 has the first chunks of the track.</param>
    /// <param name="batchSize">Places of a batch.</param>
    public int MembersOf(int batch, int batchSize) =>
        AllCome ? Math.Min((batch + 1) * batchSize, First + Count) - Math.Max(batch * batchSize, First) : 1;

    /// <summary>What the chunk's batch takes of the machine.</summary>
    /// <param name="jobs">Batches that run at once.</param>
    /// <param name="batchSize">Places of a batch.</param>
    public RunResources Share(int jobs, int batchSize)
    {
        int first = First / batchSize,
            last = (First + Count - 1) / batchSize;
        return new ChunkScheduler(jobs, last - first + 1).Share(Number / batchSize - first);
    }
}
