using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Batch;

/// <summary>One worker's share of a batch.</summary>
/// <param name="Tracks">All tracks of the batch that this worker had to look at, in the order of their keys, or without shares in that of
/// the inputs.</param>
/// <param name="Mine">Those of them that are this worker's.</param>
public sealed record TrackShare(IReadOnlyList<TrackSource> Tracks, IReadOnlySet<TrackSource> Mine)
{
    /// <summary>Takes a share of what was given. Only files of the share are looked at, and folders and lists.</summary>
    /// <param name="inputs">Full paths of what was given.</param>
    /// <param name="options">What is taken of them.</param>
    /// <param name="list">Makes tracks of them, by the same options.</param>
    /// <param name="shard">Which share.</param>
    /// <param name="durations">The lengths of all tracks.</param>
    public static TrackShare Take(
        IReadOnlyList<string> inputs,
        TrackListOptions options,
        TrackList list,
        ShardNumber shard,
        TrackDurations durations
    )
    {
        int[] assigned = Shards.Assign([.. durations.Tracks.Select(track => (track.Key, track.Seconds))], shard.Count);
        Dictionary<string, int> shares = new(durations.Tracks.Count, StringComparer.Ordinal);
        for (int i = 0; i < assigned.Length; i++)
            shares[durations.Tracks[i].Key] = assigned[i];
        List<(string Key, TrackSource Track)> all = [];
        HashSet<TrackSource> mine = [];
        HashSet<string> passed = new(StringComparer.Ordinal);
        foreach (string input in inputs)
        {
            // What is a track by its own name need not be opened to know whose it is.
            TrackSource whole = new(input)
            {
                StreamIndex = options.StreamIndex,
                LateStart = options.LateStart,
                OnDamage = options.OnDamage,
            };
            string key = TrackDurations.KeyOf(whole);
            if (shares.TryGetValue(key, out int share) && share != shard.Index)
            {
                if (passed.Add(key))
                    all.Add((key, whole));
                continue;
            }
            foreach (TrackSource track in list.Expand(input))
            {
                string name = TrackDurations.KeyOf(track);
                // What came after the shares were made is in none.
                if (!shares.TryGetValue(name, out int owner) || !passed.Add(name))
                    continue;
                all.Add((name, track));
                if (owner == shard.Index)
                    mine.Add(track);
            }
        }
        all.Sort((a, b) => string.CompareOrdinal(a.Key, b.Key));
        return new TrackShare([.. all.Select(track => track.Track)], mine);
    }
}
