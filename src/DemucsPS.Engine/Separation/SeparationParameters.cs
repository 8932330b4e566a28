using System.Globalization;

namespace DemucsPS.Engine.Separation;

/// <summary>
/// The parameters of a separation in words, for its journal and its provenance. Whatever can change a single bit of the stems belongs here; what cannot (jobs, retries, overwriting)
/// does not, so that an interrupted separation may be continued with fewer jobs.
/// </summary>
internal static class SeparationParameters
{
    /// <summary>All parameters by name, in alphabetical order.</summary>
    /// <param name="bag">The models' weights.</param>
    /// <param name="selection">The outputs.</param>
    /// <param name="options">How to cut, shift and blend.</param>
    /// <param name="format">How stems are written.</param>
    public static SortedDictionary<string, string> Describe(ModelBag bag, StemSelection selection, SeparationOptions options, StemFormat format)
    {
        IReadOnlyList<string> stems = bag.Contract.Stems;
        return new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["outputs"] = string.Join(", ", selection.Names.Zip(selection.Sums, (name, sum) => $"{name} = {string.Join('+', sum.Select(s => stems[s]))}")),
            ["weights"] = string.Join("; ", Enumerable.Range(0, bag.Models.Count).Select(m => string.Join(',', Enumerable.Range(0, stems.Count).Select(s => Number(bag.Weight(m, s)))))),
            ["overlap"] = Number(options.Overlap),
            ["shifts"] = Number(options.Shifts),
            ["shift offsets"] = string.Join(',', options.DrawShifts()),
            ["seed"] = Number(options.Seed),
            ["transition power"] = Number(options.TransitionPower),
            ["sample format"] = format.Sample.ToString(),
            ["clip"] = format.ClipInEffect.ToString(),
            ["dither"] = format.Dither ? "on" : "off",
        };
    }

    private static string Number<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);
}
