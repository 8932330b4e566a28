using System.Runtime.CompilerServices;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Separation;
using DemucsPS.Pictures;

namespace DemucsPS.Engine.Pictures;

/// <summary>
/// Spectrograms below each other over one time axis, computed and yet to be drawn. Memory: some bytes a pixel, whatever the length of the
/// tracks.
/// </summary>
public sealed class SpectrogramPicture
{
    // A line needs some room, or the grid hides the picture.
    private const double MinZonePoints = 6;

    private readonly SpectrogramOptions _options;
    private readonly PictureContent _content;

    private SpectrogramPicture(
        SpectrogramOptions options,
        PictureContent content,
        double start,
        double seconds,
        FrequencyRows rows,
        IReadOnlyList<string> warnings
    )
    {
        _options = options;
        _content = content;
        Start = start;
        Seconds = seconds;
        Rows = rows;
        Warnings = warnings;
    }

    /// <summary>Time at the left edge, in seconds of the track.</summary>
    public double Start { get; }

    /// <summary>Time from edge to edge in seconds.</summary>
    public double Seconds { get; }

    /// <summary>What the user should know, in sentences.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The rows of each panel.</summary>
    internal FrequencyRows Rows { get; }

    internal PictureContent Content => _content;

    /// <summary>Computes spectrograms. Files are read once, forwards.</summary>
    /// <param name="panels">What is drawn, from above; at least one.</param>
    /// <param name="options">How.</param>
    /// <param name="progress">Receives how many frames of a panel are read; called on this thread.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: an option is out of range, the picture is too small, the range is not in the tracks, or
    /// where chunks are is not known.
    /// <see cref="DemucsError.PictureUnavailable"/>: the library that draws cannot be loaded. Of files, as
    /// <see cref="StereoTrackReader.Open"/>.
    /// </exception>
    /// <exception cref="OperationCanceledException">It was canceled.</exception>
    public static SpectrogramPicture Create(
        IReadOnlyList<SpectrogramPanel> panels,
        SpectrogramOptions options,
        IProgress<SeparationProgress>? progress = null,
        CancellationToken cancellationToken = default
    )
    {
        ArgumentOutOfRangeException.ThrowIfZero(panels.Count);
        options.Check();
        return PictureLibrary.Use(() => Compute(panels, options, progress, cancellationToken));
    }

    /// <summary>Draws it as a PNG file.</summary>
    public byte[] ToPng() => PictureLibrary.Use(() => PngResolution.Add(PictureDrawing.Png(_content), _options.Dpi));

    /// <summary>Draws it as an SVG file: text and lines, and the spectrograms as pixels in it.</summary>
    public byte[] ToSvg() => PictureLibrary.Use(() => PictureDrawing.Svg(_content));

    /// <summary>Draws it as pixels.</summary>
    public PicturePixels ToPixels() =>
        PictureLibrary.Use(() => new PicturePixels(_content.Layout.Width, _content.Layout.Height, PictureDrawing.Pixels(_content)));

    /// <summary>Draws it into a file, which gets its name when it is whole.</summary>
    /// <param name="file">The file: its name says whether it is PNG or SVG.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.PictureExists"/>; <see cref="DemucsError.PictureWriteFailed"/>.</exception>
    public void Write(PictureFile file) => file.Write(file.IsSvg ? ToSvg() : ToPng());

