namespace DemucsPS.Engine.Audio;

/// <summary>What a file may claim about itself before it is taken for damaged or hostile.</summary>
internal static class AudioLimits
{
    /// <summary>More channels than any real file has: 64 is seventh-order ambisonics.</summary>
    public const int MaxChannels = 64;

    /// <summary>The highest rate that converters use (16 times 48 kHz), in frames per second.</summary>
    public const int MaxSampleRate = 768_000;

    /// <summary>Values of tags in a file; further ones are left out.</summary>
    public const int MaxTags = 1_000;

    /// <summary>Bytes that a file's tags have in all, names and values, in UTF-8. What goes beyond is left out.</summary>
    public const int MaxTagBytes = 1 << 20;

    /// <summary>Bytes of one value in UTF-8; a longer one, which is hardly text, is left out.</summary>
    public const int MaxTagValueBytes = 64 << 10;

    /// <summary>Characters in the name of a field; one with a longer name is left out.</summary>
    public const int MaxTagNameChars = 256;
}
