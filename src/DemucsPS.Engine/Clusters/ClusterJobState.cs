namespace DemucsPS.Engine.Clusters;

/// <summary>How a job stands.</summary>
public enum ClusterJobState
{
    /// <summary>Its folder is there, and nothing was handed to a scheduler.</summary>
    Prepared,

    /// <summary>Tasks wait for their turn, and none runs.</summary>
    Waiting,

    /// <summary>Tasks run.</summary>
    Running,

    /// <summary>No task waits or runs, and tracks failed or are missing.</summary>
    Incomplete,

    /// <summary>All tracks are done.</summary>
    Done,

    /// <summary>The scheduler could not be asked; what is known is from the results.</summary>
    Unknown,
}
