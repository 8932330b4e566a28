using System.Buffers.Binary;
using System.IO.Compression;
using DemucsPS.Engine.Pictures;
using DemucsPS.Engine.Tracks;
using DemucsPS.Pictures;

namespace DemucsPS.Engine.Tests.Pictures;

/// <summary>A picture as it was drawn: levels are read off the colors of its pixels.</summary>
internal sealed class DrawnPicture
{
    private readonly PictureContent _content;
    private readonly FrequencyRows _rows;
    private readonly (byte Red, byte Green, byte Blue)[] _colors;

    public DrawnPicture(SpectrogramPicture picture)
    {
        Picture = picture;
        _content = picture.Content;
        _rows = picture.Rows;
        _colors = [.. Enumerable.Range(0, 1001).Select(i => PictureDrawing.ColorOf(_content.ColorMap, i / 1000.0))];
        Pixels = picture.ToPixels();
    }

    public SpectrogramPicture Picture { get; }

    public PicturePixels Pixels { get; }

    public PictureLayout Layout => _content.Layout;

    public FrequencyRows Rows => _rows;

    public static DrawnPicture Of(SpectrogramOptions options, params SpectrogramPanel[] panels) =>
        new(SpectrogramPicture.Create(panels, options, null, TestContext.Current.CancellationToken));

    /// <summary>A panel of samples that are the same in both channels.</summary>
    public static SpectrogramPanel Panel(int frames, Func<double, double> sample)
    {
        float[] samples = [.. Enumerable.Range(0, frames).Select(n => (float)sample(n / 44100.0))];
        return SpectrogramPanel.Create(AudioTrack.FromSamples("samples", samples, samples));
    }

    /// <summary>The level that the pixel at a time and a frequency shows, in dB.</summary>
    public double LevelAt(double time, double frequency, int panel = 0) =>
        Level((int)((time - Picture.Start) / Picture.Seconds * Layout.Columns), _rows.RowOf(frequency), panel);

    /// <summary>The level that a pixel of a panel shows, in dB.</summary>
    public double Level(int column, int row, int panel = 0)
    {
        (byte red, byte green, byte blue) = At(Layout.Left + column, Layout.PanelTop(panel) + row);
        int best = Enumerable
            .Range(0, _colors.Length)
            .MinBy(i => Math.Abs(_colors[i].Red - red) + Math.Abs(_colors[i].Green - green) + Math.Abs(_colors[i].Blue - blue));
        Assert.InRange(
            Math.Abs(_colors[best].Red - red) + Math.Abs(_colors[best].Green - green) + Math.Abs(_colors[best].Blue - blue),
            0,
            6
        );
        return _content.MinDb + best / 1000.0 * (_content.MaxDb - _content.MinDb);
    }

    public (byte Red, byte Green, byte Blue) At(int x, int y)
    {
        ReadOnlySpan<byte> pixel = Pixels.Rgb.Span.Slice(3 * (y * Pixels.Width + x), 3);
        return (pixel[0], pixel[1], pixel[2]);
    }

    /// <summary>Reads a PNG file of 8 bits a color, without the product's own code.</summary>
    public static (int Width, int Height, byte[] Rgb, int DotsPerMeter) Decode(byte[] png)
    {
        using MemoryStream packed = new();
        int width = 0,
            height = 0,
            bytes = 0,
            density = 0;
        for (int at = 8; at < png.Length;)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(at));
            ReadOnlySpan<byte> data = png.AsSpan(at + 8, length);
            switch (System.Text.Encoding.ASCII.GetString(png, at + 4, 4))
            {
                case "IHDR":
                    (width, height) = (BinaryPrimitives.ReadInt32BigEndian(data), BinaryPrimitives.ReadInt32BigEndian(data[4..]));
                    Assert.Equal((8, 0), (data[8], data[12]));
                    bytes = data[9] switch
                    {
                        2 => 3,
                        6 => 4,
                        _ => throw new NotSupportedException(),
                    };
                    break;
                case "pHYs":
                    density = BinaryPrimitives.ReadInt32BigEndian(data);
                    break;
                case "IDAT":
                    packed.Write(data);
                    break;
            }
            at += length + 12;
        }
        packed.Position = 0;
        using ZLibStream unpacked = new(packed, CompressionMode.Decompress);
        byte[] rgb = new byte[3 * width * height],
            line = new byte[bytes * width],
            above = new byte[bytes * width];
        for (int y = 0; y < height; y++)
        {
            int filter = unpacked.ReadByte();
            unpacked.ReadExactly(line);
            for (int i = 0; i < line.Length; i++)
            {
                int left = i >= bytes ? line[i - bytes] : 0,
                    up = above[i],
                    corner = i >= bytes ? above[i - bytes] : 0,
                    guess = left + up - corner;
                int a = Math.Abs(guess - left),
                    b = Math.Abs(guess - up),
                    c = Math.Abs(guess - corner);
                line[i] += (byte)(
                    filter switch
                    {
                        0 => 0,
                        1 => left,
                        2 => up,
                        3 => (left + up) / 2,
                        _ => a <= b && a <= c ? left
                        : b <= c ? up
                        : corner,
                    }
                );
            }
            for (int x = 0; x < width; x++)
                line.AsSpan(bytes * x, 3).CopyTo(rgb.AsSpan(3 * (y * width + x)));
            line.CopyTo(above, 0);
        }
        return (width, height, rgb, density);
    }
}
