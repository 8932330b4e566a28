using System.CommandLine;
using System.Globalization;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Separation;

namespace DemucsPS.Cli;

/// <summary><c>demucsps separate</c>: files in, stems out.</summary>
internal sealed class SeparateCommand
{
    private const int Succeeded = 0, Failed = 1, Cancelled = 130;

    private readonly Argument<string[]> _inputs = new("input") { Description = "Audio files, folders of them, playlists (.m3u8, .m3u) and CUE sheets. WAV and FLAC are built in; for anything else ffmpeg is used.", Arity = ArgumentArity.OneOrMore };
    private readonly Option<bool> _recurse = new("--recurse", "-r") { Description = "Take folders with the folders in them." };
    private readonly Option<string[]> _include = new("--include") { Description = "Names of the files to take from folders (*.mp4); by default all audio files. Repeat it, or separate names by commas.", HelpName = "PATTERN" };
    private readonly Option<string[]> _exclude = new("--exclude") { Description = "Names of files and folders to leave out of folders. Repeat it, or separate names by commas.", HelpName = "PATTERN" };
    private readonly Option<int> _streamIndex = new("--stream-index") { Description = "Audio stream of each file, counted from 0.", HelpName = "N" };
    private readonly Option<ChannelLayout> _channelLayout = new("--channel-layout") { Description = "Of more than two channels: the first two, or every pair as a track of its own. Default: firsttwo.", HelpName = "firsttwo|pairs" };
    private readonly Option<string> _output = new("--output", "-o") { Description = "Folder for the stems: OUTPUT/MODEL/TRACK/STEM.wav.", DefaultValueFactory = _ => "separated", HelpName = "DIR" };
    private readonly Option<string[]> _models = new("--model", "-m") { Description = "A model: the built-in 'baseline' (the default; not Demucs) or the path of an .onnx file. Repeat it for a bag of models.", HelpName = "NAME|PATH" };
    private readonly Option<string[]> _weights = new("--weights") { Description = "One row for each model: a weight for every stem, separated by commas (1,0,1,0.25).", HelpName = "ROW" };
    private readonly Option<bool> _noPreparation = new("--no-preparation") { Description = "Run models as they are, without the rewriting that makes them exact." };
    private readonly Option<double> _overlap = new("--overlap") { Description = "Share of a chunk that neighbours have in common, 0 to below 1.", DefaultValueFactory = _ => new SeparationOptions().Overlap, HelpName = "SHARE" };
    private readonly Option<int> _shifts = new("--shifts") { Description = "Random shifts to average over; 0 for none. Time grows with it.", HelpName = "N" };
    private readonly Option<int> _seed = new("--seed") { Description = "Seed of the random shifts.", HelpName = "N" };
    private readonly Option<string[]> _stems = new("--stem") { Description = "Write this stem only. Repeat it, or separate names by commas, for several.", HelpName = "NAME" };
    private readonly Option<string?> _twoStems = new("--two-stems") { Description = "Write this stem, and the sum of all others as no_NAME.", HelpName = "NAME" };
    private readonly Option<int> _bitDepth = new("--bit-depth") { Description = "16 or 24 (integers), or 32 (float).", DefaultValueFactory = _ => 24, HelpName = "BITS" };
    private readonly Option<string> _sampleRate = new("--sample-rate") { Description = "Frames a second of the stems, or 'source' for the rate and exactly the length of each source.", DefaultValueFactory = _ => "44100", HelpName = "HZ|source" };
    private readonly Option<bool> _keepMono = new("--keep-mono") { Description = "Write stems of one channel for sources of one." };
    private readonly Option<ClipMode?> _clip = new("--clip") { Description = "Beyond full scale: rescale all stems alike, clamp samples, or none. Default: rescale for 16 and 24 bits, none for 32.", HelpName = "rescale|clamp|none" };
    private readonly Option<bool> _dither = new("--dither") { Description = "Add triangular dither before rounding to 16 or 24 bits." };
    private readonly Option<int> _jobs = new("--jobs", "-j") { Description = "Chunks separated at once. The result does not depend on it, memory does.", DefaultValueFactory = _ => 1, HelpName = "N" };
    private readonly Option<int> _threads = new("--threads") { Description = "Threads of the runtime; 0 for one for each processor.", HelpName = "N" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Overwrite existing stems." };
    private readonly Option<bool> _json = new("--json") { Description = "Write one JSON object a track to stdout instead of file names." };

    private SeparateCommand()
    {
    }

    public static Command Create()
    {
        SeparateCommand separate = new();
        Command command = new("separate", "Separate audio files into stems.")
        {
            separate._inputs, separate._recurse, separate._include, separate._exclude, separate._streamIndex, separate._channelLayout, separate._output, separate._models, separate._weights, separate._noPreparation, separate._overlap, separate._shifts, separate._seed, separate._stems, separate._twoStems,
            separate._bitDepth, separate._sampleRate, separate._keepMono, separate._clip, separate._dither, separate._jobs, separate._threads, separate._force, separate._json,
        };
        command.SetAction((parsed, cancellationToken) => Task.Run(() => separate.Run(parsed, cancellationToken), CancellationToken.None));
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        SeparationReport report = new(parsed.GetValue(_json));
        ModelBag? bag = null;
        try
        {
            FileSeparator separator = Prepare(parsed, report, out bag);
            int exitCode = Succeeded;
            TrackList tracks = new(Options(parsed), report.Notice, e => Fail(e.Path, e));
            foreach (TrackSource track in Expand(parsed.GetRequiredValue(_inputs)).SelectMany(tracks.Expand))
            {
                try
                {
                    report.Track(separator.Separate(track, report.Progress(track), cancellationToken));
                }
                catch (DemucsException e)
                {
                    Fail(track.Path, e);
                }
            }
            return exitCode;

            void Fail(string? input, DemucsException e)
            {
                report.Failure(input, e);
                exitCode = Failed;
            }
        }
        catch (DemucsException e)
        {
            report.Failure(null, e);
            return Failed;
        }
        catch (OperationCanceledException)
        {
            report.Cancelled();
            return Cancelled;
        }
        finally
        {
            bag?.Dispose();
        }
    }

    private TrackListOptions Options(ParseResult parsed) => new()
    {
        Recurse = parsed.GetValue(_recurse),
        Include = SplitNames(parsed.GetValue(_include)),
        Exclude = SplitNames(parsed.GetValue(_exclude)),
        StreamIndex = parsed.GetValue(_streamIndex),
        ChannelLayout = parsed.GetValue(_channelLayout),
        OutputFolder = Path.GetFullPath(parsed.GetRequiredValue(_output)),
    };

    private static string[] SplitNames(string[]? given) => [.. (given ?? []).SelectMany(names => names.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))];

