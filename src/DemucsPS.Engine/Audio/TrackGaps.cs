using System.Collections.ObjectModel;

namespace DemucsPS.Engine.Audio;

/// <summary>The gaps of a track, in their order, as they are found.</summary>
internal sealed class TrackGaps
{
    /// <summary>Gaps that are noted; a file that has more is one great gap.</summary>
    public const int Max = 1000;

    private const int MaxTold = 5;
    private readonly List<TrackGap> _gaps = [];
    private long _more;
    private string _first = "";

    public TrackGaps() => All = new ReadOnlyCollection<TrackGap>(_gaps);

    /// <summary>Them all, up to <see cref="Max"/>.</summary>
    public IReadOnlyList<TrackGap> All { get; }

    /// <summary>Notes a gap. One that begins where the last one ends continues from it.</summary>
    /// <param name="gap">The gap.</param>
    /// <param name="damage">What is damaged, as the end of a sentence.</param>
    public void Add(TrackGap gap, string damage)
    {
        if (_gaps.Count == 0)
            _first = damage;
        if (_gaps is [.., { } last] && last.StartFrame + last.Frames == gap.StartFrame && last.IsFilled == gap.IsFilled)
            _gaps[^1] = last with { Frames = last.Frames + gap.Frames };
        else if (_gaps.Count < Max)
            _gaps.Add(gap);
        else
            _more++;
    }

    /// <summary>The warning about all gaps so far that are filled.</summary>
    /// <param name="path">The file.</param>
    public string Sentence(string path)
    {
        TrackGap[] filled = [.. _gaps.Where(gap => gap.IsFilled)];
        long others = filled.Length - Math.Min(filled.Length, MaxTold) + _more;
        return $"'{path}' is damaged: {_first}. Silence replaces what is lost, so that the rest keeps its timing: {string.Join(", ", filled.Take(MaxTold))}{(others > 0 ? $", and {others} more times" : "")}. Fetch or export the file again.";
    }
}
