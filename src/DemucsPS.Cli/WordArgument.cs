using System.CommandLine.Parsing;

namespace DemucsPS.Cli;

/// <summary>Words that options choose from. They are said as the help says them, not as the program calls them inside.</summary>
internal static class WordArgument
{
    /// <summary>One of the words, in any case.</summary>
    public static T Of<T>(ArgumentResult result)
        where T : struct, Enum
    {
        string text = result.Tokens[^1].Value,
            option = (result.Parent as OptionResult)?.Option.Name ?? result.Argument.Name;
        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(Enum.GetName(value), text, StringComparison.OrdinalIgnoreCase))
                return value;
        }
        result.AddError(
            $"'{text}' is not a value for {option}. Values are {string.Join(", ", Enum.GetNames<T>().Select(name => name.ToLowerInvariant()))}."
        );
        return default;
    }

    /// <summary>The same of an option that has no default.</summary>
    public static T? Optional<T>(ArgumentResult result)
        where T : struct, Enum => Of<T>(result);
}
