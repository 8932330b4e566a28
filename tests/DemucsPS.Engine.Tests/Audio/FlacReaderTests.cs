using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Flac;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class FlacReaderTests : IDisposable
{
    private const string SomePath = "/music/some song.flac";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Made with flac 1.4.2 from FlacSignal; the options are in the names, the rest is behind each.
    [Theory]
    [InlineData("8-bit-mono-level-0.flac", 3000, 1, 8)] // -0
    [InlineData("12-bit-stereo.flac", 1500, 2, 12)] // -6, mid/side
    [InlineData("16-bit-stereo-level-5.flac", 3000, 2, 16)] // -5 -b 1152, mid/side
    [InlineData("16-bit-stereo-level-8.flac", 3000, 2, 16)] // -8 -b 576
    [InlineData("16-bit-left-right-level-2.flac", 3000, 2, 16)] // -2 -m, fixed predictors
    [InlineData("16-bit-eight-channels.flac", 400, 8, 16)] // -5
    [InlineData("16-bit-noise.flac", 600, 1, 16, 0, true)] // -5, verbatim
    [InlineData("20-bit-stereo.flac", 1500, 2, 20)] // -6
    [InlineData("24-bit-stereo-level-8.flac", 1500, 2, 24)] // -8, Rice parameters of five bits
    [InlineData("24-bit-wasted-8.flac", 1500, 2, 24, 8)] // -5, left/side
    [InlineData("24-bit-order-32.flac", 1500, 1, 24)] // --lax -l 32 -b 1500 -e
    [InlineData("32-bit-stereo-level-8.flac", 800, 2, 32)] // -8, mid/side with a side channel of 33 bits
    [InlineData("32-bit-noise.flac", 400, 2, 32, 0, true)] // -8 -b 200
    public void Fixtures_decode_to_the_formula_they_were_made_from(
        string name,
        int frames,
        int channels,
        int bits,
        int wasted = 0,
        bool noiseOnly = false
    )
    {
        int[] expected = FlacSignal.Make(frames, channels, bits, wasted, noiseOnly);
        foreach (int blockFrames in (int[])[1000, 7, 100_000])
        {
            using FlacReader reader = Read(Fixture(name));
            Assert.Equal(frames, reader.FrameCount);
            Assert.Equal(channels, reader.Channels);
            Assert.Equal(44100, reader.SampleRate);
            Assert.Equal($"FLAC {bits} bit", reader.Codec);
            AssertSame(expected, bits, reader.ReadAll(blockFrames));
            Assert.Empty(reader.Warnings);
        }
    }

    [Fact]
    public void A_constant_signal_is_constant()
    {
        using FlacReader reader = Read(Fixture("constant.flac"));
        float[] samples = reader.ReadAll();
        Assert.Equal(10_000, samples.Length);
        Assert.All(samples.Where((_, i) => i % 2 == 0), sample => Assert.Equal(0f, sample));
        Assert.All(samples.Where((_, i) => i % 2 == 1), sample => Assert.Equal(-5f / 32768, sample));
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void All_levels_and_depths_of_the_flac_program_are_read_exactly()
    {
        string flac = ExternalTool.FindOrSkip("flac");
        foreach (int bits in (int[])[8, 16, 24, 32])
        {
            int[] samples = FlacSignal.Make(20_000, 2, bits);
            string raw = _folder.Write($"{bits}.raw", FlacSignal.Bytes(samples, bits / 8));
            for (int level = 0; level <= 8; level++)
                AssertRoundTrip(flac, raw, samples, 2, bits, 44_100, $"-{level}");
        }
    }

    [Theory]
    [InlineData(1, 16, 44_100, "--lax", "-l", "32", "-b", "65535", "-r", "15")]
    [InlineData(2, 24, 44_100, "--lax", "-l", "20", "-b", "16384", "-e", "-p")]
    [InlineData(2, 16, 44_100, "-b", "16", "-8")]
    [InlineData(2, 32, 44_100, "-8", "-e")]
    [InlineData(6, 24, 44_100, "-8")]
    [InlineData(8, 8, 44_100, "-3")]
    [InlineData(2, 24, 192_000, "-5")]
    [InlineData(2, 24, 192_000, "-l", "32", "-b", "16384", "-q", "15", "-r", "8")]
    [InlineData(2, 24, 134_560, "-5")]
    [InlineData(2, 24, 384_000, "-8")]
    [InlineData(2, 16, 768_000, "--lax", "-5")]
    [InlineData(8, 24, 192_000, "-l", "32", "-b", "16384", "-q", "15")]
    public void Unusual_options_and_rates_of_the_flac_program_are_read_exactly(int channels, int bits, int rate, params string[] options)
    {
        string flac = ExternalTool.FindOrSkip("flac");
        int[] samples = FlacSignal.Make(140_000 / channels, channels, bits);
        AssertRoundTrip(flac, _folder.Write("x.raw", FlacSignal.Bytes(samples, bits / 8)), samples, channels, bits, rate, options);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(4_096)]
    [InlineData(4_111)]
    public void What_programs_write_into_a_pipe_declares_little_and_is_read_exactly(int frames)
    {
        // They cannot go back to the beginning, so the length, the digest and the sizes of blocks or frames stay unknown.
        int[] samples = FlacSignal.Make(frames, 2, 16);
        byte[] wav = WavBytes.Pcm16(44100, 2, [.. samples.Select(sample => (short)sample)]);
        byte[][] files =
        [
            ExternalTool.Filter(ExternalTool.FindOrSkip("flac"), wav, "-s", "-c", "-"),
            ExternalTool.Filter(ExternalTool.FindOrSkip("ffmpeg"), wav, "-v", "error", "-f", "wav", "-i", "pipe:0", "-f", "flac", "pipe:1"),
        ];
        foreach (byte[] file in files)
        {
            using FlacReader reader = Read(file);
            AssertSame(samples, 16, reader.ReadAll());
            Assert.Empty(reader.Warnings);
        }
    }

    [Fact]
    public void Escaped_partitions_and_long_codes_are_read()
    {
        // Fixed order 0, four partitions: plain numbers of 5 bits, of none, Rice codes with a run of 200 zeros, Rice codes.
        int[] values = [-16, 15, 0, 0, 100, -1, 3, -4];
        byte[] frame = FlacBits.Frame(8, 0, bits =>
            bits.Put(8 << 1, 8)
                .Put(0, 2)
                .Put(2, 4)
                .Put(15, 4)
                .Put(5, 5)
                .Put(-16, 5)
                .Put(15, 5)
                .Put(15, 4)
                .Put(0, 5)
                .Put(0, 4)
                .Rice(100, 0)
                .Rice(-1, 0)
                .Put(2, 4)
                .Rice(3, 2)
                .Rice(-4, 2)
        );
        AssertSame(values, 16, ReadAll(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 8), frame)));
    }

    [Fact]
    public void Five_bit_parameters_and_their_escape_are_read()
    {
        int[] values = [123456, -654321, 1_000_000, -1];
        byte[] frame = FlacBits.Frame(4, 0, bits =>
            bits.Put(8 << 1, 8)
                .Put(1, 2)
                .Put(1, 4)
                .Put(20, 5)
                .Rice(values[0], 20)
                .Rice(values[1], 20)
                .Put(31, 5)
                .Put(21, 5)
                .Put(values[2], 21)
                .Put(values[3], 21)
        );
        AssertSame(values, 24, ReadAll(FlacBits.Stream(FlacBits.StreamInfo(1, 24, 4), frame)));
    }

    [Theory]
    [InlineData(FlacBits.LeftSide)]
    [InlineData(FlacBits.SideRight)]
    [InlineData(FlacBits.MidSide)]
    public void The_side_channel_of_32_bits_has_33(int channelCode)
    {
        int[] left = [int.MaxValue, int.MinValue, int.MaxValue, 5, -7];
        int[] right = [int.MinValue, int.MaxValue, int.MaxValue, 8, -7];
        IEnumerable<long> side = left.Zip(right, (l, r) => (long)l - r);
        IEnumerable<long> other = channelCode switch
        {
            FlacBits.LeftSide => left.Select(l => (long)l),
            FlacBits.SideRight => right.Select(r => (long)r),
            _ => left.Zip(right, (l, r) => ((long)l + r) >> 1),
        };
        byte[] frame = FlacBits.Frame(5, channelCode, bits =>
        {
            if (channelCode == FlacBits.SideRight)
                bits.Verbatim(side, 33).Verbatim(other, 32);
            else
                bits.Verbatim(other, 32).Verbatim(side, 33);
        });
        int[] expected = [.. left.Zip(right).SelectMany(pair => (int[])[pair.First, pair.Second])];
        AssertSame(expected, 32, ReadAll(FlacBits.Stream(FlacBits.StreamInfo(2, 32, 5), frame)));
    }

    [Fact]
    public void A_predicted_side_channel_of_33_bits_with_wasted_bits_is_read()
    {
        // left = 2·i·2^29 …: right is 0, so side is left. Two wasted bits, fixed order 2, all residuals 0.
        int[] left = [-1 << 30, -1 << 29, 0, 1 << 29, 1 << 30];
        byte[] frame = FlacBits.Frame(5, FlacBits.SideRight, bits =>
            bits.Put((10 << 1) | 1, 8)
                .Unary(1)
                .Put(left[0] >> 2, 31)
                .Put(left[1] >> 2, 31)
                .Put(0, 2)
                .Put(0, 4)
                .Put(0, 4)
                .Rice(0, 0)
                .Rice(0, 0)
                .Rice(0, 0)
                .Constant(0, 32)
        );
        AssertSame([.. left.SelectMany(value => (int[])[value, 0])], 32, ReadAll(FlacBits.Stream(FlacBits.StreamInfo(2, 32, 5), frame)));
    }

    [Fact]
    public void Variable_block_sizes_and_seven_byte_numbers_are_read()
    {
        byte[][] frames =
        [
            FlacBits.Frame(16, 0, bits => bits.Constant(1, 4), variable: true),
            FlacBits.Frame(17, 0, bits => bits.Constant(-8, 4), variable: true, number: [16]),
            FlacBits.Frame(200, 0, bits => bits.Constant(7, 4), variable: true, number: [0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF]),
            FlacBits.Frame(65535, 0, bits => bits.Constant(2, 4), variable: true, number: [0xC3, 0xBF]),
            FlacBits.Frame(1, 0, bits => bits.Constant(3, 4), variable: true),
        ];
        float[] samples = ReadAll(FlacBits.Stream(FlacBits.StreamInfo(1, 4, 0), frames));
        Assert.Equal(
            [
                .. Enumerable.Repeat(0.125f, 16),
                .. Enumerable.Repeat(-1f, 17),
                .. Enumerable.Repeat(0.875f, 200),
                .. Enumerable.Repeat(0.25f, 65535),
                0.375f,
            ],
            samples
        );
    }

    [Fact]
    public void An_unknown_length_is_null()
    {
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), FlacBits.Frame(9, 0, bits => bits.Constant(1, 16))));
        Assert.Null(reader.FrameCount);
        Assert.Equal(9, reader.ReadAll().Length);
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void A_stream_with_ID3_before_and_after_it_is_FLAC_by_its_content()
    {
        byte[] id3 = WavBytes.Join(WavBytes.Text("ID3\u0004\0\u0010"), [0, 0, 1, 2], new byte[130], new byte[10]);
        byte[] file = WavBytes.Join(id3, id3, Fixture("16-bit-stereo-level-5.flac"), WavBytes.Text("TAG"), new byte[125]);
        string path = _folder.Write("tagged.mp3", file);
        using AudioReader reader = AudioFile.Open(new TrackSource(path), () => throw new InvalidOperationException("ffmpeg is not needed"));
        Assert.Equal("FLAC 16 bit", reader.Codec);
        AssertSame(FlacSignal.Make(3000, 2, 16), 16, reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void A_tag_behind_a_stream_of_unknown_length_is_no_damage()
    {
        byte[] file = FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), FlacBits.Frame(9, 0, bits => bits.Constant(1, 16)));
        foreach (string tag in (string[])["TAG", "APETAGEX"])
            Assert.Equal(9, ReadAll(WavBytes.Join(file, WavBytes.Text(tag), new byte[100])).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(700)]
    [InlineData(2799)]
    public void A_file_that_is_cut_short_gives_its_whole_frames_and_a_warning(int missingBytes)
    {
        byte[] file = Fixture("16-bit-stereo-level-5.flac");
        using FlacReader reader = Read(file[..^missingBytes]);
        float[] samples = reader.ReadAll();
        int found =
            missingBytes == 0 ? 3000
            : missingBytes < 1900 ? 2304
            : 1152;
        AssertSame(FlacSignal.Make(3000, 2, 16)[..(2 * found)], 16, samples[..(2 * found)]);
        // The length of a last frame that is cut is in its header, and silence stands in for it.
        Assert.Equal(missingBytes < 1900 ? 3000 : found, samples.Length / 2);
        Assert.All(samples[(2 * found)..], sample => Assert.Equal(0, sample));
        if (missingBytes == 0)
            Assert.Empty(reader.Warnings);
        else if (missingBytes < 1900)
            Assert.Contains("it is cut off. Silence replaces", Assert.Single(reader.Warnings), StringComparison.Ordinal);
        else
            Assert.Contains(
                $"declared 3000 frames, found {found}: the file is cut short",
                Assert.Single(reader.Warnings),
                StringComparison.Ordinal
            );
    }

    [Fact]
    public void A_stream_of_unknown_length_that_is_cut_within_a_frame_says_so()
    {
        byte[] frame = FlacBits.Frame(100, 0, bits => bits.Verbatim(new long[100], 16));
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), frame, frame[..50]));
        Assert.Equal(100, reader.ReadAll().Length);
        Assert.Contains("cut short in a FLAC frame, after 100 frames of audio", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_wrong_digest_is_a_warning_at_the_end()
    {
        byte[] file = Fixture("16-bit-stereo-level-5.flac");
        file[4 + 4 + 18 + 3] ^= 1;
        using FlacReader reader = Read(file);
        AssertSame(FlacSignal.Make(3000, 2, 16), 16, reader.ReadAll());
        Assert.Contains("MD5 mismatch", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(12)]
    [InlineData(15)]
    [InlineData(17)]
    [InlineData(32)]
    [SuppressMessage("Security", "CA5351", Justification = "MD5 is what FLAC defines; it finds damage, not attacks.")]
    public void The_digest_covers_sign_extended_whole_bytes(int bits)
    {
        long[] values = [-1, 1, -(1L << (bits - 1)), (1L << (bits - 1)) - 1];
        byte[] md5 = MD5.HashData(FlacSignal.Bytes([.. values.Select(value => (int)value)], (bits + 7) / 8));
        byte[] frame = FlacBits.Frame(4, 0, writer => writer.Verbatim(values, bits));
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, bits, 4, md5: md5), frame));
        AssertSame([.. values.Select(value => (int)value)], bits, reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void A_damaged_frame_is_refused_with_its_position_where_that_is_asked_for()
    {
        byte[] file = Fixture("16-bit-stereo-level-5.flac");
        file[^200] ^= 4;
        using FlacReader reader = new(new ByteSource(new MemoryStream(file), SomePath), DamageHandling.Fail);
        Assert.Equal(2304, reader.Read(new float[2 * 2304]));
        DemucsException exception = Assert.Throws<DemucsException>(() => reader.Read(new float[2]));
        Assert.Equal(DemucsError.AudioTrackCorrupt, exception.Error);
        Assert.Matches(
            "FLAC frame at byte [0-9]+ does not continue the frame before it: the checksum of the frame is wrong. 0.016 s at 0:00:00.052 are lost",
            exception.Message
        );
        Assert.Contains(SomePath, exception.Message, StringComparison.Ordinal);
    }

    public static TheoryData<string, byte[]> DamagedStreams =>
        new()
        {
            { "contains no audio frames", FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0)) },
            {
                "contains no audio frames",
                FlacBits.Stream(FlacBits.StreamInfo(1, 16, 4), FlacBits.Frame(4, 0, bits => bits.Constant(1, 16))[..8])
            },
            { "cut short in its metadata", WavBytes.Text("fLaC\0") },
            { "STREAMINFO) occurs twice or has a wrong length", WavBytes.Join(WavBytes.Text("fLaC"), [0x80, 0, 0, 33], new byte[100]) },
            { "(STREAMINFO), which must come first, is missing", WavBytes.Join(WavBytes.Text("fLaC"), [0x84, 0, 0, 4], new byte[100]) },
            { "no metadata block begins at byte 4", WavBytes.Join(WavBytes.Text("fLaC"), [0x7F, 0, 0, 34], new byte[100]) },
            {
                "cut short in its metadata",
                WavBytes.Join(WavBytes.Text("fLaC"), [0, 0, 0, 34], FlacBits.StreamInfo(1, 16, 0), [0x81, 0xFF, 0xFF, 0xFF, 1])
            },
            { "3 bits per sample", FlacBits.Stream(FlacBits.StreamInfo(1, 3, 0)) },
            { "no frame begins here", FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), new byte[50]) },
            { "reserved type", OneFrame(bits => bits.Put(2 << 1, 8).Put(0, 40)) },
            { "reserved type", OneFrame(bits => bits.Put(0x80, 8).Put(0, 40)) },
            { "longer than its frame", OneFrame(bits => bits.Put(63 << 1, 8).Put(0, 4000)) },
            { "wasted bits", OneFrame(bits => bits.Put(1, 8).Unary(15).Put(0, 40)) },
            { "wasted bits", OneFrame(bits => bits.Put(1, 8).Put(0, 4000)) },
            { "a reserved coding method", OneFrame(bits => bits.Put(8 << 1, 8).Put(2, 2).Put(0, 40)) },
            { "as many partitions", OneFrame(bits => bits.Put(8 << 1, 8).Put(0, 2).Put(3, 4).Put(0, 40)) },
            { "as many partitions", OneFrame(bits => bits.Put(11 << 1, 8).Put(0, 48).Put(0, 2).Put(1, 4).Put(0, 40)) },
            { "reserved precision or shift", OneFrame(bits => bits.Put(32 << 1, 8).Put(0, 16).Put(15, 4).Put(0, 40)) },
            { "reserved precision or shift", OneFrame(bits => bits.Put(32 << 1, 8).Put(0, 16).Put(3, 4).Put(-1, 5).Put(0, 40)) },
            { "a residual is too large", OneFrame(bits => bits.Put(8 << 1, 8).Put(1, 2).Put(0, 4).Put(30, 5).Put(0, 4000)) },
            { "checksum of the frame is wrong", OneFrame(bits => bits.Constant(1, 16).Put(1, 8)) },
        };

    [Theory]
    [MemberData(nameof(DamagedStreams))]
    public void Damaged_streams_are_refused_in_words(string words, byte[] file)
    {
        DemucsException exception = Assert.Throws<DemucsException>(() => ReadAll(file));
        Assert.Equal(DemucsError.AudioTrackCorrupt, exception.Error);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
        Assert.Contains(SomePath, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000_000)]
    public void Rates_that_nobody_can_use_are_refused(int rate)
    {
        byte[] file = FlacBits.Stream(FlacBits.StreamInfo(1, 16, 4, rate), FlacBits.Frame(4, 0, bits => bits.Constant(1, 16)));
        DemucsException exception = Assert.Throws<DemucsException>(() => Read(file));
        Assert.Equal(DemucsError.AudioFormatUnsupported, exception.Error);
        Assert.Contains($"a sample rate of {rate} Hz", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("16-bit-stereo-level-8.flac")]
    [InlineData("24-bit-order-32.flac")]
    [InlineData("32-bit-stereo-level-8.flac")]
    [InlineData("12-bit-stereo.flac")]
    public void Any_single_changed_byte_is_noticed_or_harmless(string name)
    {
        byte[] original = Fixture(name);
        float[] expected = ReadAll(original);
        Random random = new(name.Length);
        for (int i = 0; i < 2000; i++)
        {
            byte[] mutated = [.. original];
            int at = i < 200 ? i : random.Next(mutated.Length);
            byte value = (byte)random.Next(256);
            bool changed = mutated[at] != value;
            mutated[at] = value;
            try
            {
                using FlacReader reader = Read(mutated);
                float[] samples = reader.ReadAll();
                bool harmless = samples.AsSpan().SequenceEqual(expected);
                Assert.True(
                    !changed
                        || harmless
                        || reader.Warnings.Count > 0
                        || reader.Codec != Read(original).Codec
                        || reader.Channels != Read(original).Channels,
                    $"byte {at} = {value} went unnoticed"
                );
            }
            catch (DemucsException)
            {
                // What damage is supposed to end in. Everything else fails the test.
            }
        }
    }

    [Fact]
    public void Damage_with_valid_checksums_ends_in_samples_or_a_clear_error()
    {
        // Random subframes behind valid headers reach the decoder's inside, which checksums otherwise keep from damage.
        Random random = new(11);
        for (int i = 0; i < 3000; i++)
        {
            byte[] noise = new byte[random.Next(1, 400)];
            random.NextBytes(noise);
            noise[0] = (byte)(
                random.Next(3) switch
                {
                    0 => random.Next(8, 13),
                    1 => random.Next(32, 64),
                    _ => random.Next(64),
                } << 1
                | random.Next(2)
            );
            int bits = random.Next(4, 33);
            int channelCode = random.Next(11);
            int channels = channelCode < 8 ? channelCode + 1 : 2;
            byte[] frame = FlacBits.Frame(random.Next(1, 300), channelCode, writer =>
            {
                foreach (byte value in noise)
                    writer.Put(value, 8);
            });
            byte[] file = FlacBits.Stream(FlacBits.StreamInfo(channels, bits, 0), frame, new byte[random.Next(3000)]);
            try
            {
                ReadAll(file);
            }
            catch (DemucsException)
            {
                // What damage is supposed to end in. Everything else fails the test.
            }
        }
    }

    private static byte[] OneFrame(Action<FlacBits> subframe) =>
        WavBytes.Join(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 4), FlacBits.Frame(4, 0, subframe)), new byte[64]);

    private static byte[] Fixture(string name)
    {
        using Stream stream = typeof(FlacReaderTests).Assembly.GetManifestResourceStream(name)!;
        byte[] bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    [Fact]
    public void Jumps_land_where_skips_do()
    {
        byte[] file = File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", "drums.flac"));
        using FlacReader whole = Read(file);
        Assert.False(whole.CanJump);
        float[] samples = whole.ReadAll();
        Assert.True(whole.CanJump);
        Assert.Equal(2 * 882_000, samples.Length);
        AssertJumps(file, samples);
    }

    [Fact]
    public void Where_frames_are_missing_that_their_numbers_count_jumps_land_where_skips_do()
    {
        // The fiftieth frame is cut out, as programs do it that do not encode again: the stream declares what is left of it, and no digest.
        byte[] file = File.ReadAllBytes(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", "drums.flac"));
        int[] frames =
        [
            .. Enumerable
                .Range(0, file.Length)
                .Where(at =>
                    FlacFrameHeader.TryRead(
                        file.AsSpan(at, Math.Min(FlacFrameHeader.MaxBytes, file.Length - at)),
                        out FlacFrameHeader header,
                        out _
                    ) && header.Number is 49 or 50
                ),
        ];
        Assert.Equal(2, frames.Length);
        byte[] cut = [.. file[..frames[0]], .. file[frames[1]..]];
        int left = 882_000 - 4096;
        cut[21] = (byte)((cut[21] & 0xF0) | (left >> 32));
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(cut.AsSpan(22), left);
        cut.AsSpan(26, 16).Clear();
        using FlacReader whole = Read(cut);
        float[] samples = whole.ReadAll();
        Assert.Equal((2 * left, true), (samples.Length, whole.CanJump));
        AssertJumps(cut, samples);
    }

    private static void AssertJumps(byte[] file, float[] samples)
    {
        int frames = samples.Length / 2;
        float[] after = new float[2 * 500];
        foreach (int taken in (int[])[0, 1000, 300_000])
        {
            foreach (int jump in (int[])[0, 1, 3095, 3096, 70_000, 217_088, 441_001, frames - taken - 300, frames - taken, frames])
            {
                using FlacReader reader = Read(file);
                if (taken > 0)
                    Assert.Equal(taken, reader.Read(new float[2 * taken]));
                int at = Math.Min(frames, taken + jump);
                Assert.Equal(at - taken, reader.Jump(jump));
                int count = reader.Read(after);
                Assert.Equal(Math.Min(500, frames - at), count);
                Assert.Equal(samples[(2 * at)..(2 * (at + count))], after[..(2 * count)]);
                // And it goes on: the next jump begins within a frame.
                int next = Math.Min(frames, at + count + 100_001);
                reader.Jump(100_001);
                count = reader.Read(after);
                Assert.Equal(samples[(2 * next)..(2 * (next + count))], after[..(2 * count)]);
                Assert.Equal(Math.Min(500, frames - next), count);
            }
        }
    }

    private static FlacReader Read(byte[] file) => new(new ByteSource(new MemoryStream(file), SomePath));

    private static float[] ReadAll(byte[] file)
    {
        using FlacReader reader = Read(file);
        return reader.ReadAll();
    }

    private static void AssertSame(int[] expected, int bits, float[] samples)
    {
        float scale = MathF.Pow(2, 1 - bits);
        Assert.Equal(expected.Select(value => value * scale), samples);
    }

    private void AssertRoundTrip(string flac, string raw, int[] samples, int channels, int bits, int rate, params string[] options)
    {
        string encoded = _folder.File("encoded.flac");
        ExternalTool.Run(
            flac,
            [
                "-s",
                "-f",
                "--force-raw-format",
                "--endian=little",
                "--sign=signed",
                $"--channels={channels}",
                $"--bps={bits}",
                $"--sample-rate={rate}",
                .. options,
                "-o",
                encoded,
                raw,
            ]
        );
        using AudioReader reader = AudioFile.Open(encoded);
        Assert.Equal($"FLAC {bits} bit", reader.Codec);
        Assert.Equal(rate, reader.SampleRate);
        AssertSame(samples, bits, reader.ReadAll(3001));
        Assert.Empty(reader.Warnings);
    }
}
