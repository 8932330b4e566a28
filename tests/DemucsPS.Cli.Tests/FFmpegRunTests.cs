namespace DemucsPS.Cli.Tests;

/// <summary>How often ffmpeg is started. A program that writes down what it is asked, and then becomes ffmpeg, stands in for it.</summary>
public sealed class FFmpegRunTests
{
    private const string Decode = "-c:a pcm_f32le",
        Probe = "-f ffmetadata",
        Encoders = "-encoders",
        Encode = "-i pipe:0";

    [Theory]
    [LongInlineData("song.mp3", "wav", Probe, Decode, Decode)]
    [InlineData("cover.mp3", "flac", Encoders, Probe, Decode, Decode, Encode, Encode)]
    [InlineData("song.flac", "wav")]
    [LongInlineData("cover.flac", "flac", Encoders, Encode, Encode)]
    [LongInlineData("song.wav", "flac", Encoders, Encode, Encode)]
    public void A_file_is_looked_at_once_and_decoded_twice(string source, string format, params string[] runs)
    {
        using TemporaryFolder folder = new();
        Dictionary<string, string?> environment = Prepare(folder, source);
        // With the plan, which knows how long the track is.
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            environment,
            "separate",
            source,
            "--stem",
            "bass,drums",
            "--format",
            format,
            "--verbose"
        );
        Assert.True(exitCode == 0, error);
        Assert.Equal(runs.Order(StringComparer.Ordinal), Runs(folder).Order(StringComparer.Ordinal));
        Assert.Contains(
            source.EndsWith(".wav", StringComparison.Ordinal) ? ": 1 chunk" : ": about 1 chunk",
            error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Stems_that_are_there_need_no_decoding_and_a_changed_file_is_looked_at_anew()
    {
        using TemporaryFolder folder = new();
        Dictionary<string, string?> environment = Prepare(folder, "song.mp3");
        Assert.Equal(0, Demucsps.Run(folder.Path, environment, "separate", "song.mp3", "--stem", "bass").ExitCode);
        File.Delete(folder["runs"]);
        Assert.Equal(0, Demucsps.Run(folder.Path, environment, "separate", "song.mp3", "--stem", "bass", "--skip-existing").ExitCode);
        Assert.Equal([Probe], Runs(folder));
    }

    private static Dictionary<string, string?> Prepare(TemporaryFolder folder, string source)
    {
        if (OperatingSystem.IsWindows())
            Assert.Skip("The test's stand-in for ffmpeg is a shell script.");
        string? ffmpeg = (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator)
            .Select(f => Path.Combine(f, "ffmpeg"))
            .FirstOrDefault(File.Exists);
        if (ffmpeg is null)
            Assert.Skip("ffmpeg is not installed: install it to run this test.");
        WavSamples.WriteFloat(folder["made.wav"], WavSamples.Sine(20000));
        Run(ffmpeg, "-f", "lavfi", "-i", "color=c=red:s=32x32", "-frames:v", "1", folder["cover.png"]);
        Run(
            ffmpeg,
            source.StartsWith("cover", StringComparison.Ordinal)
                ?
                [
                    "-i",
                    folder["made.wav"],
                    "-i",
                    folder["cover.png"],
                    "-map",
                    "0:a",
                    "-map",
                    "1:v",
                    "-c:v",
                    "copy",
                    "-disposition:v",
                    "attached_pic",
                    folder[source],
                ]
                : ["-i", folder["made.wav"], folder[source]]
        );
        File.WriteAllText(folder["ffmpeg"], $"#!/bin/sh\necho \"$@\" >> '{folder["runs"]}'\nexec '{ffmpeg}' \"$@\"\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder["ffmpeg"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
        return new() { ["DEMUCSPS_FFMPEG"] = folder["ffmpeg"] };
    }

    /// <summary>What each run was for.</summary>
    private static string[] Runs(TemporaryFolder folder) =>
        File.Exists(folder["runs"])
            ?
            [
                .. File.ReadAllLines(folder["runs"])
                    .Select(run =>
                        new[] { Encode, Probe, Encoders, Decode }.FirstOrDefault(kind => run.Contains(kind, StringComparison.Ordinal))
                        ?? run
                    ),
            ]
            : [];

    private static void Run(string program, params string[] arguments)
    {
        using System.Diagnostics.Process process = System.Diagnostics.Process.Start(program, ["-v", "error", .. arguments]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
