using DemucsPS.Engine.Onnx;

namespace DemucsPS.Engine.Models.HTDemucs;

/// <summary>What is chosen of a graph besides its weights.</summary>
internal sealed record HTDemucsGraphOptions
{
    /// <summary>The length of a segment, which the graph computes at once, in frames of 44,100 a second; at least 4096.</summary>
    public required int SegmentFrames { get; init; }

    /// <summary>How many segments the graph takes at once.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>What the graph is to run on.</summary>
    public GraphForm Form { get; init; }
}
