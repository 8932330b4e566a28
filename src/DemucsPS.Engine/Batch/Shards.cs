namespace DemucsPS.Engine.Batch;

/// <summary>Divides a batch so that all workers have about as much to do.</summary>
internal static class Shards
{
    // What a track costs beside its length: opening, naming and noting it.
    private const double SecondsATrack = 1;

    /// <summary>
    /// Assigns each track to one share: the longest first, each to the share that has least so far (LPT; R. L. Graham, "Bounds on
    /// multiprocessing timing anomalies", 1969). The same for the same tracks, in whatever order they are given.
    /// </summary>
    /// <param name="tracks">The tracks, each with a name that no other has, and its length in seconds; null if unknown, which counts as the
    /// mean of the others.</param>
    /// <param name="count">Number of shares, at least 1.</param>
    /// <returns>The share of each track, from 1, in the order of the tracks.</returns>
    public static int[] Assign(IReadOnlyList<(string Key, double? Seconds)> tracks, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        double mean = tracks.Select(t => t.Seconds).OfType<double>().DefaultIfEmpty(0).Order().Average();
        int[] order = [.. Enumerable.Range(0, tracks.Count)];
        Array.Sort(order, (a, b) =>
        {
            int longer = (tracks[b].Seconds ?? mean).CompareTo(tracks[a].Seconds ?? mean);
            return longer != 0 ? longer : string.CompareOrdinal(tracks[a].Key, tracks[b].Key);
        });
        PriorityQueue<int, (double Load, int Share)> shares = new(count);
        for (int share = 1; share <= count; share++)
            shares.Enqueue(share, (0, share));
        int[] assigned = new int[tracks.Count];
        foreach (int track in order)
        {
            shares.TryPeek(out int share, out (double Load, int) least);
            assigned[track] = share;
            shares.DequeueEnqueue(share, (least.Load + (tracks[track].Seconds ?? mean) + SecondsATrack, share));
        }
        return assigned;
    }
}