    private FileSeparator Prepare(ParseResult parsed, SeparationReport report, out ModelBag? bag)
    {
        bag = null;
        SeparationOptions options = new()
        {
            Overlap = parsed.GetValue(_overlap),
            Shifts = parsed.GetValue(_shifts),
            Seed = parsed.GetValue(_seed),
            Jobs = parsed.GetValue(_jobs),
        };
        StemFormat format = new()
        {
            Sample = StemFormat.FromBits(parsed.GetValue(_bitDepth)),
            SampleRate = StemFormat.ParseSampleRate(parsed.GetRequiredValue(_sampleRate)),
            KeepMono = parsed.GetValue(_keepMono),
            Clip = parsed.GetValue(_clip),
            Dither = parsed.GetValue(_dither),
        };
        string[] stems = SplitNames(parsed.GetValue(_stems));
        string? twoStems = parsed.GetValue(_twoStems);
        if (stems.Length > 0 && twoStems is not null)
            throw new DemucsException(DemucsError.ParameterInvalid, "--stem and --two-stems cannot be used together.");
        if (parsed.GetValue(_streamIndex) < 0)
            throw new DemucsException(DemucsError.ParameterInvalid, $"--stream-index is {parsed.GetValue(_streamIndex)}; audio streams are counted from 0.");
        if (parsed.GetValue(_threads) < 0)
            throw new DemucsException(DemucsError.ParameterInvalid, $"--threads is {parsed.GetValue(_threads)}; it must be 0 (one for each processor) or more.");

        string[] models = parsed.GetValue(_models) is { Length: > 0 } named ? named : [ModelSource.BaselineName];
        string[] rows = parsed.GetValue(_weights) ?? [];
        bag = ModelBag.Load([.. models.Select(FindModel)], rows.Length == 0 ? null : [.. rows.Select(ParseRow)], new OnnxSessionOptions { IntraOpThreads = parsed.GetValue(_threads) },
            prepare: !parsed.GetValue(_noPreparation), report.Warning);
        StemSelection selection = twoStems is null ? StemSelection.Choose(bag.Contract.Stems, stems) : StemSelection.TwoStems(bag.Contract.Stems, twoStems);
        StemFolders folders = new(Path.GetFullPath(parsed.GetRequiredValue(_output)));
        return new FileSeparator(bag, selection, options, new StemOutput(folders, format) { Overwrite = parsed.GetValue(_force) });
    }

    private static ModelSource FindModel(string nameOrPath)
    {
        // A bare word that is no file is taken for a name, so that its error speaks of names.
        bool isPath = nameOrPath.AsSpan().ContainsAny(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar) || Path.HasExtension(nameOrPath) || Path.Exists(nameOrPath);
        return ModelSource.Find(isPath && !string.Equals(nameOrPath, ModelSource.BaselineName, StringComparison.OrdinalIgnoreCase) ? Path.GetFullPath(nameOrPath) : nameOrPath);
    }

    private static double[] ParseRow(string row)
    {
        return [.. row.Split(',').Select(text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double weight)
            ? weight
            : throw new DemucsException(DemucsError.ParameterInvalid, $"'{text}' in --weights '{row}' is not a number. A row looks like 1,0,1,0.25."))];
    }

    /// <summary>Full paths of the inputs. Windows shells leave wildcards to the program, so a name that is no file but has some is expanded.</summary>
    private static IEnumerable<string> Expand(string[] inputs)
    {
        foreach (string input in inputs)
        {
            string path = Path.GetFullPath(input), pattern = Path.GetFileName(path);
            string? folder = Path.GetDirectoryName(path);
            if (!pattern.AsSpan().ContainsAny('*', '?') || Path.Exists(path) || !Directory.Exists(folder))
            {
                yield return path;
                continue;
            }
            string[] found = [.. Directory.EnumerateFiles(folder, pattern).Order(StringComparer.Ordinal)];
            foreach (string file in found.Length > 0 ? found : [path])
                yield return file;
        }
    }
}
