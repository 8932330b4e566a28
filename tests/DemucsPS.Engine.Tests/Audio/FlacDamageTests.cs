using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Flac;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>FLAC files that have lost some of their sound, or hold what belongs to no frame: everything else keeps its time.</summary>
public sealed class FlacDamageTests : IDisposable
{
    private const int Block = 32,
        Blocks = 6;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // The samples 1, 2, 3 … in frames that are numbered as encoders number them.
    private static byte[][] Frames => [.. Enumerable.Range(0, Blocks).Select(i => Frame(i))];

    private static int[] Samples => [.. Enumerable.Range(1, Block * Blocks)];

    private static byte[] Info => FlacBits.StreamInfo(1, 16, Block * Blocks, md5: FlacSignal.Digest(Samples, 2), maxBlockSize: Block);

    public static TheoryData<string, int, int> Damages =>
        new()
        {
            { "a bit of its samples", 0, 1 },
            { "a bit of its samples", 2, 1 },
            { "a bit of its samples", 5, 1 },
            { "a bit of its header", 0, 1 },
            { "a bit of its header", 3, 1 },
            { "a bit of its header", 5, 1 },
            { "missing bytes", 1, 1 },
            { "overwritten with zeros", 2, 3 },
            { "overwritten with noise", 1, 4 },
            { "a length that reaches beyond the end", 4, 1 },
            { "bytes of its own twice", 2, 1 },
        };

    [Theory]
    [MemberData(nameof(Damages))]
    public void What_is_lost_is_silent_and_everything_else_keeps_its_time(string damage, int first, int count)
    {
        byte[][] frames = Frames;
        for (int i = first; i < first + count; i++)
            frames[i] = Damage(frames[i], damage);
        foreach (bool variable in (bool[])[false, true])
        {
            byte[][] numbered = variable ? [.. Enumerable.Range(0, Blocks).Select(i => Frame(i, variable: true))] : frames;
            for (int i = first; variable && i < first + count; i++)
                numbered[i] = Damage(numbered[i], damage);
            using FlacReader reader = Read(FlacBits.Stream(Info, numbered));
            AssertSilent(reader, first * Block, count * Block);
            Assert.Equal([new TrackGap(first * Block, count * Block, 44100, IsFilled: true)], reader.Gaps);
            string warning = Assert.Single(reader.Warnings);
            Assert.Contains("Silence replaces what is lost", warning, StringComparison.Ordinal);
            Assert.Contains(reader.Gaps[0].ToString(), warning, StringComparison.Ordinal);

            DemucsException refused = Assert.Throws<DemucsException>(() =>
                Read(FlacBits.Stream(Info, numbered), DamageHandling.Fail).ReadAll()
            );
            Assert.Equal(DemucsError.AudioTrackCorrupt, refused.Error);
            Assert.Equal([Remedy.PassOverDamage], refused.Remedies);
        }
    }

