using System.Xml.Linq;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Pictures;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Pictures;

/// <summary>Pictures, judged by the pixels that were drawn.</summary>
public sealed class SpectrogramPictureTests
{
    private static readonly SpectrogramOptions s_small = new()
    {
        Width = 420,
        Height = 260,
        FrameSize = 2048,
    };

    [Theory]
    [InlineData(FrequencyScale.Log)]
    [InlineData(FrequencyScale.Mel)]
    [InlineData(FrequencyScale.Linear)]
    public void The_ridge_of_a_chirp_is_where_the_formula_says(FrequencyScale scale)
    {
        // f(t) = 200·80^(t/T), whose phase is the integral.
        const double T = 3;
        double octaves = Math.Log(80);
        DrawnPicture drawn = DrawnPicture.Of(
            s_small with
            {
                FrequencyScale = scale,
            },
            DrawnPicture.Panel((int)(T * 44100), t => Math.Sin(2 * Math.PI * 200 * T / octaves * (Math.Exp(octaves * t / T) - 1)))
        );
        for (int column = 10; column < drawn.Layout.Columns - 10; column++)
        {
            double frequency = 200 * Math.Exp(octaves * (column + 0.5) / drawn.Layout.Columns);
            // The position by the scale's own formula, apart from the product's.
            double Warp(double f) =>
                scale switch
                {
                    FrequencyScale.Log => Math.Log2(f),
                    FrequencyScale.Mel => 2595 * Math.Log10(1 + f / 700),
                    _ => f,
                };
            double low = scale == FrequencyScale.Log ? 20 : 0,
                expected = (1 - (Warp(frequency) - Warp(low)) / (Warp(22050) - Warp(low))) * drawn.Layout.Rows;
            int brightest = Enumerable
                .Range(0, drawn.Layout.Rows)
                .MaxBy(row => drawn.At(drawn.Layout.Left + column, drawn.Layout.PanelTop(0) + row) is var (r, g, b) ? r + g + b : 0);
            Assert.InRange(brightest + 0.5 - expected, -2.5, 2.5);
        }
    }

    [Fact]
    public void A_sine_at_full_scale_is_0_dB_and_one_channel_alone_3_dB_less()
    {
        float[] sine = [.. Enumerable.Range(0, 44100).Select(n => (float)Math.Sin(2 * Math.PI * 2048 / 2048.0 * 100 * n / 2048 * 1))];
        SpectrogramOptions options = s_small with { FrequencyScale = FrequencyScale.Linear, MaxFrequency = 4000 };
        double frequency = 100 * 44100 / 2048.0;
        DrawnPicture both = DrawnPicture.Of(options, SpectrogramPanel.Create(AudioTrack.FromSamples("both", sine, sine))),
            one = DrawnPicture.Of(options, SpectrogramPanel.Create(AudioTrack.FromSamples("one", sine, new float[sine.Length])));
        Assert.Equal(0, both.LevelAt(0.5, frequency), 0.5);
        Assert.Equal(-3, one.LevelAt(0.5, frequency), 0.7);
    }

    [Fact]
    public void Silence_is_one_color_and_clipping_has_odd_harmonics()
    {
        DrawnPicture drawn = DrawnPicture.Of(
            s_small with
            {
                Height = 420,
            },
            DrawnPicture.Panel(44100, _ => 0),
            DrawnPicture.Panel(44100, t => Math.Sin(2 * Math.PI * 1000 * t)),
            DrawnPicture.Panel(44100, t => Math.Clamp(4 * Math.Sin(2 * Math.PI * 1000 * t), -1, 1))
        );
        for (int row = 0; row < drawn.Layout.Rows; row++)
        {
            for (int column = 0; column < drawn.Layout.Columns; column++)
                Assert.Equal(-100, drawn.Level(column, row));
        }
        Assert.Equal(0, drawn.LevelAt(0.5, 1000, 1), 2.0);
        Assert.InRange(drawn.LevelAt(0.5, 3000, 1), -100, -90);
        foreach (double odd in (double[])[3000, 5000, 7000])
        {
            // The Fourier coefficient, from a sum over one period.
            double amplitude =
                Enumerable
                    .Range(0, 10000)
                    .Sum(n => Math.Clamp(4 * Math.Sin(2 * Math.PI * n / 10000), -1, 1) * Math.Sin(2 * Math.PI * n * odd / 1000 / 10000))
                / 5000;
            Assert.Equal(20 * Math.Log10(Math.Abs(amplitude)), drawn.LevelAt(0.5, odd, 2), 2.0);
            Assert.InRange(drawn.LevelAt(0.5, odd - 1000, 2), -100, -60);
        }
    }

