namespace DemucsPS.Engine.Records;

/// <summary>What happened to a stem's file since it was written.</summary>
public enum StemFileState
{
    /// <summary>It has the same bytes.</summary>
    Intact,

    /// <summary>It has other bytes.</summary>
    Changed,

    /// <summary>It is not there.</summary>
    Missing,

    /// <summary>It is there and cannot be read.</summary>
    Unreadable,
}
