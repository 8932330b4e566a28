namespace DemucsPS.Engine.Batch;

/// <summary>How a worker's run ended.</summary>
/// <param name="Failed">Tracks that had an error.</param>
/// <param name="IsMoreToDo">Whether tracks are left for another run: those that the time did not suffice for, and those that another worker
/// has.</param>
public sealed record BatchEnd(int Failed, bool IsMoreToDo);
