using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Input;

/// <summary>A track of a CUE sheet.</summary>
/// <param name="File">Full path of the file that it is in, as the sheet names it.</param>
/// <param name="Number">Its number, 1 to 99; 0 for a hidden track before the first.</param>
/// <param name="Start">Where it begins (INDEX 01), in CD frames of 1/75 s.</param>
/// <param name="End">Where the next one in the same file begins; null for the end of the file.</param>
/// <param name="Tags">What the sheet says about it.</param>
internal sealed record CueTrack(string File, int Number, long Start, long? End, TrackTags Tags)
{
    /// <summary>CD frames per second.</summary>
    public const int CdRate = 75;

    /// <summary>Whether the sheet says that its treble was raised for the CD (FLAGS PRE).</summary>
    public bool IsPreEmphasized { get; init; }

    /// <summary>Number and title: <c>03 Title</c>.</summary>
    public string Name =>
        Tags.TryGetValue("title", out string? title)
            ? FormattableString.Invariant($"{Number:00} {title}")
            : FormattableString.Invariant($"{Number:00}");

    /// <summary>Its part of the file; null for all of it.</summary>
    /// <param name="sampleRate">The file's, in Hz.</param>
    public FrameRange? Range(int sampleRate)
    {
        long start = ToFrames(Start, sampleRate);
        if (End is { } end)
            return new FrameRange(start, ToFrames(end, sampleRate) - start);
        return start == 0 ? null : new FrameRange(start, null);
    }

    private static long ToFrames(long cdFrames, int sampleRate) => ((2 * cdFrames * sampleRate) + CdRate) / (2 * CdRate);
}
