using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class WavWriterTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(WavSampleFormat.Pcm16, 32768)]
    [InlineData(WavSampleFormat.Pcm24, 8388608)]
    public void Integers_are_rounded_to_nearest_even_and_set_to_full_scale_beyond_it(WavSampleFormat format, int scale)
    {
        double[] steps =
        [
            0,
            1,
            -1,
            0.5,
            1.5,
            -0.5,
            -1.5,
            2.5,
            0.49,
            0.51,
            scale - 1,
            scale - 0.5,
            scale,
            scale * 2.0,
            -scale,
            -scale - 0.5,
            -scale - 1,
            -scale * 3.0,
        ];
        double[] expected = [0, 1, -1, 0, 2, 0, -2, 2, 0, 1, scale - 1, scale - 1, scale - 1, scale - 1, -scale, -scale, -scale, -scale];
        float[] samples = [.. steps.Select(step => (float)(step / scale))];
        string path = _folder.File("rounded.wav");
        using (WavWriter writer = WavWriter.Create(path, 44100, 1, format))
        {
            writer.Write(samples);
            writer.Complete();

            // Half a step below the lowest value is a tie (or no float) and goes to it: that is rounding, not clipping.
            Assert.Equal(5, writer.ClippedSamples);
            Assert.Equal(steps.Length, writer.FramesWritten);
        }

        Assert.Equal(expected.Select(value => (float)(value / scale)), ReadBack(path));
    }

    [Fact]
    public void Twenty_four_bit_samples_survive_a_round_trip_exactly()
    {
        Random random = new(5);
        float[] samples = [.. Enumerable.Range(0, 100_000).Select(_ => random.Next(-8388608, 8388608) / 8388608f)];
        string path = _folder.File("exact.wav");
        Write(path, 2, WavSampleFormat.Pcm24, samples);
        Assert.Equal(samples, ReadBack(path));
    }

    [Fact]
    public void Floats_are_written_bit_for_bit_and_never_clipped()
    {
        float[] samples = [0f, -0f, 3f, float.NaN, float.PositiveInfinity, 1e-40f];
        string path = _folder.File("float.wav");
        Write(path, 2, WavSampleFormat.Float32, samples, ditherSeed: 7);
        Assert.Equal(samples.Select(BitConverter.SingleToInt32Bits), ReadBack(path).Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void Gain_is_applied_before_rounding()
    {
        string path = _folder.File("gain.wav");
        using (WavWriter writer = WavWriter.Create(path, 44100, 1, WavSampleFormat.Pcm16))
        {
            writer.Write([0.5f, -1f], 0.5f);
            writer.Write([0.5f], 4f);
            writer.Complete();
            Assert.Equal(1, writer.ClippedSamples);
        }

        Assert.Equal([0.25f, -0.5f, 32767f / 32768], ReadBack(path));
        string floats = _folder.File("gain float.wav");
        using (WavWriter writer = WavWriter.Create(floats, 44100, 1, WavSampleFormat.Float32))
        {
            writer.Write([0.5f], 4f);
            writer.Complete();
        }

        Assert.Equal([2f], ReadBack(floats));
    }

    [Theory]
    [InlineData(WavSampleFormat.Pcm16)]
    [InlineData(WavSampleFormat.Pcm24)]
    [InlineData(WavSampleFormat.Float32)]
    public void The_header_is_plain_RIFF_with_reserved_room(WavSampleFormat format)
    {
        string path = _folder.File("header.wav");
        Write(path, 1, format, [0.5f]);
        byte[] file = File.ReadAllBytes(path);
        int sampleBytes =
            format == WavSampleFormat.Pcm16 ? 2
            : format == WavSampleFormat.Pcm24 ? 3
            : 4;
        byte[] fmt =
            format == WavSampleFormat.Float32
                ? WavBytes.Join(
                    WavBytes.Chunk(
                        "fmt ",
                        WavBytes.Join(
                            WavBytes.U16(3),
                            WavBytes.U16(1),
                            WavBytes.U32(44100),
                            WavBytes.U32(176400),
                            WavBytes.U16(4),
                            WavBytes.U16(32),
                            WavBytes.U16(0)
                        )
                    ),
                    WavBytes.Chunk("fact", WavBytes.U32(1))
                )
                : WavBytes.Format(WavBytes.Pcm, 1, 44100, 8 * sampleBytes);
        byte[] sample =
            format == WavSampleFormat.Pcm16 ? [0, 0x40]
            : format == WavSampleFormat.Pcm24 ? [0, 0, 0x40]
            : WavBytes.F32(0.5f);
        Assert.Equal(WavBytes.File(WavBytes.Chunk("JUNK", new byte[28]), fmt, WavBytes.Chunk("data", sample)), file);
    }

    [Theory]
    [InlineData(WavSampleFormat.Pcm16)]
    [InlineData(WavSampleFormat.Pcm24)]
    [InlineData(WavSampleFormat.Float32)]
    public void A_file_beyond_the_limit_becomes_RF64_in_place(WavSampleFormat format)
    {
        float[] samples = [.. Enumerable.Range(0, 999).Select(i => i / 1024f)];
        string path = _folder.File("large.wav");
        using (WavWriter writer = WavWriter.Create(path, 44100, 1, format, null, riffSizeLimit: 1000))
        {
            writer.Write(samples);
            writer.Complete();
        }

        byte[] file = File.ReadAllBytes(path);
        Assert.Equal("RF64"u8, file.AsSpan(0, 4));
        Assert.Equal(WavBytes.U32(0xFFFFFFFF), file[4..8]);
        Assert.Equal("WAVEds64"u8, file.AsSpan(8, 8));
        Assert.Equal(WavBytes.U64(file.Length - 8), file[20..28]);
        int sampleBytes =
            format == WavSampleFormat.Pcm16 ? 2
            : format == WavSampleFormat.Pcm24 ? 3
            : 4;
        Assert.Equal(WavBytes.U64(999 * sampleBytes), file[28..36]);
        Assert.Equal(WavBytes.U64(999), file[36..44]);
        Assert.Equal(0, file.Length % 2);
        Assert.Equal(samples, ReadBack(path));
    }

    [Theory]
    [InlineData(WavSampleFormat.Pcm16, uint.MaxValue)]
    [InlineData(WavSampleFormat.Pcm24, uint.MaxValue)]
    [InlineData(WavSampleFormat.Float32, uint.MaxValue)]
    [InlineData(WavSampleFormat.Pcm16, 1000)]
    [InlineData(WavSampleFormat.Pcm24, 1000)]
    [InlineData(WavSampleFormat.Float32, 1000)]
    public void Other_programs_read_the_files(WavSampleFormat format, long riffSizeLimit)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        float[] samples = [.. Enumerable.Range(0, 1998).Select(i => (i - 999) / 1024f)];
        string path = _folder.File("checked.wav");
        using (WavWriter writer = WavWriter.Create(path, 44100, 2, format, null, riffSizeLimit))
        {
            writer.Write(samples);
            writer.Complete();
        }

        using FFmpegReader reader = FFmpegReader.Open(path, ffmpeg);
        Assert.Equal(samples, reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void A_file_below_the_limit_stays_RIFF()
    {
        string path = _folder.File("small.wav");
        using (WavWriter writer = WavWriter.Create(path, 44100, 1, WavSampleFormat.Pcm16, null, riffSizeLimit: 1000))
        {
            writer.Write(new float[400]);
            writer.Complete();
        }

        Assert.Equal("RIFF"u8, File.ReadAllBytes(path).AsSpan(0, 4));
    }

    [Fact]
    public void Dither_comes_only_when_asked_for_and_is_the_same_for_the_same_seed()
    {
        float[] samples = [.. Enumerable.Range(0, 20_000).Select(i => (float)Math.Sin(i * 0.01) * 0.3f)];
        float[] plain = Written(null);
        float[] first = Written(1);
        Assert.Equal(plain, Written(null));
        Assert.Equal(first, Written(1));
        Assert.NotEqual(first, Written(2));
        Assert.NotEqual(first, plain);
        Assert.Equal(samples.Select(sample => MathF.Round(sample * 32768) / 32768), plain);

        // Triangular noise of two steps peak to peak and the rounding: a variance of 1/4 and never 1.5 steps or more away.
        double[] errors = [.. first.Zip(samples, (a, b) => ((double)a - b) * 32768)];
        Assert.All(errors, error => Assert.InRange(error, -1.5, 1.5));
        Assert.InRange(errors.Average(error => error * error), 0.24, 0.26);
        Assert.InRange(errors.Average(), -0.01, 0.01);

        float[] Written(int? seed)
        {
            string path = _folder.File(Guid.NewGuid() + ".wav");
            Write(path, 1, WavSampleFormat.Pcm16, samples, seed);
            return ReadBack(path);
        }
    }

    [Theory]
    [InlineData(WavSampleFormat.Pcm16)]
    [InlineData(WavSampleFormat.Pcm24)]
    public void Samples_become_the_same_integers_however_they_are_handed_over(WavSampleFormat format)
    {
        // Beyond full scale now and then, so that some are limited among many that are not.
        Random random = new(3);
        float[] samples = [.. Enumerable.Range(0, 3000).Select(_ => 1.3f * (2 * random.NextSingle() - 1))];
        (byte[] Bytes, long Clipped) whole = Written(samples.Length),
            each = Written(1),
            odd = Written(1025);
        Assert.Equal(each.Bytes, whole.Bytes);
        Assert.Equal(each.Bytes, odd.Bytes);
        Assert.InRange(each.Clipped, 100, 1000);
        Assert.Equal(each.Clipped, whole.Clipped);
        Assert.Equal(each.Clipped, odd.Clipped);

        (byte[], long) Written(int atOnce)
        {
            string path = _folder.File(Guid.NewGuid() + ".wav");
            long clipped;
            using (WavWriter writer = WavWriter.Create(path, 44100, 1, format, ditherSeed: 11))
            {
                foreach (float[] part in samples.Chunk(atOnce))
                    writer.Write(part, 0.9f);
                writer.Complete();
                clipped = writer.ClippedSamples;
            }
            return (File.ReadAllBytes(path), clipped);
        }
    }

    [Fact]
    public void A_NaN_cannot_become_an_integer()
    {
        using WavWriter writer = WavWriter.Create(_folder.File("nan.wav"), 44100, 1, WavSampleFormat.Pcm24);
        DemucsException exception = Assert.Throws<DemucsException>(() => writer.Write([float.NaN]));
        Assert.Equal(DemucsError.StemWriteFailed, exception.Error);
        Assert.Contains("nan.wav", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_existing_file_is_not_touched()
    {
        string path = _folder.Write("existing.wav", [1, 2, 3]);
        DemucsException exception = Assert.Throws<DemucsException>(() => WavWriter.Create(path, 44100, 2, WavSampleFormat.Pcm16));
        Assert.Equal(DemucsError.StemExists, exception.Error);
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        Assert.Equal([1, 2, 3], File.ReadAllBytes(path));
    }

    [Fact]
    public void A_missing_folder_is_named()
    {
        string path = Path.Combine(_folder.FullName, "missing", "a.wav");
        DemucsException exception = Assert.Throws<DemucsException>(() => WavWriter.Create(path, 44100, 2, WavSampleFormat.Pcm16));
        Assert.Equal(DemucsError.StemWriteFailed, exception.Error);
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_full_disk_is_an_error_that_names_the_file()
    {
        if (!File.Exists("/dev/full"))
            Assert.Skip("/dev/full is not there: only Linux has it.");
        FileStream device = new("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        using WavWriter writer = new("/stems/full.wav", device, 44100, 2, WavSampleFormat.Pcm16, null, uint.MaxValue);
        DemucsException exception = Assert.Throws<DemucsException>(() => writer.Write(new float[100_000]));
        Assert.Equal(DemucsError.StemWriteFailed, exception.Error);
        Assert.Contains("/stems/full.wav", exception.Message, StringComparison.Ordinal);
        Assert.Throws<DemucsException>(writer.Complete);
    }

    [Fact]
    public void Without_Complete_the_file_declares_no_samples()
    {
        string path = _folder.File("abandoned.wav");
        using (WavWriter writer = WavWriter.Create(path, 44100, 2, WavSampleFormat.Pcm16))
            writer.Write(new float[200_000]);
        byte[] file = File.ReadAllBytes(path);
        Assert.Equal(0, BitConverter.ToInt32(file, file.AsSpan().IndexOf("data"u8) + 4));
        // Readers take such a file for one whose recorder lost power, and say so.
        using AudioReader reader = AudioFile.Open(path);
        Assert.NotEmpty(reader.Warnings);
    }

    [Fact]
    public void Misuse_is_refused()
    {
        Assert.Throws<ArgumentException>(() => WavWriter.Create("relative.wav", 44100, 2, WavSampleFormat.Pcm16));
        Assert.Throws<ArgumentOutOfRangeException>(() => WavWriter.Create(_folder.File("a.wav"), 0, 2, WavSampleFormat.Pcm16));
        Assert.Throws<ArgumentOutOfRangeException>(() => WavWriter.Create(_folder.File("a.wav"), 44100, 3, WavSampleFormat.Pcm16));
        Assert.Throws<ArgumentOutOfRangeException>(() => WavWriter.Create(_folder.File("a.wav"), 44100, 2, (WavSampleFormat)9));
        Assert.Empty(Directory.GetFiles(_folder.FullName));
        using WavWriter writer = WavWriter.Create(_folder.File("a.wav"), 44100, 2, WavSampleFormat.Pcm16);
        Assert.Throws<ArgumentException>(() => writer.Write(new float[3]));
        writer.Complete();
        writer.Complete();
        Assert.Throws<InvalidOperationException>(() => writer.Write(new float[2]));
    }

    private static void Write(string path, int channels, WavSampleFormat format, float[] samples, int? ditherSeed = null)
    {
        using WavWriter writer = WavWriter.Create(path, 44100, channels, format, ditherSeed);

        // Pieces of odd sizes, so that the buffer's end falls everywhere.
        for (int at = 0; at < samples.Length;)
        {
            int count = Math.Min(samples.Length - at, 1234 * channels);
            writer.Write(samples.AsSpan(at, count));
            at += count;
        }

        writer.Complete();
    }

    private static float[] ReadBack(string path)
    {
        using AudioReader reader = AudioFile.Open(path);
        float[] samples = reader.ReadAll();
        Assert.Empty(reader.Warnings);
        return samples;
    }
}
