using System.CommandLine;
using System.CommandLine.Parsing;
using System.Diagnostics;
using System.Globalization;
using DemucsPS.Cli.Completion;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Chunking;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps separate</c>: files in, stems out.</summary>
internal sealed class SeparateCommand
{
    private readonly Argument<string[]> _inputs = new("input")
    {
        Description =
            "Audio files, folders of them, playlists (.m3u8, .m3u) and CUE sheets. WAV, AIFF and FLAC are built in; ffmpeg reads the rest.",
        Arity = ArgumentArity.ZeroOrMore,
    };
    private readonly Option<string?> _filesFrom = new("--files-from")
    {
        Description =
            "Also separate the files listed in this file, one name per line, or with - in stdin. Names are used literally, without wildcards, quotes or comments. Relative names start in the current folder.",
        HelpName = "FILE|-",
    };
    private readonly Option<bool> _null = new("--null", "-0")
    {
        Description = "Names in --files-from end with a zero byte instead of a newline, as from find -print0.",
    };
    private readonly Option<string?> _shard = new Option<string?>("--shard")
    {
        Description =
            "Separate only the I-th of N shares of the tracks, counted from 1: 3/10. Shares have about the same length. auto takes both numbers from a Slurm or AWS Batch array, auto/N the first one also from a Kubernetes indexed job.",
        HelpName = "I/N|auto|auto/N",
    }.Offering(Offer.Words("auto"));
    private readonly Option<string?> _durations = new("--durations")
    {
        Description =
            "File with the lengths of the tracks, which all workers use to divide them; created if missing. Default: LIST.durations next to the list, or demucsps.durations in OUTPUT.",
        HelpName = "FILE",
    };
    private readonly Option<string?> _timeLimit = new("--time-limit")
    {
        Description = "Start no track that would exceed this time, and stop when it is over. The exit code is 99 if tracks are left.",
        HelpName = "01:50:00",
    };
    private readonly Option<string?> _results = new("--results")
    {
        Description = "Append one JSON line per track to this file: outcome, time, hashes. One file per worker.",
        HelpName = "FILE",
    };
    private readonly Option<bool> _recurse = new("--recurse", "-r") { Description = "Include subfolders." };
    private readonly Option<string[]> _include = new("--include")
    {
        Description = "Names of files to include from folders (*.mp4). Default: all audio files. Repeat, or separate by commas.",
        HelpName = "PATTERN",
    };
    private readonly Option<string[]> _exclude = new("--exclude")
    {
        Description = "Names of files and folders to exclude. Repeat, or separate by commas.",
        HelpName = "PATTERN",
    };
    private readonly Option<int> _streamIndex = new("--stream-index")
    {
        Description = "Audio stream of each file, counted from 0.",
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<ChannelLayout> _channelLayout = new("--channel-layout")
    {
        Description = "For more than two channels: the first two, or every pair as its own track. Default: firsttwo.",
        CustomParser = WordArgument.Of<ChannelLayout>,
        HelpName = "firsttwo|pairs",
    };
    private readonly Option<LateStart> _lateStart = new("--late-start")
    {
        Description =
            "If the sound of a file begins later than the file, as in films: start stems with silence, to stay in sync, or cut it. Default: silence.",
        CustomParser = WordArgument.Of<LateStart>,
        HelpName = "silence|cut",
    };
    private readonly Option<DamageHandling> _onDamage = new("--on-damage")
    {
        Description =
            "For files that have lost some of their sound: read them with a warning and silence in place of lost sound, or fail. Default: warn.",
        CustomParser = WordArgument.Of<DamageHandling>,
        HelpName = "warn|fail",
    };
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "Folder for the stems: OUTPUT/MODEL/TRACK/STEM.wav, unless a template is given.",
        DefaultValueFactory = _ => "separated",
        HelpName = "DIR",
    };
    private readonly Option<string[]> _models = new Option<string[]>("--model", "-m")
    {
        Description =
            "Name of a model or bag (see 'demucsps models'), or path of a .safetensors, .onnx or .ort file, of its folder, or of a bag's .yaml file. NAME@SHA256 requires that hash, or a hash with that beginning. Repeat for a bag of models. Default: DEMUCSPS_MODEL, else htdemucs if installed, else the built-in 'baseline', which is not Demucs.",
        HelpName = "NAME|PATH",
    }.Offering(Offer.Models);
    private readonly Option<string[]> _weights = new("--weights")
    {
        Description = "One row per model: a weight for each stem, separated by commas (1,0,1,0.25).",
        HelpName = "ROW",
    };
    private readonly Option<bool> _noPreparation = new("--no-preparation")
    {
        Description = "Run models unchanged, without the preparation that improves accuracy.",
    };
    private readonly Option<ModelPrecision> _precision = new("--precision")
    {
        Description =
            "Run models in full precision, with large products in 8-bit integers (int8, on the CPU), or in 16-bit floats (bfloat16, with openvino on supported devices). Lower precision is faster but less accurate; 'demucsps models test --precision' measures the loss.",
        CustomParser = WordArgument.Of<ModelPrecision>,
        HelpName = "full|int8|bfloat16",
    };
    private readonly Option<string[]> _stemNames = new("--stem-name")
    {
        Description = "Names for the model's stems, in its order, separated by commas. Default: the model's own names, or the usual ones.",
        HelpName = "NAMES",
    };
    private readonly ProviderOptions _provider = new(
        "Execution provider that runs the model. auto uses the first that starts and reports which. An unavailable one is an error."
    );
    private readonly Option<bool> _skipProviderCheck = new("--skip-provider-check")
    {
        Description = "Do not compare an execution provider with the CPU the first time it runs a model.",
    };
    private readonly Option<double> _overlap = new("--overlap")
    {
        Description = $"Fraction of a chunk that overlaps its neighbor, 0 to {ChunkPlan.MaxOverlap}.",
        DefaultValueFactory = _ => new SeparationOptions().Overlap,
        CustomParser = NumberArgument.Decimal,
        HelpName = "SHARE",
    };
    private readonly Option<double> _transitionPower = new("--transition-power")
    {
        Description = "Shape of the crossfade, 1 (linear) to 4 (steepest).",
        DefaultValueFactory = _ => new SeparationOptions().TransitionPower,
        CustomParser = NumberArgument.Decimal,
        HelpName = "POWER",
    };
    private readonly Option<double?> _segment = new("--segment")
    {
        Description =
            "Length of the chunks in seconds. Default and maximum: the model's own length (7.8 for htdemucs). Shorter chunks are padded for the model, as with the official --segment.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "SECONDS",
    };
    private readonly Option<int> _shifts = new("--shifts")
    {
        Description = "Number of random shifts to average over; 0 for none. Takes that many times longer.",
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<int> _seed = new("--seed")
    {
        Description = "Seed of the random shifts.",
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<string[]> _stems = new Option<string[]>("--stem")
    {
        Description = "Write only this stem. Repeat, or separate by commas, for several.",
        HelpName = "NAME",
    }.Offering(Offer.Stem with { IsList = true });
    private readonly Option<string?> _twoStems = new Option<string?>("--two-stems")
    {
        Description = "Write this stem, and everything else as no_NAME.",
        HelpName = "NAME",
    }.Offering(Offer.Stem);
    private readonly Option<TwoStemsMethod> _twoStemsMethod = new("--two-stems-method")
    {
        Description = "Compute no_NAME as the sum of the other stems (add, the default) or as the mix minus the stem.",
        CustomParser = WordArgument.Of<TwoStemsMethod>,
        HelpName = "add|minus",
    };
    private readonly Option<bool> _residual = new("--residual") { Description = "Write the mix minus the written stems as residual." };
    private readonly Option<string?> _mixdown = new Option<string?>("--mixdown")
    {
        Description = "Write a mixdown of all stems with these gains in dB; unnamed stems stay at 0 dB.",
        HelpName = "vocals=-inf,drums=-6",
    }.Offering(Offer.Gains);
    private readonly Option<string?> _template = new Option<string?>("--file-name-template")
    {
        Description = $"File names below OUTPUT, with the fields {string.Join(", ", FileNameTemplate.Fields)}.",
        HelpName = "'{artist}/{title} ({stem})'",
    }.Offering(Offer.TemplateFields);
    private readonly Option<string?> _valueSeparator = new("--value-separator")
    {
        Description = "Separator for tags with several values in file names. Default: '; '.",
        HelpName = "TEXT",
    };
    private readonly Option<StemFileFormat> _format = new("--format")
    {
        Description = "File format; all but wav need ffmpeg.",
        CustomParser = WordArgument.Of<StemFileFormat>,
        HelpName = "wav|flac|mp3|aac|opus|alac|stemmp4",
    };
    private readonly Option<int?> _bitDepth = new Option<int?>("--bit-depth")
    {
        Description = "16 or 24 (integer; default: 24), or 32 (float, wav only).",
        CustomParser = NumberArgument.OptionalWhole,
        HelpName = "BITS",
    }.Offering(Offer.Words("16", "24", "32"));
    private readonly Option<int?> _bitRate = new("--bit-rate")
    {
        Description = "Bit rate in kbit/s. Default: 320 for mp3, 256 for aac and stemmp4, 192 for opus.",
        CustomParser = NumberArgument.OptionalWhole,
        HelpName = "KBITS",
    };
    private readonly Option<int?> _quality = new("--quality")
    {
        Description = "Quality of mp3 with a variable bit rate, 0 (best) to 9.",
        CustomParser = NumberArgument.OptionalWhole,
        HelpName = "N",
    };
    private readonly Option<string> _sampleRate = new Option<string>("--sample-rate")
    {
        Description = "Sample rate of the stems, or 'source' for the rate and exact length of each source.",
        DefaultValueFactory = _ => "44100",
        HelpName = "HZ|source",
    }.Offering(Offer.Words("source", "44100", "48000"));
    private readonly Option<bool> _keepMono = new("--keep-mono") { Description = "Write mono stems for mono sources." };
    private readonly Option<ClipMode?> _clip = new("--clip")
    {
        Description =
            "What to do with samples beyond full scale: rescale all stems equally, clamp, or none. Default: rescale; none for 32 bits.",
        CustomParser = WordArgument.Optional<ClipMode>,
        HelpName = "rescale|clamp|none",
    };
    private readonly Option<bool> _dither = new("--dither") { Description = "Add triangular dither before rounding to 16 or 24 bits." };
    private readonly Option<bool> _noTags = new("--no-tags") { Description = "Do not copy tags and cover art." };
    private readonly Option<int> _jobs = new("--jobs", "-j")
    {
        Description = "Chunks to separate at once; 0 to choose by processors and memory. Affects memory, not the result.",
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<int> _batchSize = new("--batch-size")
    {
        Description =
            "Chunks that a model computes at once, which keeps graphics cards busier. More than 1 takes models given as weights (.safetensors).",
        DefaultValueFactory = _ => 1,
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<int> _threads = new("--threads")
    {
        Description =
            "Threads of the runtime, shared by all jobs; 0 for one per processor. Another number may change the last bits of stems.",
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<int> _retry = new("--retry")
    {
        Description = "How often to retry a failed chunk.",
        DefaultValueFactory = _ => new SeparationOptions().RetryCount,
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Continue interrupted separations. With --force, start over those with other settings.",
    };
    private readonly Option<bool> _skipExisting = new("--skip-existing")
    {
        Description = "Skip tracks whose stems exist, unchanged, from the same source, models and parameters.",
    };
    private readonly Option<bool> _force = new("--force", "-f")
    {
        Description = "Overwrite existing stems, and start interrupted separations over.",
    };
    private readonly Option<bool> _verbose = new("--verbose", "-v")
    {
        Description = "Show the plan of each track (chunks, bytes to write, jobs, threads) and the time per chunk.",
    };
    private readonly Option<bool> _json = new("--json")
    {
        Description = "Write one JSON object per track to stdout instead of file names, and a summary after several tracks.",
    };

    private readonly Interruption _interruption;

    private SeparateCommand(Interruption interruption) => _interruption = interruption;

    public static Command Create(Interruption interruption) => Create(interruption, out _);

    /// <summary>The command, and what finds fault with its options, and with the models that are named, before anything is done.</summary>
    public static Command Create(Interruption interruption, out Action<ParseResult> check)
    {
        SeparateCommand separate = new(interruption);
        check = separate.Check;
        Command command = new("separate", "Separate audio files into stems.") { separate._inputs };
        foreach (Option option in separate.Options())
            command.Add(option);
        separate._provider.AddTo(command);
        command.Validators.Add(separate.CheckInputs);
        command.SetAction((parsed, cancellationToken) => Task.Run(() => separate.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    /// <summary>In the order of the help.</summary>
    private Option[] Options()
    {
        Option[] sources = [_recurse, _include, _exclude, _streamIndex, _channelLayout, _lateStart, _onDamage],
            models = [_models, _weights, _noPreparation, _precision, _stemNames, _skipProviderCheck],
            chunks = [_overlap, _transitionPower, _segment, _shifts, _seed],
            stems = [_stems, _twoStems, _twoStemsMethod, _residual, _mixdown],
            names = [_template, _valueSeparator],
            formats = [_format, _bitDepth, _bitRate, _quality, _sampleRate, _keepMono, _clip, _dither, _noTags],
            work = [_jobs, _batchSize, _threads, _retry, _resume, _skipExisting, _force, _verbose, _json],
            lists = [_filesFrom, _null, _shard, _durations, _timeLimit, _results];
        return [.. sources, _output, .. models, .. chunks, .. stems, .. names, .. formats, .. work, .. lists];
    }

    private void Check(ParseResult parsed)
    {
        if (parsed.GetValue(_inputs) is [var input, ..])
            throw new DemucsException(DemucsError.ParameterInvalid, $"'{input}' is not an option. Give tracks to the job instead.");
        (SeparationOptions options, _, StemRequest choice, ModelSelection models) = Choose(parsed, Plan(parsed));
        using ModelBag bag = ModelBag.Open(
            models,
            choice.Needed,
            _provider.Session(parsed),
            prepare: !parsed.GetValue(_noPreparation),
            jobs: options.Jobs
        );
        _ = choice.Select(bag.Contract.Stems);
    }

    private void CheckInputs(CommandResult result)
    {
        // Of an argument that may be left out, the parser does not ask validators of its own.
        PlainNames.RefuseEmpty(result, "<input>", result.GetResult(_inputs)?.Tokens ?? []);
        if (result.GetValue(_inputs) is null or [] && result.GetValue(_filesFrom) is null)
            result.AddError("Nothing to separate. Name audio files, folders or playlists, or a list of them with --files-from.");
        if (result.GetValue(_null) && result.GetValue(_filesFrom) is null)
            result.AddError("--null needs a list. Name the list with --files-from.");
        if (result.GetValue(_durations) is not null && result.GetValue(_shard) is null)
            result.AddError("--durations needs a share. Choose the share with --shard.");
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        SeparationReport report = new(parsed.GetValue(_json), parsed.GetValue(_verbose));
        using ClosedPipe pipe = new(cancellationToken);
        using Work work = new(this, parsed, report, pipe.Token);
        try
        {
            return work.Separate();
        }
        catch (DemucsException e)
        {
            report.Failure(null, e);
            // Another worker has the file of results: it ends some time.
            return e.Error == DemucsError.ParameterInvalid ? ExitCodes.Usage
                : e.Error == DemucsError.SeparationRunning ? ExitCodes.MoreToDo
                : ExitCodes.Failed;
        }
        catch (OperationCanceledException e)
        {
            report.Canceled(
                e is SeparationCanceledException canceled ? Advice.Of(canceled.Message, canceled.Remedies) : work.LeftUndone
            );
            return pipe.IsClosed ? ClosedPipe.ExitCode : _interruption.ExitCode;
        }
    }

    /// <summary>Full paths of the names in a list.</summary>
    /// <param name="list">The list's file, or - for stdin.</param>
    /// <param name="isNull">Whether names end with a zero byte.</param>
    /// <param name="refused">Receives each entry that is not a name, as a full path, and why.</param>
    internal static IEnumerable<string> ReadList(string list, bool isNull, Action<string, DemucsException> refused)
    {
        Action<string, DemucsException> told = (entry, error) => refused(Path.GetFullPath(entry), error);
        if (list != "-")
            return FileList.Read(Path.GetFullPath(list), isNull, told).Select(Path.GetFullPath);
        using Stream input = Console.OpenStandardInput();
        return FileList.Read(input, "stdin", isNull, told).Select(Path.GetFullPath);
    }

    private TrackListOptions Options(ParseResult parsed) =>
        new()
        {
            Recurse = parsed.GetValue(_recurse),
            Include = NameList.Of(parsed.GetValue(_include)),
            Exclude = NameList.Of(parsed.GetValue(_exclude)),
            StreamIndex = parsed.GetValue(_streamIndex),
            ChannelLayout = parsed.GetValue(_channelLayout),
            LateStart = parsed.GetValue(_lateStart),
            OnDamage = parsed.GetValue(_onDamage),
            OutputFolder = Path.GetFullPath(parsed.GetRequiredValue(_output)),
        };

    private JobPlan Plan(ParseResult parsed) =>
        JobPlan.Choose(parsed.GetValue(_jobs), parsed.GetValue(_threads), parsed.GetValue(_batchSize));

    private FileSeparator Prepare(ParseResult parsed, JobPlan jobs, SeparationReport report, out ModelBag? bag)
    {
        bag = null;
        (SeparationOptions options, StemOutput output, StemRequest choice, ModelSelection models) = Choose(parsed, jobs);
        bag = ModelBag.Open(
            models,
            choice.Needed,
            _provider.Session(parsed, jobs.Threads) with
            {
                SkipProviderCheck = parsed.GetValue(_skipProviderCheck),
            },
            prepare: !parsed.GetValue(_noPreparation),
            report.Warning,
            options.Jobs,
            report.Note
        );
        return new FileSeparator(bag, choice.Select(bag.Contract.Stems), options, output) { Tell = report.Note };
    }

    private (SeparationOptions Options, StemOutput Output, StemRequest Choice, ModelSelection Models) Choose(
        ParseResult parsed,
        JobPlan jobs
    )
    {
        SeparationOptions options = new()
        {
            Overlap = parsed.GetValue(_overlap),
            TransitionPower = parsed.GetValue(_transitionPower),
            Segment = parsed.GetValue(_segment),
            Shifts = parsed.GetValue(_shifts),
            Seed = parsed.GetValue(_seed),
            Jobs = jobs.Jobs,
            RetryCount = parsed.GetValue(_retry),
        };
        // What is wrong with the options is said before anything is looked for, let alone loaded.
        options.Check();
        StemFormat format = StemFormat.Create(
            parsed.GetValue(_format),
            parsed.GetValue(_bitDepth),
            parsed.GetValue(_bitRate),
            parsed.GetValue(_quality),
            parsed.GetValue(_clip),
            parsed.GetValue(_dither),
            parsed.GetRequiredValue(_sampleRate),
            parsed.GetValue(_keepMono)
        );
        FileNameTemplate.CheckValueSeparator(parsed.GetValue(_valueSeparator) ?? TrackTags.Separator);
        FileNameTemplate? template = parsed.GetValue(_template) is { } text
            ? FileNameTemplate.Parse(text, parsed.GetValue(_valueSeparator))
            : null;
        StemOutput output = new(new StemNames(Path.GetFullPath(parsed.GetRequiredValue(_output)), template), format)
        {
            Overwrite = parsed.GetValue(_force),
            Resume = parsed.GetValue(_resume),
            SkipExisting = parsed.GetValue(_skipExisting),
            CopyTags = !parsed.GetValue(_noTags),
        };
        StemRequest choice = new()
        {
            Stems = NameList.Of(parsed.GetValue(_stems)),
            TwoStems = parsed.GetValue(_twoStems),
            TwoStemsMethod = parsed.GetValue(_twoStemsMethod),
            Residual = parsed.GetValue(_residual),
            Mixdown = parsed.GetValue(_mixdown) is { } gains ? StemGains.Parse(gains) : null,
            StemMp4 = format.File == StemFileFormat.StemMp4,
        };
        choice.Check();
        return (options, output, choice, SelectModels(parsed, output));
    }

    private ModelSelection SelectModels(ParseResult parsed, StemOutput output)
    {
        double[][]? weights = parsed.GetValue(_weights) is { Length: > 0 } rows ? [.. rows.Select(ParseRow)] : null;
        string[] stemNames = NameList.Of(parsed.GetValue(_stemNames));
        output.Check();
        return ModelLibrary.Open().Select(parsed.GetValue(_models) ?? [], weights, Path.GetFullPath) with
        {
            StemNames = stemNames.Length == 0 ? null : stemNames,
            Precision = parsed.GetValue(_precision),
            BatchSize = parsed.GetValue(_batchSize),
        };
    }

    private static double[] ParseRow(string row)
    {
        return
        [
            .. row.Split(',')
                .Select(text =>
                    double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double weight)
                        ? weight
                        : throw new DemucsException(
                            DemucsError.ParameterInvalid,
                            $"'{text}' in --weights '{row}' is not a number. Write a row as 1,0,1,0.25."
                        )
                ),
        ];
    }

    /// <summary>
    /// Full paths of the inputs. Windows shells leave wildcards to the program, so a name that is nothing but has some is expanded as other
    /// shells do it, to files and folders; brackets are none.
    /// </summary>
    internal static IEnumerable<string> Expand(string[] inputs)
    {
        foreach (string input in inputs)
        {
            string path = Path.GetFullPath(input),
                pattern = Path.GetFileName(path);
            string? folder = Path.GetDirectoryName(path);
            if (!pattern.AsSpan().ContainsAny('*', '?') || Path.Exists(path) || !Directory.Exists(folder))
            {
                yield return path;
                continue;
            }
            string[] found = [.. Directory.EnumerateFileSystemEntries(folder, pattern).Order(StringComparer.Ordinal)];
            foreach (string file in found.Length > 0 ? found : [path])
                yield return file;
        }
    }

    /// <summary>One run of the command, and how far it has come.</summary>
    private sealed class Work(SeparateCommand command, ParseResult parsed, SeparationReport report, CancellationToken cancellationToken)
        : IDisposable
    {
        private readonly Dictionary<TrackSource, DemucsException> _unnamed = [];
        private ModelBag? _bag;
        private IReadOnlySet<TrackSource>? _mine;
        private bool _begun;
        private int _exitCode = ExitCodes.Succeeded;

        /// <summary>What was not begun, if it is canceled between two tracks or before the first.</summary>
        public string LeftUndone =>
            _begun ? "not all tracks were started."
            : _mine is null ? "the tracks were not listed yet."
            : $"the models were not loaded yet, and {(_mine.Count == 1 ? $"'{_mine.Single().Path}' was not" : $"none of {_mine.Count} tracks was")} started.";

        public int Separate()
        {
            JobPlan jobs = command.Plan(parsed);
            ShardNumber? shard = parsed.GetValue(command._shard) is { } number
                ? ShardNumber.Parse(number, Environment.GetEnvironmentVariable)
                : null;
            TimeSpan? time = parsed.GetValue(command._timeLimit) is { } text ? TimeLimit.Parse(text) : null;
            TrackListOptions options = command.Options(parsed);
            TrackList list = new(options, report.Notice, e => Fail(e.Path, e));
            FileSeparator separator = command.Prepare(parsed, jobs, report, out _bag);
            ResultsFile? results = parsed.GetValue(command._results) is { } file ? new ResultsFile(Path.GetFullPath(file)) : null;
            IReadOnlyList<TrackSource> sources = List(list, options, shard);
            // A night should not end with the news that two of a batch's tracks have one name. As any other track that fails, the second
            // one does not keep the rest from being separated.
            IReadOnlyDictionary<TrackSource, DemucsException> collisions = separator.ClaimAll(sources, _mine!.Contains);
            TrackSource[] tracks = [.. sources.Where(_mine.Contains)];
            // What is not a name has no length either, and is in no share: the first one says it.
            Dictionary<TrackSource, DemucsException> refused = shard is null or { Index: 1 }
                ? new([.. _unnamed, .. collisions])
                : new(collisions);
            if (tracks.Length + refused.Count == 0 && shard is not null && _exitCode == ExitCodes.Succeeded)
                report.Note($"Share {shard} is empty.");
            // What is wrong with a model concerns all tracks. Where none of them is there, that is what is wrong, and can be told at once.
            if (tracks.Length > collisions.Count && tracks.Any(track => File.Exists(track.Path)))
                _bag!.Load(cancellationToken);
            _begun = true;
            BatchEnd end = new BatchRun(separator, results, time is { } given ? LimitOf(given) : null, shard)
            {
                Beginning = track =>
                {
                    report.Plan(track, () => separator.Plan(track), jobs);
                    return report.Progress(track);
                },
                Done = report.Track,
                Failed = (track, error) => Fail(track.Path, error),
                Busy = (track, error) => report.Failure(track.Path, error),
                Left = report.Warning,
            }.Run(tracks, refused, cancellationToken);
            report.Summary();
            return end.IsMoreToDo ? ExitCodes.MoreToDo : _exitCode;
        }

        public void Dispose() => _bag?.Dispose();

        /// <summary>The tracks of the whole batch, of which those to be separated here are noted.</summary>
        private IReadOnlyList<TrackSource> List(TrackList list, TrackListOptions options, ShardNumber? shard)
        {
            string[] inputs = [.. Expand(parsed.GetValue(command._inputs) ?? []), .. Listed()];
            // What should have written names may have failed, and a pipe does not say so.
            if (inputs.Length + _unnamed.Count == 0)
                report.Warning(
                    $"The list {(parsed.GetValue(command._filesFrom) is { } from and not "-" ? $"'{from}'" : "from stdin")} is empty. Nothing is separated."
                );
            if (shard is not { } part)
            {
                IReadOnlyList<TrackSource> all = [.. inputs.SelectMany(list.Expand)];
                _mine = all.ToHashSet();
                return all;
            }
            TrackDurations durations = TrackDurations.Load(DurationsPath(), inputs, options, report.Note, cancellationToken);
            TrackShare share = TrackShare.Take(inputs, options, list, part, durations);
            _mine = share.Mine;
            return share.Tracks;
        }

        private IEnumerable<string> Listed() =>
            parsed.GetValue(command._filesFrom) is { } list
                ? ReadList(list, parsed.GetValue(command._null), (entry, error) => _unnamed[new TrackSource(entry)] = error)
                : [];

        private string DurationsPath() =>
            Path.GetFullPath(
                parsed.GetValue(command._durations)
                    ?? (
                        parsed.GetValue(command._filesFrom) is { } from and not "-"
                            ? from + ".durations"
                            : Path.Combine(parsed.GetRequiredValue(command._output), "demucsps.durations")
                    )
            );

        // Before anything is measured, a second of music is taken to need what one htdemucs needs on two cores, for each model and shift.
        private TimeLimit LimitOf(TimeSpan time) =>
            new(
                time,
                DateTime.Now - Process.GetCurrentProcess().StartTime,
                1.5 * _bag!.Sources.Count * Math.Max(1, parsed.GetValue(command._shifts))
            );

        private void Fail(string? input, DemucsException e)
        {
            report.Failure(input, e);
            _exitCode = ExitCodes.Failed;
        }
    }
}
