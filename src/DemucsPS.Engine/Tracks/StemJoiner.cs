using System.Runtime.CompilerServices;
using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Tracks;

/// <summary>
/// Joins chunks of any number of tracks, stems and models, in any order, to whole stems: the end of <see cref="Separator"/> by itself, with
/// the same results bit for bit. Not thread-safe. Memory: the stems being joined, and chunks that came before one that precedes them.
/// </summary>
/// <remarks>
/// Chunks of different models are different stems. Only where, at the end, none of a track's stems of one name is whole and their chunks
/// have no number in common, they are joined to one stem: that is how a chunk is redone with another model.
/// </remarks>
public sealed class StemJoiner
{
    private readonly double _transitionPower;
    private readonly bool _force;
    private readonly Dictionary<int, float[]> _weights = [];

    // Joined stems must not keep their tracks in memory for the rest of a long batch, but a chunk that comes twice must be noticed as long
    // as there are chunks.
    private readonly ConditionalWeakTable<
        AudioTrack,
        Dictionary<(int Segment, int Stride, string Stem, string Model), StemAssembly>
    > _tracks = [];
    private readonly List<StemAssembly> _open = [];
    private readonly List<StemAssembly> _doubled = [];

    /// <summary>Prepares joining.</summary>
    /// <param name="transitionPower">Power of the crossfade's weights, 1 … <see cref="TransitionWeights.MaxPower"/>.</param>
    /// <param name="force">Whether, at the end, stems with missing or doubled chunks are joined: missing ones silent, of doubled ones the
    /// first.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: the power is out of range.</exception>
    public StemJoiner(double transitionPower = 1, bool force = false)
    {
        TransitionWeights.CheckPower(transitionPower);
        _transitionPower = transitionPower;
        _force = force;
    }

    /// <summary>Adds a chunk.</summary>
    /// <returns>The stem, if this was the last chunk it lacked.</returns>
    public Stem? Add(StemChunk chunk)
    {
        StemAssembly assembly = Find(chunk);
        if (!assembly.Add(chunk))
        {
            if (!_doubled.Contains(assembly))
                _doubled.Add(assembly);
            if (!_force && _open.Remove(assembly))
                assembly.Discard();
            return null;
        }
        if (!assembly.IsWhole || !_open.Remove(assembly))
            return null;
        return assembly.Finish();
    }

    /// <summary>Accounts for everything that is not joined; once, when no more chunks come.</summary>
    public IEnumerable<StemJoinResult> Complete()
    {
        foreach (StemAssembly assembly in _doubled)
            yield return ResultOfDoubled(assembly);
        // Tracks are compared by reference, as they are in the table.
        foreach (
            IGrouping<(AudioTrack, int, int, string), StemAssembly> group in _open
                .GroupBy(a => (a.Track, a.Plan.SegmentFrames, a.Plan.Stride, a.StemName))
                .ToList()
        )
        {
            foreach (StemAssembly assembly in Combine([.. group]))
            {
                _open.Remove(assembly);
                yield return ResultOfOpen(assembly);
            }
        }
        _doubled.Clear();
    }

    private StemJoinResult ResultOfDoubled(StemAssembly assembly)
    {
        string which =
            $"{ChunkNumbers(assembly.Doubled)} of the stem '{assembly.StemName}' of '{assembly.Track.SourcePath}' (model {assembly.ModelName}) occurred more than once";
        if (_force)
            return new StemJoinResult(assembly.Track, null, null, $"{which}; the first ones were joined.");
        DemucsException error = new(
            DemucsError.StemChunkDoubled,
            $"{which}, {(assembly.IsFinished ? "after the stem had been joined from the first ones" : "so the stem was not joined")}. Pass every chunk once.",
            assembly.Track.SourcePath
        )
        {
            Remedies = assembly.IsFinished ? [] : [Remedy.JoinFirst],
        };
        return new StemJoinResult(assembly.Track, null, error, null);
    }

    private StemJoinResult ResultOfOpen(StemAssembly assembly)
    {
        int[] missing = assembly.Missing();
        if (missing.Length == 0)
            return new StemJoinResult(assembly.Track, assembly.Finish(), null, null);
        string which =
            $"The stem '{assembly.StemName}' of '{assembly.Track.SourcePath}' (model {assembly.ModelName}) lacks {ChunkNumbers(missing)} (of 0 to {assembly.Plan.Count - 1})";
        if (_force)
            return new StemJoinResult(assembly.Track, assembly.Finish(), null, $"{which}; parts covered by no other chunk are silent.");
        assembly.Discard();
        DemucsException error = new(
            DemucsError.StemChunkMissing,
            $"{which}. Separate the missing chunks, and join all of them.",
            assembly.Track.SourcePath
        )
        {
            Remedies = [Remedy.JoinIncomplete],
        };
        return new StemJoinResult(assembly.Track, null, error, null);
    }

    private static List<StemAssembly> Combine(List<StemAssembly> assemblies)
    {
        if (assemblies.Count == 1 || assemblies.Sum(a => a.Count) != assemblies.SelectMany(a => a.Present()).Distinct().Count())
            return assemblies;
        // By their first chunks, so that the joint name does not depend on the order of arrival. Only the first can have started to blend:
        // the one with chunk 0.
        assemblies = [.. assemblies.OrderBy(a => a.Present().First())];
        StemAssembly first = assemblies[0];
        foreach (StemAssembly other in assemblies.Skip(1))
            first.TakeAll(other);
        return [first];
    }

    private StemAssembly Find(StemChunk chunk)
    {
        Dictionary<(int, int, string, string), StemAssembly> ofTrack = _tracks.GetOrCreateValue(chunk.Chunk.Track);
        (int, int, string, string) key = (chunk.Chunk.SegmentFrames, chunk.Chunk.Stride, chunk.StemName, chunk.ModelName);
        if (ofTrack.TryGetValue(key, out StemAssembly? found))
            return found;
        if (!_weights.TryGetValue(chunk.Chunk.SegmentFrames, out float[]? weights))
            _weights.Add(chunk.Chunk.SegmentFrames, weights = TransitionWeights.Create(chunk.Chunk.SegmentFrames, _transitionPower));
        StemAssembly assembly = new(chunk, weights);
        ofTrack.Add(key, assembly);
        _open.Add(assembly);
        return assembly;
    }

    /// <summary>For people: <c>chunk 3</c>, <c>chunks 1, 4-7</c>.</summary>
    private static string ChunkNumbers(IReadOnlyCollection<int> numbers)
    {
        List<string> parts = [];
        int[] sorted = [.. numbers.Distinct().Order()];
        for (int i = 0; i < sorted.Length;)
        {
            int last = i;
            while (last + 1 < sorted.Length && sorted[last + 1] == sorted[last] + 1)
                last++;
            parts.Add(
                last == i ? $"{sorted[i]}"
                : last == i + 1 ? $"{sorted[i]}, {sorted[last]}"
                : $"{sorted[i]}-{sorted[last]}"
            );
            i = last + 1;
        }
        return $"{(sorted.Length == 1 ? "chunk" : "chunks")} {string.Join(", ", parts)}";
    }
}
