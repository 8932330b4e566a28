using System.CommandLine;

namespace DemucsPS.Cli.Completion;

/// <summary>A command line up to the cursor, read as the parser would, however unfinished it is.</summary>
internal sealed class LineSoFar
{
    private readonly List<(Option Option, string Value)> _given = [];
    private readonly List<Command> _commands;
    private readonly Option? _option;
    private readonly bool _namesOnly;
    private readonly int _arguments;

    /// <param name="root">The program.</param>
    /// <param name="words">What is after its name, without quotes; the last one, which may be empty, is being written.</param>
    public LineSoFar(RootCommand root, IReadOnlyList<string> words)
    {
        _commands = [root];
        foreach (string word in words.SkipLast(1))
        {
            if (_option is { } waiting)
            {
                _given.Add((waiting, word));
                _option = null;
            }
            else if (_namesOnly || word is not ['-', _, ..])
            {
                if (!_namesOnly && _arguments == 0 && Command.Subcommands.FirstOrDefault(command => command.Name == word) is { } command)
                    _commands.Add(command);
                else
                    _arguments++;
            }
            else if (word == "--")
                _namesOnly = true;
            else if (Split(word) is var (option, value))
            {
                if (value is null && TakesValue(option))
                    _option = option;
                else
                    _given.Add((option, value ?? ""));
            }
        }
        Word = words is [.., var last] ? last : "";
        if (_option is null && !_namesOnly && Split(Word) is var (named, begun) && begun is not null && TakesValue(named))
        {
            _option = named;
            Before = Word[..^begun.Length];
            Word = begun;
        }
    }

    /// <summary>The command that is called.</summary>
    public Command Command => _commands[^1];

    /// <summary>What is being written: a word, or what of it is after an option and its =.</summary>
    public string Word { get; }

    /// <summary>What stands before it in the same word.</summary>
    public string Before { get; } = "";

    /// <summary>Values that an option was given.</summary>
    public IEnumerable<string> Values(string option) => _given.Where(given => given.Option.Name == option).Select(given => given.Value);

    /// <summary>Whole words that fit, in order, and what else does.</summary>
    public (IReadOnlyList<Candidate> Candidates, PathKind Paths, bool IsOpen) Complete()
    {
        if (_option is not null)
            return Complete(Offer.Of(_option));
        if (!_namesOnly && Word.StartsWith('-'))
            return (
                [
                    .. Fitting(
                        Options()
                            .Where(option => !option.Hidden && (option.ValueType.IsArray || _given.All(given => given.Option != option)))
                            .Select(option => new Candidate(option.Name, option.Description ?? "")),
                        "",
                        StringComparison.Ordinal
                    ),
                ],
                PathKind.Nothing,
                false
            );
        IEnumerable<Candidate> commands =
            _namesOnly || _arguments > 0
                ? []
                : Command
                    .Subcommands.Where(command => !command.Hidden)
                    .Select(command => new Candidate(command.Name, command.Description ?? ""));
        (IReadOnlyList<Candidate> values, PathKind paths, bool isOpen) = NextArgument() is { } argument
            ? Complete(Offer.Of(argument))
            : ([], PathKind.Nothing, false);
        return ([.. Fitting(commands, "", StringComparison.Ordinal), .. values], paths, isOpen);
    }

    private (IReadOnlyList<Candidate> Candidates, PathKind Paths, bool IsOpen) Complete(Offer offer)
    {
        string done = offer.IsList ? Word[..(Word.LastIndexOf(',') + 1)] : "";
        string[] taken = done.Split(',');
        return (
            [
                .. Fitting(
                    offer.Candidates(this).Where(candidate => !taken.Contains(candidate.Text)),
                    done,
                    StringComparison.OrdinalIgnoreCase
                ),
            ],
            offer.Paths,
            offer.IsOpen
        );
    }

    private IEnumerable<Candidate> Fitting(IEnumerable<Candidate> candidates, string done, StringComparison comparison) =>
        candidates
            .Select(candidate => candidate with { Text = done + candidate.Text })
            // One candidate is one line, and a terminal must not be told anything by a model's name.
            .Where(candidate => candidate.Text.StartsWith(Word, comparison) && !candidate.Text.Any(char.IsControl))
            .Select(candidate => candidate with { Text = Before + candidate.Text });

    private Argument? NextArgument()
    {
        int before = 0;
        foreach (Argument argument in Command.Arguments)
        {
            before += argument.Arity.MaximumNumberOfValues;
            if (_arguments < before)
                return argument;
        }
        return null;
    }

    private IEnumerable<Option> Options() =>
        Command.Options.Concat(_commands.SkipLast(1).SelectMany(command => command.Options).Where(option => option.Recursive));

    private static bool TakesValue(Option option) => option.Arity.MaximumNumberOfValues > 0;

    /// <summary>The option that a word names, and the value that stands after = or : in it.</summary>
    private (Option Option, string? Value)? Split(string word)
    {
        int end = word.IndexOfAny(['=', ':']);
        string name = end < 0 ? word : word[..end];
        return Options().FirstOrDefault(option => option.Name == name || option.Aliases.Contains(name)) is { } option
            ? (option, end < 0 ? null : word[(end + 1)..])
            : null;
    }
}
