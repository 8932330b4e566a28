namespace DemucsPS.Engine.Clusters;

/// <summary>Limits of a cluster.</summary>
/// <param name="MaxArraySize">Slurm's own: the tasks of an array are numbered below it.</param>
/// <param name="MaxTasks">Tasks that can still be submitted: by the controller's <c>MaxJobCount</c> and, where there is accounting, the
/// user's <c>MaxSubmitJobs</c>, less what is queued.</param>
public sealed record SlurmLimits(int MaxArraySize, int MaxTasks);
