namespace DemucsPS.Engine.Audio;

/// <summary>Which channels of a file with more than two are separated.</summary>
public enum ChannelLayout
{
    /// <summary>The first two channels, as left and right, with a warning.</summary>
    FirstTwo,

    /// <summary>
    /// Every pair of channels as its own track: of 5.1 front left and right, center, low frequencies, and back left and right.
    /// </summary>
    Pairs,
}
