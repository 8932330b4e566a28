using System.CommandLine.Parsing;
using System.Globalization;

namespace DemucsPS.Cli;

/// <summary>
/// Numbers as options take them: in one way of writing, whatever the system's language. The usual parsers read 0,25 as 25.
/// </summary>
internal static class NumberArgument
{
    /// <summary>A number with or without decimals.</summary>
    public static double Decimal(ArgumentResult result) =>
        double.TryParse(Text(result), NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number
            : Refuse<double>(result, "a number");

    /// <summary>A whole number.</summary>
    public static int Whole(ArgumentResult result) =>
        int.TryParse(Text(result), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number)
            ? number
            : Refuse<int>(result, $"a whole number of at most {int.MaxValue}");

    /// <summary>A number of an option that has no default.</summary>
    public static double? OptionalDecimal(ArgumentResult result) => Decimal(result);

    /// <summary>A whole number of an option that has no default.</summary>
    public static int? OptionalWhole(ArgumentResult result) => Whole(result);

    private static string Text(ArgumentResult result) => result.Tokens[^1].Value;

    private static T? Refuse<T>(ArgumentResult result, string wanted)
    {
        string text = Text(result),
            option = (result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name;
        result.AddError(
            text.Contains(',', StringComparison.Ordinal)
                ? $"'{text}' for {option} has a comma. Write decimals with a point (0.25), and thousands without separators (48000)."
                : $"'{text}' for {option} is not {wanted}."
        );
        return default;
    }
}
