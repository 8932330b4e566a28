namespace DemucsPS.Engine.Batch;

/// <summary>What a worker did with a track.</summary>
public enum TrackStatus
{
    /// <summary>Its stems were written.</summary>
    Done,

    /// <summary>Its stems were there already.</summary>
    Skipped,

    /// <summary>It had an error.</summary>
    Failed,

    /// <summary>It is not finished: the worker had to end in the middle of it, or another one has it.</summary>
    Left,
}
