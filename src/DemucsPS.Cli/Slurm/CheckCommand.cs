using System.CommandLine;
using DemucsPS.Cli.Commands;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;

namespace DemucsPS.Cli.Slurm;

/// <summary>
/// <c>demucsps slurm check</c>: whether a job's tasks could be started with these options. What makes jobs and is not this program asks by
/// it.
/// </summary>
internal static class CheckCommand
{
    public static Command Create(Interruption interruption)
    {
        Argument<string[]> arguments = new Argument<string[]>("options")
        {
            Description = "Options of 'separate', after --.",
            Arity = ArgumentArity.ZeroOrMore,
        }.Offering(Offer.Nothing);
        Command command = new(
            "check",
            "Check whether tasks of a job could start with options of 'separate': slurm check -- --format flac. The exit code is 0 if they could. Nothing is separated."
        )
        {
            arguments,
        };
        command.SetAction(parsed =>
        {
            try
            {
                return Check(interruption, parsed.GetValue(arguments) ?? []);
            }
            catch (DemucsException e)
            {
                return SlurmReport.Failure(e);
            }
        });
        return command;
    }

    private static int Check(Interruption interruption, string[] options)
    {
        RootCommand root = new() { SeparateCommand.Create(interruption, out Action<ParseResult> check) };
        PlainNames.Keep(root);
        // As tasks are started.
        string[] words = ["separate", .. options, "--files-from", "-", "--null", "--results", "results", "--resume", "--skip-existing"];
        ParseResult parsed = root.Parse(words, PlainNames.Parsing);
        foreach (
            string error in parsed
                .Errors.Select(error => error.Message)
                .Append(parsed.Errors.Count == 0 ? UnknownOption.ErrorOf(parsed, words) : null)
                .OfType<string>()
        )
        {
            Console.Error.WriteLine(error);
            return ExitCodes.Usage;
        }
        check(parsed);
        return ExitCodes.Succeeded;
    }
}
