using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>What is known of a track before it is decoded.</summary>
public sealed class TrackHeaderTests : IDisposable
{
    // As ffmpeg 5.1 and 4.1 list one file, the older ones with deeper streams; with tags that look like what is looked for.
    private const string New = """
        [info] Input #0, matroska, from 'file:film.mkv':
        [info]   Metadata:
        [info]     comment         : one
        [info]                     : Duration: 09:00:00.00, start
        [info]     Stream #0:9: Video: png (attached pic): x
        [info]   Duration: 100:01:02.50, start: 0.025056, bitrate: 192 kb/s
        [info]   Chapters:
        [info]     Chapter #0:0: start 0.000000, end 1.000000
        [info]       Metadata:
        [info]         title           : Stream #0:8: Audio: mp3, 8000 Hz, mono
        [info]   Stream #0:0[0x1](eng): Audio: mp3, 44100 Hz, stereo, fltp, 192 kb/s
        [info]     Metadata:
        [info]       Stream #0:7: Audio: mp3, 8000 Hz, mono: x
        [info]   Stream #0:1: Audio: aac (LC), 22050 Hz, mono, fltp (default)
        [info]   Stream #0:2: Video: png, rgb24(pc), 64x64 [SAR 1:1 DAR 1:1], 90k tbr, 90k tbn (attached pic)
        [info]   Stream #0:3: Video: mjpeg, 64x64 (attached pic)
        [info] Output #0, ffmetadata, to 'pipe:1':
        [info]   Stream #0:0: Audio: mp3, 11025 Hz, mono
        """;

