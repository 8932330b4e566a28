using System.CommandLine;

namespace DemucsPS.Cli.Completion;

/// <summary>
/// <c>demucsps completion</c>: a script for a shell out. The scripts know nothing of this program: at each Tab they ask it by <c>demucsps
/// complete WORD…</c>, so that all shells offer the same, and models that were installed since.
/// </summary>
internal static class CompletionCommand
{
    private const string Asked = "complete";

    private enum Shell
    {
        Pwsh,
        Bash,
        Zsh,
        Fish,
    }

    public static Command Create()
    {
        Argument<Shell> shell = new("shell")
        {
            Description = "The shell.",
            HelpName = "pwsh|bash|zsh|fish",
            CustomParser = WordArgument.Of<Shell>,
        };
        Command command = new("completion", "Print a script that completes commands, options, models and stems in a shell.") { shell };
        command.SetAction(parsed => Print(parsed.GetValue(shell)));
        return command;
    }

    /// <summary>Answers a script, where one asks.</summary>
    /// <param name="root">The program.</param>
    /// <param name="arguments">Its arguments: the question, and the words of a line up to the cursor, without the program's name and
    /// without quotes.</param>
    /// <returns>Whether one asked.</returns>
    public static bool Answer(RootCommand root, IReadOnlyList<string> arguments)
    {
        if (arguments is not [Asked, ..])
            return false;
        (IReadOnlyList<Candidate> candidates, PathKind paths, bool isOpen) = new LineSoFar(root, [.. arguments.Skip(1)]).Complete();
        foreach (Candidate candidate in candidates)
            Console.Out.Write($"{candidate.Text}\t{FirstSentence(candidate.About)}\n");
        Console.Out.Write($":{paths.ToString().ToLowerInvariant()}{(isOpen ? " open" : "")}\n");
        return true;
    }

    private static string FirstSentence(string text)
    {
        int end = text.IndexOf(". ", StringComparison.Ordinal);
        return new([.. (end < 0 ? text.TrimEnd('.') : text[..end]).Where(c => !char.IsControl(c))]);
    }

    private static void Print(Shell shell)
    {
        using Stream resource = typeof(CompletionCommand).Assembly.GetManifestResourceStream(shell.ToString())!;
        using StreamReader script = new(resource);
        Console.Out.Write(script.ReadToEnd());
    }
}
