namespace DemucsPS.Engine.Clusters;

/// <summary>Tracks that failed for the same cause.</summary>
/// <param name="Error">The error's id.</param>
/// <param name="Count">How many.</param>
/// <param name="Nodes">Where, in the order of their names: a cause on one node alone is most often that node's.</param>
/// <param name="Message">The message of the first of them.</param>
/// <param name="SourcePath">That one's source.</param>
public sealed record FailureGroup(string Error, int Count, IReadOnlyList<string> Nodes, string Message, string SourcePath);
