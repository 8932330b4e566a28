using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Mpeg;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>MP3 files with damage between their frames: everything else keeps its time.</summary>
public sealed class MpegDamageTests : IDisposable
{
    // 128 kbit/s, 44,100 Hz, stereo.
    private const uint Header = 0xFFFB_9000;
    private const int Length = 417;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, long, long, long> Damages =>
        new()
        {
            // What is damaged, then the byte at which it begins, counted in frames, and frames before and in it.
            { "sync", 5, 5, 1 },
            { "bit rate", 5, 5, 1 },
            { "zeros", 4, 4, 3 },
            { "noise", 4, 4, 3 },
            { "some bytes more", 6, 6, 0 },
        };

    [Theory]
    [MemberData(nameof(Damages))]
    public void Damage_between_frames_is_found_with_its_length(string damage, long at, long before, long frames)
    {
        byte[][] parts = [.. Enumerable.Range(0, 12).Select(i => Frame(i))];
        switch (damage)
        {
            case "sync":
                parts[5][1] ^= 0x80;
                break;
            case "bit rate":
                parts[5][2] ^= 0x10;
                break;
            case "zeros" or "noise":
                for (int i = 4; i < 7; i++)
                    parts[i] = damage == "zeros" ? new byte[Length] : [.. Frame(i + 100)[4..], 1, 2, 3, 4];
                break;
            case "some bytes more":
                parts[6] = [.. new byte[20], .. parts[6]];
                break;
        }

        byte[] file = [.. "ID3\u0004\0\0\0\0\0\u0005zeros"u8, .. WavBytes.Join(parts), .. "TAG"u8, .. new byte[125]];
        MpegDamage found = Find(file)!;
        MpegGap gap = Assert.Single(found.Gaps);
        Assert.Equal((15 + (at * Length), before, frames), (gap.Position, gap.FramesBefore, gap.Frames));
        Assert.Equal((1152 * before, 1152 * frames), found.SamplesOf(0));

        using MemoryStream mended = new();
        found.WriteMended(new ByteSource(new MemoryStream(file), "/some.mp3"), mended);
        byte[] result = mended.ToArray();
        Assert.Null(Find(result));
        Assert.Equal(file[..(int)gap.Position], result[..(int)gap.Position]);
        Assert.Equal(file[(int)gap.Next..], result[^(file.Length - (int)gap.Next)..]);
        Assert.Equal(frames * Length, result.Length - gap.Position - (file.Length - gap.Next));
    }

    /// <summary>What is gone altogether the encoder's count tells, if nothing is cut off at the end.</summary>
    [Theory]
    [InlineData(12, false, 3)]
    [InlineData(12, true, 1)]
    [InlineData(100_000_000, false, 1)]
    public void Bytes_that_are_gone_are_counted_by_the_encoders_tag(uint declared, bool isCut, long frames)
    {
        byte[][] parts = [Tag(declared), .. Enumerable.Range(1, 12).Select(i => Frame(i))];
        byte[] file = [.. WavBytes.Join(parts[..5]), .. parts[5][..200], .. parts[7][300..], .. WavBytes.Join(parts[8..])];
        MpegDamage found = Find(isCut ? file[..^50] : file)!;
        MpegGap gap = Assert.Single(found.Gaps);
        Assert.Equal((5L * Length, 5L, frames), (gap.Position, gap.FramesBefore, gap.Frames));
        // The tag is no sound, and decoders take 1,105 samples of the encoder's delay off the beginning.
        Assert.Equal(((4 * 1152) - 1105, 1152 * frames), found.SamplesOf(0));
    }

    public static TheoryData<string, byte[]> WholeFiles =>
        new()
        {
            { "whole", WavBytes.Join([.. Enumerable.Range(0, 12).Select(i => Frame(i))]) },
            { "cut off", WavBytes.Join([.. Enumerable.Range(0, 12).Select(i => Frame(i))])[..^100] },
            {
                "joined, with tags between",
                [
                    .. Frame(0),
                    .. Frame(1),
                    .. Frame(2),
                    .. "TAG"u8,
                    .. new byte[125],
                    .. "ID3\u0004\0\0\0\0\0\u0003abc"u8,
                    .. Frame(3),
                    .. Frame(4),
                    .. Frame(5),
                ]
            },
            { "something behind it", [.. Frame(0), .. Frame(1), .. Frame(2), .. Frame(3), .. "LYRICSBEGIN and so on"u8] },
            { "of another kind", WavBytes.Pcm16(44100, 2, [.. Enumerable.Range(0, 5000)]) },
            {
                "frames within something else",
                [
                    .. "RIFF"u8,
                    .. new byte[40],
                    .. Frame(0),
                    .. Frame(1),
                    .. Frame(2),
                    .. new byte[20],
                    .. Frame(3),
                    .. Frame(4),
                    .. Frame(5),
                ]
            },
            { "nothing", [] },
        };