    [Fact]
    public void Times_are_those_of_the_track_and_nothing_is_drawn_behind_its_end()
    {
        // A click at 1.5 s; the second panel is half as long.
        static double Click(double t) => Math.Abs(t - 1.5) < 0.5 / 44100 ? 1 : 0;
        DrawnPicture drawn = DrawnPicture.Of(
            s_small with
            {
                FrameSize = 512,
                Height = 320,
                Start = 1,
                Duration = 0.9,
            },
            DrawnPicture.Panel(2 * 44100, Click),
            DrawnPicture.Panel(63945, _ => 0)
        );
        Assert.Equal((1, 0.9), (drawn.Picture.Start, drawn.Picture.Seconds));
        Assert.InRange(drawn.LevelAt(1.5, 5000), -60, 0);
        // A frame is 12 ms long.
        Assert.Equal(-100, drawn.LevelAt(1.48, 5000));
        Assert.Equal(-100, drawn.LevelAt(1.52, 5000));
        Assert.Equal(-100, drawn.LevelAt(1.44, 5000, 1));
        Assert.Equal(
            ((byte)0x15, (byte)0x17, (byte)0x1c),
            drawn.At(drawn.Layout.Left + (int)(0.46 / 0.9 * drawn.Layout.Columns), drawn.Layout.PanelTop(1) + 10)
        );
    }

    [Fact]
    public void The_loudest_and_the_mean_of_what_a_pixel_has_are_what_they_say()
    {
        // Bursts that fill a fifth of the time, some in every column, in the middle of a bin.
        const double Frequency = 29 * 44100 / 256.0;
        SpectrogramPanel Bursts() => DrawnPicture.Panel(5 * 44100, t => t % 0.04 < 0.008 ? Math.Sin(2 * Math.PI * Frequency * t) : 0);
        SpectrogramOptions options = new()
        {
            Width = 220,
            Height = 200,
            FrameSize = 256,
            Hop = 64,
            FrequencyScale = FrequencyScale.Linear,
        };
        double max = DrawnPicture.Of(options, Bursts()).LevelAt(2.5, Frequency),
            mean = DrawnPicture.Of(options with { PixelPower = PixelPower.Mean }, Bursts()).LevelAt(2.5, Frequency);
        Assert.Equal(0, max, 1.0);
        Assert.InRange(max - mean, 6, 11);
    }

    [Fact]
    public void The_chunk_grid_is_drawn_where_chunks_meet_and_not_where_it_would_hide_the_picture()
    {
        AudioTrack track = AudioTrack.FromSamples("silence", new float[44100], new float[44100]);
        AudioChunk chunk = track.Split(0.25, SmallModels.Segment).ElementAt(2);
        DrawnPicture drawn = DrawnPicture.Of(
            s_small with
            {
                ChunkGrid = true,
                Overlap = 0.25,
                Segment = 8192 / 44100.0,
            },
            SpectrogramPanel.Create(track)
        );
        // Chunks begin every 6,144 frames and end 2,048 after the next has begun: the bar above says where.
        int y = drawn.Layout.PanelTop(0) - 3;
        for (int i = 1; i < 7; i++)
        {
            (double from, double to) = (i * 6144 / 44100.0 * drawn.Layout.Columns, (i * 6144 + 2048) / 44100.0 * drawn.Layout.Columns);
            Assert.True(IsMarked(from + 2) && IsMarked(to - 2), $"zone {i}");
            Assert.False(IsMarked(from - 2) || IsMarked(to + 2), $"zone {i}");
            Assert.NotEqual(
                drawn.At(drawn.Layout.Left + (int)from + 4, y + 40),
                Enumerable
                    .Range(0, 8)
                    .Select(dy => drawn.At(drawn.Layout.Left + (int)Math.Round(from), y + 40 + dy))
                    .MaxBy(c => c.Red + c.Green + c.Blue)
            );
        }
        Assert.Empty(drawn.Picture.Warnings);
        // A chunk knows its plan, and a spectrogram too; a track alone does not.
        Assert.Empty(
            DrawnPicture
                .Of(
                    s_small with
                    {
                        ChunkGrid = true,
                        Height = 300,
                    },
                    SpectrogramPanel.Create(chunk),
                    SpectrogramPanel.Create(ChunkSpectrogram.Compute(chunk))
                )
                .Picture.Warnings
        );
        DemucsException unknown = Assert.Throws<DemucsException>(() =>
            DrawnPicture.Of(s_small with { ChunkGrid = true }, SpectrogramPanel.Create(track))
        );
        Assert.Equal(DemucsError.ParameterInvalid, unknown.Error);
        Assert.Contains("its chunks are unknown", unknown.Message, StringComparison.Ordinal);
        DrawnPicture dense = DrawnPicture.Of(
            s_small with
            {
                ChunkGrid = true,
                Overlap = 0.9,
                Segment = 0.02,
            },
            SpectrogramPanel.Create(track)
        );
        Assert.Contains("is not drawn: more than ", Assert.Single(dense.Picture.Warnings), StringComparison.Ordinal);

        bool IsMarked(double x) => drawn.At(drawn.Layout.Left + (int)Math.Round(x), y) is var (red, _, _) && red > 100;
    }

