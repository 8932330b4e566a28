using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>AIFF without ffmpeg.</summary>
public sealed class AiffReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(8, 2, 0)]
    [InlineData(16, 2, 0)]
    [InlineData(16, 1, 6)]
    [InlineData(24, 2, 0)]
    [InlineData(24, 6, 3)]
    [InlineData(8, 1, 0, 4999)]
    [InlineData(24, 1, 0, 4999)]
    [InlineData(32, 2, 0)]
    public void Samples_are_those_of_the_file_bit_for_bit(int bits, int channels, int offset, int frames = 5000)
    {
        int[] samples = Samples(bits, frames * channels);
        string path = _folder.File("song.aiff");
        File.WriteAllBytes(path, AiffBytes.Make(48000, channels, bits, samples, offset));
        using AudioReader reader = AudioFile.Open(new TrackSource(path), NoFFmpeg);
        Assert.Equal(
            (48000, channels, (long)frames, $"AIFF {bits} bit via NAudio"),
            (reader.SampleRate, reader.Channels, reader.FrameCount, reader.Codec)
        );
        Assert.Equal(samples.Select(s => (float)(s / Math.Pow(2, bits - 1))), reader.ReadAll());
        Assert.Empty(reader.Warnings);
        Assert.Empty(reader.Tags);
    }

    [Fact]
    public void A_part_of_it_can_be_a_track()
    {
        int[] samples = Samples(16, 2000);
        string path = _folder.File("song.aif");
        File.WriteAllBytes(path, AiffBytes.Make(44100, 2, 16, samples));
        using AudioReader reader = AudioFile.Open(new TrackSource(path) { Range = new FrameRange(100, 50) }, NoFFmpeg);
        Assert.Equal(samples[200..300].Select(s => s / 32768f), reader.ReadAll());
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(path) { StreamIndex = 1 }, NoFFmpeg)).Error
        );
    }

    [Fact]
    public void Tags_are_read_without_ffmpeg()
    {
        string path = _folder.File("song.aiff");
        foreach (
            (string name, string field) in ((string, string)[])
                [("NAME", "title"), ("AUTH", "artist"), ("(c) ", "copyright"), ("ANNO", "comment")]
        )
        {
            File.WriteAllBytes(path, AiffBytes.Make(44100, 2, 16, Samples(16, 200), 0, (name, "A song\0"u8.ToArray())));
            using AudioReader reader = AudioFile.Open(new TrackSource(path), NoFFmpeg);
            Assert.Equal((field, "A song"), Assert.Single(reader.Tags.Select(tag => (tag.Key, tag.Value))));
            Assert.Null(reader.Picture);
            Assert.Empty(reader.Warnings);
        }

        File.WriteAllBytes(
            path,
            AiffBytes.Make(44100, 2, 16, Samples(16, 200), 0, ("ID3 ", Id3Bytes.Tag(3, Id3Bytes.Text("TIT2", "From ID3"))))
        );
        using AudioReader tagged = AudioFile.Open(new TrackSource(path), NoFFmpeg);
        Assert.Equal("From ID3", tagged.Tags["title"]);
        Assert.Equal("v:0", tagged.Picture);
    }

    /// <summary>Whatever is stored without compression, as SoX and libsndfile read it. ffmpeg takes every 'sowt' for 16 bits.</summary>
    [Theory]
    [InlineData("sowt", 8, "AIFF 8 bit, little-endian")]
    [InlineData("sowt", 12, "AIFF 12 bit, little-endian")]
    [InlineData("sowt", 16, "AIFF 16 bit, little-endian")]
    [InlineData("sowt", 20, "AIFF 20 bit, little-endian")]
    [InlineData("sowt", 24, "AIFF 24 bit, little-endian")]
    [InlineData("sowt", 32, "AIFF 32 bit, little-endian")]
    [InlineData("twos", 16, "AIFF 16 bit")]
    [InlineData("twos", 24, "AIFF 24 bit")]
    [InlineData("NONE", 20, "AIFF 20 bit")]
    [InlineData("in24", 24, "AIFF 24 bit")]
    [InlineData("in32", 32, "AIFF 32 bit")]
    [InlineData("42ni", 24, "AIFF 24 bit, little-endian")]
    [InlineData("23ni", 32, "AIFF 32 bit, little-endian")]
    public void Integers_of_AIFF_C_are_read_bit_for_bit(string compression, int bits, string codec)
    {
        int width = (bits + 7) / 8,
            shift = (8 * width) - bits;
        int[] samples = [.. Samples(bits, 2001 * 2).Select(s => s << shift)];
        using AudioReader reader = Open(
            AiffBytes.Make(
                48000,
                2,
                bits,
                samples,
                type: "AIFC",
                compression: compression,
                isLittle: compression is "sowt" or "42ni" or "23ni"
            )
        );
        Assert.Equal((48000, 2, 2001L, codec), (reader.SampleRate, reader.Channels, reader.FrameCount, reader.Codec));
        Assert.Equal(samples.Select(s => (float)(s / Math.Pow(2, (8 * width) - 1))), reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    [Theory]
    [InlineData("fl32", 32)]
    [InlineData("FL32", 16)]
    [InlineData("fl64", 64)]
    public void Floats_of_AIFF_C_are_read_whatever_bits_they_declare(string compression, int bits)
    {
        float[] values = [0.1f, -1.5f, float.Epsilon, 1f / 3];
        byte[] content =
        [
            .. values.SelectMany(v =>
                compression == "fl64" ? BitConverter.GetBytes((double)v).Reverse() : BitConverter.GetBytes(v).Reverse()
            ),
        ];
        using AudioReader reader = Open(AiffBytes.Make(96000, 2, bits, content, 2, compression));
        Assert.Equal(values, reader.ReadAll());
        Assert.Equal($"AIFF float {(compression == "fl64" ? 64 : 32)} bit", reader.Codec);
        Assert.Empty(reader.Warnings);
    }

    [Theory]
    [InlineData("raw ", 8, 0.5f)]
    [InlineData("alaw", 8, -5504f / 32768)]
    [InlineData("ULAW", 8, -32124f / 32768)]
    public void Bytes_of_AIFF_C_are_read(string compression, int bits, float expected)
    {
        // 192 is half of full scale above 128. G.711: 0x00 in A-law is 0x55 with its even bits turned: segment 5, step 5; in µ-law it is
        // the lowest value there is.
        byte stored = compression == "raw " ? (byte)192 : (byte)0;
        using AudioReader reader = Open(AiffBytes.Make(8000, 1, bits, [stored, stored], 2, compression));
        Assert.Equal([expected, expected], reader.ReadAll());
    }

    [Theory]
    [InlineData("cut", 750, "cut short, 250 frames are missing")]
    [InlineData("no frames", 1000, "declares 0 frames, but its sample chunk has 1,000")]
    [InlineData("fewer frames", 1000, "declares 900 frames, but its sample chunk has 1,000")]
    [InlineData("sizes of zero", 1000, "declares no samples, as after a recorder's power loss. All 1,000 frames")]
    [InlineData("sound of zero", 1000, "declares 0 bytes of samples in one place and 4,000 in another")]
    [InlineData("rubbish", 1000, "has 21 bytes after its last chunk that are not a chunk")]
    [InlineData("joined", 1000, "that are another file")]
    [InlineData("no filling", 1000, "without its padding byte")]
    [InlineData("form", 1000, "")]
    public void Damaged_files_are_read_as_far_as_they_go(string damage, int frames, string words)
    {
        int[] samples = Samples(16, 2000);
        byte[] whole = AiffBytes.Make(44100, 2, 16, samples),
            bytes = [.. whole];
        // FORM, its size and type, COMM with 8 + 18 bytes: frames at 22; SSND at 38, its size at 42.
        switch (damage)
        {
            case "cut":
                bytes = bytes[..^1000];
                break;
            case "no frames":
                bytes.AsSpan(22, 4).Clear();
                break;
            case "fewer frames":
                System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(22), 900);
                break;
            case "sizes of zero":
                bytes.AsSpan(4, 4).Clear();
                bytes.AsSpan(22, 4).Clear();
                bytes.AsSpan(42, 4).Clear();
                break;
            case "sound of zero":
                bytes.AsSpan(42, 4).Clear();
                break;
            case "rubbish":
                bytes = [.. bytes, .. new byte[] { 0xFE, 1 }, .. new byte[19]];
                break;
            case "joined":
                bytes = [.. bytes, .. bytes];
                break;
            case "no filling":
                bytes = [.. bytes[..12], .. "NAME"u8, 0, 0, 0, 3, .. "abc"u8, .. bytes[12..]];
                break;
            default:
                bytes.AsSpan(4, 4).Clear();
                break;
        }

        using AudioReader reader = Open(bytes);
        Assert.Equal(samples[..(2 * frames)].Select(s => s / 32768f), reader.ReadAll());
        if (words.Length > 0)
            Assert.Contains(words, Assert.Single(reader.Warnings), StringComparison.Ordinal);
        else
            Assert.Empty(reader.Warnings);
    }

    [Theory]
    [InlineData("raw ", 16)]
    [InlineData("sowt", 40)]
    [InlineData("NONE", 0)]
    public void What_every_reader_takes_for_something_else_is_refused(string compression, int bits)
    {
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            Open(AiffBytes.Make(44100, 1, bits, new byte[100], 10, compression))
        );
        Assert.Equal(DemucsError.AudioTrackCorrupt, refused.Error);
        Assert.Contains($"{bits} bits, stored as '{compression}'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Compressed_files_are_for_ffmpeg()
    {
        string path = _folder.File("song.aiff");
        File.WriteAllBytes(path, AiffBytes.Make(44100, 2, 16, Samples(16, 2000), type: "AIFC", compression: "ima4"));
        Assert.Equal(
            DemucsError.FFmpegNotFound,
            Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(path), NoFFmpeg)).Error
        );
    }

    [Fact]
    public void A_file_without_samples_is_an_error() =>
        Assert.Contains(
            "contains no audio frames",
            Assert.Throws<DemucsException>(() => Open(AiffBytes.Make(44100, 2, 16, []))).Message,
            StringComparison.Ordinal
        );

    private AudioReader Open(byte[] bytes)
    {
        string path = _folder.File("song.aiff");
        File.WriteAllBytes(path, bytes);
        return AudioFile.Open(new TrackSource(path), NoFFmpeg);
    }

    private static string? NoFFmpeg() => null;

    private static int[] Samples(int bits, int count)
    {
        Random random = new(bits);
        long span = 1L << bits;
        return
        [
            .. Enumerable
                .Range(0, count)
                .Select(i =>
                    (int)(
                        i switch
                        {
                            0 => -span / 2,
                            1 => (span / 2) - 1,
                            _ => random.NextInt64(span) - (span / 2),
                        }
                    )
                ),
        ];
    }
}
