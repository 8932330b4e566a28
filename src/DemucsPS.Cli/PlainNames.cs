using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;

namespace DemucsPS.Cli;

/// <summary>
/// Keeps the parser from taking names of files for anything else: a name that begins with @ for a file of arguments, <c>true</c> after a
/// switch for its value, <c>/h</c> for a question.
/// </summary>
internal static class PlainNames
{
    /// <summary>How arguments are parsed.</summary>
    public static ParserConfiguration Parsing { get; } = new() { ResponseFileTokenReplacer = null };

    /// <summary>Sets up a command and those in it.</summary>
    public static void Keep(Command command)
    {
        foreach (Option option in command.Options)
        {
            if (option is HelpOption)
                KeepPaths(option.Aliases);
            else if (option is Option<bool>)
                option.Arity = ArgumentArity.Zero;
            else
                option.Validators.Add(result => RefuseEmpty(result, option.Name, result.Tokens));
        }
        foreach (Argument argument in command.Arguments)
            argument.Validators.Add(result => RefuseEmpty(result, $"<{argument.Name}>", result.Tokens));
        foreach (Command inner in command.Subcommands)
            Keep(inner);
    }

    private static void KeepPaths(ICollection<string> aliases)
    {
        aliases.Remove("/h");
        // On Windows nothing can be called so, and many ask like this.
        if (!OperatingSystem.IsWindows())
            aliases.Remove("/?");
    }

    /// <summary>Refuses empty names: scripts give one where a variable is not set.</summary>
    public static void RefuseEmpty(SymbolResult result, string name, IReadOnlyList<Token> tokens)
    {
        if (tokens.Any(token => string.IsNullOrWhiteSpace(token.Value) && (token.Value.Length == 0 || OperatingSystem.IsWindows())))
            result.AddError($"The value for {name} is empty.");
    }
}
