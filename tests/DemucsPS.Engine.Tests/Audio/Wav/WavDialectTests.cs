using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Input;
using static DemucsPS.Engine.Tests.Audio.Wav.DialectBytes;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio.Wav;

/// <summary>
/// RIFX, Wave64 and others that ffmpeg reads wrongly, or not at all. SoX and libsndfile give the values that are expected here, for files
/// made the same way.
/// </summary>
public sealed class WavDialectTests
{
    private const string SomePath = "/music/some file.wav";

    [Theory]
    [InlineData(8)]
    [InlineData(12)]
    [InlineData(16)]
    [InlineData(20)]
    [InlineData(24)]
    [InlineData(32)]
    public void Integers_of_a_big_endian_file_are_read(int bits)
    {
        int width = (bits + 7) / 8,
            shift = (8 * width) - bits;
        int[] values = Values(bits);
        byte[] data = Join([.. values.Select(v => width == 1 ? [(byte)(v + 128)] : Big(U32((long)v << shift))[^width..])]);
        // Plain, and extensible in both ways that programs write it; container wider than the bits only where that is told.
        byte[][] formats =
        [
            BigFormat(Pcm, 2, 48000, bits),
            BigExtensibleFormat(Pcm, 2, 48000, 8 * width, bits, asSoxDoes: true),
            BigExtensibleFormat(Pcm, 2, 48000, 8 * width, bits, asSoxDoes: false),
        ];
        foreach (byte[] format in formats)
        {
            using AudioReader reader = Open(BigFile(format, BigChunk("data", data)));
            Assert.Equal(
                (48000, 2, 500L, $"PCM {bits} bit, big-endian"),
                (reader.SampleRate, reader.Channels, reader.FrameCount, reader.Codec)
            );
            Assert.Equal(values.Select(v => (float)(v / Math.Pow(2, bits - 1))), reader.ReadAll(77));
            Assert.Empty(reader.Warnings);
        }
    }

    [Fact]
    public void Floats_and_logarithmic_bytes_of_a_big_endian_file_are_read()
    {
        float[] values = [0.1f, -1.5f, float.Epsilon, 1f / 3, 0, -0f];
        Assert.Equal(
            values,
            Samples(BigFile(BigFormat(WavBytes.Float, 2, 44100, 32), BigChunk("data", Join([.. values.Select(v => Big(F32(v)))]))))
        );
        Assert.Equal(
            values,
            Samples(BigFile(BigFormat(WavBytes.Float, 2, 44100, 64), BigChunk("data", Join([.. values.Select(v => Big(F64(v)))]))))
        );
        Assert.Equal([-5504f / 32768, 32256f / 32768], Samples(BigFile(BigFormat(6, 1, 8000, 8), BigChunk("data", [0x00, 0xAA]))));
        Assert.Equal([-32124f / 32768, 0, 8f / 32768], Samples(BigFile(BigFormat(7, 1, 8000, 8), BigChunk("data", [0x00, 0xFF, 0xFE]))));
    }

