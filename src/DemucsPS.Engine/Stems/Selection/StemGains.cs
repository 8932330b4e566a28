using System.Globalization;

namespace DemucsPS.Engine.Stems.Selection;

/// <summary>
/// Gains of stems in decibels, by name: −∞ silences a stem, and a stem that is not named stays at 0 dB, as on a mixing desk.
/// </summary>
public sealed class StemGains
{
    /// <summary>Greatest gain in decibels: a hundredfold.</summary>
    public const double MaxDecibels = 40;

    private readonly List<KeyValuePair<string, double>> _decibels = [];

    /// <summary>Takes gains.</summary>
    /// <param name="decibels">Names of stems, in any case, and gains: −∞ … <see cref="MaxDecibels"/>.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: none, a name twice, or a gain out of
    /// range.</exception>
    public StemGains(IEnumerable<KeyValuePair<string, double>> decibels)
    {
        foreach ((string name, double gain) in decibels)
        {
            if (_decibels.Exists(g => string.Equals(g.Key, name, StringComparison.OrdinalIgnoreCase)))
                throw Wrong($"The mixdown has two gains for '{name}'. Give one.");
            if (!(gain <= MaxDecibels))
                throw Wrong(FormattableString.Invariant($"The gain of '{name}' is {gain} dB; it must be -inf to {MaxDecibels} dB."));
            _decibels.Add(new(name, gain));
        }
        if (_decibels.Count == 0)
            throw Wrong("The mixdown names no stem. Give gains in decibels, such as vocals=-inf,drums=-6.");
    }

    /// <summary>The gains in decibels.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Decibels => _decibels;

    /// <summary>
    /// Reads gains such as <c>vocals=-6,drums=0</c> or <c>vocals=-inf</c>; numbers are written with a point, whatever the culture.
    /// </summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: it is not such a text.</exception>
    public static StemGains Parse(string text) =>
        new(
            text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(entry =>
                {
                    string[] sides = entry.Split('=', StringSplitOptions.TrimEntries);
                    // The rest of a number that begins before the comma.
                    if (sides is [var rest] && rest.Length > 0 && rest.All(char.IsAsciiDigit))
                        throw Wrong(
                            $"The mixdown '{text}' has a comma before '{entry}'. Commas separate stems. Write decimals with a point, such as vocals=0.5."
                        );
                    if (sides is not [{ Length: > 0 } name, { Length: > 0 } gain])
                        throw Wrong(
                            $"'{entry}' in the mixdown '{text}' is not a stem with a gain. Write a mixdown as vocals=-6,drums=-inf."
                        );
                    return new KeyValuePair<string, double>(name, ParseGain(name, gain));
                })
        );

    /// <summary>Reads one gain: a number of decibels, or <c>-inf</c>.</summary>
    /// <exception cref="DemucsException"><see cref="DemucsError.ParameterInvalid"/>: it is neither.</exception>
    public static double ParseGain(string name, string gain)
    {
        gain = gain.EndsWith("dB", StringComparison.OrdinalIgnoreCase) ? gain[..^2].TrimEnd() : gain;
        if (gain.ToLowerInvariant() is "-inf" or "-infinity" or "-∞")
            return double.NegativeInfinity;
        return double.TryParse(gain, NumberStyles.Float, CultureInfo.InvariantCulture, out double decibels)
            ? decibels
            : throw Wrong($"The gain '{gain}' of '{name}' is not a number of decibels. Write it as -6, 1.5 or -inf.");
    }

    /// <summary>The factor of a gain: 10^(dB/20).</summary>
    internal static float Factor(double decibels) => (float)Math.Pow(10, decibels / 20);

    private static DemucsException Wrong(string message) =>
        new(DemucsError.ParameterInvalid, message) { Parameter = EngineParameter.Mixdown };
}
