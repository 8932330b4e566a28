using System.Globalization;
using System.Text;

namespace DemucsPS.Engine.Pictures;

/// <summary>
/// Writes pictures as Sixel, which terminals from the VT340 to Windows Terminal show: bands of six rows, in each a line of characters for
/// every color, whose bits are the rows. Own code, since the package source has no library for it.
/// </summary>
/// <remarks>
/// Source: VT330/VT340 Programmer Reference Manual, volume 2, chapter 14. Colors are in per cent, and there are 256 of them at most.
/// </remarks>
public static class Sixel
{
    private const int MaxColors = 256,
        Band = 6;

    /// <summary>Writes a picture.</summary>
    /// <returns>A device control string, from its first escape to its last.</returns>
    public static string Encode(PicturePixels pixels)
    {
        (byte[] indices, List<(int Red, int Green, int Blue)> colors) = Reduce(pixels.Rgb.Span);
        StringBuilder text = new();
        // Pixels that are not set stay unchanged; pixels are square.
        text.Append(CultureInfo.InvariantCulture, $"\eP0;1q\"1;1;{pixels.Width};{pixels.Height}");
        for (int i = 0; i < colors.Count; i++)
            text.Append(CultureInfo.InvariantCulture, $"#{i};2;{colors[i].Red};{colors[i].Green};{colors[i].Blue}");
        byte[] bits = new byte[colors.Count * pixels.Width];
        bool[] used = new bool[colors.Count];
        for (int top = 0; top < pixels.Height; top += Band)
        {
            if (top > 0)
                text.Append('-');
            bits.AsSpan().Clear();
            used.AsSpan().Clear();
            for (int row = 0; row < Math.Min(Band, pixels.Height - top); row++)
            {
                ReadOnlySpan<byte> line = indices.AsSpan((top + row) * pixels.Width, pixels.Width);
                for (int x = 0; x < line.Length; x++)
                {
                    used[line[x]] = true;
                    bits[line[x] * pixels.Width + x] |= (byte)(1 << row);
                }
            }
            bool first = true;
            for (int color = 0; color < colors.Count; color++)
            {
                if (!used[color])
                    continue;
                if (!first)
                    text.Append('$');
                first = false;
                text.Append('#').Append(color);
                AppendLine(text, bits.AsSpan(color * pixels.Width, pixels.Width));
            }
        }
        return text.Append("\e\\").ToString();
    }

    private static void AppendLine(StringBuilder text, ReadOnlySpan<byte> bits)
    {
        // What is empty up to the end needs no saying.
        bits = bits.TrimEnd((byte)0);
        for (int x = 0; x < bits.Length;)
        {
            int run = bits[x..].IndexOfAnyExcept(bits[x]);
            if (run < 0)
                run = bits.Length - x;
            char sixel = (char)(bits[x] + '?');
            if (run > 3)
                text.Append('!').Append(run).Append(sixel);
            else
                text.Append(sixel, run);
            x += run;
        }
    }

    /// <summary>The colors in per cent, as finely as there is room for.</summary>
    private static (byte[] Indices, List<(int Red, int Green, int Blue)> Colors) Reduce(ReadOnlySpan<byte> rgb)
    {
        byte[] indices = new byte[rgb.Length / 3];
        for (int step = 1; ; step++)
        {
            Dictionary<(int, int, int), byte> known = [];
            List<(int Red, int Green, int Blue)> colors = [];
            int i = 0;
            for (; i < indices.Length; i++)
            {
                (int, int, int) color = (PerCent(rgb[3 * i], step), PerCent(rgb[3 * i + 1], step), PerCent(rgb[3 * i + 2], step));
                if (!known.TryGetValue(color, out byte index))
                {
                    if (colors.Count == MaxColors)
                        break;
                    known[color] = index = (byte)colors.Count;
                    colors.Add(color);
                }
                indices[i] = index;
            }
            if (i == indices.Length)
                return (indices, colors);
        }
    }

    private static int PerCent(byte value, int step) => Math.Min(100, (int)Math.Round(value * 100 / 255.0 / step) * step);
}
