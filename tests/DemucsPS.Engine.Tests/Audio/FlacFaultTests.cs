using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Flac;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Each kind of fault that the conformance files of the FLAC working group have, in small; and what is none of them.</summary>
public sealed class FlacFaultTests : IDisposable
{
    private const string EncodedAgain = "'flac damaged.flac -o repaired.flac'";
    private const string MendedByFFmpeg = "'ffmpeg -i damaged.flac repaired.flac'";
    private const string Decoded = "'flac -d damaged.flac -o repaired.wav'";

    // What is wrong, the words that say so, and what mends it.
    private static readonly (string Fault, string Words, string Remedy)[] s_readable =
    [
        ("block longer than declared", "frame at byte 85 has 17 samples; its description (STREAMINFO) declares at most 16", EncodedAgain),
        ("frame longer than declared", "frame at byte 85 has 45 bytes; its description (STREAMINFO) declares at most 44", EncodedAgain),
        ("more than declared", "declares 40 frames, but there are 48; programs that trust it lose the rest", MendedByFFmpeg),
        ("joined without encoding", "declares 32 frames, but there are 48; programs that trust it lose the rest", MendedByFFmpeg),
        ("description not first", "other metadata comes before its description (STREAMINFO)", Decoded),
        ("block of 65536", "has 65536 samples; FLAC allows at most 65535", EncodedAgain),
        ("block of 1", "has 1 samples; only the last frame of a file may have fewer than 16", EncodedAgain),
        ("comments beyond their block", "its tags (VORBIS_COMMENT) claim to be longer than their block", EncodedAgain),
    ];

    // The same of what cannot be read; nothing mends it.
    private static readonly (string Fault, string Words)[] s_damaged =
    [
        ("other depth", "declares 24 bits per sample, but its first frame has 16"),
        ("other channels", "declares 5 channels, but its first frame has 1"),
        ("other rate", "declares 48000 frames per second, but its first frame has 44100"),
        ("no description", "its description (STREAMINFO), which must come first, is missing"),
        ("wrong length of metadata", "a length in its metadata is wrong, and no metadata block begins at byte 60"),
    ];

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static byte[] Info => FlacBits.StreamInfo(1, 16, 48);

    // The samples 0, 1, 2 … 47 in three frames.
    private static byte[][] Frames => [Frame(0, 16), Frame(16, 16), Frame(32, 16)];

    public static TheoryData<string, string, string> Readable => new(s_readable.Select(fault => (fault.Fault, fault.Words, fault.Remedy)));

    public static TheoryData<string, string> Damaged => new(s_damaged.Select(fault => (fault.Fault, fault.Words)));

    public static TheoryData<string, string> Mendable => new(s_readable.Select(fault => (fault.Fault, fault.Remedy)));

