using System.CommandLine;
using System.Globalization;
using System.Text;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Models.Checks;
using DemucsPS.Engine.Models.Installation;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps models</c>: lists, installs, tests, converts and removes models, and looks after their prepared copies.</summary>
internal sealed class ModelsCommand
{
    private readonly Argument<string[]> _filter = new Argument<string[]>("name")
    {
        Description = "Names of models. Default: all.",
        Arity = ArgumentArity.ZeroOrMore,
    }.Offering(Offer.ModelNames(_ => true));
    private readonly Argument<string[]> _names = new Argument<string[]>("name")
    {
        Description = "Names of models or bags.",
        Arity = ArgumentArity.OneOrMore,
    }.Offering(Offer.ModelNames(model => !model.Installed));
    private readonly Argument<string[]> _removed = new Argument<string[]>("name")
    {
        Description = "Names of models or bags.",
        Arity = ArgumentArity.OneOrMore,
    }.Offering(Offer.ModelNames(model => model.Installed && model.Name != ModelSource.BaselineName));
    private readonly Argument<string[]> _tested = new Argument<string[]>("name")
    {
        Description = "Names of models or bags, or paths.",
        Arity = ArgumentArity.OneOrMore,
    }.Offering(Offer.Models);
    private readonly Option<string?> _source = new("--source")
    {
        Description = "A file, a folder, a network share or an https address to install from. Hashes are still verified.",
        HelpName = "PATH|URL",
    };
    private readonly Option<bool> _acceptLicense = new("--accept-license") { Description = "Accept the license notice." };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Install again what is already installed." };
    private readonly Option<bool> _noPreparation = new("--no-preparation")
    {
        Description = "Use models unchanged, without the preparation that improves accuracy.",
    };
    private readonly Option<ModelPrecision> _precision = new("--precision")
    {
        Description = "Run the model in this precision, and compare its stems with those of full precision.",
        CustomParser = WordArgument.Of<ModelPrecision>,
        HelpName = "full|int8|bfloat16",
    };
    private readonly ProviderOptions _provider = new(
        "Run the model on this execution provider, and compare its stems with those of the CPU."
    );
    private readonly Option<bool> _clear = new("--clear")
    {
        Description = "Remove the prepared copies and the records of refused ones. They are created again when needed.",
    };
    private readonly Argument<string> _converted = new Argument<string>("model")
    {
        Description = "The path of a .safetensors file or of a bag's .yaml file, or the name of an installed model.",
    }.Offering(Offer.Models);
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description =
            "The .onnx file to write, or an existing folder. For a bag of several models, each file name includes the model's name.",
        Required = true,
        HelpName = "FILE",
    };
    private readonly Option<bool> _replace = new("--force", "-f") { Description = "Replace existing files." };
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON object per model to stdout.", Recursive = true };

    private ModelsCommand() { }

    public static Command Create() => new ModelsCommand().Build();

    private Command Build()
    {
        Command list = new("list", "List models: installed, built in and in the catalog.") { _filter };
        Command install = new("install", "Install models.") { _names, _source, _acceptLicense, _force, _noPreparation };
        Command test = new("test", "Test models: hashes, contract, one segment, and the accuracy of the prepared copy.")
        {
            _tested,
            _noPreparation,
            _precision,
        };
        _provider.AddTo(test);
        Command remove = new("remove", "Remove installed models.") { _removed };
        Command convert = new("convert", "Convert models from weights (safetensors) to ONNX files.") { _converted, _output, _replace };
        Command cache = new("cache", "List the prepared copies of models in the cache, or remove them.") { _clear };
        Command command = new("models", "List, install, test, convert and remove models. Without a subcommand: list.")
        {
            list,
            install,
            test,
            remove,
            convert,
            cache,
            _json,
        };
        Bind(command, (parsed, library, _) => List(parsed.GetValue(_json), [], library));
        Bind(list, (parsed, library, _) => List(parsed.GetValue(_json), parsed.GetValue(_filter) ?? [], library));
        Bind(install, Install);
        Bind(test, Test);
        Bind(remove, Remove);
        Bind(convert, Convert);
        Bind(cache, Cache);
        return command;
    }

    private void Bind(Command command, Func<ParseResult, ModelLibrary, CancellationToken, int> run) =>
        command.SetAction((parsed, cancellationToken) =>
            Task.Run(
                () =>
                {
                    try
                    {
                        return run(parsed, ModelLibrary.Open(), cancellationToken);
                    }
                    catch (DemucsException e)
                    {
                        return Fail(parsed.GetValue(_json), null, e);
                    }
                    catch (OperationCanceledException)
                    {
                        Console.Error.WriteLine("canceled: the next installation resumes the download.");
                        return ExitCodes.Canceled;
                    }
                },
                CancellationToken.None
            ));

    private static int List(bool json, string[] names, ModelLibrary library)
    {
        int exitCode = ExitCodes.Succeeded;
        List<ModelInfo> models = [];
        if (names.Length == 0)
            models.AddRange(library.List(e => exitCode = Fail(json, null, e)));
        foreach (string name in names)
        {
            try
            {
                models.Add(
                    library.Describe(name)
                        ?? throw new DemucsException(
                            DemucsError.DemucsModelNotFound,
                            $"There is no model named '{name}', either installed or in the catalog.",
                            name
                        )
                );
            }
            catch (DemucsException e)
            {
                exitCode = Fail(json, name, e);
            }
        }
        int width = models.Count == 0 ? 0 : models.Max(m => m.Name.Length);
        foreach (ModelInfo model in models)
        {
            Write(
                json,
                model,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{model.Name.PadRight(width)}  {State(model),-13}  {(model.Size > 0 ? $"{model.Size / 1e6:F0} MB" : "-"),7}  {string.Join(", ", model.Stems)}"
                )
            );
        }
        return exitCode;
    }

    private int Install(ParseResult parsed, ModelLibrary library, CancellationToken cancellationToken)
    {
        string? source = parsed.GetValue(_source);
        if (source is not null && !source.Contains("://", StringComparison.Ordinal))
            source = Path.GetFullPath(source);
        bool json = parsed.GetValue(_json);
        return ForEach(parsed.GetRequiredValue(_names), json, name =>
        {
            InstallLine line = new();
            ModelInstallOptions options = new()
            {
                Source = source,
                AcceptLicense = parsed.GetValue(_acceptLicense),
                Force = parsed.GetValue(_force),
                Prepare = !parsed.GetValue(_noPreparation),
                Warn = line.Warn,
            };
            try
            {
                ModelInfo installed = new ModelInstaller(library)
                    .InstallAsync(name, options, line, cancellationToken)
                    .GetAwaiter()
                    .GetResult();
                line.End();
                Write(json, installed, installed.Path ?? installed.Name);
                return true;
            }
            finally
            {
                line.End();
            }
        });
    }

    private int Test(ParseResult parsed, ModelLibrary library, CancellationToken cancellationToken)
    {
        bool json = parsed.GetValue(_json),
            prepare = !parsed.GetValue(_noPreparation);
        return ForEach(parsed.GetRequiredValue(_tested), json, given =>
        {
            bool passed = true;
            foreach (ModelSource model in library.Select([given], null, Path.GetFullPath).Models)
            {
                TestLine line = new();
                ModelTestResult result;
                try
                {
                    result = ModelCheck.Run(
                        library,
                        model,
                        _provider.Session(parsed),
                        prepare,
                        parsed.GetValue(_precision),
                        line,
                        cancellationToken
                    );
                }
                finally
                {
                    line.End();
                }
                string facts = string.Create(
                    CultureInfo.InvariantCulture,
                    $"stems {string.Join(", ", result.Stems)}; loaded in {result.LoadTime?.TotalSeconds:F1} s, a segment in {result.RunTime?.TotalSeconds:F1} s, {result.Memory / 1e6:F0} MB{(result.DifferenceDb is { } difference ? $"; {Compared(result, difference)}" : "")}"
                );
                Write(
                    json,
                    result,
                    $"{result.Name}: {(result.Passed ? $"passed; SHA-256 {(result.HashMatches == true ? "matches" : "unknown")}; {facts}" : $"failed. {string.Join(" ", result.Problems)}")}"
                );
                if (!json && result.Preparation.Count > 0)
                    Console.Out.Write(Table(result));
                if (result.Refusal is { } refusal)
                    Console.Error.WriteLine(Advice.LineOf(refusal));
                passed &= result.Passed;
            }
            return passed;
        });
    }

    /// <summary>How exact the model and its prepared copy are, a line a chunk.</summary>
    private static string Table(ModelTestResult result)
    {
        StringBuilder table = new();
        foreach (PreparationComparison chunk in result.Preparation)
        {
            string name = chunk.Chunk switch
            {
                TestChunk.Music => "music",
                TestChunk.MostlySilence => "mostly silence",
                _ => "offset",
            };
            // Weights by themselves have no form as exported.
            if (result.IsWrittenFromWeights)
            {
                if (result.NotRecomputed is null)
                    table.AppendLine(CultureInfo.InvariantCulture, $"  {name + ':',-16}vs. float64 {Decibels(chunk.PreparedDb)}");
                continue;
            }
            table.Append(CultureInfo.InvariantCulture, $"  {name + ':',-16}prepared vs. as exported {Decibels(chunk.DifferenceDb)}");
            if (result.NotRecomputed is null)
                table.Append(
                    CultureInfo.InvariantCulture,
                    $"; vs. float64: prepared {Decibels(chunk.PreparedDb)}, as exported {Decibels(chunk.ExportedDb)}"
                );
            table.AppendLine();
        }
        if (result.NotRecomputed is { } reason)
            table.AppendLine(CultureInfo.InvariantCulture, $"  not compared with float64: {reason}");
        return table.ToString();

        static string Decibels(double? figure) =>
            figure switch
            {
                null => "not finite",
                double.PositiveInfinity => "no difference",
                _ => string.Create(CultureInfo.InvariantCulture, $"{figure:F1} dB"),
            };
    }

    private static string Compared(ModelTestResult result, double difference) =>
        result.Precision == ModelPrecision.Full
            ? FormattableString.Invariant($"{result.ExecutionProvider} agrees with the CPU to {difference:F0} dB")
            : FormattableString.Invariant(
                $"{result.Precision} agrees with full precision to {difference:F0} dB, which took {result.ReferenceRunTime?.TotalSeconds:F1} s"
            );

    private int Remove(ParseResult parsed, ModelLibrary library, CancellationToken cancellationToken) =>
        ForEach(parsed.GetRequiredValue(_removed), parsed.GetValue(_json), name =>
        {
            ModelInstaller installer = new(library);
            IReadOnlyList<string> folders = installer.Removable(name);
            installer.Remove(name, cancellationToken);
            foreach (string folder in folders)
                Write(parsed.GetValue(_json), new { Name = Path.GetFileName(folder), Removed = folder }, $"{folder} removed");
            return true;
        });

    private int Convert(ParseResult parsed, ModelLibrary library, CancellationToken cancellationToken)
    {
        ModelSelection selection = library.Select([parsed.GetRequiredValue(_converted)], null, Path.GetFullPath);
        return ForEach(
            ModelConversion.Plan(selection, Path.GetFullPath(parsed.GetRequiredValue(_output)), parsed.GetValue(_replace)),
            parsed.GetValue(_json),
            conversion =>
            {
                conversion.Run(warning => Console.Error.WriteLine($"warning: {warning}"), cancellationToken);
                Write(
                    parsed.GetValue(_json),
                    new
                    {
                        Source = conversion.SourcePath,
                        Path = conversion.Destination,
                        Size = new FileInfo(conversion.Destination).Length,
                    },
                    conversion.Destination
                );
                return true;
            }
        );
    }

    private int Cache(ParseResult parsed, ModelLibrary library, CancellationToken cancellationToken)
    {
        bool json = parsed.GetValue(_json),
            clear = parsed.GetValue(_clear);
        PreparationCache cache = PreparationCache.Open();
        IReadOnlyList<CachedCopy> copies = cache.List();
        int width = copies.Count == 0 ? 0 : copies.Max(c => c.Model.Length);
        return ForEach(copies, json, copy =>
        {
            if (clear)
                cache.Remove(copy);
            Write(
                json,
                clear ? new { copy.Model, Removed = copy.Path } : copy,
                clear
                    ? $"{copy.Path} removed"
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"{copy.Model.PadRight(width)}  {(copy.IsRefused ? "-" : copy.Precision.ToString()),-8}  {(copy.IsRefused ? "-" : copy.Form),-11}  {copy.Size / 1e6,4:F0} MB  {(copy.IsRefused ? "refused" : "used")} {copy.LastUsed.ToLocalTime():yyyy-MM-dd}  {copy.Path}"
                    )
            );
            return true;
        });
    }

    private static int ForEach<T>(IEnumerable<T> names, bool json, Func<T, bool> work)
    {
        int exitCode = ExitCodes.Succeeded;
        foreach (T name in names)
        {
            try
            {
                if (!work(name))
                    exitCode = ExitCodes.Failed;
            }
            catch (DemucsException e)
            {
                exitCode = Fail(json, name?.ToString(), e);
            }
        }
        return exitCode;
    }

    private static string State(ModelInfo model) =>
        model.Name == ModelSource.BaselineName ? "built in"
        : !model.Installed ? "not installed"
        : model.Verified ? "verified"
        : "installed";

    private static void Write(bool json, object value, string text) => Console.Out.WriteLine(json ? ConsoleJson.Of(value) : text);

    private static int Fail(bool json, string? name, DemucsException error)
    {
        Console.Error.WriteLine(Advice.LineOf(error));
        if (json)
            Console.Out.WriteLine(
                ConsoleJson.Of(
                    new
                    {
                        Name = name,
                        Error = error.Error.ToString(),
                        Message = Advice.Of(error),
                    }
                )
            );
        return ExitCodes.Failed;
    }

    /// <summary>One line on stderr that says what a test is at, where it is a terminal.</summary>
    private sealed class TestLine : IProgress<ModelTestProgress>
    {
        private int _length;

        public void Report(ModelTestProgress value)
        {
            if (Console.IsErrorRedirected)
                return;
            string line =
                $"{value.Model}: {value.Stage switch
                {
                    ModelTestStage.Verifying => "checking SHA-256",
                    ModelTestStage.Running => "separating",
                    ModelTestStage.Comparing => "separating on the CPU in full precision",
                    ModelTestStage.Exported => "separating with the model as exported",
                    _ => "computing in float64",
                }}";
            Console.Error.Write('\r' + line.PadRight(_length));
            _length = line.Length;
        }

        public void End()
        {
            if (_length > 0)
                Console.Error.Write('\r' + new string(' ', _length) + '\r');
            _length = 0;
        }
    }

    /// <summary>One line on stderr that changes where it is a terminal; a few lasting ones where it is not.</summary>
    private sealed class InstallLine : IProgress<ModelInstallProgress>
    {
        private readonly Lock _gate = new();
        private readonly bool _terminal = !Console.IsErrorRedirected;
        private int _length;
        private readonly ProgressInterval _interval = new();
        private (string Model, ModelInstallStage Stage) _last;

        public void Report(ModelInstallProgress value)
        {
            lock (_gate)
            {
                bool changed = _last != (value.Model, value.Stage);
                if ((!changed && !_terminal) || !_interval.Shows(always: changed))
                    return;
                _last = (value.Model, value.Stage);
                // A log gets one line of a download.
                string line =
                    _terminal || value.Stage != ModelInstallStage.Fetching
                        ? $"{value.Model}: {value.Status}"
                        : string.Create(CultureInfo.InvariantCulture, $"{value.Model}: fetching {value.Total / 1e6:F0} MB");
                if (!_terminal)
                {
                    Console.Error.WriteLine(line);
                    return;
                }
                Console.Error.Write('\r' + line.PadRight(_length));
                _length = line.Length;
            }
        }

        public void Warn(string sentence)
        {
            End();
            Console.Error.WriteLine($"warning: {sentence}");
        }

        public void End()
        {
            lock (_gate)
            {
                if (_length > 0)
                    Console.Error.Write('\r' + new string(' ', _length) + '\r');
                _length = 0;
            }
        }
    }
}
