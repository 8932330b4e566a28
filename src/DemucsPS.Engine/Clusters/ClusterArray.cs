namespace DemucsPS.Engine.Clusters;

/// <summary>
/// One array of a scheduler: its tasks are counted from 0, and stand for as many of the submission's from <paramref name="First"/>.
/// </summary>
/// <param name="Id">What the scheduler calls it.</param>
/// <param name="First">The task that its task 0 stands for.</param>
/// <param name="Count">How many tasks it has.</param>
public sealed record ClusterArray(string Id, int First, int Count);