    [Theory]
    [MemberData(nameof(Readable))]
    public void A_faulty_file_that_can_be_read_is_read_with_a_warning_that_says_what_mends_it(string fault, string words, string remedy)
    {
        string path = _folder.Write("damaged.flac", Make(fault));
        using AudioReader reader = AudioFile.Open(path);
        Assert.Equal(Samples(fault), reader.ReadAll());
        string warning = Assert.Single(reader.Warnings);
        Assert.StartsWith($"'{path}' is faulty: ", warning, StringComparison.Ordinal);
        Assert.Contains(words, warning, StringComparison.Ordinal);
        Assert.Contains(remedy, warning, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Damaged))]
    public void A_file_that_cannot_be_decoded_is_refused_in_words(string fault, string words)
    {
        string path = _folder.Write("damaged.flac", Make(fault));
        DemucsException exception = Assert.Throws<DemucsException>(() => AudioFile.Open(path));
        Assert.Equal(DemucsError.AudioTrackCorrupt, exception.Error);
        Assert.StartsWith($"'{path}' is damaged: ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(words, exception.Message, StringComparison.Ordinal);
        Assert.Contains("Fetch or export the file again.", exception.Message, StringComparison.Ordinal);
    }

    /// <summary>A file of a hundred frames that are all too long has one warning.</summary>
    [Fact]
    public void A_fault_that_every_frame_has_is_told_once()
    {
        using FlacReader reader = Read(
            FlacBits.Stream(
                FlacBits.StreamInfo(1, 16, 3200, maxBlockSize: 16, maxFrameBytes: 44),
                [.. Enumerable.Range(0, 100).Select(i => Frame(32 * i, 32))]
            )
        );
        Assert.Equal(Enumerable.Range(0, 3200).Select(i => i / 32768f), reader.ReadAll());
        Assert.Equal(2, reader.Warnings.Count);
    }

    /// <summary>
    /// The digest of joined files is that of the first; one of all samples is right, too, and one of anything else is not.
    /// </summary>
    [Theory]
    [InlineData(32, 32, false)]
    [InlineData(32, 48, false)]
    [InlineData(40, 48, false)]
    [InlineData(32, 16, true)]
    [InlineData(32, 0, true)]
    public void A_digest_of_what_is_declared_or_of_all_there_is_is_right(int declared, int digested, bool isWrong)
    {
        byte[] md5 = digested == 0 ? [.. Enumerable.Repeat((byte)1, 16)] : FlacSignal.Digest([.. Enumerable.Range(0, digested)], 2);
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, declared, md5: md5), Frames));
        Assert.Equal(48, reader.ReadAll().Length);
        Assert.Contains($"declares {declared} frames, but there are 48", reader.Warnings[0], StringComparison.Ordinal);
        Assert.Equal(isWrong, reader.Warnings.Any(w => w.Contains("MD5 mismatch", StringComparison.Ordinal)));
        Assert.Null(reader.FrameCount);
    }

    /// <summary>As <c>cat first.flac second.flac</c> makes them, with what lies between them.</summary>
    [Theory]
    [InlineData(48, "")]
    [InlineData(0, "")]
    [InlineData(48, "TAG")]
    [InlineData(48, "APETAGEX")]
    [InlineData(48, "APETAGEX with header")]
    [InlineData(0, "APETAGEX with header")]
    [InlineData(48, "ID3")]
    [InlineData(0, "ID3")]
    [InlineData(48, "all")]
    public void Files_of_one_form_one_behind_the_other_are_one_track(int declared, string between)
    {
        byte[] tags = Tags(between);
        byte[] first = FlacBits.Stream(
            FlacBits.StreamInfo(1, 16, declared, md5: FlacSignal.Digest([.. Enumerable.Range(0, 48)], 2)),
            Frames
        );
        foreach (int count in (int[])[2, 3])
        {
            using FlacReader reader = Read(WavBytes.Join([.. Enumerable.Repeat(WavBytes.Join(first, tags), count - 1), first]));
            Assert.Equal(Enumerable.Range(0, 48 * count).Select(i => i % 48 / 32768f), reader.ReadAll());
            string warning = Assert.Single(reader.Warnings);
            Assert.Contains($"is {count} FLAC files joined. They are read as one track", warning, StringComparison.Ordinal);
            Assert.Contains("'sox first.flac second.flac joined.flac'", warning, StringComparison.Ordinal);
            Assert.Null(reader.FrameCount);
        }
    }

    /// <summary>
    /// The digest of each is checked, damage in each keeps the time of the other, and what comes behind one that is cut off is there.
    /// </summary>
    [Fact]
    public void Each_of_joined_files_is_checked_by_itself()
    {
        byte[] digest = FlacSignal.Digest([.. Enumerable.Range(0, 48)], 2);
        byte[] whole = FlacBits.Stream(FlacBits.StreamInfo(1, 16, 48, md5: digest), Frames),
            damaged = [.. whole],
            wrong = [.. whole];
        damaged[^5] ^= 1;
        wrong[4 + 4 + 18] ^= 1;
        using (FlacReader reader = Read(WavBytes.Join(damaged, whole)))
        {
            Assert.Equal(
                [.. Enumerable.Range(0, 48).Select(i => i < 32 ? i / 32768f : 0), .. Enumerable.Range(0, 48).Select(i => i / 32768f)],
                reader.ReadAll()
            );
            Assert.Equal([new TrackGap(32, 16, 44100, IsFilled: true)], reader.Gaps);
        }

        using (FlacReader reader = Read(WavBytes.Join(whole, damaged)))
        {
            Assert.Equal(96, reader.ReadAll().Length);
            Assert.Equal([new TrackGap(80, 16, 44100, IsFilled: true)], reader.Gaps);
        }

        using (FlacReader reader = Read(WavBytes.Join(wrong, whole)))
        {
            Assert.Equal(96, reader.ReadAll().Length);
            Assert.Single(reader.Warnings, w => w.Contains("MD5 mismatch", StringComparison.Ordinal));
        }

        byte[] cut = FlacBits.Stream(FlacBits.StreamInfo(1, 16, 48), Frames[0]);
        using (FlacReader reader = Read(WavBytes.Join(cut, whole)))
        {
            Assert.Equal(64, reader.ReadAll().Length);
            Assert.Equal([new TrackGap(16, 32, 44100, IsFilled: false)], reader.Gaps);
        }
    }

    [Theory]
    [InlineData(48000, 1, 16, "48 frames (0.0 s) of 1 channel of 16 bits at 48000 Hz; the first file has 1 channel of 16 bits at 44100 Hz")]
    [InlineData(44100, 2, 16, "48 frames (0.0 s) of 2 channels of 16 bits at 44100 Hz; the first file has")]
    [InlineData(44100, 1, 24, "48 frames (0.0 s) of 1 channel of 24 bits at 44100 Hz; the first file has")]
    [InlineData(44100, 1, 3, "; its description is unreadable")]
    public void Another_file_of_another_form_is_left_out_and_it_is_said_how_much_that_is(int rate, int channels, int bits, string words)
    {
        byte[] first = FlacBits.Stream(FlacBits.StreamInfo(1, 16, 48), Frames);
        using FlacReader reader = Read(WavBytes.Join(first, FlacBits.Stream(FlacBits.StreamInfo(channels, bits, 48, rate), Frames)));
        Assert.Equal(Enumerable.Range(0, 48).Select(i => i / 32768f), reader.ReadAll());
        string warning = Assert.Single(reader.Warnings);
        Assert.Contains($"is two FLAC files joined: the second, at byte {first.Length}, is ignored", warning, StringComparison.Ordinal);
        Assert.Contains(words, warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("TAG")]
    [InlineData("APETAGEX")]
    [InlineData("APETAGEX with header")]
    [InlineData("ID3")]
    [InlineData("all")]
    [InlineData("a tag that is cut")]
    [InlineData("something else")]
    public void Tags_behind_a_file_are_no_other_file(string tags)
    {
        using FlacReader reader = Read(WavBytes.Join(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 48), Frames), Tags(tags)));
        Assert.Equal(48, reader.ReadAll().Length);
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void What_the_warning_of_another_file_advises_joins_them()
    {
        string sox = ExternalTool.FindOrSkip("sox");
        byte[] file = FlacBits.Stream(FlacBits.StreamInfo(1, 16, 48), Frames);
        ExternalTool.Run(sox, _folder.Write("first.flac", file), _folder.Write("second.flac", file), _folder.File("joined.flac"));
        using AudioReader reader = AudioFile.Open(_folder.File("joined.flac"));
        Assert.Equal(Enumerable.Range(0, 96).Select(i => i % 48 / 32768f), reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    /// <summary>As ffmpeg joins files when it is told to copy: its description stays that of the first.</summary>
    [Fact]
    public void Files_that_ffmpeg_joined_without_encoding_are_read_to_their_end()
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        int[] samples = [.. Enumerable.Range(0, 10_000).Select(i => i % 311 * 7)];
        string wav = _folder.Write("part.wav", WavBytes.Pcm16(44100, 1, samples)),
            flac = _folder.File("part.flac"),
            joined = _folder.File("joined.flac");
        ExternalTool.Run(ffmpeg, "-v", "error", "-i", wav, flac);
        ExternalTool.Run(
            ffmpeg,
            "-v",
            "quiet",
            "-safe",
            "0",
            "-f",
            "concat",
            "-i",
            _folder.Write("list", WavBytes.Text("file part.flac\nfile part.flac\n")),
            "-c",
            "copy",
            joined
        );
        using AudioReader reader = AudioFile.Open(joined);
        Assert.Equal([.. samples.Select(s => s / 32768f), .. samples.Select(s => s / 32768f)], reader.ReadAll());
        Assert.Contains("declares 10000 frames, but there are 20000", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Mendable))]
    public void What_a_message_advises_mends_the_file(string fault, string remedy)
    {
        string[] command = remedy.Trim('\'').Split(' ');
        string program = ExternalTool.FindOrSkip(command[0]);
        _folder.Write("damaged.flac", Make(fault));
        ExternalTool.Run(
            program,
            [
                .. command[0] == "flac" ? new[] { "-s" } : ["-v", "error"],
                .. command[1..].Select(word => word.Contains('.', StringComparison.Ordinal) ? _folder.File(word) : word),
            ]
        );
        using AudioReader reader = AudioFile.Open(_folder.File(command[^1]));
        Assert.Equal(Samples(fault), reader.ReadAll());
        Assert.Empty(reader.Warnings);
        if (fault == "comments beyond their block")
            Assert.Equal("faulty", reader.Tags["set"]);
    }

    [Theory]
    [InlineData(16, 43, 48)] // As declared, to the sample and the byte.
    [InlineData(16, 0, 48)] // 0 is for unknown.
    [InlineData(0, 43, 48)]
    [InlineData(0, 0, 0)]
    [InlineData(65535, 1 << 20, 0)]
    public void What_keeps_within_its_declarations_is_read(int maxBlockSize, int maxFrameBytes, int total)
    {
        Assert.Equal(43, Frames[1].Length);
        AssertRead(
            FlacBits.Stream(FlacBits.StreamInfo(1, 16, total, maxBlockSize: maxBlockSize, maxFrameBytes: maxFrameBytes), Frames),
            48
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    public void The_last_frame_and_the_only_one_may_be_short(int samples)
    {
        AssertRead(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 48 + samples), [.. Frames, Frame(48, samples)]), 48 + samples);
        AssertRead(FlacBits.Stream(FlacBits.StreamInfo(1, 16, samples, maxBlockSize: samples), Frame(0, samples)), samples);
        AssertRead(
            WavBytes.Join(FlacBits.Stream(FlacBits.StreamInfo(1, 16, samples), Frame(0, samples)), WavBytes.Text("TAG"), new byte[125]),
            samples
        );
    }

    // Blocks that are larger than memory would be wasted on; none of them says anything about the samples.
    [Theory]
    [InlineData("SEEKTABLE", 3, 18 * 932_067)]
    [InlineData("PADDING", 1, 0xFF_FFFF)]
    [InlineData("PICTURE", 6, 0xFF_FFFF)]
    [InlineData("APPLICATION", 2, 0xFF_FFFF)]
    [InlineData("CUESHEET", 5, 396 + (254 * (36 + (255 * 12))))]
    [InlineData("VORBIS_COMMENT", 4, 0xFF_FFFF)]
    [InlineData("all", 0, 0xFF_FFFF)]
    public void Metadata_of_any_size_is_read_over_in_little_memory(string name, int type, int bytes)
    {
        (int Type, byte[] Content)[] blocks =
            name == "all"
                ?
                [
                    (0, Info),
                    (3, new byte[18 * 932_067]),
                    (1, new byte[bytes]),
                    (6, new byte[bytes]),
                    (2, new byte[bytes]),
                    (5, new byte[700_000]),
                    (4, Comments(bytes)),
                ]
                : [(0, Info), (type, type == 4 ? Comments(bytes) : new byte[bytes])];
        byte[] file = FlacBits.StreamOf(blocks, Frames);
        Assert.True(file.Length > bytes);
        long before = GC.GetAllocatedBytesForCurrentThread();
        using FlacReader reader = Read(file);
        // Tags are taken up to 1 MiB, and handed over once more as texts of two bytes a character.
        Assert.InRange(
            GC.GetAllocatedBytesForCurrentThread() - before,
            0,
            500_000 + (name is "all" or "VORBIS_COMMENT" ? 8 * AudioLimits.MaxTagBytes : 0)
        );
        Assert.Equal(Enumerable.Range(0, 48).Select(i => i / 32768f), reader.ReadAll());
        Assert.Empty(reader.Warnings);
        Assert.Equal(name is "all" or "VORBIS_COMMENT" ? "a song" : null, reader.Tags.GetValueOrDefault("title"));
    }

    private static float[] Samples(string fault) =>
        fault switch
        {
            "block longer than declared" => [.. Enumerable.Range(0, 33).Select(i => i / 32768f)],
            "block of 65536" => [.. Enumerable.Repeat(3 / 32768f, 65536 + 16)],
            "block of 1" => [.. Enumerable.Range(0, 33).Select(i => i / 32768f)],
            _ => [.. Enumerable.Range(0, 48).Select(i => i / 32768f)],
        };

    private static byte[] Make(string fault) =>
        fault switch
        {
            "block longer than declared" => FlacBits.Stream(FlacBits.StreamInfo(1, 16, 33, maxBlockSize: 16), Frame(0, 16), Frame(16, 17)),
            "frame longer than declared" => FlacBits.Stream(
                FlacBits.StreamInfo(1, 16, 48, maxFrameBytes: 44),
                Frames[0],
                FlacBits.Frame(16, 0, Wasteful, bitsCode: 4, rateCode: 9),
                Frames[2]
            ),
            "other depth" => FlacBits.Stream(FlacBits.StreamInfo(1, 24, 48), Frames),
            "other channels" => FlacBits.Stream(FlacBits.StreamInfo(5, 16, 48), Frames),
            "other rate" => FlacBits.Stream(FlacBits.StreamInfo(1, 16, 48, 48000), Frames),
            "joined without encoding" => FlacBits.Stream(
                FlacBits.StreamInfo(1, 16, 32, md5: FlacSignal.Digest([.. Enumerable.Range(0, 32)], 2)),
                Frames
            ),
            "more than declared" => FlacBits.Stream(FlacBits.StreamInfo(1, 16, 40), Frames),
            "no description" => FlacBits.StreamOf([(4, Comments(40)), (1, new byte[20])], Frames),
            "description not first" => FlacBits.StreamOf([(4, Comments(40)), (0, Info)], Frames),
            "block of 65536" => FlacBits.Stream(
                FlacBits.StreamInfo(1, 16, 65552, maxBlockSize: 0),
                FlacBits.Frame(65536, 0, bits => bits.Constant(3, 16), bitsCode: 4, rateCode: 9),
                FlacBits.Frame(16, 0, bits => bits.Constant(3, 16), bitsCode: 4, rateCode: 9)
            ),
            "block of 1" => FlacBits.Stream(FlacBits.StreamInfo(1, 16, 33), Frame(0, 16), Frame(16, 1), Frame(17, 16)),
            "comments beyond their block" => FlacBits.StreamOf(
                [(0, Info), (4, WavBytes.Join(WavBytes.U32(0), WavBytes.U32(10), WavBytes.U32(10), WavBytes.Text("SET=faulty")))],
                Frames
            ),
            // The padding is said to be 14 bytes long and has 10, and then comes a frame.
            "wrong length of metadata" => WavBytes.Join(
                WavBytes.Text("fLaC"),
                [0, 0, 0, 34],
                Info,
                [1, 0, 0, 14],
                new byte[10],
                [0xFF, 0xF8, 0xC9, 0x08, 0xFF, 0xFF, 0xFF, 0xFF],
                new byte[50]
            ),
            _ => throw new ArgumentException(fault, nameof(fault)),
        };

    /// <summary>A block of comments that is this long: a title, and then so much that most of it is left out.</summary>
    private static byte[] Comments(int bytes)
    {
        byte[] head = WavBytes.Join(WavBytes.U32(0), WavBytes.U32(0), WavBytes.U32(12), WavBytes.Text("TITLE=a song"));
        byte[] block = new byte[bytes];
        head.CopyTo(block, 0);
        int count = 1;
        for (int at = head.Length; at + 4 < bytes; count++)
        {
            int length = Math.Min(60_000, bytes - at - 4);
            WavBytes.U32(length).CopyTo(block, at);
            block.AsSpan(at + 4, length).Fill((byte)'x');
            WavBytes.Text($"N{count}=").AsSpan()[..Math.Min(length, 3)].CopyTo(block.AsSpan(at + 4));
            if (length >= 8)
                WavBytes.Text($"N{count:000}=").CopyTo(block, at + 4);
            at += 4 + length;
        }

        WavBytes.U32(count).CopyTo(block, 4);
        return block;
    }

    private static byte[] Tags(string name) =>
        name switch
        {
            "" => [],
            "TAG" => WavBytes.Join(WavBytes.Text("TAG"), new byte[125]),
            "APETAGEX" => WavBytes.Join(
                WavBytes.Text("APETAGEX"),
                WavBytes.U32(2000),
                WavBytes.U32(0),
                WavBytes.U32(0),
                WavBytes.U32(0),
                new byte[8]
            ),
            "APETAGEX with header" => WavBytes.Join(
                WavBytes.Text("APETAGEX"),
                WavBytes.U32(2000),
                WavBytes.U32(42),
                WavBytes.U32(1),
                WavBytes.U32(0xA000_0000),
                new byte[8 + 10],
                WavBytes.Text("APETAGEX"),
                WavBytes.U32(2000),
                WavBytes.U32(42),
                WavBytes.U32(1),
                WavBytes.U32(0x8000_0000),
                new byte[8]
            ),
            "ID3" => WavBytes.Join(WavBytes.Text("ID3"), [4, 0, 0, 0, 0, 1, 2], new byte[130]),
            "all" => WavBytes.Join(Tags("ID3"), Tags("APETAGEX with header"), Tags("TAG")),
            "a tag that is cut" => Tags("APETAGEX with header")[..40],
            _ => WavBytes.Text("some text with fLaC in it"),
        };

    private static byte[] Frame(int first, int count) =>
        FlacBits.Frame(count, 0, bits => bits.Verbatim(Enumerable.Range(first, count).Select(i => (long)i), 16), bitsCode: 4, rateCode: 9);

    /// <summary>The samples 16 to 31 with more than they need plainly: residuals of order 0, stored as they are.</summary>
    private static void Wasteful(FlacBits bits)
    {
        bits.Put(8 << 1, 8).Put(0, 2).Put(0, 4).Put(15, 4).Put(16, 5);
        for (int i = 16; i < 32; i++)
            bits.Put(i, 16);
    }

    private static FlacReader Read(byte[] file) => new(new ByteSource(new MemoryStream(file), "/music/some song.flac"));

    private static void AssertRead(byte[] file, int samples)
    {
        using FlacReader reader = Read(file);
        Assert.Equal(Enumerable.Range(0, samples).Select(i => i / 32768f), reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }
}
