using System.CommandLine;
using System.CommandLine.Parsing;

namespace DemucsPS.Cli;

/// <summary>Finds what looks like an option and is none: the parser takes it for the name of a file, which would be separated without what was asked for.</summary>
internal static class UnknownOption
{
    /// <summary>An error for the first of them; null where there is none. What stands behind <c>--</c> are names, whatever they begin with.</summary>
    public static string? ErrorOf(ParseResult parsed)
    {
        HashSet<string> names = [.. parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value)];
        string? unknown = parsed.Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash).Select(token => token.Value).FirstOrDefault(text => text is ['-', _, ..] && names.Contains(text));
        if (unknown is null)
            return null;
        string command = string.Join(' ', Commands(parsed.CommandResult).Reverse());
        return $"'{unknown}' is no option of '{command}'; '{command} --help' lists them. A name that begins with a dash is given behind --.";
    }

    private static IEnumerable<string> Commands(SymbolResult result)
    {
        for (SymbolResult? at = result; at is CommandResult command; at = at.Parent)
            yield return command.Command is RootCommand ? "demucsps" : command.Command.Name;
    }
}
