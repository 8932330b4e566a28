using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;

namespace DemucsPS.Engine.Comparison;

/// <summary>A separation that is about to be made, or would be.</summary>
/// <param name="Track">The track.</param>
/// <param name="Setting">The way, as text.</param>
/// <param name="Plan">What it takes.</param>
/// <param name="PagePath">Full path of the page that plays all ways of the track, if one is made.</param>
public sealed record PlannedSeparation(TrackSource Track, string Setting, SeparationPlan Plan, string PagePath);