    [Fact]
    public void A_chunk_is_drawn_at_its_place_and_its_spectrogram_shows_its_edits()
    {
        float[] tone = [.. Enumerable.Range(0, 30000).Select(n => 0.5f * MathF.Sin(2 * MathF.PI * 3000 * n / 44100))];
        AudioChunk chunk = AudioTrack.FromSamples("tone", tone, tone).Split(0.25, SmallModels.Segment).ElementAt(2);
        ChunkSpectrogram spectrogram = ChunkSpectrogram.Compute(chunk);
        DrawnPicture drawn = DrawnPicture.Of(
            new SpectrogramOptions { Width = 420, Height = 500 },
            SpectrogramPanel.Create(chunk),
            SpectrogramPanel.Create(spectrogram),
            SpectrogramPanel.Create(spectrogram.WithGain(2500, 3500, -40))
        );
        double middle = chunk.StartTime.TotalSeconds + chunk.Duration.TotalSeconds / 2;
        Assert.Equal(chunk.StartTime.TotalSeconds, drawn.Picture.Start, 0.001);
        Assert.Equal(-6, drawn.LevelAt(middle, 3000, 0), 2.0);
        Assert.Equal(drawn.LevelAt(middle, 3000, 0), drawn.LevelAt(middle, 3000, 1), 1.0);
        Assert.Equal(drawn.LevelAt(middle, 3000, 1) - 40, drawn.LevelAt(middle, 3000, 2), 1.0);
    }

    [Fact]
    public void A_PNG_has_the_pixels_and_their_size_and_an_SVG_its_texts()
    {
        SpectrogramPicture picture = DrawnPicture
            .Of(s_small with { Dpi = 120, Width = 500, Height = 300, Title = "A & <B>" }, DrawnPicture.Panel(4410, t => t))
            .Picture;
        PicturePixels pixels = picture.ToPixels();
        (int width, int height, byte[] rgb, int density) = DrawnPicture.Decode(picture.ToPng());
        Assert.Equal((500, 300, 4724), (width, height, density));
        Assert.Equal(pixels.Rgb.ToArray(), rgb);
        XDocument svg = XDocument.Load(new MemoryStream(picture.ToSvg()));
        string[] texts = [.. svg.Descendants().Where(e => e.Name.LocalName == "text").Select(e => e.Value.Trim())];
        Assert.Superset(new HashSet<string> { "A & <B>", "samples", "Time (s)", "Frequency (Hz)", "Level (dBFS)" }, texts.ToHashSet());
        Assert.Contains(svg.Descendants(), e =>
            e.Name.LocalName == "image"
            && e.Attribute("width") is not null
            && int.Parse(e.Attribute("width")!.Value, System.Globalization.CultureInfo.InvariantCulture) > 100
        );
    }

    [Fact]
    public void Files_are_drawn_at_their_own_rate_and_those_that_end_too_early_as_far_as_they_go()
    {
        using TemporaryFolder folder = new();
        // Eight-bit silence in one channel at 96 kHz with a tone at 40 kHz; the header says twice as much as there is.
        byte[] header =
        [
            .. "RIFF"u8,
            .. BitConverter.GetBytes(36 + 96000),
            .. "WAVEfmt "u8,
            16,
            0,
            0,
            0,
            1,
            0,
            1,
            0,
            .. BitConverter.GetBytes(96000),
            .. BitConverter.GetBytes(96000),
            1,
            0,
            8,
            0,
            .. "data"u8,
            .. BitConverter.GetBytes(96000),
        ];
        File.WriteAllBytes(
            folder["short.wav"],
            [.. header, .. Enumerable.Range(0, 48000).Select(n => (byte)(128 + 100 * Math.Sin(2 * Math.PI * 40000 * n / 96000.0)))]
        );
        DrawnPicture drawn = DrawnPicture.Of(s_small, SpectrogramPanel.Create(new TrackSource(folder["short.wav"])));
        Assert.Equal(0.5, drawn.Picture.Seconds, 0.001);
        Assert.InRange(drawn.LevelAt(0.49, 40000), -10, 0);
        Assert.Equal(48000, drawn.Rows.MaxFrequency);
        Assert.NotEmpty(drawn.Picture.Warnings);
        DemucsException missing = Assert.Throws<DemucsException>(() =>
            DrawnPicture.Of(s_small, SpectrogramPanel.Create(new TrackSource(folder["none.wav"])))
        );
        Assert.Equal(DemucsError.AudioTrackNotFound, missing.Error);
    }

