using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Input;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>
/// An ffmpeg that is too old is named, with the version that will do, instead of what an option that it does not know makes of it.
/// </summary>
public sealed class FFmpegProgramTests : IDisposable
{
    private const string Encoders =
        "echo ' A..... aac AAC'; echo ' A..... alac ALAC'; echo ' A..... flac FLAC'; echo ' A..... libmp3lame MP3'; echo ' A..... libopus Opus'";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("5.1.9-0+deb12u1", "5.1.9")]
    [InlineData("n4.4.1", "4.4.1")]
    [InlineData("8.0", "8.0")]
    [InlineData("7.1.1-essentials_build-www.gyan.dev", "7.1.1")]
    [InlineData("3.4.11-0ubuntu0.1", "3.4.11")]
    [InlineData("N-109456-gd3a5e3f2ba", null)]
    [InlineData("N-47683-g0e8eb07980-static", null)]
    [InlineData("2023-08-10-git-d53acf452f-full_build-www.gyan.dev", null)]
    [InlineData("git-2020-01-10-3d894db", null)]
    [InlineData("99999999999.1", null)]
    [InlineData("", null)]
    public void Versions_are_told_from_builds_between_them(string words, string? expected) =>
        Assert.Equal(expected, FFmpegProgram.Parse(words)?.ToString());

    [Theory]
    [InlineData("4.4.2-0ubuntu0.22.04.1", StemFileFormat.Aac, "Stems as Aac need ffmpeg 5.0 or newer, but '")]
    [InlineData("4.4.2-0ubuntu0.22.04.1", StemFileFormat.Alac, "Stems as Alac need ffmpeg 5.0 or newer, but '")]
    [InlineData("n4.4", StemFileFormat.StemMp4, "Stems as StemMp4 need ffmpeg 5.0 or newer, but '")]
    [InlineData("3.4.11", StemFileFormat.Flac, "Stems as Flac need ffmpeg 4.0 or newer, but '")]
    [InlineData("2.8", StemFileFormat.Mp3, "Stems as Mp3 need ffmpeg 4.0 or newer, but '")]
    [InlineData("4.4.2", StemFileFormat.Flac, null)]
    [InlineData("4.0", StemFileFormat.Opus, null)]
    [InlineData("5.0", StemFileFormat.Aac, null)]
    [InlineData("10.0.1", StemFileFormat.StemMp4, null)]
    [InlineData("N-109456-gd3a5e3f2ba", StemFileFormat.Aac, null)]
    public void One_that_is_too_old_for_a_format_is_refused_before_any_work(string version, StemFileFormat format, string? words)
    {
        string program = Script($"echo 'ffmpeg version {version} Copyright (c) the FFmpeg developers' >&2; {Encoders}");
        if (words is null)
        {
            Assert.Equal(program, FFmpegEncoders.Find(format, program));
            return;
        }

        DemucsException error = Assert.Throws<DemucsException>(() => FFmpegEncoders.Find(format, program));
        Assert.Equal(DemucsError.FFmpegNotFound, error.Error);
        Assert.StartsWith(words + program + "' is version ", error.Message, StringComparison.Ordinal);
        Assert.Contains("Install a newer version", error.Message, StringComparison.Ordinal);
        Assert.Contains("DEMUCSPS_FFMPEG", error.Message, StringComparison.Ordinal);
    }

    /// <summary>As version 3.4 answers: it does not know the levels, and gives up before it says what it is.</summary>
    [Fact]
    public void One_that_is_too_old_to_read_is_named_where_it_fails()
    {
        string path = _folder.Write("song.xyz", [1]);
        string program = Script(
            "case \"$*\" in *level+*) echo 'Invalid loglevel \"level+info\". Possible levels are numbers or:' >&2; exit 1;; esac; echo 'ffmpeg version 3.4.11 Copyright (c) 2000-2022' >&2"
        );
        foreach (
            Action open in (Action[])
                [
                    () => AudioFile.Open(new TrackSource(path), () => program),
                    () => AudioFile.ReadHeader(new TrackSource(path), () => program),
                ]
        )
        {
            DemucsException error = Assert.Throws<DemucsException>(open);
            Assert.Equal(DemucsError.FFmpegNotFound, error.Error);
            Assert.StartsWith(
                $"'{path}' needs ffmpeg 4.0 or newer, but '{program}' is version 3.4.11.",
                error.Message,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public void It_is_asked_once()
    {
        string calls = _folder.File("calls");
        string program = Script($"echo x >> '{calls}'; {Encoders}");
        Assert.Equal(program, FFmpegEncoders.Find(StemFileFormat.Flac, program));
        Assert.Equal(program, FFmpegEncoders.Find(StemFileFormat.Aac, program));
        Assert.Single(File.ReadAllLines(calls));
    }

    [Fact]
    public void The_installed_one_says_its_version_and_its_encoders()
    {
        FFmpegProgram program = FFmpegProgram.At(ExternalTool.FindOrSkip("ffmpeg"));
        Assert.True(program.Version is null || program.Version >= FFmpegProgram.LeastToRead, $"{program.Version}");
        Assert.Contains("flac", program.Encoders);
    }

    private string Script(string commands)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("A shell script stands in for ffmpeg, and Windows runs none.");
        return _folder.WriteProgram(Guid.NewGuid() + ".sh", WavBytes.Text("#!/bin/sh\n" + commands + "\n"));
    }
}
