namespace DemucsPS.Engine.Clusters;

/// <summary>What one task of a job works on.</summary>
/// <param name="Tracks">Numbers of its tracks in the list that was planned, counted from 0, in the order of that list.</param>
/// <param name="Audio">Length of their audio together.</param>
public sealed record ClusterTask(IReadOnlyList<int> Tracks, TimeSpan Audio);
