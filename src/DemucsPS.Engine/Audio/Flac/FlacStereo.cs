namespace DemucsPS.Engine.Audio.Flac;

/// <summary>How a FLAC frame codes two channels (RFC 9639, section 4.2).</summary>
internal enum FlacStereo
{
    /// <summary>Each channel for itself; also any number of channels other than two.</summary>
    Independent,

    /// <summary>Left, and left minus right.</summary>
    LeftSide,

    /// <summary>Left minus right, and right.</summary>
    SideRight,

    /// <summary>Half the sum, rounded down, and left minus right.</summary>
    MidSide,
}
