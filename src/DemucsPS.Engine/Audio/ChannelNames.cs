using System.Numerics;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// What the channels of a file are: FL front left, FR front right, FC center, LFE low frequencies, BL back left, BR, SL side left, SR and
/// so on.
/// </summary>
internal static class ChannelNames
{
    // In the order of the bits of WAVEFORMATEXTENSIBLE's dwChannelMask, which is the order of the channels in a file, too.
    private static readonly string[] s_byBit =
    [
        "FL",
        "FR",
        "FC",
        "LFE",
        "BL",
        "BR",
        "FLC",
        "FRC",
        "BC",
        "SL",
        "SR",
        "TC",
        "TFL",
        "TFC",
        "TFR",
        "TBL",
        "TBC",
        "TBR",
    ];

    // RFC 9639, table in section 9.1.3: the order that FLAC prescribes and WAV files without a mask have.
    private static readonly string[][] s_byCount =
    [
        ["FC"],
        ["FL", "FR"],
        ["FL", "FR", "FC"],
        ["FL", "FR", "BL", "BR"],
        ["FL", "FR", "FC", "BL", "BR"],
        ["FL", "FR", "FC", "LFE", "BL", "BR"],
        ["FL", "FR", "FC", "LFE", "BC", "SL", "SR"],
        ["FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"],
    ];

    /// <summary>
    /// The names for a number of channels without more being known: those of FLAC for up to eight, numbers from 1 for more.
    /// </summary>
    public static IReadOnlyList<string> Usual(int channels) => channels <= s_byCount.Length ? s_byCount[channels - 1] : Numbers(channels);

    /// <summary>The names that a mask of speakers gives; the usual ones if it does not fit the number of channels.</summary>
    /// <param name="mask">Bit n for speaker n; 0 for none.</param>
    /// <param name="channels">Channels in a frame.</param>
    public static IReadOnlyList<string> FromMask(uint mask, int channels) =>
        mask >> s_byBit.Length == 0 && BitOperations.PopCount(mask) == channels
            ? [.. s_byBit.Where((_, bit) => (mask >> bit & 1) != 0)]
            : Usual(channels);

    /// <summary>
    /// Puts channels together that belong together: a left one and the right one after it; any other is alone. Numbered channels, of which
    /// nothing is known, come two by two.
    /// </summary>
    public static IReadOnlyList<ChannelPair> Pairs(IReadOnlyList<string> names)
    {
        List<ChannelPair> pairs = [];
        for (int channel = 0; channel < names.Count; channel++)
        {
            bool together = channel + 1 < names.Count && AreTogether(names[channel], names[channel + 1]);
            pairs.Add(
                together
                    ? new ChannelPair(channel, channel + 1, $"{names[channel]} {names[channel + 1]}")
                    : new ChannelPair(channel, channel, names[channel])
            );
            channel += together ? 1 : 0;
        }

        return pairs;
    }

    private static bool AreTogether(string first, string second) =>
        char.IsAsciiDigit(first[0])
        || (first.Contains('L', StringComparison.Ordinal) && first != "LFE" && first.Replace('L', 'R') == second);

    private static string[] Numbers(int channels) =>
        [.. Enumerable.Range(1, channels).Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture))];
}
