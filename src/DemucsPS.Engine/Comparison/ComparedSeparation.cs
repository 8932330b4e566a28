using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Quality;

namespace DemucsPS.Engine.Comparison;

/// <summary>A track separated with one of several settings.</summary>
public sealed record ComparedSeparation
{
    /// <summary>The track's name.</summary>
    public required string Track { get; init; }

    /// <summary>The way, as text; also the name of its folder.</summary>
    public required string Setting { get; init; }

    /// <summary>The separation.</summary>
    public required SeparationResult Result { get; init; }

    /// <summary>Figures against the reference stems; null if there are none.</summary>
    public TrackQuality? Quality { get; init; }

    /// <summary>
    /// Power of the difference from the stems of <see cref="DifferenceFrom"/>, of all that both have together, against the power of those,
    /// in dB; negative infinity where there is no difference, null for the first way itself and where there is nothing to compare.
    /// </summary>
    public double? DifferenceDb { get; init; }

    /// <summary>The first way that the track was separated in; null for that one itself.</summary>
    public string? DifferenceFrom { get; init; }

    /// <summary>
    /// The maximum memory that the whole process was seen to have while the track was separated, in bytes, looked at every 20 ms: the
    /// model, the program, and what the runtime has kept of earlier ways. Null if nothing was separated now.
    /// </summary>
    public long? PeakMemory { get; init; }

    /// <summary>Mean of the stems' medians; null without references.</summary>
    public double? Sdr => Quality?.Sdr;

    /// <summary>Mean over the stems; null without references.</summary>
    public double? NSdr => Quality?.NSdr;

    /// <summary>
    /// Time that the separation took, without loading the model; where it was made by an earlier run, the time that it took then.
    /// </summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Full path of the folder of the stems.</summary>
    public string Folder => Path.GetDirectoryName(Result.ProvenancePath)!;
}
