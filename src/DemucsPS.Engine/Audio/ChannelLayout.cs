namespace DemucsPS.Engine.Audio;

/// <summary>What is separated of a file with more than two channels.</summary>
public enum ChannelLayout
{
    /// <summary>The first two channels, as left and right, with a warning.</summary>
    FirstTwo,

    /// <summary>Every pair of channels as a track of its own: of 5.1 front left and right, center, low frequencies, and back left and right.</summary>
    Pairs,
}