    [Theory]
    [MemberData(nameof(WholeFiles))]
    public void What_has_no_damage_between_frames_is_left_alone(string kind, byte[] file) => Assert.True(Find(file) is null, kind);

    /// <summary>
    /// A program's own file, read by ffmpeg: as long as it was, aligned behind the damage, and the gap on record. Without mending, what is
    /// behind comes a frame or more too early.
    /// </summary>
    [Theory]
    [InlineData("sync")]
    [InlineData("zeros")]
    [InlineData("removed")]
    public void A_damaged_file_keeps_its_time(string damage)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        int[] noise = new int[2 * 88_200];
        Random random = new(4);
        for (int i = 0; i < noise.Length; i++)
            noise[i] = random.Next(-9000, 9000);
        ExternalTool.Run(
            ffmpeg,
            "-v",
            "error",
            "-i",
            _folder.Write("noise.wav", WavBytes.Pcm16(44100, 2, noise)),
            "-b:a",
            "128k",
            _folder.File("whole.mp3")
        );
        byte[] file = File.ReadAllBytes(_folder.File("whole.mp3"));
        byte[] damaged = [.. file];
        int at = file.Length / 2;
        while (file[at] != 0xFF || (file[at + 1] & 0xFE) != 0xFA || (file[at + 2] & 0xFC) != 0x90)
            at++;
        switch (damage)
        {
            case "sync":
                damaged[at] = 0;
                break;
            case "zeros":
                damaged.AsSpan(at, 3000).Clear();
                break;
            default:
                damaged = [.. file[..(at + 100)], .. file[(at + 3100)..]];
                break;
        }

        string path = _folder.Write("damaged.mp3", damaged);
        float[] expected = ReadLeft(_folder.File("whole.mp3"), out _),
            read = ReadLeft(path, out IReadOnlyList<TrackGap> gaps);
        Assert.Equal(expected.Length, read.Length);
        TrackGap gap = Assert.Single(gaps);
        Assert.InRange(gap.Frames, 1152, 9 * 1152);
        // Two frames behind the damage at most are still touched by it, since frames borrow bits of those before and overlap.
        int end = (int)(gap.StartFrame + gap.Frames) + (4 * 1152);
        Assert.Equal(expected[..((int)gap.StartFrame - 1152)], read[..((int)gap.StartFrame - 1152)]);
        Assert.Equal(expected[end..], read[end..]);
        Assert.Equal(
            DemucsError.AudioTrackCorrupt,
            Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(path) { OnDamage = DamageHandling.Fail })).Error
        );

        static float[] ReadLeft(string path, out IReadOnlyList<TrackGap> gaps)
        {
            using AudioReader reader = AudioFile.Open(path);
            float[] all = reader.ReadAll();
            gaps = reader.Gaps;
            return [.. all.Where((_, i) => i % 2 == 0)];
        }
    }

    private static MpegDamage? Find(byte[] file) => MpegDamage.Find(new ByteSource(new MemoryStream(file), "/some.mp3"));

    private static byte[] Frame(int seed)
    {
        byte[] frame = new byte[Length];
        new Random(seed).NextBytes(frame);
        FileTagBytes.Big(Header).CopyTo(frame, 0);
        return frame;
    }

    /// <summary>The frame that LAME puts before the sound, with a delay of 576.</summary>
    private static byte[] Tag(uint frames)
    {
        byte[] tag = new byte[Length];
        FileTagBytes.Big(Header).CopyTo(tag, 0);
        "Info"u8.CopyTo(tag.AsSpan(36));
        FileTagBytes.Big(1).CopyTo(tag, 40);
        FileTagBytes.Big(frames).CopyTo(tag, 44);
        "LAME3.100"u8.CopyTo(tag.AsSpan(48));
        (tag[69], tag[70]) = (576 >> 4, (576 & 15) << 4);
        return tag;
    }
}
