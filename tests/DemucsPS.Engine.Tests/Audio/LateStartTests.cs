using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Sound that begins later than its file: it keeps time with the file, or it is said by how much it does not.</summary>
public sealed class LateStartTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// The right value is the delay that ffmpeg was told to give the sound; clocks of milliseconds, and codecs' delays that a container
    /// does not hold, take their part.
    /// </summary>
    [Theory]
    [InlineData("film.mkv", 0.5, 0, "pcm_s16le", true)]
    [InlineData("film.mp4", 0.5, 48, "aac", true)]
    [LongInlineData("opus.mkv", 0.5, 400, "libopus", true)]
    [LongInlineData("film.ts", 0.5, 48, "mp2", true)]
    [LongInlineData("film.mov", 0.125, 48, "pcm_s16le", true)]
    [LongInlineData("sound.mka", 0.5, 0, "pcm_s16le", false)]
    [LongInlineData("sound.m4a", 0.5, 48, "aac", false)]
    [LongInlineData("long.mkv", 100.0, 0, "pcm_s16le", true)]
    // In time, or without a clock that says otherwise; the pictures are late; and a file that was cut out of a longer one.
    [InlineData("early.mp4", 0.0, 48, "aac", true)]
    [LongInlineData("early.mkv", 0.0, 400, "libopus", true)]
    [LongInlineData("sound.ogg", 0.0, 48, "libvorbis", false)]
    [LongInlineData("late pictures.mkv", -0.5, 0, "pcm_s16le", true)]
    [LongInlineData("cut.mka", 3600.0, 0, "pcm_s16le", false)]
    public void Silence_in_front_keeps_time_with_the_file(string name, double offset, int tolerance, string codec, bool isFilm)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        const int Rate = 48000;
        float[] source = Write("source.wav", Rate, 24_123);
        string path = _folder.File(name);
        string[] picture = ["-itsoffset", Number(Math.Max(0, -offset)), "-f", "lavfi", "-i", "color=size=16x16:rate=25:duration=0.4"],
            sound = ["-itsoffset", Number(Math.Max(0, offset)), "-i", _folder.File("source.wav")];
        ExternalTool.Run(
            ffmpeg,
            [
                "-v",
                "error",
                .. isFilm ? picture : [],
                .. sound,
                "-map",
                isFilm ? "1:a" : "0:a",
                .. isFilm ? ["-map", "0:v"] : Array.Empty<string>(),
                "-c:a",
                codec,
                path,
            ]
        );
        double expected = offset <= 0 || name == "cut.mka" ? 0 : offset;

        TrackSource late = new(path),
            cut = late with { LateStart = LateStart.Cut };
        TrackHeader header = TrackHeader.Read(late);
        using AudioReader silent = AudioFile.Open(late),
            begun = AudioFile.Open(cut);
        // Not by whole blocks: the silence ends within one.
        float[] with = silent.ReadAll(777),
            without = begun.ReadAll();
        Assert.Equal(header.Late, with.Length - without.Length);
        Assert.InRange(header.Late, (long)(expected * Rate) - tolerance - 1024, (long)(expected * Rate) + tolerance);
        Assert.All(with[..(int)header.Late], sample => Assert.Equal(0, sample));
        Assert.Equal(without, with[(int)header.Late..]);
        // What the encoder put in front, and the file does not tell, is in the sound, not in the silence before it.
        int lag = SignalLag.Of(source, without, 8000, 8000, 1500);
        Assert.InRange(header.Late + lag, (expected * Rate) - tolerance, (expected * Rate) + tolerance);
        foreach (
            (AudioReader reader, string words) in new[] { (silent, "Stems begin with that much silence"), (begun, "ahead of the file") }
        )
        {
            if (expected > 0)
                Assert.Contains(
                    $"{header.Late / (double)Rate:F3} s after the start of the file. ",
                    Assert.Single(reader.Warnings, w => w.Contains(words, StringComparison.Ordinal)),
                    StringComparison.Ordinal
                );
            else
                Assert.DoesNotContain(reader.Warnings, w => w.Contains("after the start of the file", StringComparison.Ordinal));
        }
        Assert.Equal((header.Late, 0L), (header.Silence, TrackHeader.Read(cut).Silence));
    }

    [Fact]
    public void The_plan_shows_it_the_stems_have_it_and_what_is_there_is_told_from_what_is_asked_for()
    {
        if (!TestSet.IsLong)
            Assert.Skip(TestSet.OnlyLong);
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        float[] source = Write("source.wav", 44100, 10_000);
        string film = _folder.File("film.mkv");
        ExternalTool.Run(
            ffmpeg,
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "color=size=16x16:rate=25:duration=0.4",
            "-itsoffset",
            "0.2",
            "-i",
            _folder.File("source.wav"),
            "-map",
            "0:v",
            "-map",
            "1:a",
            "-c:a",
            "pcm_s16le",
            film
        );
        using ModelBag bag = ModelBag.Load(
            [ModelSource.Find(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx"))],
            null,
            new OnnxSessionOptions()
        );
        StemOutput output = new(new StemNames(_folder.File("out")), new StemFormat { Sample = Engine.Audio.Wav.WavSampleFormat.Float32 })
        {
            SkipExisting = true,
        };
        FileSeparator separator = new(bag, StemMatrix.Choose(bag.Contract.Stems, ["drums"]), new SeparationOptions(), output);
        // Of another run, in which the file is not a second track.
        FileSeparator next = new(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, ["drums"]),
            new SeparationOptions(),
            output with
            {
                Names = new StemNames(_folder.File("out")),
            }
        );
        TrackSource late = new(film),
            cut = late with { LateStart = LateStart.Cut };
        Assert.Contains(
            "; the sound begins 0.200 s late, so stems begin with that much silence",
            separator.Plan(late).Work,
            StringComparison.Ordinal
        );
        Assert.Contains("; the sound begins 0.200 s late, and stems begin with it", separator.Plan(cut).Work, StringComparison.Ordinal);
        SeparationResult result = separator.Separate(late);
        Assert.Equal(8820 + source.Length, result.Frames);
        // The first stem of the model is the mix.
        using (AudioReader stem = AudioFile.Open(result.Stems[0].FilePath))
        {
            float[] left = [.. stem.ReadAll().Where((_, i) => i % 2 == 0)];
            Assert.Equal(0, SignalLag.Of([.. new float[8820], .. source], left, 8000, 8000, 1000));
        }
        Assert.True(separator.Separate(late).Skipped);
        Assert.Contains(
            "silence in front changed from 8820 to 0",
            Assert.Throws<DemucsException>(() => next.Separate(cut)).Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("#tb 0: 1/44100\n0,      22050,      22050,     1024,     8192, 0x8da3a099\n", true, 0.5, 0, 22050)]
    [InlineData("#tb 0: 1/44100\n0, 22050, 22050, 1024, 8192, 0x1\n", true, 3600.0, 0, 0)]
    [InlineData(
        "#tb 0: 1/1000\n#tb 1: 1/90000\n1, 126000, 129600, 3600, 131, 0x7d96282c, S=2, 1, 40\n0, 1940, 1940, 26, 9, 0x1\n0, 2940, 2940, 26, 9, 0x1\n",
        false,
        1.4,
        0,
        22050
    )]
    [InlineData("#tb 0: 1/1000\n0, 1940, 1940, 26, 9, 0x1\n", false, 1.44, 0, 22050)]
    [InlineData("#tb 0: 1/1000\n0, 1400, 1400, 26, 9, 0x1\n", false, 1.393, 0, 0)]
    [InlineData("#tb 0: 1/1000\n0, -20, -20, 26, 9, 0x1\n", true, -0.02, 0, 0)]
    [InlineData("#tb 0: 1/1000\n#tb 1: 1/1000\n0, 0, 0, 46, 9, 0x1\n1, 46, 46, 40, 9, 0x1\n", false, 0.0, 2048, 0)]
    [InlineData("#tb 0: 1/1000\n#tb 1: 1/1000\n0, 500, 500, 46, 9, 0x1\n1, 46, 46, 40, 9, 0x1\n", false, 0.0, 2048, 22069)]
    [InlineData("#tb 0: 1/1\n0, 9223372036854775807, 9223372036854775807, 1, 1, 0x1\n", true, 0.0, 0, 0)]
    [InlineData("#tb 0: 0/0\n0, 5, 5, 1, 1, 0x1\n", true, 0.0, 0, 0)]
    [InlineData("0, 5, 5, 1, 1, 0x1\n#tb 0: 1/1\n", true, 0.0, 0, 0)]
    [InlineData("#tb : 1/1\n", true, 0.0, 0, 0)]
    [InlineData("", true, 0.0, 0, 0)]
    public void The_times_of_the_first_frames_say_how_late_the_sound_is(
        string times,
        bool hasOwnZero,
        double start,
        int delay,
        long expected
    ) => Assert.Equal(expected, FFmpegStart.Late(times, 44100, hasOwnZero, start, delay));

    [Theory]
    [InlineData("[info]   Duration: 00:00:03.50, start: 0.476009, bitrate: 112 kb/s", 0.476009)]
    [InlineData("[info]   Duration: 00:00:03.01, start: -0.007000, bitrate: 123 kb/s", -0.007)]
    [InlineData("[info]   Duration: N/A, start: 1.400000, bitrate: N/A", 1.4)]
    [InlineData("[info]   Duration: 00:00:03.07, bitrate: 127 kb/s", null)]
    [InlineData("[info]     title : Duration: 00:00:03.50, start: 0.476009, bitrate", null)]
    public void The_start_of_a_file_is_read(string line, double? expected) => Assert.Equal(expected, FFmpegLog.StartIn(line));

    private float[] Write(string name, int rate, int frames)
    {
        Random random = new(7);
        double low = 0;
        int[] samples = [.. Enumerable.Range(0, frames).Select(_ => (int)(9000 * (low = (0.8 * low) + (random.NextDouble() - 0.5))))];
        _folder.Write(name, WavBytes.Pcm16(rate, 1, samples));
        return [.. samples.Select(sample => sample / 32768f)];
    }

    private static string Number(double seconds) => seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
