using System.Text.Json;

namespace DemucsPS.Cli.Tests;

/// <summary>What is made of the stems, where it goes and as what.</summary>
public sealed class StemOutputTests
{
    [Theory]
    [LongInlineData("--two-stems vocals --two-stems-method minus", "no_vocals.wav vocals.wav")]
    [InlineData("--stem drums,bass --residual", "bass.wav drums.wav residual.wav")]
    [LongInlineData("--mixdown vocals=-inf,drums=-6.5", "mixdown.wav")]
    public void The_choice_is_written(string options, string files)
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["song.wav"], WavSamples.Sine(20000));
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, ["separate", "song.wav", .. options.Split(' ')]);
        Assert.True(exitCode == 0, error);
        Assert.Equal(
            files
                .Split(' ')
                .Append("demucsps.json")
                .Order(StringComparer.Ordinal)
                .Select(f => Path.Combine("separated", "baseline", "song", f)),
            folder.Files().Where(f => f != "song.wav")
        );
    }

    [Fact]
    public void Stems_by_minus_sum_to_the_source()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        float[] song = WavSamples.Sine(20000);
        WavSamples.WriteFloat(folder["song.wav"], song);
        Assert.Equal(
            0,
            Demucsps
                .Run(folder.Path, "separate", "song.wav", "--bit-depth", "32", "--two-stems", "vocals", "--two-stems-method", "minus")
                .ExitCode
        );
        float[] vocals = WavSamples.ReadFloat(folder["separated", "baseline", "song", "vocals.wav"]),
            rest = WavSamples.ReadFloat(folder["separated", "baseline", "song", "no_vocals.wav"]);
        Assert.Equal(song.Length, rest.Length);
        for (int i = 0; i < song.Length; i++)
            Assert.Equal(song[i], vocals[i] + rest[i], 1e-6f);
    }

    [Theory]
    [LongInlineData("{name} - {stem}", "song - bass.wav")]
    [InlineData("{artist}\\{album}/{track:00} {title} ({stem})", "Unknown Artist/Unknown Album/00 song (bass).wav")]
    public void Templates_name_files(string template, string expected)
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["song.wav"], WavSamples.Sine(20000));
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "separate",
            "song.wav",
            "--stem",
            "bass",
            "--file-name-template",
            template
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal(folder[["separated", .. expected.Split('/')]], output.TrimEnd());
    }

    [Theory]
    [InlineData("ParameterInvalid", "--file-name-template", "../{stem}")]
    [InlineData("ParameterInvalid", "--file-name-template", "{kazoo}")]
    [InlineData("ParameterInvalid", "--format", "flac", "--bit-depth", "32")]
    [InlineData("ParameterInvalid", "--format", "mp3", "--bit-rate", "123")]
    [InlineData("ParameterInvalid", "--format", "opus", "--quality", "3")]
    [InlineData("ParameterInvalid", "--mixdown", "kazoo=1")]
    [InlineData("ParameterInvalid", "--two-stems-method", "minus")]
    [InlineData("FFmpegNotFound", "--format", "flac")]
    [InlineData("FFmpegNotFound", "--format", "stemmp4")]
    public void What_cannot_be_is_said_before_any_work(string id, params string[] options)
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["song.wav"], WavSamples.Sine(20000));
        Dictionary<string, string?> withoutFFmpeg = new() { ["PATH"] = folder.Path, ["DEMUCSPS_FFMPEG"] = null };
        (int exitCode, string output, string error) = Demucsps.Run(folder.Path, withoutFFmpeg, ["separate", "song.wav", .. options]);
        Assert.Equal(id == "ParameterInvalid" ? 2 : 1, exitCode);
        Assert.Empty(output);
        Assert.Contains($"[{id}]", error, StringComparison.Ordinal);
        Assert.DoesNotContain("chunk", error, StringComparison.Ordinal);
        Assert.Equal(["song.wav"], folder.Files());
    }

    [Fact]
    public void A_template_without_the_stem_is_refused_for_several()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["song.wav"], WavSamples.Sine(20000));
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, "separate", "song.wav", "--file-name-template", "{title}");
        Assert.Equal(1, exitCode);
        Assert.Contains("{stem}", error, StringComparison.Ordinal);
        Assert.DoesNotContain("chunk", error, StringComparison.Ordinal);
        Assert.Equal(["song.wav"], folder.Files());
        Assert.Equal(
            0,
            Demucsps.Run(folder.Path, "separate", "song.wav", "--file-name-template", "{title}", "--mixdown", "vocals=-inf").ExitCode
        );
        Assert.Equal([Path.Combine("separated", "song.demucsps.json"), Path.Combine("separated", "song.wav"), "song.wav"], folder.Files());
        (exitCode, string output, _) = Demucsps.Run(folder.Path, "verify", "separated");
        Assert.Equal(0, exitCode);
        Assert.Equal($"intact {folder["separated", "song.wav"]}", output.TrimEnd());
    }

    [Fact]
    public void An_ffmpeg_that_dies_leaves_no_stem_and_what_is_done_is_kept()
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("The program is a shell script.");
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["song.wav"], WavSamples.Sine(200000));
        // The first stem is written whole, the second is not.
        File.WriteAllText(
            folder["ffmpeg"],
            $"""
            #!/bin/sh
            for last; do :; done
            case "$*" in
              *-encoders*) echo ' A....D flac'; exit 0;;
            esac
            if [ -e '{folder["once"]}' ]; then head -c 50000 > /dev/null; kill -9 $$; fi
            touch '{folder["once"]}'
            cat > "$(printf %s "$last" | cut -c6-)"
            """
        );
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder["ffmpeg"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            new Dictionary<string, string?> { ["DEMUCSPS_FFMPEG"] = folder["ffmpeg"] },
            "separate",
            "song.wav",
            "--format",
            "flac",
            "--no-tags",
            "--json"
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("ffmpeg failed with exit code", error, StringComparison.Ordinal);
        Assert.Equal("StemWriteFailed", JsonDocument.Parse(output).RootElement.GetProperty("error").GetString());
        string partial = Path.Combine("separated", "baseline", "song", "demucsps.partial") + Path.DirectorySeparatorChar;
        Assert.Contains("Use --resume to continue.", error, StringComparison.Ordinal);
        Assert.Equal(["ffmpeg", "once", "song.wav"], folder.Files().Where(f => !f.StartsWith(partial, StringComparison.Ordinal)));
    }
}
