using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Audio.Wav;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class WavReaderTests
{
    private const string SomePath = "/music/some file.wav";

    [Fact]
    public void Eight_bits_are_unsigned_around_128()
    {
        using PcmReader reader = Read(File(Format(Pcm, 1, 8000, 8), Chunk("data", [0, 128, 255, 129, 64])));
        Assert.Equal([-1f, 0f, 127f / 128, 1f / 128, -0.5f], reader.ReadAll());
        Assert.Equal("PCM 8 bit", reader.Codec);
        Assert.Equal(5, reader.FrameCount);
        Assert.Equal(8000, reader.SampleRate);
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void Sixteen_bits_are_divided_by_32768()
    {
        using PcmReader reader = Read(Pcm16(44100, 2, 0, 1, -1, 32767, -32768, 16384));
        Assert.Equal([0f, 1f / 32768, -1f / 32768, 32767f / 32768, -1f, 0.5f], reader.ReadAll());
        Assert.Equal(2, reader.Channels);
        Assert.Equal(3, reader.FrameCount);
        Assert.Equal("PCM 16 bit", reader.Codec);
    }

    [Fact]
    public void Twenty_four_bits_are_divided_by_8388608()
    {
        int[] values = [0, 1, -1, 8388607, -8388608, -4194304];
        using PcmReader reader = Read(File(Format(Pcm, 1, 96000, 24), Chunk("data", Join([.. values.Select(U24)]))));
        Assert.Equal(values.Select(value => value / 8388608f), reader.ReadAll());
    }

    [Fact]
    public void Thirty_two_bits_are_divided_by_2_to_the_31()
    {
        int[] values = [0, int.MaxValue, int.MinValue, 1 << 30, 256];
        using PcmReader reader = Read(File(Format(Pcm, 1, 96000, 32), Chunk("data", Join([.. values.Select(value => U32(value))]))));
        Assert.Equal(values.Select(value => (float)(value / 2147483648.0)), reader.ReadAll());
    }

    [Fact]
    public void Floats_pass_through_bit_for_bit_also_NaN_and_infinity()
    {
        float[] values = [0f, -0f, 1.5f, float.NaN, float.NegativeInfinity, float.Epsilon];
        using PcmReader reader = Read(File(Format(WavBytes.Float, 2, 48000, 32), Chunk("data", Join([.. values.Select(F32)]))));
        Assert.Equal(values.Select(BitConverter.SingleToInt32Bits), reader.ReadAll().Select(BitConverter.SingleToInt32Bits));
        Assert.Equal("float 32 bit", reader.Codec);
    }

    [Fact]
    public void Doubles_are_rounded_to_floats()
    {
        double[] values = [0.1, -1.0 / 3, double.NaN];
        using PcmReader reader = Read(File(Format(WavBytes.Float, 1, 48000, 64), Chunk("data", Join([.. values.Select(F64)]))));
        Assert.Equal(values.Select(value => (float)value), reader.ReadAll());
        Assert.Equal("float 64 bit", reader.Codec);
    }

    [Theory]
    [InlineData(Pcm, 16, 16, "PCM 16 bit")]
    [InlineData(Pcm, 24, 20, "PCM 20 bit")]
    [InlineData(Pcm, 32, 24, "PCM 24 bit")]
    [InlineData(Pcm, 16, 0, "PCM 16 bit")]
    [InlineData(WavBytes.Float, 32, 32, "float 32 bit")]
    public void Extensible_formats_are_read_at_the_full_scale_of_the_container(int tag, int bits, int validBits, string codec)
    {
        byte[] half = (tag, bits) switch
        {
            (Pcm, 16) => U16(0x4000),
            (Pcm, 24) => U24(0x400000),
            (Pcm, 32) => U32(0x40000000),
            _ => F32(0.5f),
        };
        using PcmReader reader = Read(File(ExtensibleFormat(tag, 1, 44100, bits, validBits), Chunk("data", half)));
        Assert.Equal([0.5f], reader.ReadAll());
        Assert.Equal(codec, reader.Codec);
    }

    [Fact]
    public void Twelve_bits_in_two_bytes_are_left_justified()
    {
        using PcmReader reader = Read(File(Format(Pcm, 1, 44100, 12), Chunk("data", Join(U16(0x4000), U16(0x7FF0)))));
        Assert.Equal([0.5f, 2047f / 2048], reader.ReadAll());
        Assert.Equal("PCM 12 bit", reader.Codec);
    }

    [Fact]
    public void Chunks_around_the_samples_are_skipped_with_their_padding()
    {
        byte[] file = File(
            Chunk("LIST", Text("odd")),
            Format(Pcm, 1, 44100, 8),
            Chunk("junk", []),
            Chunk("id3 ", [1]),
            Chunk("data", [1, 2, 3]),
            Chunk("LIST", Text("after")),
            Text("trailing rubbish")
        );
        foreach (bool seekable in (bool[])[true, false])
        {
            using PcmReader reader = Read(file, seekable);
            Assert.Equal([-127f / 128, -126f / 128, -125f / 128], reader.ReadAll());
            // What is behind the last chunk only a file shows.
            Assert.Equal(
                seekable ? [$"'{SomePath}' has 16 bytes after its last chunk that are not a chunk. They are ignored."] : [],
                reader.Warnings
            );
        }
    }

    [Theory]
    [InlineData("RF64")]
    [InlineData("BW64")]
    public void Sixty_four_bit_lengths_come_from_ds64(string name)
    {
        byte[] data = Join([.. Enumerable.Range(0, 10).Select(U16)]);
        byte[] ds64 = Chunk("ds64", Join(U64(0), U64(data.Length), U64(10), U32(1), Text("big "), U64(6)));
        byte[] file = FileNamed(
            name,
            ds64,
            Chunk("big ", new byte[6], 0xFFFFFFFF),
            Format(Pcm, 1, 44100, 16),
            Chunk("data", data, 0xFFFFFFFF),
            Chunk("LIST", Text("after!"))
        );
        using PcmReader reader = Read(file);
        Assert.Equal(10, reader.FrameCount);
        Assert.Equal(Enumerable.Range(0, 10).Select(value => value / 32768f), reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void A_file_that_is_cut_short_gives_what_is_there_and_a_warning()
    {
        byte[] whole = Pcm16(44100, 2, [.. Enumerable.Range(0, 2000)]);
        using PcmReader reader = Read(whole[..^399]);
        Assert.Equal(1000, reader.FrameCount);
        Assert.Equal(900 * 2, reader.ReadAll(64).Length);
        string warning = Assert.Single(reader.Warnings);
        Assert.Contains(
            "declared 1000 frames, found 900: the file is cut short, 100 frames are missing",
            warning,
            StringComparison.Ordinal
        );
        Assert.Contains(SomePath, warning, StringComparison.Ordinal);
    }

    [Fact]
    public void A_data_chunk_that_ends_within_a_frame_gives_a_warning()
    {
        using PcmReader reader = Read(File(Format(Pcm, 2, 44100, 16), Chunk("data", [1, 0, 2, 0, 3, 0])));
        Assert.Equal(2, reader.ReadAll().Length);
        Assert.Contains("ends in the middle of a frame", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0xFFFFFFFF)]
    public void A_pipe_without_lengths_is_read_until_it_ends(long declared)
    {
        byte[] file = FileNamed(
            "RIFF",
            Format(Pcm, 1, 44100, 16),
            Chunk("data", Join([.. Enumerable.Range(0, 50_000).Select(U16)]), declared)
        );
        using PcmReader reader = Read(file, seekable: false, isPipe: true);
        Assert.Null(reader.FrameCount);
        Assert.Equal(50_000, reader.ReadAll().Length);
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void A_file_that_was_written_through_a_pipe_is_read_until_it_ends()
    {
        using PcmReader reader = Read(FileNamed("RIFF", Format(Pcm, 1, 44100, 16), Chunk("data", Join(U16(1), U16(2)), 0xFFFFFFFF)));
        Assert.Equal(2, reader.FrameCount);
        Assert.Equal(2, reader.ReadAll().Length);
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void Spans_of_any_length_get_whole_frames()
    {
        using PcmReader reader = Read(Pcm16(44100, 2, 1, 2, 3, 4, 5, 6));
        float[] five = new float[5];
        five[4] = 99;
        Assert.Equal(2, reader.Read(five));
        Assert.Equal([1f / 32768, 2f / 32768, 3f / 32768, 4f / 32768, 99f], five);
        Assert.Equal(1, reader.Read(five));
        Assert.Equal(0, reader.Read(five));
        Assert.Throws<ArgumentException>(() => reader.Read(new float[1]));
    }

    [Fact]
    public void Reading_after_dispose_is_refused()
    {
        PcmReader reader = Read(Pcm16(44100, 2, 1, 2));
        reader.Dispose();
        Assert.Throws<ObjectDisposedException>(() => reader.Read(new float[2]));
    }

    public static TheoryData<string, byte[]> DamagedFiles =>
        new()
        {
            { "contains no audio frames", File(Format(Pcm, 2, 44100, 16), Chunk("data", [])) },
            { "contains no audio frames", File(Format(Pcm, 2, 44100, 16), Chunk("data", [1, 2, 3])) },
            { "contains no audio frames", File(Format(Pcm, 2, 44100, 16), Chunk("data", [1, 2], 4000)) },
            { "has no format", File(Chunk("LIST", [1, 2])) },
            { "has no samples", File(Format(Pcm, 2, 44100, 16)) },
            { "has no samples", File(Format(Pcm, 2, 44100, 16), Chunk("LIST", [1, 2], 5000)) },
            { "0 channels", File(Format(Pcm, 0, 44100, 16), Chunk("data", [1, 2])) },
            { "65 channels", File(Format(Pcm, 65, 44100, 16), Chunk("data", new byte[130])) },
            { "a sample rate of 0 Hz", File(Format(Pcm, 1, 0, 16), Chunk("data", [1, 2])) },
            { "a sample rate of 768001 Hz", File(Format(Pcm, 1, 768001, 16), Chunk("data", [1, 2])) },
            { "0 bits per sample", File(Format(Pcm, 1, 44100, 0), Chunk("data", [1, 2])) },
            { "instead of at least 16", File(Chunk("fmt ", new byte[14]), Chunk("data", [1, 2])) },
            {
                "instead of at least 40",
                File(Chunk("fmt ", Join(U16(0xFFFE), U16(1), U32(44100), U32(88200), U16(2), U16(16))), Chunk("data", [1, 2]))
            },
            {
                "'ds64' chunk) are cut short",
                FileNamed("RF64", Chunk("ds64", new byte[8]), Format(Pcm, 1, 44100, 16), Chunk("data", [1, 2]))
            },
            { "declares 4000000 entries", FileNamed("RF64", Chunk("ds64", Join(U64(0), U64(2), U64(1), U32(4_000_000)))) },
            { "bytes of samples", FileNamed("RF64", Chunk("ds64", Join(U64(0), U64(-1), U64(1), U32(0)))) },
            { "missing from 'ds64'", FileNamed("RF64", Chunk("ds64", new byte[28]), Chunk("odd\u0001", [], 0xFFFFFFFF)) },
        };

    [Theory]
    [MemberData(nameof(DamagedFiles))]
    public void Damaged_files_are_refused_in_words(string words, byte[] file)
    {
        foreach (bool seekable in (bool[])[true, false])
        {
            DemucsException exception = Assert.Throws<DemucsException>(() => Read(file, seekable));
            Assert.Equal(DemucsError.AudioTrackCorrupt, exception.Error);
            Assert.Contains(words, exception.Message, StringComparison.Ordinal);
            Assert.Contains(SomePath, exception.Message, StringComparison.Ordinal);
            Assert.Equal(SomePath, exception.Path);
        }
    }

    [Fact]
    public void Other_codecs_are_told_apart_from_damage()
    {
        Assert.Null(Header(File(Format(0x55, 2, 44100, 0, blockAlign: 1))));
        Assert.Null(Header(File(Format(WavBytes.Float, 2, 44100, 16))));
        Assert.Null(Header(File(Format(Pcm, 2, 44100, 64))));
        Assert.Null(Header(File(ExtensibleFormat(Pcm, 4, 44100, 16, 16, foreignGuid: true))));
    }

    [Fact]
    public void Any_single_changed_byte_gives_samples_or_a_clear_error()
    {
        byte[] original = FileNamed(
            "RF64",
            Chunk("ds64", Join(U64(0), U64(80), U64(20), U32(0))),
            Chunk("LIST", Text("abc")),
            ExtensibleFormat(Pcm, 2, 44100, 16, 16),
            Chunk("data", Join([.. Enumerable.Range(0, 40).Select(U16)]), 0xFFFFFFFF)
        );
        Random random = new(1);
        for (int i = 0; i < 4000; i++)
        {
            byte[] mutated = [.. original];
            mutated[i % original.Length] = (byte)random.Next(256);
            try
            {
                ByteSource source = Source(mutated, seekable: i % 2 == 0);
                if (WavHeader.Read(source) is not { } file)
                    continue;
                using PcmReader reader = new(source, file);
                reader.ReadAll();
            }
            catch (DemucsException)
            {
                // What damage is supposed to end in. Everything else fails the test.
            }
        }
    }

    private static ByteSource Source(byte[] file, bool seekable = true, bool isPipe = false)
    {
        MemoryStream memory = new(file);
        return new ByteSource(seekable ? memory : new ForwardStream(memory), SomePath, isPipe);
    }

    private static PcmFile? Header(byte[] file) => WavHeader.Read(Source(file));

    private static PcmReader Read(byte[] file, bool seekable = true, bool isPipe = false)
    {
        ByteSource source = Source(file, seekable, isPipe);
        return new PcmReader(source, WavHeader.Read(source)!);
    }
}
