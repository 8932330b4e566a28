using System.Text.RegularExpressions;
using DemucsPS.Engine.Pictures;

namespace DemucsPS.Engine.Tests.Pictures;

public sealed class SixelTests
{
    [Fact]
    public void Decoded_it_is_the_picture()
    {
        PicturePixels drawn = DrawnPicture
            .Of(
                new SpectrogramOptions
                {
                    Width = 400,
                    Height = 200,
                    FrameSize = 1024,
                    Theme = PictureTheme.Light,
                },
                DrawnPicture.Panel(22050, t => Math.Sin(2e4 * t * t))
            )
            .Pixels;
        byte[] shown = Decode(Sixel.Encode(drawn), drawn.Width, drawn.Height, out int colors);
        Assert.InRange(colors, 30, 256);
        ReadOnlySpan<byte> expected = drawn.Rgb.Span;
        int greatest = 0;
        for (int i = 0; i < shown.Length; i++)
            greatest = Math.Max(greatest, Math.Abs(shown[i] - expected[i]));
        // More than 256 colors have to be rounded.
        Assert.InRange(greatest, 0, 16);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(7, 13)]
    [InlineData(300, 6)]
    public void Few_colors_are_kept_to_the_per_cent(int width, int height)
    {
        Random random = new(1);
        byte[] palette = [0, 51, 102, 153, 204, 255],
            rgb = new byte[3 * width * height];
        for (int i = 0; i < rgb.Length; i++)
            rgb[i] = i % 30 < 15 ? (byte)255 : palette[random.Next(6)];
        Assert.Equal(rgb, Decode(Sixel.Encode(new PicturePixels(width, height, rgb)), width, height, out _));
    }

    /// <summary>A terminal: the VT340's manual, not the product's code.</summary>
    private static byte[] Decode(string text, int width, int height, out int colors)
    {
        Match whole = Regex.Match(text, "^\eP0;1q\"1;1;([0-9]+);([0-9]+)(.*)\e\\\\$", RegexOptions.Singleline);
        Assert.Equal(
            (width, height),
            (
                int.Parse(whole.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture),
                int.Parse(whole.Groups[2].ValueSpan, System.Globalization.CultureInfo.InvariantCulture)
            )
        );
        byte[] rgb = new byte[3 * width * height];
        bool[] set = new bool[width * height];
        Dictionary<int, byte[]> registers = [];
        int x = 0,
            top = 0,
            color = 0;
        MatchCollection tokens = Regex.Matches(
            whole.Groups[3].Value,
            @"#([0-9]+)(?:;2;([0-9]+);([0-9]+);([0-9]+))?|!([0-9]+)([?-~])|[?-~]|[$-]"
        );
        Assert.Equal(whole.Groups[3].Length, tokens.Sum(t => t.Length));
        foreach (Match token in tokens)
        {
            if (token.Value == "$")
            {
                x = 0;
            }
            else if (token.Value == "-")
            {
                (x, top) = (0, top + 6);
            }
            else if (token.Value[0] == '#')
            {
                color = Number(1);
                if (token.Groups[2].Success)
                    registers[color] = [.. new[] { 2, 3, 4 }.Select(g => (byte)Math.Round(Number(g) * 255 / 100.0))];
            }
            else
            {
                int count = token.Groups[5].Success ? Number(5) : 1,
                    bits = token.Value[^1] - '?';
                for (; count > 0; count--, x++)
                {
                    for (int row = 0; row < 6; row++)
                    {
                        if ((bits >> row & 1) == 0)
                            continue;
                        Assert.False(set[(top + row) * width + x]);
                        set[(top + row) * width + x] = true;
                        registers[color].CopyTo(rgb, 3 * ((top + row) * width + x));
                    }
                }
            }

            int Number(int group) => int.Parse(token.Groups[group].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
        }
        Assert.DoesNotContain(false, set);
        colors = registers.Count;
        return rgb;
    }
}
