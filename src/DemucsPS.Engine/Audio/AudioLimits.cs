namespace DemucsPS.Engine.Audio;

/// <summary>What a file may claim about itself before it is taken for damaged or hostile.</summary>
internal static class AudioLimits
{
    /// <summary>More channels than any real file has: 64 is seventh-order ambisonics.</summary>
    public const int MaxChannels = 64;

    /// <summary>The highest rate that converters use (16 times 48 kHz), in frames per second.</summary>
    public const int MaxSampleRate = 768_000;
}
