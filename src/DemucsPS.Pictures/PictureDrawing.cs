using ScottPlot;
using ScottPlot.Colormaps;
using ScottPlot.Panels;
using ScottPlot.Plottables;
using ScottPlot.TickGenerators;
using SkiaSharp;

namespace DemucsPS.Pictures;

/// <summary>Draws spectrograms with their axes, names and color bar.</summary>
internal static class PictureDrawing
{
    private const float TextSize = 12,
        NameSize = 12,
        TitleSize = 15;

    // The font's lines reach further up than down, and what is in the middle of them looks too high.
    private const float TextOffset = 3;

    private static readonly Dictionary<string, Func<IColormap>> s_colorMaps = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Viridis"] = () => new Viridis(),
        ["Magma"] = () => new Magma(),
        ["Inferno"] = () => new Inferno(),
        ["Plasma"] = () => new Plasma(),
        ["Grayscale"] = () => new Grayscale(),
    };

    /// <summary>Names of the colors.</summary>
    public static IEnumerable<string> ColorMapNames => s_colorMaps.Keys;

    /// <summary>A color as a level is drawn: red, green, blue.</summary>
    /// <param name="colorMap">The colors.</param>
    /// <param name="share">0 for the lowest, 1 for the highest.</param>
    public static (byte Red, byte Green, byte Blue) ColorOf(string colorMap, double share)
    {
        Color color = s_colorMaps[colorMap]().GetColor(share);
        return (color.R, color.G, color.B);
    }

    /// <summary>Draws a picture as pixels: red, green and blue of each, row after row from the upper left.</summary>
    public static byte[] Pixels(PictureContent content)
    {
        using SKBitmap bitmap = Draw(content);
        byte[] pixels = new byte[3 * bitmap.Width * bitmap.Height];
        ReadOnlySpan<byte> drawn = bitmap.GetPixelSpan();
        for (int i = 0; i < pixels.Length / 3; i++)
            drawn.Slice(4 * i, 3).CopyTo(pixels.AsSpan(3 * i));
        return pixels;
    }

    /// <summary>Draws a picture as a PNG file.</summary>
    public static byte[] Png(PictureContent content)
    {
        using SKBitmap bitmap = Draw(content);
        using SKPixmap pixels = bitmap.PeekPixels() ?? throw new InvalidOperationException("The picture has no pixels.");
        using SKData data = pixels.Encode(new SKPngEncoderOptions(SKPngEncoderFilterFlags.AllFilters, 9))
            ?? throw new InvalidOperationException("The picture was not encoded.");
        return data.ToArray();
    }

    /// <summary>Draws a picture as an SVG file: lines and text, and the spectrograms as pixels in it.</summary>
    public static byte[] Svg(PictureContent content)
    {
        using MemoryStream file = new();
        // What is written is whole once the canvas is closed.
        using (SKCanvas canvas = SKSvgCanvas.Create(SKRect.Create(content.Layout.Width, content.Layout.Height), file))
            Draw(content, canvas);
        return file.ToArray();
    }

    private static SKBitmap Draw(PictureContent content)
    {
        SKBitmap bitmap = new(new SKImageInfo(content.Layout.Width, content.Layout.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        using SKCanvas canvas = new(bitmap);
        Draw(content, canvas);
        return bitmap;
    }

    private static void Draw(PictureContent content, SKCanvas canvas)
    {
        PictureFont font = PictureFont.Install();
        PictureLayout layout = content.Layout;
        (Color back, Color text) = content.IsDark
            ? (Color.FromHex("#15171c"), Color.FromHex("#d7dae0"))
            : (Colors.White, Color.FromHex("#202124"));
        float scale = (float)layout.Scale;
        using Plot plot = new();
        plot.FigureBackground.Color = plot.DataBackground.Color = back;
        plot.Axes.Color(text);
        // Names and what is drawn between panels have their own frame.
        plot.Axes.FrameColor(Colors.Transparent);
        plot.HideGrid();
        // Both axes count pixels, from the lower left, so that a cell of a spectrogram is a pixel.
        plot.Axes.SetLimits(0, layout.Columns, 0, layout.DataHeight);
        plot.Layout.Fixed(new PixelPadding(layout.Left / scale, layout.Right / scale, layout.Bottom / scale, layout.Top / scale));
        AddPanels(plot, content, font, text);
        NumericManual times = new();
        AddTicks(times, content.TimeTicks, layout.Columns, 0);
        plot.Axes.Bottom.TickGenerator = times;
        Label(plot.Axes.Bottom.Label, content.TimeLabel);
        AddColorBar(plot, content, text);
        plot.Axes.Bottom.TickLabelStyle.FontSize = plot.Axes.Left.TickLabelStyle.FontSize = TextSize;
        plot.Axes.Left.TickLabelStyle.OffsetY = TextOffset;
        if (content.Title is { } title)
        {
            plot.Title(font.Fit(title, TitleSize, layout.Columns / scale), TitleSize);
            plot.Axes.Title.Label.Bold = false;
            plot.Axes.Title.Label.OffsetY = 5;
            plot.Axes.Title.Label.FontName = font.FamilyFor(title);
        }

        canvas.Scale(scale);
        plot.Render(canvas, new PixelRect(0, layout.Width / scale, layout.Height / scale, 0));
    }

    /// <summary>Adds the spectrograms, one below another, with their names and zones, and the axis of frequencies.</summary>
    private static void AddPanels(Plot plot, PictureContent content, PictureFont font, Color text)
    {
        PictureLayout layout = content.Layout;
        NumericManual frequencies = new();
        for (int panel = 0; panel < layout.Panels; panel++)
        {
            double top = layout.DataHeight - (layout.PanelTop(panel) - layout.Top),
                bottom = top - layout.Rows;
            Heatmap map = plot.Add.Heatmap(Cells(content.Panels[panel].Levels, layout));
            map.Colormap = s_colorMaps[content.ColorMap]();
            map.ManualRange = new ScottPlot.Range(content.MinDb, content.MaxDb);
            map.Position = new CoordinateRect(0, layout.Columns, bottom, top);
            AddTicks(frequencies, content.FrequencyTicks, layout.Rows, bottom);
            AddZones(plot, content.Panels[panel].Zones, layout, bottom, top, text);
            AddName(plot, font, content.Panels[panel].Name, layout, top, text);
        }
        plot.Axes.Left.TickGenerator = frequencies;
        Label(plot.Axes.Left.Label, content.FrequencyLabel);
    }

    private static void AddColorBar(Plot plot, PictureContent content, Color text)
    {
        ColorBar bar = plot.Add.ColorBar(plot.GetPlottables<Heatmap>().First(), Edge.Right);
        NumericManual levels = new();
        AddTicks(levels, content.LevelTicks, content.MaxDb - content.MinDb, content.MinDb);
        bar.Axis.TickGenerator = levels;
        bar.Width = 16;
        bar.Label = content.LevelLabel;
        Label(bar.LabelStyle, content.LevelLabel);
        bar.LabelStyle.ForeColor = text;
        plot.Axes.Color(bar.Axis, text);
        bar.Axis.TickLabelStyle.FontSize = TextSize;
        bar.Axis.TickLabelStyle.OffsetY = TextOffset;
    }

    private static double[,] Cells(float[] levels, PictureLayout layout)
    {
        double[,] cells = new double[layout.Rows, layout.Columns];
        for (int row = 0; row < layout.Rows; row++)
        {
            for (int column = 0; column < layout.Columns; column++)
                cells[row, column] = levels[row * layout.Columns + column];
        }
        return cells;
    }

    private static void AddTicks(NumericManual to, IEnumerable<PictureTick> ticks, double length, double start)
    {
        foreach (PictureTick tick in ticks)
        {
            if (tick.Label is { } label)
                to.AddMajor(start + tick.Position * length, label);
            else
                to.AddMinor(start + tick.Position * length);
        }
    }

    private static void Label(LabelStyle style, string text)
    {
        style.Text = text;
        style.FontSize = TextSize;
        style.Bold = false;
    }

    private static void AddZones(Plot plot, IEnumerable<PictureZone> zones, PictureLayout layout, double bottom, double top, Color color)
    {
        // The picture itself stays as it is: lines where a fade begins and ends, and a bar above it.
        double barHeight = 4 * layout.Scale,
            gap = layout.Scale;
        foreach (PictureZone zone in zones)
        {
            double start = zone.Start * layout.Columns,
                end = zone.End * layout.Columns;
            foreach (double at in start == end ? [start] : new[] { start, end })
            {
                if (at < 0 || at > layout.Columns)
                    continue;
                LinePlot line = plot.Add.Line(at, bottom, at, top);
                line.Color = Colors.White.WithAlpha(0.55);
                line.LineWidth = 1;
                line.LinePattern = LinePattern.Dotted;
                line.MarkerSize = 0;
            }
            double from = Math.Max(0, start),
                to = Math.Min(layout.Columns, Math.Max(end, start + layout.Scale));
            if (from >= to)
                continue;
            Rectangle bar = plot.Add.Rectangle(from, to, top + gap, top + gap + barHeight);
            bar.FillColor = color.WithAlpha(0.8);
            bar.LineWidth = 0;
        }
    }

    private static void AddName(Plot plot, PictureFont font, string name, PictureLayout layout, double top, Color color)
    {
        string line = font.Fit(name, NameSize, layout.Columns / layout.Scale);
        if (line.Length == 0)
            return;
        Text label = plot.Add.Text(line, 0, top + 3 * layout.Scale);
        label.LabelFontColor = color;
        label.LabelFontName = font.FamilyFor(line);
        label.LabelFontSize = NameSize;
        label.LabelAlignment = Alignment.LowerLeft;
        label.LabelPadding = 0;
    }
}
