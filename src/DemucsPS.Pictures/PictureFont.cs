using System.Text;
using ScottPlot;
using SkiaSharp;

namespace DemucsPS.Pictures;

/// <summary>
/// The letters of pictures: DejaVu Sans, which comes along, so that a picture looks the same everywhere and is legible where no fonts are
/// installed. Only names in other scripts than Latin, Greek and Cyrillic are written in a font of the machine, where it has one.
/// </summary>
internal sealed class PictureFont : IFontResolver
{
    private const string Family = "DejaVu Sans";
    private static readonly Lock s_gate = new();
    private static PictureFont? s_font;

    private readonly SKTypeface _typeface;

    private PictureFont()
    {
        using Stream stream = typeof(PictureFont).Assembly.GetManifestResourceStream("DejaVuSans.ttf")!;
        using SKData data = SKData.Create(stream);
        _typeface = SKTypeface.FromData(data);
    }

    /// <summary>The font, in use by all that is drawn from now on.</summary>
    public static PictureFont Install()
    {
        lock (s_gate)
        {
            if (s_font is null)
            {
                s_font = new PictureFont();
                Fonts.FontResolvers.Insert(0, s_font);
                Fonts.Default = Fonts.Sans = Family;
            }
            return s_font;
        }
    }

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, FontWeight weight, FontSlant slant, FontSpacing spacing) =>
        fontName == Family ? _typeface : null;

    /// <inheritdoc/>
    public SKTypeface? CreateTypeface(string fontName, bool bold, bool italic) => fontName == Family ? _typeface : null;

    /// <summary>The family that has all letters of a text, as far as there is one here.</summary>
    public string FamilyFor(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
        {
            if (!_typeface.ContainsGlyph(rune.Value) && !Rune.IsWhiteSpace(rune))
                return SKFontManager.Default.MatchCharacter(rune.Value)?.FamilyName ?? Family;
        }
        return Family;
    }

    /// <summary>A text in one line that is no wider than there is room.</summary>
    /// <param name="text">The text.</param>
    /// <param name="size">Of its letters.</param>
    /// <param name="width">The room, in the same unit.</param>
    public string Fit(string text, float size, double width)
    {
        string line = string.Join(' ', text.Split([.. text.Where(char.IsControl)], StringSplitOptions.RemoveEmptyEntries));
        string family = FamilyFor(line);
        using SKFont font = new(family == Family ? _typeface : Fonts.GetTypeface(family, false, false), size);
        if (font.MeasureText(line) <= width)
            return line;
        Rune[] runes = [.. line.EnumerateRunes()];
        int kept = runes.Length - 1;
        while (kept > 0 && font.MeasureText(Cut(kept)) > width)
            kept--;
        return Cut(kept);

        string Cut(int count) => string.Concat(runes.Take(count)) + "…";
    }
}
