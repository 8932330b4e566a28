using System.CommandLine;
using System.CommandLine.Parsing;

namespace DemucsPS.Cli;

/// <summary>
/// Finds what looks like an option and is none, and switches with values: the parser takes them for names of files, which would be
/// separated without what was requested.
/// </summary>
internal static class UnknownOption
{
    /// <summary>
    /// An error for the first of them; null if there is none. What stands after <c>--</c> are names, whatever they begin with.
    /// </summary>
    /// <param name="parsed">The arguments, parsed without an error.</param>
    /// <param name="arguments">The same as they were given.</param>
    public static string? ErrorOf(ParseResult parsed, IReadOnlyList<string> arguments)
    {
        if (
            arguments
                .TakeWhile(argument => argument != "--")
                .Select(argument => argument.Split('=', ':'))
                .FirstOrDefault(parts => parts.Length > 1 && IsSwitch(parts[0], parsed.CommandResult)) is
            { } parts
        )
            return $"{parts[0]} takes no value.";
        HashSet<string> names =
        [
            .. parsed.CommandResult.Children.OfType<ArgumentResult>().SelectMany(argument => argument.Tokens).Select(token => token.Value),
        ];
        string? unknown = parsed
            .Tokens.TakeWhile(token => token.Type != TokenType.DoubleDash)
            .Select(token => token.Value)
            .FirstOrDefault(text => text is ['-', _, ..] && names.Contains(text));
        if (unknown is null)
            return null;
        string command = string.Join(' ', Commands(parsed.CommandResult).Reverse());
        return $"'{unknown}' is not an option of '{command}'; '{command} --help' lists them. Put names that begin with a dash after --.";
    }

    private static bool IsSwitch(string text, SymbolResult result)
    {
        for (SymbolResult? at = result; at is CommandResult command; at = at.Parent)
        {
            if (command.Command.Options.OfType<Option<bool>>().Any(option => option.Name == text || option.Aliases.Contains(text)))
                return true;
        }
        return false;
    }

    private static IEnumerable<string> Commands(SymbolResult result)
    {
        for (SymbolResult? at = result; at is CommandResult command; at = at.Parent)
            yield return command.Command is RootCommand ? "demucsps" : command.Command.Name;
    }
}