    /// <summary>
    /// Some encoders give every frame the same number, and joined streams begin to count anew; the length of a damaged frame is in its
    /// header all the same.
    /// </summary>
    [Fact]
    public void Without_numbers_that_make_sense_a_damaged_frame_is_as_long_as_its_header_says()
    {
        byte[][] frames = [.. Enumerable.Range(0, Blocks).Select(i => Frame(i, number: 0))];
        frames[3] = Damage(frames[3], "a bit of its samples");
        using FlacReader reader = Read(FlacBits.Stream(Info, frames));
        AssertSilent(reader, 3 * Block, Block);

        frames = [.. Enumerable.Range(0, Blocks).Select(i => Frame(i, number: 0))];
        frames[3] = Damage(frames[3], "a bit of its header");
        using FlacReader unknown = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), frames));
        Assert.Equal((Blocks - 1) * Block, unknown.ReadAll().Length);
        Assert.Contains(
            "how much sound they held is unknown. Everything after them may be too early",
            Assert.Single(unknown.Warnings),
            StringComparison.Ordinal
        );
        Assert.Empty(unknown.Gaps);
        Assert.Throws<DemucsException>(() => Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), frames), DamageHandling.Fail).ReadAll());
    }

    /// <summary>A number that claims days of silence behind some bytes of damage is not believed.</summary>
    [Theory]
    [InlineData(new byte[] { 0xFE, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF })]
    [InlineData(new byte[] { 0xFD, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF })]
    [InlineData(new byte[] { 0xC4, 0x80 })]
    public void A_number_that_cannot_be_is_not_followed(byte[] number)
    {
        byte[] last = FlacBits.Frame(
            Block,
            0,
            bits => bits.Verbatim(Enumerable.Range(100, Block).Select(i => (long)i), 16),
            bitsCode: 4,
            rateCode: 9,
            number: number
        );
        using FlacReader reader = Read(
            FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), Frame(0), Damage(Frame(1), "a bit of its samples"), last)
        );
        Assert.Equal(3 * Block, reader.ReadAll().Length);
        Assert.Equal([new TrackGap(Block, Block, 44100, IsFilled: true)], reader.Gaps);
    }

    /// <summary>Bytes that belong to no frame, where nothing is missing: flac -F and ffmpeg read all of it, too.</summary>
    [Theory]
    [InlineData("before the first frame", "300 bytes from byte 42 on belong to no frame")]
    [InlineData("between frames", "300 bytes from byte 192 on belong to no frame")]
    [InlineData("before the file", "300 bytes from byte 0 on belong to no frame")]
    public void What_belongs_to_no_frame_is_passed_over_and_said(string place, string words)
    {
        byte[] junk = new byte[300];
        new Random(3).NextBytes(junk);
        // What begins like a frame and is none.
        junk.AsSpan(50, 2).Fill(0xFF);
        Frame(9)[..12].CopyTo(junk, 100);
        byte[][] frames = Frames;
        byte[] file = place switch
        {
            "before the first frame" => FlacBits.Stream(Info, [junk, .. frames]),
            "between frames" => FlacBits.Stream(Info, [.. frames[..2], junk, .. frames[2..]]),
            _ => [.. junk, .. FlacBits.Stream(Info, frames)],
        };
        foreach (DamageHandling handling in Enum.GetValues<DamageHandling>())
        {
            using AudioReader reader = AudioFile.Open(new TrackSource(_folder.Write("junk.flac", file)) { OnDamage = handling });
            Assert.Equal(Samples.Select(s => s / 32768f), reader.ReadAll());
            Assert.Contains(words, Assert.Single(reader.Warnings), StringComparison.Ordinal);
            Assert.Empty(reader.Gaps);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void What_the_warning_of_foreign_bytes_advises_mends_the_file(int framesBefore)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        byte[] junk = new byte[300];
        new Random(3).NextBytes(junk);
        byte[][] frames = Frames;
        string path = _folder.Write("damaged.flac", FlacBits.Stream(Info, [.. frames[..framesBefore], junk, .. frames[framesBefore..]]));
        ExternalTool.Run(ffmpeg, "-v", "fatal", "-i", path, _folder.File("mended.flac"));
        using AudioReader reader = AudioFile.Open(_folder.File("mended.flac"));
        Assert.Equal(Samples.Select(s => s / 32768f), reader.ReadAll());
        Assert.Empty(reader.Warnings);
    }

    /// <summary>A passage that somebody has cut out, as ffmpeg does it without encoding again, is no damage.</summary>
    [Fact]
    public void Numbers_that_leave_some_out_are_not_missed_where_nothing_is_damaged()
    {
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), [.. Frames[..2], .. Frames[4..]]));
        Assert.Equal((Blocks - 2) * Block, reader.ReadAll().Length);
        Assert.Empty(reader.Warnings);
    }

    /// <summary>What is declared says nothing about where the sound ends: damage behind it does not end the track either.</summary>
    [Fact]
    public void A_total_that_is_too_small_loses_nothing_not_even_with_damage_behind_it()
    {
        byte[][] frames = Frames;
        frames[4] = Damage(frames[4], "a bit of its header");
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 3 * Block, maxBlockSize: Block), frames));
        AssertSilent(reader, 4 * Block, Block);
        Assert.Contains(reader.Warnings, w =>
            w.Contains($"declares {3 * Block} frames, but there are {Blocks * Block}", StringComparison.Ordinal)
        );
        using FlacReader strict = Read(
            FlacBits.Stream(FlacBits.StreamInfo(1, 16, 3 * Block, maxBlockSize: Block), Frames),
            DamageHandling.Fail
        );
        Assert.Equal(Blocks * Block, strict.ReadAll().Length);
    }

    [Fact]
    public void A_file_with_more_gaps_than_are_noted_is_read_and_has_one_warning()
    {
        byte[][] frames = [.. Enumerable.Range(0, 3 * TrackGaps.Max).Select(i => Frame(i))];
        for (int i = 1; i < frames.Length; i += 2)
            frames[i] = Damage(frames[i], "a bit of its samples");
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0, maxBlockSize: Block), frames));
        Assert.Equal(frames.Length * Block, reader.ReadAll().Length);
        Assert.Equal(TrackGaps.Max, reader.Gaps.Count);
        Assert.Contains("and 1495 more times", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    /// <summary>Stereo, resampled within the file: a gap is told at the rate that the track is given at.</summary>
    [Fact]
    public void A_gap_behind_a_change_of_rate_is_told_in_the_frames_that_are_given()
    {
        byte[] slow = FlacBits.Frame(2205, 0, bits => bits.Constant(7, 16), bitsCode: 4, rateCode: 6, number: [1]);
        byte[] damaged = Damage(
            FlacBits.Frame(2205, 0, bits => bits.Constant(7, 16), bitsCode: 4, rateCode: 6, number: [2]),
            "a bit of its samples"
        );
        byte[] first = FlacBits.Frame(4410, 0, bits => bits.Constant(7, 16), bitsCode: 4, rateCode: 9),
            last = FlacBits.Frame(2205, 0, bits => bits.Constant(7, 16), bitsCode: 4, rateCode: 6, number: [3]);
        using FlacReader reader = Read(FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), first, slow, damaged, last));
        Assert.Equal(4 * 4410, reader.ReadAll().Length);
        Assert.Equal([new TrackGap(2 * 4410, 4410, 44100, IsFilled: true)], reader.Gaps);
    }

    [Fact]
    public void Of_a_part_only_its_own_damage_counts()
    {
        byte[][] frames = Frames;
        frames[2] = Damage(frames[2], "a bit of its samples");
        string path = _folder.Write("album.flac", FlacBits.Stream(Info, frames));
        foreach (
            (FrameRange range, TrackGap? gap) in ((FrameRange, TrackGap?)[])
                [
                    (new FrameRange(0, 2 * Block), null),
                    (new FrameRange(3 * Block, null), null),
                    (new FrameRange(2 * Block, Block), new TrackGap(0, Block, 44100, true)),
                    (new FrameRange(Block, 48), new TrackGap(Block, 16, 44100, true)),
                    (new FrameRange((2 * Block) + 10, 2 * Block), new TrackGap(0, Block - 10, 44100, true)),
                ]
        )
        {
            using AudioReader reader = AudioFile.Open(new TrackSource(path) { Range = range });
            reader.ReadAll(7);
            Assert.Equal(gap is null ? [] : [gap], reader.Gaps);
            using AudioReader strict = AudioFile.Open(new TrackSource(path) { Range = range, OnDamage = DamageHandling.Fail });
            if (gap is null)
                strict.ReadAll();
            else
                Assert.Equal([Remedy.PassOverDamage], Assert.Throws<DemucsException>(() => strict.ReadAll()).Remedies);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void What_is_missing_at_the_end_is_told_and_refused_where_that_is_asked_for(int kind)
    {
        byte[] digest = FlacSignal.Digest(Samples, 2);
        digest[0] ^= 1;
        byte[] file = kind switch
        {
            0 => FlacBits.Stream(Info, Frames[..4]),
            1 => FlacBits.Stream(FlacBits.StreamInfo(1, 16, 0), Frames)[..^20],
            _ => FlacBits.Stream(FlacBits.StreamInfo(1, 16, Block * Blocks, md5: digest), Frames),
        };
        using FlacReader reader = Read(file);
        reader.ReadAll();
        Assert.Equal(kind == 0 ? [new TrackGap(4 * Block, 2 * Block, 44100, IsFilled: false)] : [], reader.Gaps);
        string warning = Assert.Single(reader.Warnings);
        Assert.Equal(warning, Assert.Throws<DemucsException>(() => Read(file, DamageHandling.Fail).ReadAll()).Message);
    }

    /// <summary>
    /// flac -F writes silence for a frame that it cannot decode, too, and often for the one behind it; of the first and the last one it
    /// loses the time.
    /// </summary>
    [Fact]
    public void Of_a_file_with_flipped_bits_all_is_read_that_the_flac_program_reads()
    {
        string flac = ExternalTool.FindOrSkip("flac");
        int[] samples = FlacSignal.Make(50_000, 2, 16);
        byte[] file = ExternalTool.Filter(flac, WavBytes.Pcm16(44100, 2, samples), "-s", "-c", "-8", "--no-padding", "-");
        foreach (double place in (double[])[0.31, 0.5, 0.66, 0.9])
        {
            byte[] damaged = [.. file];
            damaged[(int)(place * file.Length)] ^= 0x10;
            string path = _folder.Write("damaged.flac", damaged);
            ExternalTool.RunAnyway(flac, "-s", "-d", "-F", "-f", path, "-o", _folder.File("decoded.wav"));
            using AudioReader decoded = AudioFile.Open(_folder.File("decoded.wav")),
                reader = AudioFile.Open(path);
            (float[] theirs, float[] ours) = (decoded.ReadAll(), reader.ReadAll());
            Assert.Equal(samples.Length, ours.Length);
            Assert.Equal(samples.Length, theirs.Length);
            TrackGap gap = Assert.Single(reader.Gaps);
            Assert.InRange(gap.Frames, 1, 4096);
            for (int i = 0; i < ours.Length; i++)
            {
                bool isLost = i / 2 >= gap.StartFrame && i / 2 < gap.StartFrame + gap.Frames;
                Assert.Equal(isLost ? 0 : samples[i] / 32768f, ours[i]);
                Assert.True(!isLost || theirs[i] == 0);
            }
        }
    }

    [Fact]
    public void The_stems_of_a_damaged_file_are_as_long_as_it_was_and_sum_to_what_is_left_and_the_gaps_are_on_record()
    {
        int[] samples = FlacSignal.Make(40_000, 1, 16);
        byte[][] frames =
        [
            .. Enumerable
                .Range(0, 5)
                .Select(i =>
                    FlacBits.Frame(
                        8000,
                        0,
                        bits => bits.Verbatim(samples[(8000 * i)..(8000 * (i + 1))].Select(s => (long)s), 16),
                        bitsCode: 4,
                        rateCode: 9,
                        number: [(byte)i]
                    )
                ),
        ];
        frames[2] = Damage(frames[2], "a bit of its samples");
        string path = _folder.Write("damaged.flac", FlacBits.Stream(FlacBits.StreamInfo(1, 16, 40_000, maxBlockSize: 8000), frames));
        TrackGap gap = new(16_000, 8000, 44100, IsFilled: true);
        using ModelBag bag = ModelBag.Load([ModelSource.Find(ModelSource.BaselineName)], null, new OnnxSessionOptions());
        StemOutput output = new(new StemNames(_folder.File("out")), new StemFormat { Sample = WavSampleFormat.Float32 });
        FileSeparator separator = new(bag, StemMatrix.Choose(bag.Contract.Stems, null), new SeparationOptions(), output);
        SeparationResult result = separator.Separate(new TrackSource(path));
        float[] sum = new float[40_000];
        foreach (StemFile stem in result.Stems)
        {
            using AudioReader reader = AudioFile.Open(stem.FilePath);
            float[] read = reader.ReadAll();
            Assert.Equal(80_000, read.Length);
            for (int i = 0; i < sum.Length; i++)
                sum[i] += read[2 * i];
        }

        for (int i = 0; i < sum.Length; i++)
            Assert.Equal(i / 8000 == 2 ? 0 : samples[i] / 32768f, sum[i], 1e-5f);
        Assert.Equal([gap], result.Gaps);
        Assert.Equal([gap], SeparationProvenance.Read(result.ProvenancePath).Gaps);
        Assert.Equal([gap], AudioTrack.Import(new TrackSource(path)).Gaps);

        // Stems with a gap are not what somebody wants who wants none.
        FileSeparator skipping = new(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, null),
            new SeparationOptions(),
            output with
            {
                Names = new StemNames(_folder.File("out")),
                SkipExisting = true,
            }
        );
        SeparationResult skipped = skipping.Separate(new TrackSource(path));
        Assert.True(skipped.Skipped);
        Assert.Equal([gap], skipped.Gaps);
        FileSeparator strict = new(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, null),
            new SeparationOptions(),
            output with
            {
                Names = new StemNames(_folder.File("out")),
                SkipExisting = true,
            }
        );
        Assert.Contains(
            "damage handling changed from warn to fail",
            Assert.Throws<DemucsException>(() => strict.Separate(new TrackSource(path) { OnDamage = DamageHandling.Fail })).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>What was found by the first pass is not lost where a separation is continued that had only its files to finish.</summary>
    [Fact]
    public void Gaps_are_in_the_journal()
    {
        TrackStatistics statistics = new(100, 0, 1, 1) { Gaps = [new TrackGap(3, 4, 44100, true)] };
        SeparationIdentity identity = new("1", "", new SourceIdentity("/a", 1, default, ""), [], new Dictionary<string, string>());
        SeparationJournal journal = SeparationJournal.Begin(identity, statistics, 1, 1);
        journal.Write(_folder.File("journal.json"));
        Assert.Equal(statistics.Gaps, SeparationJournal.Read(_folder.File("journal.json")).Statistics().Gaps);
    }

    private static byte[] Damage(byte[] frame, string damage)
    {
        byte[] damaged = [.. frame];
        switch (damage)
        {
            case "a bit of its samples":
                damaged[^5] ^= 4;
                break;
            case "a bit of its header":
                damaged[3] ^= 0x10;
                break;
            case "missing bytes":
                return [.. frame[..20], .. frame[31..]];
            case "overwritten with zeros":
                Array.Clear(damaged);
                break;
            case "overwritten with noise":
                new Random(frame.Length).NextBytes(damaged);
                break;
            case "a length that reaches beyond the end":
                // A residual of as many zeros as there are.
                damaged[9] = 8 << 1;
                Array.Clear(damaged, 10, damaged.Length - 10);
                break;
            case "bytes of its own twice":
                return [.. frame[..40], .. frame[30..]];
        }

        return damaged;
    }

    private static void AssertSilent(FlacReader reader, int start, int count)
    {
        float[] expected = [.. Samples.Select((s, i) => i >= start && i < start + count ? 0 : s / 32768f)];
        Assert.Equal(expected, reader.ReadAll(50));
    }

    private static byte[] Frame(int index, bool variable = false, int? number = null) =>
        FlacBits.Frame(
            Block,
            0,
            bits => bits.Verbatim(Enumerable.Range((Block * index) + 1, Block).Select(i => (long)(i % 32768)), 16),
            bitsCode: 4,
            rateCode: 9,
            number: Number(number ?? (variable ? Block * index : index)),
            variable
        );

    /// <summary>As UTF-8 has it (RFC 9639, section 9.1.5); RFC 3629 calls it so for numbers of up to 16 bits.</summary>
    private static byte[] Number(int number) => System.Text.Encoding.UTF8.GetBytes($"{(char)number}");

    private static FlacReader Read(byte[] file, DamageHandling onDamage = DamageHandling.Warn) =>
        new(new ByteSource(new MemoryStream(file), "/music/some song.flac"), onDamage);
}
