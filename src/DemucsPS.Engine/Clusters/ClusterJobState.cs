namespace DemucsPS.Engine.Clusters;

/// <summary>The state of a job.</summary>
public enum ClusterJobState
{
    /// <summary>Its folder is there, and nothing was submitted to a scheduler.</summary>
    Prepared,

    /// <summary>Tasks are waiting, and none is running.</summary>
    Waiting,

    /// <summary>Tasks are running.</summary>
    Running,

    /// <summary>No task is waiting or running, and tracks failed or are missing.</summary>
    Incomplete,

    /// <summary>All tracks are done.</summary>
    Done,

    /// <summary>The scheduler is unavailable; the state is known from the results only.</summary>
    Unknown,
}