    [Theory]
    [InlineData("frame size", 0)]
    [InlineData("hop", 1)]
    [InlineData("The levels are", 2)]
    [InlineData("lowest frequency", 3)]
    [InlineData("highest frequency", 4)]
    [InlineData("One spectrogram does not fit", 5)]
    [InlineData("The start is", 6)]
    [InlineData("The duration is", 7)]
    [InlineData("the tracks have none", 8)]
    [InlineData("1000000 pixels; it must be from 1 to 16384", 9)]
    [InlineData("chunk grid", 10)]
    public void What_cannot_be_drawn_is_said(string says, int which)
    {
        SpectrogramOptions options = which switch
        {
            0 => s_small with { FrameSize = 1000 },
            1 => s_small with { Hop = 5000 },
            2 => s_small with { MinDb = 0 },
            3 => s_small with { MinFrequency = 0 },
            4 => s_small with { MaxFrequency = 10 },
            5 => s_small with { Height = 60 },
            6 => s_small with { Start = 5 },
            7 => s_small with { Duration = double.NaN },
            8 => s_small with { MinFrequency = 30_000 },
            9 => s_small with { Width = 1_000_000 },
            _ => s_small with { Overlap = 0.25 },
        };
        DemucsException e = Assert.Throws<DemucsException>(() =>
            SpectrogramPicture.Create([DrawnPicture.Panel(4410, _ => 0)], options, null, TestContext.Current.CancellationToken)
        );
        Assert.Equal(DemucsError.ParameterInvalid, e.Error);
        Assert.Contains(says, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_of_one_name_are_told_apart_by_their_folders() =>
        Assert.Equal(
            ["narrow: drums.wav", "bass.wav", "wide: drums.wav"],
            SpectrogramPanel.NamesOf([
                .. ((string[])["narrow/song/drums.wav", "narrow/song/bass.wav", "wide/song/drums.wav"]).Select(f =>
                    SpectrogramPanel.Create(new TrackSource(Path.GetFullPath(f)))
                ),
            ])
        );

    [Fact]
    public void Long_tracks_take_no_more_memory_than_short_ones()
    {
        long first = Allocated(20),
            second = Allocated(TestSet.Size(40, 1200));
        Assert.InRange(second - first, -100_000, 100_000);
        Assert.InRange(second, 0, 20_000_000);

        static long Allocated(int seconds)
        {
            Generated source = new(seconds);
            FrequencyRows rows = new(FrequencyScale.Log, 20, 22050, 200);
            long before = GC.GetAllocatedBytesForCurrentThread();
            float[] levels = source.Read(0, seconds, 1000, rows, new SpectrogramOptions(), null, TestContext.Current.CancellationToken);
            long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.DoesNotContain(levels, float.IsNaN);
            return allocated;
        }
    }

    [Fact]
    public void A_picture_that_is_canceled_is_given_up()
    {
        using CancellationTokenSource stop = new();
        stop.Cancel();
        Assert.Throws<OperationCanceledException>(() =>
            SpectrogramPicture.Create([DrawnPicture.Panel(44100, _ => 0)], s_small, null, stop.Token)
        );
    }

    /// <summary>Frames that nobody holds.</summary>
    private sealed class Generated(int seconds) : SampledSpectra, IStereoSource
    {
        protected override int Rate => 44100;

        protected override long Frames => seconds * 44100L;

        public int Read(Span<float> left, Span<float> right)
        {
            left.Fill(0.1f);
            right.Fill(0.1f);
            return left.Length;
        }

        protected override IDisposable? OpenAt(long frame, CancellationToken cancellationToken, out IStereoSource source)
        {
            source = this;
            return null;
        }
    }
}
