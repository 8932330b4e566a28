using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Input;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio.Wav;

/// <summary>WAV files whose heads are wrong about what is there. The right samples are those that the test put in.</summary>
public sealed class WavFaultTests
{
    private const string SomePath = "/music/some file.wav";

    // 1,000 stereo frames of noise: no four bytes of them are a chunk's name and a length that fits.
    private static readonly int[] s_samples = Noise(2000, 1);
    private static readonly byte[] s_data = Join([.. s_samples.Select(U16)]),
        s_format = Format(Pcm, 2, 44100, 16),
        s_list = Chunk("LIST", Join(Text("INFO"), Chunk("INAM", Text("A title\0"))));

    [Theory]
    [InlineData(4000, 2000, 1000)]
    [InlineData(4000, 0, 1000)]
    [InlineData(4000, 100_000, 1000)]
    [InlineData(2000, 4000, 1000)]
    [InlineData(0, 4000, 1000)]
    [InlineData(100_000, 4000, 1000)]
    public void Of_two_lengths_that_contradict_each_other_the_one_that_fits_is_taken(long inTable, long inChunk, int frames)
    {
        // As in the bug reports: the 32-bit field of an RF64 file is neither FFFFFFFF nor what the table says.
        byte[] table = Chunk("ds64", Join(U64(0), U64(inTable), U64(0), U32(0)));
        foreach (
            byte[] behind in (byte[][])
                [
                    [],
                    s_list,
                ]
        )
        {
            using PcmReader reader = Read(FileNamed("RF64", table, s_format, Chunk("data", s_data, inChunk), behind));
            Assert.Equal(frames, reader.FrameCount);
            AssertSamples(reader, frames);
            Assert.Equal(behind.Length > 0, reader.Tags.ContainsKey("title"));
            Assert.Contains(
                $"declares two lengths for its samples, {inTable:N0} and {inChunk:N0} bytes. 4,000 bytes fit the file and are read.",
                Assert.Single(reader.Warnings),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void Lengths_that_agree_are_nothing_to_talk_about()
    {
        byte[] table = Chunk("ds64", Join(U64(0), U64(4000), U64(1000), U32(0)));
        foreach (
            byte[] file in (byte[][])
                [
                    FileNamed("RF64", table, s_format, Chunk("data", s_data)),
                    FileNamed("BW64", table, s_format, Chunk("data", s_data, 0xFFFFFFFF), s_list),
                    WavBytes.File(s_format, Chunk("data", s_data, 0xFFFFFFFF)),
                ]
        )
        {
            using PcmReader reader = Read(file);
            AssertSamples(reader, 1000);
            Assert.Empty(reader.Warnings);
        }
    }

    [Theory]
    [InlineData(3000)]
    [InlineData(44)]
    public void Samples_that_go_on_behind_their_declared_length_are_read(long declared)
    {
        // The length of the whole covers them, so the other one is wrong.
        using PcmReader reader = Read(WavBytes.File(s_format, Chunk("data", s_data, declared)));
        AssertSamples(reader, 1000);
        Assert.Contains(
            $"declares {declared:N0} bytes of samples, but no chunk follows them and the file continues. All 1,000 frames",
            Assert.Single(reader.Warnings),
            StringComparison.Ordinal
        );

        // No length of the whole: the same.
        byte[] file = WavBytes.File(s_format, Chunk("data", s_data, declared));
        file.AsSpan(4, 4).Clear();
        using PcmReader unfinished = Read(file);
        AssertSamples(unfinished, 1000);
        Assert.Single(unfinished.Warnings);
    }

    [Fact]
    public void What_two_lengths_leave_out_is_left_out_and_said()
    {
        using PcmReader reader = Read(Join(WavBytes.File(s_format, Chunk("data", s_data[..3000])), s_data[3000..]));
        AssertSamples(reader, 750);
        Assert.Equal([$"'{SomePath}' has 1,000 bytes after its samples that are not a chunk. They are ignored."], reader.Warnings);
    }

    [Theory]
    [InlineData("TAG", 128, " (an ID3v1 tag)")]
    [InlineData("APETAGEX", 200, " (an APE tag)")]
    [InlineData("ID3", 300, " (an ID3v2 tag)")]
    [InlineData("fLaC", 3000, " (a FLAC file)")]
    [InlineData("\0\0\0\0", 512, "")]
    public void What_is_no_sound_behind_the_samples_is_said_and_not_read(string start, int length, string name)
    {
        byte[] rest = new byte[length];
        Text(start).CopyTo(rest, 0);
        // Also where the whole is said to go on.
        foreach (
            byte[] file in (byte[][])
                [Join(WavBytes.File(s_format, Chunk("data", s_data)), rest), WavBytes.File(s_format, Chunk("data", s_data), rest)]
        )
        {
            using PcmReader reader = Read(file);
            AssertSamples(reader, 1000);
            Assert.Equal(
                [$"'{SomePath}' has {length:N0} bytes after its samples that are not a chunk{name}. They are ignored."],
                reader.Warnings
            );
        }

        using PcmReader listed = Read(WavBytes.File(s_format, Chunk("data", s_data), s_list, rest));
        AssertSamples(listed, 1000);
        Assert.Equal("A title", listed.Tags["title"]);
        Assert.Equal(
            [$"'{SomePath}' has {length:N0} bytes after its last chunk that are not a chunk{name}. They are ignored."],
            listed.Warnings
        );
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(0xFFFFFFFF, false)]
    [InlineData(100, true)]
    [InlineData(1_000_000, true)]
    public void A_wrong_length_of_the_whole_is_said(long declared, bool isSaid)
    {
        byte[] file = WavBytes.File(s_format, Chunk("data", s_data), s_list);
        U32(declared).CopyTo(file, 4);
        using PcmReader reader = Read(file);
        AssertSamples(reader, 1000);
        Assert.Equal("A title", reader.Tags["title"]);
        Assert.Equal(
            isSaid
                ?
                [
                    $"'{SomePath}' declares a length of {declared + 8:N0} bytes, but its chunks end after {file.Length:N0}. All chunks are read.",
                ]
                : [],
            reader.Warnings
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(4136)]
    public void Samples_of_no_length_are_read_to_the_end_of_the_file(long whole)
    {
        byte[] file = WavBytes.File(s_format, Chunk("data", s_data, 0));
        U32(whole).CopyTo(file, 4);
        using PcmReader reader = Read(file);
        Assert.Equal(1000, reader.FrameCount);
        AssertSamples(reader, 1000);
        Assert.Contains(
            "declares 0 bytes of samples, as after a recorder's power loss. All 1,000 frames to the end of the file are read.",
            Assert.Single(reader.Warnings),
            StringComparison.Ordinal
        );

        // Silence at the beginning, and a tag at the end that players write.
        byte[] tag = new byte[128];
        Text("TAG").CopyTo(tag, 0);
        byte[] silence = new byte[4000];
        byte[] started = WavBytes.File(s_format, Chunk("data", Join(silence, s_data, tag), 0));
        started.AsSpan(4, 4).Clear();
        using PcmReader quiet = Read(started);
        Assert.Equal([.. new float[2000], .. s_samples.Select(s => s / 32768f)], quiet.ReadAll());
        Assert.Contains("All 2,000 frames", Assert.Single(quiet.Warnings), StringComparison.Ordinal);

        // 24 bits, cut within a frame.
        byte[] deep = WavBytes.File(
            Format(Pcm, 2, 44100, 24),
            Chunk("data", Join([.. Enumerable.Range(-700_000, 100).Select(U24), [1, 2]]), 0)
        );
        deep.AsSpan(4, 4).Clear();
        using PcmReader cut = Read(deep);
        Assert.Equal(Enumerable.Range(-700_000, 100).Select(v => v / 8388608f), cut.ReadAll());
        Assert.Equal(2, cut.Warnings.Count);
    }

    [Fact]
    public void An_empty_file_of_no_length_is_empty()
    {
        Assert.Contains(
            "contains no audio frames",
            Assert.Throws<DemucsException>(() => Read(WavBytes.File(s_format, Chunk("data", [])))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "contains no audio frames",
            Assert.Throws<DemucsException>(() => Read(WavBytes.File(s_format, Chunk("data", []), s_list))).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>As SoX leaves it when it writes to a pipe, for frames of four bytes and of six.</summary>
    [Theory]
    [InlineData(0x7FFFF000)]
    [InlineData(0x7FFFEFFC)]
    [InlineData(0xFFFFFFDB)]
    public void Lengths_that_stand_for_none_are_no_loss(long declared)
    {
        using PcmReader reader = Read(WavBytes.File(s_format, Chunk("data", s_data, declared)));
        Assert.Equal(1000, reader.FrameCount);
        AssertSamples(reader, 1000);
        Assert.Contains("does not declare its length", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_of_more_than_32_bits_can_say_is_read_whole()
    {
        // Sparse: 4 GiB of zeros, then samples that tell where they are. Nothing of it is read but the ends.
        string path = Path.GetTempFileName();
        try
        {
            const long Zeros = 1L << 32;
            using (FileStream stream = new(path, FileMode.Create))
            {
                Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems would write all the zeros.");
                byte[] head = WavBytes.File(s_format, Chunk("data", [], 4000));
                stream.Write(head);
                stream.Position += Zeros;
                stream.Write(s_data);
                stream.Write(s_list);
            }

            using AudioReader reader = AudioFile.Open(path);
            Assert.Equal((Zeros / 4) + 1000, reader.FrameCount);
            Assert.Equal(Zeros / 4, reader.Skip(Zeros / 4));
            Assert.Equal(s_samples.Select(s => s / 32768f), reader.ReadAll());
            Assert.Equal("A title", reader.Tags["title"]);
            Assert.Contains(
                "has more samples than its 32-bit lengths can declare: 4,294,971,296 bytes are read, 4,000 are declared",
                reader.Warnings[0],
                StringComparison.Ordinal
            );
        }
        finally
        {
            System.IO.File.Delete(path);
        }
    }

    [Theory]
    [InlineData(Pcm, 16, 0)]
    [InlineData(Pcm, 16, 2)]
    [InlineData(Pcm, 16, 1)]
    [InlineData(Pcm, 16, 65535)]
    [InlineData(Pcm, 24, 8)]
    [InlineData(Pcm, 8, 0)]
    [InlineData(WavBytes.Float, 32, 0)]
    [InlineData(WavBytes.Float, 32, 4)]
    public void A_wrong_block_align_is_of_no_matter(int tag, int bits, int align)
    {
        byte[] format = Format(tag, 2, 44100, bits);
        U16(align).CopyTo(format, 8 + 12);
        byte[] data =
            tag == Pcm
                ? Join([
                    .. s_samples.Select(s =>
                        bits switch
                        {
                            8 => [(byte)((s >> 8) + 128)],
                            16 => U16(s),
                            _ => U24(s << 8),
                        }
                    ),
                ])
                : Join([.. s_samples.Select(s => F32(s / 32768f))]);
        using PcmReader reader = Read(WavBytes.File(format, Chunk("data", data)));
        Assert.Equal(s_samples.Select(s => bits == 8 ? (s >> 8) / 128f : s / 32768f), reader.ReadAll());
        Assert.Equal(
            [$"'{SomePath}' declares {align} bytes per frame, but 2 channels of {bits} bits take {2 * bits / 8}. {2 * bits / 8} are used."],
            reader.Warnings
        );
    }

    [Fact]
    public void Samples_with_room_to_spare_that_nobody_can_place_are_refused()
    {
        // The bytes per second agree with it, so this is what was written; ffmpeg reads it as a kind of float, SoX as packed, libsndfile
        // looks at the samples and guesses.
        DemucsException refused = Assert.Throws<DemucsException>(() =>
            Read(WavBytes.File(Format(Pcm, 2, 44100, 24, blockAlign: 8), Chunk("data", s_data)))
        );
        Assert.Contains("samples of 24 bits in 4 bytes each", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Samples_before_their_format_are_read(bool withOthers)
    {
        byte[] file = withOthers
            ? WavBytes.File(Chunk("bext", new byte[5]), Chunk("data", s_data), s_list, s_format, Chunk("fact", U32(1000)))
            : WavBytes.File(Chunk("data", s_data), s_format);
        using PcmReader reader = Read(file);
        AssertSamples(reader, 1000);
        Assert.Equal(withOthers, reader.Tags.ContainsKey("title"));
        Assert.Contains("has its samples before their format", Assert.Single(reader.Warnings), StringComparison.Ordinal);
        Assert.Contains(
            "come before their format",
            Assert.Throws<DemucsException>(() => Read(file, seekable: false)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Sixty_four_bit_samples_before_their_format_are_read()
    {
        using PcmReader reader = Read(
            FileNamed("RF64", Chunk("ds64", Join(U64(0), U64(4000), U64(1000), U32(0))), Chunk("data", s_data, 0xFFFFFFFF), s_format)
        );
        AssertSamples(reader, 1000);
        Assert.Single(reader.Warnings);
        Assert.Contains(
            "come before their format",
            Assert.Throws<DemucsException>(() => Read(WavBytes.File(Chunk("data", s_data, 0xFFFFFFFF), s_format))).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("before")]
    [InlineData("silent")]
    [InlineData("samples")]
    [InlineData("behind")]
    public void A_byte_that_should_fill_up_a_chunk_may_be_missing(string where)
    {
        byte[] odd = Chunk("LIST", Join(Text("INFO"), Chunk("INAM", Text("A title\0")), [0]))[..^1];
        byte[] eight = Join([.. s_samples[..999].Select(s => new[] { (byte)((s >> 8) + 128) })]),
            mono = Format(Pcm, 1, 44100, 8);
        (byte[] file, float[] expected) = where switch
        {
            "before" => (WavBytes.File(odd, s_format, Chunk("data", s_data)), s_samples.Select(s => s / 32768f).ToArray()),
            // Silence first, so that what stands one byte further could be a short chunk, too.
            "silent" => (
                WavBytes.File(s_format, odd, Chunk("data", Join(new byte[160], s_data))),
                [.. new float[80], .. s_samples.Select(s => s / 32768f)]
            ),
            "samples" => (WavBytes.File(mono, Chunk("data", eight)[..^1], s_list), [.. s_samples[..999].Select(s => (s >> 8) / 128f)]),
            _ => (
                WavBytes.File(s_format, Chunk("data", s_data), Chunk("junk", [1, 2, 3])[..^1], s_list),
                s_samples.Select(s => s / 32768f).ToArray()
            ),
        };
        using PcmReader reader = Read(file);
        Assert.Equal(expected, reader.ReadAll());
        Assert.Equal("A title", reader.Tags["title"]);
        Assert.Contains("a chunk of odd length without its padding byte", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_byte_that_fills_up_may_be_anything_and_may_lack_at_the_end()
    {
        byte[] odd = Chunk("LIST", Join(Text("INFO"), Chunk("INAM", Text("A title\0")), [0]));
        odd[^1] = (byte)'f';
        using PcmReader filled = Read(WavBytes.File(odd, s_format, Chunk("data", s_data)));
        AssertSamples(filled, 1000);
        Assert.Empty(filled.Warnings);
        using PcmReader last = Read(WavBytes.File(s_format, Chunk("data", s_data), Chunk("junk", [1, 2, 3])[..^1]));
        AssertSamples(last, 1000);
        Assert.Empty(last.Warnings);
    }

    [Fact]
    public void Files_that_are_joined_are_read_as_one()
    {
        // 16 bits, then 24 bits, then RIFX, then RF64, each with chunks around its samples.
        byte[] deep = WavBytes.File(
            s_list,
            Format(Pcm, 2, 44100, 24),
            Chunk("data", Join([.. s_samples.Select(s => U24(s << 8))])),
            Chunk("junk", [1])
        );
        byte[] big = DialectBytes.BigFile(
            DialectBytes.BigFormat(Pcm, 2, 44100, 16),
            DialectBytes.BigChunk("data", Join([.. s_samples.Select(s => DialectBytes.Big(U16(s)))]))
        );
        byte[] large = FileNamed(
            "RF64",
            Chunk("ds64", Join(U64(0), U64(4000), U64(1000), U32(0))),
            s_format,
            Chunk("data", s_data, 0xFFFFFFFF)
        );
        byte[] file = Join(WavBytes.File(s_format, Chunk("data", s_data), s_list), deep, big, large);
        float[] once = [.. s_samples.Select(s => s / 32768f)];
        using (PcmReader reader = Read(file))
        {
            Assert.Equal(4000, reader.FrameCount);
            Assert.Equal([.. once, .. once, .. once, .. once], reader.ReadAll(77));
            Assert.Equal("A title", reader.Tags["title"]);
            Assert.Equal([$"'{SomePath}' is 4 WAV files joined. They are read as one track."], reader.Warnings);
        }

        // Wherever a part of it begins.
        foreach (int start in (int[])[1, 999, 1000, 1001, 2500, 3999])
        {
            using PcmReader reader = Read(file);
            Assert.Equal(start, reader.Skip(start));
            Assert.Equal(once[(2 * (start % 1000))..], reader.ReadAll()[..(2000 - (2 * (start % 1000)))]);
        }

        using PcmReader all = Read(file);
        Assert.Equal(4000, all.Skip(5000));
        Assert.Equal(0, all.Read(new float[2]));
    }

    [Fact]
    public void A_joined_file_that_does_not_fit_is_left_out_and_said()
    {
        byte[] first = WavBytes.File(s_format, Chunk("data", s_data)),
            other = Pcm16(22050, 1, [.. Enumerable.Range(0, 22050)]),
            mp3 = WavBytes.File(Format(0x55, 2, 44100, 0, blockAlign: 1), Chunk("data", [1, 2])),
            cut = WavBytes.File(s_format);
        Check(other, " (1 channels, 22050 Hz, 1.0 s)");
        Check(mp3, " of compressed samples");
        Check(cut, " that is damaged");
        // The one between them fits.
        using PcmReader reader = Read(Join(first, first, other));
        AssertSamples(reader, 1000, times: 2);
        Assert.Equal(2, reader.Warnings.Count);
        Assert.Contains($"{other.Length:N0} bytes are ignored", reader.Warnings[0], StringComparison.Ordinal);

        void Check(byte[] second, string what)
        {
            using PcmReader joined = Read(Join(first, second));
            AssertSamples(joined, 1000);
            Assert.Equal(
                [
                    $"'{SomePath}' has another WAV file{what} after its end: {second.Length:N0} bytes are ignored. Split the file in two to read both.",
                ],
                joined.Warnings
            );
        }
    }

    [Fact]
    public void The_last_of_joined_files_may_be_cut_or_of_no_length()
    {
        byte[] first = WavBytes.File(s_format, Chunk("data", s_data));
        using (PcmReader reader = Read(Join(first, first[..^1000])))
        {
            Assert.Equal([.. s_samples.Select(s => s / 32768f), .. s_samples[..1500].Select(s => s / 32768f)], reader.ReadAll());
            Assert.Contains(
                "declared 2000 frames, found 1750: the file is cut short, 250 frames are missing",
                reader.Warnings[^1],
                StringComparison.Ordinal
            );
        }

        byte[] open = WavBytes.File(s_format, Chunk("data", s_data, 0));
        open.AsSpan(4, 4).Clear();
        using PcmReader unfinished = Read(Join(first, open));
        AssertSamples(unfinished, 1000, times: 2);
        Assert.Equal(2, unfinished.Warnings.Count);
    }

    [Fact]
    public void Of_many_joined_files_faults_are_told_a_few_times()
    {
        byte[] odd = [.. WavBytes.File(s_format, Chunk("data", s_data[..8]))];
        U16(0).CopyTo(odd, 32);
        using PcmReader reader = Read(Join([.. Enumerable.Repeat(odd, 300)]));
        Assert.Equal(600, reader.ReadAll().Length / 2);
        Assert.Equal(51, reader.Warnings.Count);
        Assert.Contains("is 300 WAV files joined", reader.Warnings[^1], StringComparison.Ordinal);
    }

    private static int[] Noise(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(-32768, 32768))];
    }

    private static void AssertSamples(AudioReader reader, int frames, int times = 1)
    {
        float[] once = [.. s_samples[..(2 * frames)].Select(s => s / 32768f)];
        Assert.Equal(Enumerable.Repeat(once, times).SelectMany(s => s), reader.ReadAll());
    }

    private static PcmReader Read(byte[] file, bool seekable = true)
    {
        MemoryStream memory = new(file);
        ByteSource source = new(seekable ? memory : new ForwardStream(memory), SomePath);
        return new PcmReader(source, WavHeader.Read(source)!);
    }
}
