using System.CommandLine;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Pictures;

namespace DemucsPS.Cli.Commands;

/// <summary><c>demucsps spectrogram</c>: audio files in, a picture of their spectrograms out.</summary>
internal sealed class SpectrogramCommand
{
    private readonly Argument<string[]> _inputs = new("input")
    {
        Description = "Audio files, folders of them, playlists and CUE sheets, drawn one below another on a common time axis.",
        Arity = ArgumentArity.OneOrMore,
    };
    private readonly Option<string> _output = new("--output", "-o")
    {
        Description = "File for the picture; the name ends in .png or .svg.",
        Required = true,
        HelpName = "FILE",
    };
    private readonly Option<FrequencyScale> _scale = new("--frequency-scale")
    {
        Description = "Scale of the frequency axis. Default: log.",
        CustomParser = WordArgument.Of<FrequencyScale>,
        HelpName = "log|mel|linear",
    };
    private readonly Option<double?> _minFrequency = new("--min-frequency")
    {
        Description = "The lowest frequency. Default: 20, or 0 if the scale is not log.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "HZ",
    };
    private readonly Option<double?> _maxFrequency = new("--max-frequency")
    {
        Description = "The highest frequency. Default: half the sample rate.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "HZ",
    };
    private readonly Option<double> _minDb = new("--min-db")
    {
        Description = "The level of the lowest color; 0 is a sine at full scale.",
        DefaultValueFactory = _ => new SpectrogramOptions().MinDb,
        CustomParser = NumberArgument.Decimal,
        HelpName = "DB",
    };
    private readonly Option<double> _maxDb = new("--max-db")
    {
        Description = "The level of the highest color. Default: 0.",
        CustomParser = NumberArgument.Decimal,
        HelpName = "DB",
    };
    private readonly Option<PictureColors> _colors = new("--colors")
    {
        Description = "Color map of the levels. Default: magma.",
        CustomParser = WordArgument.Of<PictureColors>,
        HelpName = "magma|inferno|viridis|plasma|grayscale",
    };
    private readonly Option<PictureTheme> _theme = new("--theme")
    {
        Description = "Background around the spectrograms. Default: dark.",
        CustomParser = WordArgument.Of<PictureTheme>,
        HelpName = "dark|light",
    };
    private readonly Option<int> _width = new("--width")
    {
        Description = "Width of the picture.",
        DefaultValueFactory = _ => new SpectrogramOptions().Width,
        CustomParser = NumberArgument.Whole,
        HelpName = "PIXELS",
    };
    private readonly Option<int?> _height = new("--height")
    {
        Description = "Height of the picture. Default: depends on the number of spectrograms.",
        CustomParser = NumberArgument.OptionalWhole,
        HelpName = "PIXELS",
    };
    private readonly Option<int> _dpi = new("--dpi")
    {
        Description = "Pixels per inch; text and lines scale with it.",
        DefaultValueFactory = _ => new SpectrogramOptions().Dpi,
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<double?> _start = new("--start")
    {
        Description = "Start of the visible range.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "SECONDS",
    };
    private readonly Option<double?> _duration = new("--duration")
    {
        Description = "Length of the visible range. Default: all.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "SECONDS",
    };
    private readonly Option<int> _frameSize = new("--frame-size")
    {
        Description = "Samples per frame, a power of two. Longer frames resolve frequencies better, shorter ones times.",
        DefaultValueFactory = _ => new SpectrogramOptions().FrameSize,
        CustomParser = NumberArgument.Whole,
        HelpName = "N",
    };
    private readonly Option<int?> _hop = new("--hop-size")
    {
        Description = "Samples from one frame to the next. Default: one frame per column, with at least four overlapping.",
        CustomParser = NumberArgument.OptionalWhole,
        HelpName = "N",
    };
    private readonly Option<PixelPower> _pixelPower = new("--pixel-power")
    {
        Description = "What a pixel shows of the levels in it: the maximum or the mean. Default: max.",
        CustomParser = WordArgument.Of<PixelPower>,
        HelpName = "max|mean",
    };
    private readonly Option<bool> _chunkGrid = new("--chunk-grid")
    {
        Description = "Draw where chunks begin and overlap. Stems in their folder have this information; for other files, give --overlap.",
    };
    private readonly Option<double?> _overlap = new("--overlap")
    {
        Description = "Fraction of a chunk that overlaps its neighbor, for the chunk grid.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "SHARE",
    };
    private readonly Option<double?> _segment = new("--segment")
    {
        Description = "Length of the chunks, for the chunk grid. Default: 7.8, as for htdemucs.",
        CustomParser = NumberArgument.OptionalDecimal,
        HelpName = "SECONDS",
    };
    private readonly Option<string?> _title = new("--title") { Description = "Title above the picture.", HelpName = "TEXT" };
    private readonly Option<bool> _force = new("--force", "-f") { Description = "Overwrite an existing picture." };

    private SpectrogramCommand() { }

    public static Command Create()
    {
        SpectrogramCommand spectrogram = new();
        Command command = new("spectrogram", "Draw spectrograms of audio files as a picture.")
        {
            spectrogram._inputs,
            spectrogram._output,
            spectrogram._scale,
            spectrogram._minFrequency,
            spectrogram._maxFrequency,
            spectrogram._minDb,
            spectrogram._maxDb,
            spectrogram._colors,
            spectrogram._theme,
            spectrogram._width,
            spectrogram._height,
            spectrogram._dpi,
            spectrogram._start,
            spectrogram._duration,
            spectrogram._frameSize,
            spectrogram._hop,
            spectrogram._pixelPower,
            spectrogram._chunkGrid,
            spectrogram._overlap,
            spectrogram._segment,
            spectrogram._title,
            spectrogram._force,
        };
        command.SetAction(
            (parsed, cancellationToken) => Task.Run(() => spectrogram.Run(parsed, cancellationToken), CancellationToken.None)
        );
        return command;
    }

    private int Run(ParseResult parsed, CancellationToken cancellationToken)
    {
        SeparationReport report = new(json: false, verbose: false);
        try
        {
            SpectrogramOptions options = Options(parsed);
            options.Check();
            PictureFile file = new(Path.GetFullPath(parsed.GetRequiredValue(_output)), parsed.GetValue(_force));
            file.Check();
            bool complete = true;
            TrackList tracks = new(new TrackListOptions { CanRecurse = false }, report.Notice, e =>
            {
                report.Failure(e.Path, e);
                complete = false;
            });
            TrackSource[] sources = [.. SeparateCommand.Expand(parsed.GetRequiredValue(_inputs)).SelectMany(tracks.Expand)];
            // A picture that lacks one of those that were requested is not what was requested.
            if (!complete || sources.Length == 0)
                return ExitCodes.Failed;
            SpectrogramPicture picture = SpectrogramPicture.Create(
                [.. sources.Select(SpectrogramPanel.Create)],
                options,
                report.Progress(new TrackSource(file.Path)),
                cancellationToken
            );
            foreach (string warning in picture.Warnings)
                report.Warning(warning);
            picture.Write(file);
            report.Written(file.Path);
            return ExitCodes.Succeeded;
        }
        catch (DemucsException e)
        {
            report.Failure(null, e);
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            report.Canceled("no picture was written.");
            return ExitCodes.Canceled;
        }
    }

    private SpectrogramOptions Options(ParseResult parsed) =>
        new()
        {
            FrequencyScale = parsed.GetValue(_scale),
            MinFrequency = parsed.GetValue(_minFrequency),
            MaxFrequency = parsed.GetValue(_maxFrequency),
            MinDb = parsed.GetValue(_minDb),
            MaxDb = parsed.GetValue(_maxDb),
            Colors = parsed.GetValue(_colors),
            Theme = parsed.GetValue(_theme),
            Width = parsed.GetValue(_width),
            Height = parsed.GetValue(_height),
            Dpi = parsed.GetValue(_dpi),
            Start = parsed.GetValue(_start),
            Duration = parsed.GetValue(_duration),
            FrameSize = parsed.GetValue(_frameSize),
            Hop = parsed.GetValue(_hop),
            PixelPower = parsed.GetValue(_pixelPower),
            ChunkGrid = parsed.GetValue(_chunkGrid),
            Overlap = parsed.GetValue(_overlap),
            Segment = parsed.GetValue(_segment),
            Title = parsed.GetValue(_title),
        };
}
