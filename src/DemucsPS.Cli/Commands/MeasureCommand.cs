using System.CommandLine;
using System.Globalization;
using System.Text;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;
using DemucsPS.Engine.Quality;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps measure</c>: estimated stems and the references in, figures out.</summary>
internal sealed class MeasureCommand
{
    private readonly Argument<string[]> _paths = new Argument<string[]>("path")
    {
        Description = "Folders of stems, or their parent folders: PATH/STEM.wav, PATH/TRACK/STEM.wav or PATH/MODEL/TRACK/STEM.wav.",
        Arity = ArgumentArity.OneOrMore,
    }.Offering(Offer.Folders);
    private readonly Option<string> _references = new("--references", "-r")
    {
        Description =
            "Folder of a track's reference stems, or of folders of tracks, as in MUSDB18-HQ (with or without folders such as test). Stems and tracks are matched by name.",
        Required = true,
        HelpName = "DIR",
    };
    private readonly Option<string[]> _metrics = new Option<string[]>("--metric")
    {
        Description =
            "Metrics to compute: sdr, isr, sir, sar, nsdr, sisdr. Default: all. Repeat, or separate by commas. Without isr, sir and sar it is much faster.",
        HelpName = "NAMES",
    }.Offering(Offer.Metrics);
    private readonly Option<double> _window = new("--window")
    {
        Description = "Length of a window; 0 for one window over the whole track.",
        DefaultValueFactory = _ => new QualityOptions().Window,
        CustomParser = NumberArgument.Decimal,
        HelpName = "SECONDS",
    };
    private readonly Option<double?> _hop = new("--hop")
    {
        Description = "Time from one window to the next. Default: the length of a window.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "SECONDS",
    };
    private readonly Option<int> _jobs = new("--jobs", "-j")
    {
        Description = "Tracks to measure at once; 0 for one per processor. Each takes up to 250 MB.",
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Write the results of each track to DIR/MODEL/TRACK.json.",
        HelpName = "DIR",
    };
    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Reuse the results in --output. With --force, replace those of other stems or options.",
    };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Replace existing results." };
    private readonly Option<string?> _csv = new("--csv") { Description = "Also write one line per stem to this file.", HelpName = "FILE" };
    private readonly Option<bool> _json = new("--json")
    {
        Description = "Write one JSON object per track to stdout instead of one line per stem.",
    };

    private MeasureCommand() { }

    public static Command Create()
    {
        MeasureCommand measure = new();
        Command command = new("measure", "Compare stems with reference stems: BSS Eval v4 as in museval, nSDR and SI-SDR.")
        {
            measure._paths,
            measure._references,
            measure._metrics,
            measure._window,
            measure._hop,
            measure._jobs,
            measure._output,
            measure._resume,
            measure._force,
            measure._csv,
            measure._json,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() => measure.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        SeparationReport report = new(parsed.GetValue(_json), verbose: false);
        using ClosedPipe pipe = new(cancellationToken);
        try
        {
            return Measure(parsed, report, pipe.Token);
        }
        catch (DemucsException e)
        {
            report.Failure(null, e);
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            report.Canceled(
                parsed.GetValue(_output) is null ? "unwritten results are lost." : "use --resume to continue after the finished tracks."
            );
            return pipe.IsClosed ? ClosedPipe.ExitCode : ExitCodes.Canceled;
        }
    }

    private int Measure(ParseResult parsed, SeparationReport report, CancellationToken cancellationToken)
    {
        QualityOptions options = Options(parsed);
        string references = Path.GetFullPath(parsed.GetRequiredValue(_references));
        string? csvPath = parsed.GetValue(_csv) is { } name ? Path.GetFullPath(name) : null;
        bool replacesCsv = parsed.GetValue(_force) || parsed.GetValue(_resume);
        QualityResults? results = Results(parsed);
        if (csvPath is not null)
            QualityCsv.Prepare(csvPath, replacesCsv);
        StringBuilder csv = new(QualityCsv.Header + "\n");
        int exitCode = ExitCodes.Succeeded;
        foreach (string path in parsed.GetRequiredValue(_paths).Select(Path.GetFullPath))
        {
            if (Find(path) is not { } tracks)
                continue;
            foreach (
                (EstimatedTrack track, TrackQuality? quality, DemucsException? error) in QualitySet.Measure(
                    tracks,
                    options,
                    parsed.GetValue(_jobs),
                    results,
                    cancellationToken
                )
            )
            {
                if (quality is null)
                {
                    Fail(track.EstimateFolder, error!);
                    continue;
                }
                Show(quality, parsed.GetValue(_json), report);
                foreach (string line in QualityCsv.Lines(quality))
                    csv.Append(line).Append('\n');
            }
        }
        if (csvPath is not null)
            QualityCsv.Write(csvPath, csv.ToString(), replacesCsv);
        return exitCode;

        IReadOnlyList<EstimatedTrack>? Find(string path)
        {
            try
            {
                return EstimatedTrack.Find(path, references, report.Warning);
            }
            catch (DemucsException e)
            {
                Fail(path, e);
                return null;
            }
        }

        void Fail(string path, DemucsException e)
        {
            report.Failure(path, e);
            exitCode = ExitCodes.Failed;
        }
    }

    private QualityOptions Options(ParseResult parsed)
    {
        QualityOptions options = new()
        {
            Window = parsed.GetValue(_window),
            Hop = parsed.GetValue(_hop),
            Metrics = Metrics(parsed.GetValue(_metrics)),
        };
        options.Check();
        return options;
    }

    private QualityResults? Results(ParseResult parsed)
    {
        if (parsed.GetValue(_output) is { } folder)
            return new QualityResults(Path.GetFullPath(folder)) { Resume = parsed.GetValue(_resume), Overwrite = parsed.GetValue(_force) };
        return parsed.GetValue(_resume)
            ? throw new DemucsException(
                DemucsError.ParameterInvalid,
                "--resume needs --output: it reuses the results of an earlier run. Name their folder."
            )
            : null;
    }

    private static void Show(TrackQuality quality, bool json, SeparationReport report)
    {
        foreach (string warning in quality.Warnings)
            report.Warning(warning);
        foreach (string line in json ? [QualityJson.Write(quality)] : quality.Stems.Select(Line))
            Console.Out.WriteLine(line);
    }

    private static QualityMetric Metrics(string[]? names)
    {
        QualityMetric metrics = QualityMetric.None;
        foreach (string name in NameList.Of(names))
        {
            metrics |=
                Enum.TryParse(name, ignoreCase: true, out QualityMetric metric)
                && Enum.IsDefined(metric)
                && metric != QualityMetric.None
                && !char.IsAsciiDigit(name[0])
                    ? metric
                    : throw new DemucsException(
                        DemucsError.ParameterInvalid,
                        $"There is no metric '{name}'. Choose sdr, isr, sir, sar, nsdr, sisdr or all."
                    );
        }
        return metrics == QualityMetric.None ? QualityMetric.All : metrics;
    }

    private static string Line(StemQuality stem)
    {
        StringBuilder line = new();
        line.Append(stem.Model is null ? "" : stem.Model + "/").Append(stem.Track).Append(": ").Append(stem.StemName);
        foreach (
            (string name, double? figure) in new[]
            {
                ("SDR", stem.Sdr),
                ("ISR", stem.Isr),
                ("SIR", stem.Sir),
                ("SAR", stem.Sar),
                ("nSDR", stem.NSdr),
                ("SI-SDR", stem.SiSdr),
            }
        )
        {
            if (figure is { } value)
                line.Append(CultureInfo.InvariantCulture, $"  {name} {value:F2}");
        }
        return line.ToString();
    }
}