    private static readonly string s_old = New.Replace("[info]   Stream", "[info]     Stream", StringComparison.Ordinal);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false, 0, 44100, false)]
    [InlineData(false, 1, 22050, true)]
    [InlineData(true, 0, 44100, false)]
    [InlineData(true, 1, 22050, true)]
    public void The_messages_of_ffmpeg_say_rate_channels_length_and_picture(bool isOld, int stream, int rate, bool isMono)
    {
        string program = Script($"cat >&2 <<'END'\n{(isOld ? s_old : New)}\nEND\nprintf ';FFMETADATA1\\ntitle=a\\n'");
        TrackHeader header = AudioFile.ReadHeader(new TrackSource(_folder.Write("film.mkv", [1])) { StreamIndex = stream }, () => program);
        Assert.Equal((rate, isMono, "2", true), (header.SampleRate, header.IsMono, header.Picture, header.IsEstimate));
        Assert.Equal((long)(360_062.5 * rate), header.Frames);
        Assert.Equal("a", header.Tags["title"]);
        DemucsException error = Assert.Throws<DemucsException>(() =>
            AudioFile.ReadHeader(new TrackSource(_folder.File("film.mkv")) { StreamIndex = 2 }, () =>
                Script($"cat >&2 <<'END'\n{(isOld ? s_old : New)}\nEND\nexit 1")
            )
        );
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains(
            "It has 0: (eng) mp3, 44100 Hz, stereo, fltp, 192 kb/s; 1: aac (LC), 22050 Hz, mono, fltp (default).",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("exit 0")]
    [InlineData(
        "echo '[info]   Duration: N/A, start: 0.000000, bitrate: N/A' >&2; echo '[info]   Stream #0:0: Audio: mp3, 44100 Hz, stereo' >&2; exit 1"
    )]
    [InlineData("echo '[info]   Duration: 00:00:01.00, start' >&2; echo '[info]   Stream #0:0: Audio: none, 0 channels' >&2")]
    [InlineData("yes x")]
    public void Where_ffmpeg_does_not_say_it_nothing_is_known(string commands)
    {
        TrackHeader header = AudioFile.ReadHeader(new TrackSource(_folder.Write("a.xyz", [1])), () => Script(commands));
        Assert.Equal((null, false, null, null), (header.Frames, header.IsEstimate, header.FramesAt(44100), header.Picture));
        Assert.Empty(header.Tags);
    }

    [Fact]
    public void What_has_no_sound_is_refused_in_the_words_of_ffmpeg()
    {
        string path = _folder.Write("a.xyz", [1]);
        DemucsException error = Assert.Throws<DemucsException>(() =>
            AudioFile.ReadHeader(new TrackSource(path), () => Script("echo '[error] no idea what that is' >&2; exit 3"))
        );
        Assert.Equal(DemucsError.AudioFormatUnsupported, error.Error);
        Assert.Contains("failed with exit code 3. ffmpeg reports: no idea what that is.", error.Message, StringComparison.Ordinal);
        Assert.Equal(
            DemucsError.FFmpegNotFound,
            Assert.Throws<DemucsException>(() => AudioFile.ReadHeader(new TrackSource(path), () => null)).Error
        );
    }

    [Theory]
    [InlineData("song.wav", false)]
    [InlineData("song.flac", true)]
    [InlineData("song.mp3", true)]
    [InlineData("song.m4a", false)]
    public void The_length_is_the_decoded_one_or_said_to_be_about_it(string name, bool isEstimate)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string path = _folder.File(name);
        ExternalTool.Run(
            ffmpeg,
            "-v",
            "error",
            "-i",
            _folder.Write("source.wav", WavBytes.Pcm16(22050, 1, [.. Enumerable.Range(0, 30_001).Select(i => i % 200 * 50)])),
            "-metadata",
            "title=a",
            path
        );
        TrackHeader header = TrackHeader.Read(new TrackSource(path));
        using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(path));
        long frames = Count(reader);
        Assert.Equal(
            (reader.SourceSampleRate, reader.IsMono, isEstimate, "a"),
            (header.SampleRate, header.IsMono, header.IsEstimate, header.Tags["title"])
        );
        Assert.InRange(
            header.Frames!.Value,
            isEstimate ? reader.SourceFramesRead - 2500 : reader.SourceFramesRead,
            isEstimate ? reader.SourceFramesRead + 2500 : reader.SourceFramesRead
        );
        if (!isEstimate)
            Assert.Equal(frames, header.FramesAt(44100));
    }

    [Theory]
    [InlineData(0L, null, 1000L)]
    [InlineData(100L, null, 900L)]
    [InlineData(100L, 50L, 50L)]
    [InlineData(990L, 50L, 10L)]
    [InlineData(1000L, 50L, null)]
    public void A_part_of_a_file_has_the_length_that_is_in_the_file(long start, long? length, long? expected)
    {
        string path = _folder.Write("album.wav", WavBytes.Pcm16(44100, 1, new int[1000]));
        Assert.Equal(expected, TrackHeader.Read(new TrackSource(path) { Range = new FrameRange(start, length) }).Frames);
    }

    [Theory]
    [InlineData("song.flac", true)]
    [InlineData("song.mp3", true)]
    [InlineData("song.m4a", true)]
    public void Pictures_are_found(string name, bool hasPicture)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        string path = _folder.File(name),
            wav = _folder.Write("source.wav", WavBytes.Pcm16(22050, 1, new int[3000])),
            png = _folder.File("cover.png");
        ExternalTool.Run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=c=red:s=32x32", "-frames:v", "1", png);
        ExternalTool.Run(
            ffmpeg,
            hasPicture
                ?
                [
                    "-v",
                    "error",
                    "-i",
                    wav,
                    "-i",
                    png,
                    "-map",
                    "0:a",
                    "-map",
                    "1:v",
                    "-c:v",
                    "copy",
                    "-disposition:v",
                    "attached_pic",
                    path,
                ]
                : ["-v", "error", "-i", wav, path]
        );
        TrackHeader header = TrackHeader.Read(new TrackSource(path));
        Assert.Equal(hasPicture, header.Picture is not null);
        if (hasPicture)
            Assert.Equal(File.ReadAllBytes(png), Engine.Encoders.CoverArt.Read(path, header.Picture!, ffmpeg)!.Data.ToArray());
    }

    [Fact]
    public void A_wave_file_can_have_a_picture_where_it_has_id3_tags()
    {
        byte[] format = WavBytes.Format(1, 1, 44100, 16),
            data = WavBytes.Chunk("data", new byte[20]),
            tags = WavBytes.Chunk("id3 ", new byte[10]);
        Assert.NotNull(TrackHeader.Read(new TrackSource(_folder.Write("before.wav", WavBytes.File(format, tags, data)))).Picture);
        Assert.NotNull(TrackHeader.Read(new TrackSource(_folder.Write("behind.wav", WavBytes.File(format, data, tags)))).Picture);
        Assert.Null(TrackHeader.Read(new TrackSource(_folder.Write("none.wav", WavBytes.File(format, data)))).Picture);
    }

    private static long Count(StereoTrackReader reader)
    {
        float[] left = new float[4096],
            right = new float[4096];
        long frames = 0;
        for (int read; (read = reader.Read(left, right)) > 0;)
            frames += read;
        return frames;
    }

    private string Script(string commands)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("A shell script stands in for ffmpeg, and Windows runs none.");
        return _folder.WriteProgram(Guid.NewGuid() + ".sh", WavBytes.Text("#!/bin/sh\n" + commands + "\n"));
    }
}