    [Fact]
    public void Tags_padding_and_positions_of_a_big_endian_file_are_read()
    {
        byte[] list = BigChunk("LIST", Join(Text("INFO"), BigChunk("INAM", Text("A title\0"))));
        byte[] file = BigFile(BigChunk("junk", [1]), BigFormat(Pcm, 1, 44100, 8), BigChunk("data", [128, 129, 130]), list);
        using AudioReader reader = Open(file);
        Assert.Equal("A title", reader.Tags["title"]);
        Assert.Equal(2, reader.Skip(2));
        Assert.Equal([2f / 128], reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    [Theory]
    [InlineData(0x11)]
    [InlineData(0x02)]
    [InlineData(0x55)]
    public void A_big_endian_file_of_compressed_samples_is_refused_in_words(int tag)
    {
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            Open(BigFile(BigFormat(tag, 2, 44100, 4, blockAlign: 1024), BigChunk("data", new byte[2048])))
        );
        Assert.Equal(DemucsError.AudioFormatUnsupported, refused.Error);
        Assert.Contains($"RIFX) of format 0x{tag:X4}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Convert it: sox in.wav", refused.Message, StringComparison.Ordinal);
    }

    /// <summary>ffmpeg takes the valid bits for the width: noise, or silence of another length.</summary>
    [Theory]
    [InlineData(16, 16)]
    [InlineData(24, 32)]
    [InlineData(20, 32)]
    [InlineData(20, 24)]
    [InlineData(16, 32)]
    [InlineData(16, 24)]
    [InlineData(8, 16)]
    public void Wave64_is_read_whatever_of_its_bytes_counts(int bits, int container)
    {
        int[] values = Values(bits);
        byte[] data = Join([.. values.Select(v => U32((long)v << (32 - bits))[^(container / 8)..])]),
            format = ExtensibleFormat(Pcm, 2, 96000, container, bits)[8..];
        using AudioReader reader = Open(
            Wave64File(Wave64Chunk("fmt ", format), Wave64Chunk("fact", new byte[3]), Wave64Chunk("data", data))
        );
        Assert.Equal((96000, 2, 500L, $"PCM {bits} bit"), (reader.SampleRate, reader.Channels, reader.FrameCount, reader.Codec));
        Assert.Equal(values.Select(v => (float)(v / Math.Pow(2, bits - 1))), reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    [Theory]
    [InlineData("unaligned", "without its padding byte")]
    [InlineData("rubbish", "has 33 bytes after its last chunk that are not a chunk")]
    [InlineData("short", "declares 8 bytes of samples, but no chunk follows them")]
    [InlineData("zero", "declares 0 bytes")]
    [InlineData("length", "declares a length of")]
    [InlineData("cut", "declared 1000 frames, found 750")]
    [InlineData("joined", "is 2 WAV files joined")]
    [InlineData("no fmt first", "before their format")]
    public void Faults_of_Wave64_are_said(string fault, string words)
    {
        byte[] data = Join([.. Enumerable.Range(0, 1000).Select(U16)]),
            format = Format(Pcm, 1, 44100, 16)[8..];
        byte[] whole = Wave64File(Wave64Chunk("fmt ", format), Wave64Chunk("data", data));
        byte[] file = fault switch
        {
            "unaligned" => Join(whole[..40], Join(Wave64Chunk("junk", [1])[..25], Wave64Chunk("fmt ", format), Wave64Chunk("data", data))),
            "rubbish" => Wave64File(
                Wave64Chunk("fmt ", format),
                Wave64Chunk("data", data),
                Wave64Chunk("junk", new byte[8]),
                Join(Text("no chunk"), new byte[25])
            ),
            "short" => Wave64File(Wave64Chunk("fmt ", format), Wave64Chunk("data", data, size: 24 + 8)),
            "zero" => Wave64File(Wave64Chunk("fmt ", format), Wave64Chunk("data", data, size: 24)),
            "length" => Join(whole[..16], U64(4000), whole[24..]),
            "cut" => whole[..^500],
            "joined" => Join(whole, whole),
            _ => Wave64File(Wave64Chunk("data", data), Wave64Chunk("fmt ", format)),
        };
        using AudioReader reader = Open(file);
        int[] expected = [.. Enumerable.Range(0, fault == "cut" ? 750 : 1000)];
        Assert.Equal((fault == "joined" ? [.. expected, .. expected] : expected).Select(v => v / 32768f), reader.ReadAll());
        if (fault == "unaligned")
            Assert.Contains(reader.Warnings, w => w.Contains(words, StringComparison.Ordinal));
        else
            Assert.Contains(words, Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    /// <summary>"dns." instead of ".snd": ffmpeg refuses it, and takes 64-bit samples for a telephone's.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(27)]
    public void Little_endian_AU_files_are_read(int encoding)
    {
        float[] values = encoding switch
        {
            1 => [-32124f / 32768, 0],
            27 => [-5504f / 32768, 32256f / 32768],
            _ => [0.5f, -0.25f],
        };
        byte[] data = encoding switch
        {
            1 => [0x00, 0xFF],
            27 => [0x00, 0xAA],
            2 => [0x40, 0xE0],
            3 => Join(U16(0x4000), U16(-0x2000)),
            4 => Join(U24(0x400000), U24(-0x200000)),
            5 => Join(U32(0x40000000), U32(-0x20000000)),
            6 => Join(F32(0.5f), F32(-0.25f)),
            _ => Join(F64(0.5), F64(-0.25)),
        };
        foreach (uint size in (uint[])[(uint)data.Length, uint.MaxValue])
        {
            using AudioReader reader = Open(Join(Text("dns."), U32(28), U32(size), U32(encoding), U32(44100), U32(2), new byte[4], data));
            Assert.Equal((44100, 2, 1L), (reader.SampleRate, reader.Channels, reader.FrameCount));
            Assert.Equal(values, reader.ReadAll());
            Assert.Empty(reader.Warnings);
        }

        using AudioReader unfinished = Open(Join(Text("dns."), U32(24), U32(0), U32(encoding), U32(44100), U32(2), data));
        Assert.Equal(values, unfinished.ReadAll());
        Assert.Contains("declares 0 bytes", Assert.Single(unfinished.Warnings), StringComparison.Ordinal);
        using AudioReader longer = Open(Join(Text("dns."), U32(24), U32(data.Length), U32(encoding), U32(44100), U32(2), data, [1, 2, 3]));
        Assert.Equal(values, longer.ReadAll());
        Assert.Contains("has 3 bytes after its samples", Assert.Single(longer.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void AU_files_of_compressed_samples_or_a_damaged_head_are_refused_in_words()
    {
        Assert.Equal(
            DemucsError.AudioFormatUnsupported,
            Assert.Throws<DemucsException>(() => Open(Join(Text("dns."), U32(24), U32(8), U32(23), U32(44100), U32(2), new byte[8]))).Error
        );
        Assert.Equal(
            DemucsError.AudioTrackCorrupt,
            Assert.Throws<DemucsException>(() => Open(Join(Text("dns."), U32(20), U32(8), U32(3), U32(44100), U32(2), new byte[8]))).Error
        );
        Assert.Equal(DemucsError.AudioTrackCorrupt, Assert.Throws<DemucsException>(() => Open(Join(Text("dns."), U32(24), U32(8)))).Error);
    }

    [Theory]
    [InlineData(8, 24, 2, true)]
    [InlineData(8, 16, 2, true)]
    [InlineData(4, 12, 1, true)]
    [InlineData(6, 24, 2, false)]
    [InlineData(8, 32, 2, false)]
    [InlineData(4, 12, 2, false)]
    public void CAF_files_with_room_to_spare_are_refused_and_others_left_to_ffmpeg(int packet, int bits, int channels, bool isRefused)
    {
        byte[] description = Join(Big(F64(44100)), Text("lpcm"), U32(0), Big(U32(packet)), Big(U32(1)), Big(U32(channels)), Big(U32(bits)));
        byte[] file = Join(
            Text("caff"),
            [0, 1, 0, 0],
            Text("desc"),
            Big(U64(description.Length)),
            description,
            Text("data"),
            Big(U64(4 + 800)),
            new byte[804]
        );
        if (isRefused)
        {
            DemucsException refused = Assert.Throws<DemucsException>(() => Open(file));
            Assert.Equal(DemucsError.AudioFormatUnsupported, refused.Error);
            Assert.Contains($"samples of {bits} bits in more bytes", refused.Message, StringComparison.Ordinal);
        }
        else
        {
            Assert.Null(AudioFile.OpenBuiltIn(new ByteSource(new MemoryStream(file), SomePath)));
        }
    }

    /// <summary>ITU-T G.711 as a table of its own: every code, by the definition in steps, against the formula.</summary>
    [Fact]
    public void Every_logarithmic_byte_has_the_value_of_the_recommendation()
    {
        byte[] codes = [.. Enumerable.Range(0, 256).Select(i => (byte)i)];
        float[] aLaw = Samples(WavBytes.File(Format(6, 1, 8000, 8), Chunk("data", codes))),
            muLaw = Samples(WavBytes.File(Format(7, 1, 8000, 8), Chunk("data", codes)));
        for (int code = 0; code < 256; code++)
        {
            // A-law: 13 bits, chords of 16 steps of 2, 2, 4, 8 …; µ-law: 14 bits, of 2, 4, 8 …, shifted by 33. Both in steps of full scale
            // over 4096 and 8192.
            int a = code ^ 0x55,
                chord = a >> 4 & 7,
                step = a & 15;
            double magnitude = chord == 0 ? (2 * step) + 1 : Math.Pow(2, chord - 1) * (33 + (2 * step));
            Assert.Equal((float)((a >= 128 ? magnitude : -magnitude) / 4096), aLaw[code]);
            int mu = 255 - code,
                muChord = mu >> 4 & 7,
                muStep = mu & 15;
            double muMagnitude = (Math.Pow(2, muChord) * (33 + (2 * muStep))) - 33;
            Assert.Equal((float)((mu >= 128 ? -muMagnitude : muMagnitude) / 8192), muLaw[code]);
        }
    }

    private static int[] Values(int bits)
    {
        Random random = new(bits);
        long span = 1L << bits;
        return
        [
            .. Enumerable
                .Range(0, 1000)
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

    private static AudioReader Open(byte[] file) => AudioFile.OpenBuiltIn(new ByteSource(new MemoryStream(file), SomePath))!;

    private static float[] Samples(byte[] file)
    {
        using AudioReader reader = Open(file);
        Assert.IsType<PcmReader>(reader);
        Assert.Empty(reader.Warnings);
        return reader.ReadAll();
    }
}
