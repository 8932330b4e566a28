namespace DemucsPS.Engine.Audio.Flac;

/// <summary>Where the channels of a stream come from in a part of it that has another number of them.</summary>
internal static class FlacChannelMap
{
    /// <summary>The place of a channel that the part does not have.</summary>
    public const int None = -1;

    /// <summary>
    /// For every channel of the stream the channel of the part; where there are two, their mean. A channel goes to the one of its name,
    /// since places differ: the left one at the back is the third of four and the fifth of six. But mono goes to both front channels, which
    /// is where it is heard and which are taken where nothing else is requested, and into mono go both, so that what is on one side only is
    /// not lost.
    /// </summary>
    /// <param name="part">Channels of the part, 1 to 8.</param>
    /// <param name="stream">Channels of the stream, another number.</param>
    public static (int First, int Second)[] Make(int part, int stream)
    {
        if (stream == 1)
            return [(0, 1)];
        string[] names = [.. ChannelNames.Usual(part)];
        return
        [
            .. ChannelNames
                .Usual(stream)
                .Select(
                    (name, channel) =>
                    {
                        int place =
                            part > 1 ? Array.IndexOf(names, name)
                            : channel < 2 ? 0
                            : None;
                        return (place, place);
                    }
                ),
        ];
    }
}
