namespace DemucsPS.Engine.Clusters;

/// <summary>What has become of a track of a job.</summary>
public enum TrackState
{
    /// <summary>Nobody has said anything of it: it waits, is worked on, or was lost with its task.</summary>
    Missing,

    /// <summary>A task had to stop in the middle of it; what it did is kept.</summary>
    Left,

    /// <summary>It had an error.</summary>
    Failed,

    /// <summary>Its stems are there.</summary>
    Done,
}