    // Not inlined, so that what it needs is loaded when it is called.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static SpectrogramPicture Compute(
        IReadOnlyList<SpectrogramPanel> panels,
        SpectrogramOptions options,
        IProgress<SeparationProgress>? progress,
        CancellationToken cancellationToken
    )
    {
        double scale = options.Dpi / 96.0;
        PictureLayout layout = PictureLayout.Of(
            options.Width,
            options.Height ?? (int)Math.Round((panels.Count == 1 ? 480 : 90 + 210 * panels.Count) * scale),
            scale,
            panels.Count,
            options.Title is not null
        );
        if (layout.Columns < 40 * scale || layout.Rows < 24 * scale || layout.Height > SpectrogramOptions.MaxPixels)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                $"{(panels.Count == 1 ? "One spectrogram does" : $"{panels.Count} spectrograms do")} not fit into {layout.Width} x {layout.Height} pixels at {options.Dpi} dots per inch, or the picture exceeds {SpectrogramOptions.MaxPixels} pixels. Change the width, the height{(panels.Count == 1 ? " or the resolution" : ", the resolution, or draw fewer")}."
            );
        foreach (SpectrogramPanel panel in panels)
            panel.Spectra.Open(cancellationToken);
        double highest = panels.Max(p => p.Spectra.Nyquist);
        if (options.LowestFrequency >= (options.MaxFrequency ?? highest))
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                FormattableString.Invariant(
                    $"The lowest frequency is {options.LowestFrequency} Hz, but the tracks have none above {highest} Hz."
                )
            )
            {
                Parameter = EngineParameter.MinFrequency,
            };
        FrequencyRows rows = new(options.FrequencyScale, options.LowestFrequency, options.MaxFrequency ?? highest, layout.Rows);
        while (true)
        {
            (double start, double seconds) = RangeOf(panels, options);
            float[][] levels =
            [
                .. panels.Select(p => p.Spectra.Read(start, seconds, layout.Columns, rows, options, progress, cancellationToken)),
            ];
            // A file that ends before it says would leave the picture empty there, and the axis too long.
            if (RangeOf(panels, options) == (start, seconds))
                return Compose(panels, options, layout, rows, levels, start, seconds);
        }
    }

    private static (double Start, double Seconds) RangeOf(IReadOnlyList<SpectrogramPanel> panels, SpectrogramOptions options)
    {
        double first = panels.Min(p => p.Spectra.Start),
            end = panels.Max(p => p.Spectra.Start + p.Spectra.Seconds),
            start = options.Start ?? first;
        if (start >= end)
            throw new DemucsException(
                DemucsError.ParameterInvalid,
                FormattableString.Invariant($"The start is {start} s, but the tracks end at {end:0.###} s.")
            )
            {
                Parameter = EngineParameter.Start,
            };
        return (start, Math.Min(options.Duration ?? double.PositiveInfinity, end - start));
    }

    private static SpectrogramPicture Compose(
        IReadOnlyList<SpectrogramPanel> panels,
        SpectrogramOptions options,
        PictureLayout layout,
        FrequencyRows rows,
        float[][] levels,
        double start,
        double seconds
    )
    {
        IReadOnlyList<string> names = SpectrogramPanel.NamesOf(panels);
        List<string> warnings = [.. panels.SelectMany(p => p.Spectra.Warnings).Distinct()];
        (IReadOnlyList<PictureTick> times, string timeLabel) = AxisTicks.OfTime(start, seconds, layout.Columns / layout.Scale);
        PictureContent content = new()
        {
            Layout = layout,
            Title = options.Title,
            Panels = [.. panels.Select((panel, i) => new PicturePanel(names[i], levels[i], options.ChunkGrid ? ZonesOf(panel) : []))],
            TimeTicks = times,
            TimeLabel = timeLabel,
            FrequencyTicks = AxisTicks.OfFrequency(options.FrequencyScale, rows, layout.Rows / layout.Scale),
            FrequencyLabel = options.FrequencyScale == FrequencyScale.Mel ? "Frequency (Hz, mel scale)" : "Frequency (Hz)",
            LevelTicks = AxisTicks.OfLevels(options.MinDb, options.MaxDb, layout.DataHeight / layout.Scale),
            LevelLabel = "Level (dBFS)",
            MinDb = options.MinDb,
            MaxDb = options.MaxDb,
            ColorMap = options.Colors.ToString(),
            IsDark = options.Theme == PictureTheme.Dark,
        };
        return new SpectrogramPicture(options, content, start, seconds, rows, warnings);

        IReadOnlyList<PictureZone> ZonesOf(SpectrogramPanel panel)
        {
            double end = Math.Min(start + seconds, panel.Spectra.Start + panel.Spectra.Seconds);
            int most = (int)(layout.Columns / layout.Scale / MinZonePoints);
            (double Start, double End)[] zones = [.. panel.GridOf(options).Zones(start, end).Take(most + 1)];
            if (zones.Length <= most)
                return [.. zones.Select(zone => new PictureZone((zone.Start - start) / seconds, (zone.End - start) / seconds))];
            warnings.Add(
                $"The chunk grid of '{panel.Name}' is not drawn: more than {most} chunks begin in the visible range, and their lines would hide the picture. Show less of the track."
            );
            return [];
        }
    }
}
