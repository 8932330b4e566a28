namespace DemucsPS.Engine.Clusters;

/// <summary>What happened to a track of a job.</summary>
public enum TrackState
{
    /// <summary>There is no result yet: it is waiting, being separated, or was lost with its task.</summary>
    Missing,

    /// <summary>A task had to stop in the middle of it; what it did is kept.</summary>
    Left,

    /// <summary>It had an error.</summary>
    Failed,

    /// <summary>Its stems are there.</summary>
    Done,
}
