using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Comparison;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Player;
using DemucsPS.Engine.Quality;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps compare</c>: files in, separated in several ways, and how the results differ out.</summary>
internal sealed class CompareCommand
{
    private readonly Argument<string[]> _inputs = new("input") { Description = "Audio files.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string[]> _models = new Option<string[]>("--model", "-m")
    {
        Description = "A model to compare: a name or a path. Repeat for several models.",
        HelpName = "NAME|PATH",
    }.Offering(Offer.Models);
    private readonly Option<string[]> _overlaps = new("--overlap")
    {
        Description = "Overlaps to compare, separated by commas. Default: 0.05.",
        HelpName = "SHARES",
    };
    private readonly Option<string[]> _shifts = new("--shifts")
    {
        Description = "Numbers of random shifts to compare, separated by commas. Default: 0.",
        HelpName = "NUMBERS",
    };
    private readonly Option<string[]> _precisions = new Option<string[]>("--precision")
    {
        Description = "Precisions to compare, full and int8, separated by commas. Default: full.",
        HelpName = "NAMES",
    }.Offering(Offer.Words("full", "int8") with { IsList = true });
    private readonly Option<string?> _references = new("--references", "-r")
    {
        Description = "Folder of the reference stems to measure against.",
        HelpName = "DIR",
    };
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Folder for the stems (OUTPUT/SETTING/TRACK/STEM.wav) and the pages (OUTPUT/TRACK.html).",
        DefaultValueFactory = _ => "compared",
        HelpName = "DIR",
    };
    private readonly Option<int> _jobs = new("--jobs", "-j")
    {
        Description = "Chunks to separate at once; 0 to choose by processors and memory.",
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<bool> _noPlayer = new("--no-player")
    {
        Description = "Do not create the page that plays the results against each other.",
    };
    private readonly Option<bool> _resume = new("--resume") { Description = "Use existing stems, and continue interrupted separations." };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Overwrite existing stems and pages." };
    private readonly Option<bool> _json = new("--json")
    {
        Description = "Write one JSON object per separation to stdout instead of a line.",
    };

    private CompareCommand() { }

    public static Command Create(Interruption interruption)
    {
        CompareCommand compare = new();
        Command command = new("compare", "Separate the same audio in several ways, and compare quality, time and memory.")
        {
            compare._inputs,
            compare._models,
            compare._overlaps,
            compare._shifts,
            compare._precisions,
            compare._references,
            compare._output,
            compare._jobs,
            compare._noPlayer,
            compare._resume,
            compare._force,
            compare._json,
        };
        command.SetAction((parsed, _) => Task.Run(() => compare.Run(parsed, interruption), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, Interruption interruption)
    {
        SeparationReport report = new(parsed.GetValue(_json), verbose: false);
        using ClosedPipe pipe = new(interruption.Token);
        try
        {
            return new Work(this, parsed, report, pipe.Token).Compare();
        }
        catch (DemucsException e)
        {
            report.Failure(null, e);
            return e.Error == DemucsError.ParameterInvalid ? ExitCodes.Usage : ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            report.Canceled("the results shown are complete. Use --resume to do the rest.");
            return pipe.IsClosed ? ClosedPipe.ExitCode : interruption.ExitCode;
        }
    }

    // Every model by every overlap by all the rest.
    private ComparisonSetting[] Settings(ParseResult parsed) =>
        [
            .. from model in parsed.GetValue(_models) is { Length: > 0 } models ? models : [null!]
            from overlap in Values(
                parsed.GetValue(_overlaps),
                new SeparationOptions().Overlap,
                "a number",
                (string text, out double value) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value)
            )
            from shifts in Values(parsed.GetValue(_shifts), 0, "a whole number", (string text, out int value) =>
                int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
            )
            from precision in Values(
                parsed.GetValue(_precisions),
                ModelPrecision.Full,
                "a precision (full or int8)",
                (string text, out ModelPrecision value) =>
                    Enum.TryParse(text, ignoreCase: true, out value) && Enum.IsDefined(value) && !char.IsAsciiDigit(text[0])
            )
            select new ComparisonSetting
            {
                Model = model,
                Overlap = overlap,
                Shifts = shifts,
                Precision = precision,
            },
        ];

    private static IEnumerable<T> Values<T>(string[]? given, T otherwise, string wanted, Parser<T> parse) =>
        given is not { Length: > 0 }
            ? [otherwise]
            : NameList
                .Of(given)
                .Select(text =>
                    parse(text, out T value)
                        ? value
                        : throw new DemucsException(DemucsError.ParameterInvalid, $"'{text}' cannot be compared: it is not {wanted}.")
                );

    private static string Line(ComparedSeparation compared) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{compared.Track}: {compared.Setting}{Figure("SDR", compared.Sdr)}{Figure("nSDR", compared.NSdr)}{Figure("difference", compared.DifferenceDb)}  {compared.Elapsed.TotalSeconds:F1} s{(compared.PeakMemory is { } memory ? FormattableString.Invariant($"  {memory / 1e6:F0} MB") : "")}"
        );

    private static string Figure(string name, double? figure) =>
        figure switch
        {
            null => "",
            // The stems are the same bit for bit.
            double.NegativeInfinity => $"  {name} none",
            { } value => string.Create(CultureInfo.InvariantCulture, $"  {name} {value:F2}"),
        };

    private static string Json(ComparedSeparation compared) =>
        ConsoleJson.Of(
            new
            {
                track = compared.Track,
                setting = compared.Setting,
                model = compared.Result.Model,
                sdr = compared.Sdr,
                nSdr = compared.NSdr,
                differenceDb = compared.DifferenceDb,
                differenceFrom = compared.DifferenceFrom,
                seconds = compared.Elapsed.TotalSeconds,
                skipped = compared.Result.Skipped,
                peakMemory = compared.PeakMemory,
                folder = compared.Folder,
                quality = compared.Quality is null ? null : JsonNode.Parse(QualityJson.Write(compared.Quality)),
            }
        );

    private delegate bool Parser<T>(string text, out T value);

    /// <summary>One run of the command.</summary>
    private sealed class Work(CompareCommand command, ParseResult parsed, SeparationReport report, CancellationToken cancellationToken)
    {
        private readonly HashSet<string> _said = [];
        private IProgress<SeparationProgress>? _progress;
        private int _exitCode = ExitCodes.Succeeded;

        public int Compare()
        {
            ModelComparison comparison = Prepare();
            ModelLibrary library = ModelLibrary.Open();
            TrackSource[] tracks =
            [
                .. parsed.GetRequiredValue(command._inputs).Select(input => new TrackSource(Path.GetFullPath(input))),
            ];
            List<ComparedSeparation> done = [];
            foreach (
                ComparedSeparation compared in comparison.Run(
                    tracks,
                    command.Settings(parsed),
                    model => library.Select(model is null ? [] : [model], null, Path.GetFullPath),
                    new Relay<SeparationProgress>(value => _progress?.Report(value)),
                    cancellationToken
                )
            )
            {
                Show(compared);
                done.Add(compared);
            }
            foreach ((string path, PlayerPage page) in comparison.HasPages ? comparison.Pages(done) : [])
                WritePage(path, page);
            return _exitCode;
        }

        private ModelComparison Prepare() =>
            new()
            {
                Folder = Path.GetFullPath(parsed.GetRequiredValue(command._output)),
                Reference = parsed.GetValue(command._references) is { } references ? Path.GetFullPath(references) : null,
                Jobs = JobPlan.Choose(parsed.GetValue(command._jobs), 0),
                Overwrite = parsed.GetValue(command._force),
                Resume = parsed.GetValue(command._resume),
                HasPages = !parsed.GetValue(command._noPlayer),
                Warn = Say,
                Begun = (track, _) => _progress = report.Progress(track),
                Failed = (setting, track, e) => Fail(track?.Path ?? setting.Model, e),
            };

        private void Show(ComparedSeparation compared)
        {
            foreach (string warning in compared.Result.Warnings.Concat(compared.Quality?.Warnings ?? []))
                Say(warning);
            report.EndProgress();
            Console.Out.WriteLine(parsed.GetValue(command._json) ? Json(compared) : Line(compared));
        }

        private void WritePage(string path, PlayerPage page)
        {
            ProgressInterval interval = new();
            try
            {
                PlayerPageFile written = page.Write(
                    path,
                    new Relay<PlayerProgress>(value =>
                    {
                        if (interval.Shows())
                            report.Progress(
                                string.Create(
                                    CultureInfo.InvariantCulture,
                                    $"{page.Title}: {TimeSpan.FromSeconds(value.Done):h\\:mm\\:ss} read for the page"
                                )
                            );
                    }),
                    cancellationToken
                );
                foreach (string warning in written.Warnings)
                    Say(warning);
                report.Note($"The page is '{written.FilePath}'.");
            }
            catch (DemucsException e)
            {
                Fail(path, e);
            }
        }

        private void Fail(string? what, DemucsException e)
        {
            report.Failure(what, e);
            _exitCode = ExitCodes.Failed;
        }

        private void Say(string warning)
        {
            if (_said.Add(warning))
                report.Warning(warning);
        }
    }

    /// <summary>Hands on what is reported at once, on the same thread.</summary>
    private sealed class Relay<T>(Action<T> report) : IProgress<T>
    {
        public void Report(T value) => report(value);
    }
}
