using System.Globalization;
using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Engine.Pictures;

/// <summary>Where the chunks of a track begin, and fade into each other.</summary>
internal sealed class ChunkGrid
{
    // Each pass over the track with its first frame; frames at 44,100 Hz.
    private readonly IReadOnlyList<(long Start, ChunkPlan Plan)> _passes;

    private ChunkGrid(IReadOnlyList<(long Start, ChunkPlan Plan)> passes) => _passes = passes;

    /// <summary>The grid of a plan.</summary>
    public static ChunkGrid Create(ChunkPlan plan) => new([(0, plan)]);

    /// <summary>The grid of a track that is cut so.</summary>
    /// <param name="seconds">Length of the track.</param>
    /// <param name="segmentFrames">Frames of a chunk at 44,100 Hz.</param>
    /// <param name="overlap">Share that neighbors have in common.</param>
    public static ChunkGrid Create(double seconds, int segmentFrames, double overlap) =>
        Create(ChunkPlan.Create(Math.Max(1, (long)Math.Round(seconds * DemucsAudio.SampleRate)), segmentFrames, overlap));

    /// <summary>The grid that the provenance of stems tells; null if it does not tell all of it.</summary>
    /// <param name="provenance">The provenance.</param>
    /// <param name="segmentFrames">Frames of a chunk at 44,100 Hz, where it does not say it.</param>
    public static ChunkGrid? Create(SeparationProvenance provenance, int segmentFrames)
    {
        IReadOnlyDictionary<string, string> said = provenance.Separation.Parameters;
        if (
            !double.TryParse(said.GetValueOrDefault("overlap"), NumberStyles.Float, CultureInfo.InvariantCulture, out double overlap)
            || !(overlap >= 0 && overlap <= ChunkPlan.MaxOverlap)
        )
            return null;
        if (
            said.GetValueOrDefault("segment") is { } segment
            && (
                !int.TryParse(segment.Split(' ')[0], NumberStyles.None, CultureInfo.InvariantCulture, out segmentFrames)
                || segmentFrames < 2
            )
        )
            return null;
        List<(long Start, ChunkPlan Plan)> passes = [];
        foreach (string text in said.GetValueOrDefault("shift offsets", "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int offset) || offset > SeparationOptions.MaxShift)
                return null;
            passes.Add(
                (
                    offset - SeparationOptions.MaxShift,
                    ChunkPlan.Create(provenance.Frames + SeparationOptions.MaxShift - offset, segmentFrames, overlap)
                )
            );
        }
        if (passes.Count == 0)
            passes.Add((0, ChunkPlan.Create(provenance.Frames, segmentFrames, overlap)));
        // Whether the length is right, their number tells.
        return passes.Sum(pass => (long)pass.Plan.Count) == provenance.Chunks ? new ChunkGrid(passes) : null;
    }

    /// <summary>
    /// Where a chunk begins, and where the one before it ends, in seconds of the track: all that touch a range, in no order.
    /// </summary>
    /// <param name="start">Start of the range in seconds.</param>
    /// <param name="end">Its end.</param>
    public IEnumerable<(double Start, double End)> Zones(double start, double end)
    {
        foreach ((long offset, ChunkPlan plan) in _passes)
        {
            long before = (long)(start * DemucsAudio.SampleRate) - offset;
            for (int i = (int)Math.Clamp((before - plan.SegmentFrames) / plan.Stride, 1, plan.Count); i < plan.Count; i++)
            {
                double from = (double)(offset + plan[i].Offset) / DemucsAudio.SampleRate,
                    to = (double)(offset + plan[i - 1].Offset + plan[i - 1].Length) / DemucsAudio.SampleRate;
                if (from > end)
                    break;
                if (to >= start)
                    yield return (from, to);
            }
        }
    }
}
