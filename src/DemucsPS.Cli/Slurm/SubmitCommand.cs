using System.CommandLine;
using System.CommandLine.Parsing;
using DemucsPS.Cli.Commands;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Clusters;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;

namespace DemucsPS.Cli.Slurm;

/// <summary><c>demucsps slurm submit</c>: files, folders and lists in, a job out.</summary>
internal sealed class SubmitCommand
{
    // What each task does by itself, and what only concerns the tracks that are taken.
    private static readonly string[] s_notHandedOn =
    [
        "--files-from",
        "--null",
        "--shard",
        "--durations",
        "--time-limit",
        "--results",
        "--resume",
        "--skip-existing",
        "--json",
        "--recurse",
        "--include",
        "--exclude",
        "--output",
        "--model",
        "--help",
    ];

    private readonly Argument<string[]> _inputs = new("input")
    {
        Description = "Audio files, folders of them and playlists.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private readonly Option<string> _job = new("--job")
    {
        Description = "Folder for the job, on a file system shared by all nodes.",
        Required = true,
        HelpName = "DIR",
    };
    private readonly SubmissionOptions _submission = new();

    // Those of separate: what is wrong with them is said here and not on every node.
    private readonly Command _separate;

    private readonly Action<ParseResult> _check;

    private SubmitCommand(Interruption interruption) => _separate = SeparateCommand.Create(interruption, out _check);

    public static Command Create(Interruption interruption)
    {
        SubmitCommand submit = new(interruption);
        Command command = new("submit", "Create a job from an archive and submit it to Slurm. Takes the options of 'separate' as well.")
        {
            submit._inputs,
            submit._job,
        };
        submit._submission.AddTo(command);
        foreach (
            Option option in submit._separate.Options.Where(option =>
                option.Name
                    is not (
                        "--shard"
                        or "--durations"
                        or "--time-limit"
                        or "--results"
                        or "--resume"
                        or "--skip-existing"
                        or "--json"
                        or "--help"
                    )
            )
        )
            command.Options.Add(option);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => submit.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        int exitCode = ExitCodes.Succeeded;
        try
        {
            _check(parsed);
            // Nodes and retries must not come to other models than were meant here.
            IReadOnlyList<string> models = ModelLibrary.Open().Pin(Value<string[]>(parsed, "--model") ?? [], Path.GetFullPath);
            if (models.Contains(ModelSource.BaselineName))
                Console.Error.WriteLine($"warning: {ModelSource.BaselineNotice}");
            ClusterPlanOptions plan = _submission.Plan(parsed);
            SlurmOptions slurm = _submission.Slurm(parsed);
            SlurmCluster? cluster = _submission.Cluster(parsed);
            string output = Path.GetFullPath(Value<string>(parsed, "--output")!);
            TrackListOptions options = new()
            {
                StreamIndex = Value<int>(parsed, "--stream-index"),
                ChannelLayout = Value<ChannelLayout>(parsed, "--channel-layout"),
                LateStart = Value<LateStart>(parsed, "--late-start"),
                OnDamage = Value<DamageHandling>(parsed, "--on-damage"),
                Recurse = Value<bool>(parsed, "--recurse"),
                Include = Names(parsed, "--include"),
                Exclude = Names(parsed, "--exclude"),
                OutputFolder = output,
            };
            ClusterSettings settings = new()
            {
                Created = DateTimeOffset.UtcNow,
                Program = ConsoleProgram.Here(),
                Arguments = ["--output", output, .. models.SelectMany(model => (string[])["--model", model]), .. HandedOn(parsed)],
            };
            IReadOnlyList<string> files = ClusterInput.Files(Given(parsed, Fail), options, SlurmReport.Note, Fail);
            ClusterOrder order = ClusterOrder.New(
                Path.GetFullPath(parsed.GetRequiredValue(_job)),
                settings,
                files,
                ClusterInput.Durations(files, options, cancellationToken),
                plan,
                slurm,
                cluster
            );
            return Submission.Do(order, _submission.IsWhatIf(parsed)) ?? exitCode;

            void Fail(DemucsException e)
            {
                exitCode = ExitCodes.Failed;
                SlurmReport.Failure(e);
            }
        }
        catch (DemucsException e)
        {
            return SlurmReport.Failure(e);
        }
    }

    private IEnumerable<string> Given(ParseResult parsed, Action<DemucsException> refused)
    {
        string[] listed = Value<string>(parsed, "--files-from") is { } list
            ? [.. SeparateCommand.ReadList(list, Value<bool>(parsed, "--null"), (_, error) => refused(error))]
            : [];
        string[] given = [.. parsed.GetValue(_inputs) ?? [], .. listed];
        return given.Length > 0
            ? given.Select(Path.GetFullPath)
            : throw new DemucsException(
                DemucsError.ParameterInvalid,
                "Nothing to separate. Name files or folders, or a list with --files-from."
            );
    }

    /// <summary>Arguments for <c>separate</c>, as they were given.</summary>
    private IEnumerable<string> HandedOn(ParseResult parsed)
    {
        foreach (Option option in _separate.Options.Where(option => !s_notHandedOn.Contains(option.Name)))
        {
            if (parsed.GetResult(option) is not { Implicit: false } result)
                continue;
            if (option is Option<bool>)
                yield return option.Name;
            foreach (Token token in option is Option<bool> ? [] : result.Tokens)
            {
                yield return option.Name;
                // Tasks begin in other folders.
                yield return option.Name == "--provider-library" ? Path.GetFullPath(token.Value) : token.Value;
            }
        }
    }

    private T? Value<T>(ParseResult parsed, string option) => parsed.GetValue((Option<T>)_separate.Options.Single(o => o.Name == option));

    private string[] Names(ParseResult parsed, string option) => NameList.Of(Value<string[]>(parsed, option));
}
