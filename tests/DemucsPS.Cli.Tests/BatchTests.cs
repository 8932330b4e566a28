using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;

namespace DemucsPS.Cli.Tests;

/// <summary>The program as a scheduler drives it: lists, shares, limits, signals, results, exit codes.</summary>
public sealed class BatchTests
{
    private static readonly string[] s_hostile =
    [
        "it's \"q\".wav",
        "$(touch pwned) `touch pwned`.wav",
        "-rf.wav",
        " spaces .wav",
        "a&b;c|d>e.wav",
        "ünï.wav",
        "*.wav",
        "#1.wav",
    ];

    [Fact]
    public void Shares_driven_by_a_shell_and_xargs_do_every_track_once()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The script is for a shell.");
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["music"]);
        string[] names = [.. s_hostile, "new\nline.wav"];
        for (int i = 0; i < names.Length; i++)
            WavSamples.WriteFloat(folder["music", names[i]], WavSamples.Noise(2000 * (i + 1)));
        File.WriteAllText(folder["music", "broken.wav"], "RIFF");
        // As docs/CLUSTER.md has it.
        File.WriteAllText(
            folder["shares.sh"],
            ClusterPage.Block("# shares.sh").Replace("htdemucs", CliModels.Small, StringComparison.Ordinal)
        );
        ClusterPage.Install(folder);
        (int exitCode, string error) = ClusterPage.Run(folder, new Dictionary<string, string>(), "/bin/sh", "shares.sh");
        // xargs: a command ended with 1 to 125.
        Assert.True(exitCode == 123, $"{exitCode}: {error}");
        JsonElement[] lines =
        [
            .. Directory.EnumerateFiles(folder["results"]).SelectMany(File.ReadLines).Select(line => JsonDocument.Parse(line).RootElement),
        ];
        Assert.Equal(
            names.Append("broken.wav").Select(name => folder["music", name]).Order(StringComparer.Ordinal),
            lines.Select(line => line.GetProperty("source").GetString()!).Order(StringComparer.Ordinal)
        );
        JsonElement failed = Assert.Single(lines, line => line.GetProperty("status").GetString() == "failed");
        Assert.Equal("AudioFormatUnsupported", failed.GetProperty("error").GetString());
        Assert.Equal(
            names.Length,
            lines.Count(line => line.GetProperty("status").GetString() == "done" && line.GetProperty("stems").GetArrayLength() == 4)
        );
        Assert.DoesNotContain(folder.Files(), file =>
            file.Contains("pwned", StringComparison.Ordinal) && !file.Contains("touch", StringComparison.Ordinal)
        );
        Assert.DoesNotContain(folder.Files(), file =>
            file.EndsWith(".running", StringComparison.Ordinal) || file.EndsWith(".lock", StringComparison.Ordinal)
        );
        Assert.All(
            lines.Where(line => line.TryGetProperty("stems", out _)).SelectMany(line => line.GetProperty("stems").EnumerateArray()),
            stem =>
                Assert.Equal(
                    Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(stem.GetProperty("path").GetString()!))),
                    stem.GetProperty("sha256").GetString()
                )
        );
        // Once more there is nothing to do.
        File.Delete(folder["music", "broken.wav"]);
        (exitCode, _, error) = Demucsps.Run(
            folder.Path,
            new Dictionary<string, string?> { ["JOB_COMPLETION_INDEX"] = "0" },
            "separate",
            "--files-from",
            "list",
            "--null",
            "--shard",
            "auto/1",
            "--model",
            CliModels.Small,
            "--output",
            "stems",
            "--resume",
            "--skip-existing"
        );
        Assert.Equal(1, exitCode);
        Assert.Contains($"0 of {names.Length + 1} tracks separated, {names.Length} skipped, 1 failed", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Told_to_end_it_says_that_there_is_more_to_do_and_goes_on_with_the_same_bits()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Signals cannot be sent to one process on Windows.");
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["a.wav"], WavSamples.Noise(10 * 44100));
        WavSamples.WriteFloat(folder["b.wav"], WavSamples.Noise(20000));
        string[] arguments =
        [
            "separate",
            "a.wav",
            "b.wav",
            "--model",
            CliModels.Small,
            "--overlap",
            "0.6",
            "--resume",
            "--skip-existing",
            "--results",
            "r.jsonl",
        ];
        Assert.Equal(0, Demucsps.Run(folder.Path, [.. arguments[..^2], "--output", "whole"]).ExitCode);
        // SIGTERM, SIGUSR1, and SIGKILL, after which the next worker says that one has died.
        foreach ((int signal, int expected) in new[] { (15, 99), (OperatingSystem.IsMacOS() ? 30 : 10, 99), (9, 137) })
        {
            using Process process = Demucsps.Start(folder.Path, null, arguments);
            Task<string> output = process.StandardOutput.ReadToEndAsync();
            int chunks = 0;
            while (process.StandardError.ReadLine() is { } line)
            {
                if (line.Contains("a.wav: chunk ", StringComparison.Ordinal) && ++chunks == 12)
                    Signal.Send(process.Id, signal);
            }
            process.WaitForExit();
            Assert.Equal(expected, process.ExitCode);
            Assert.Equal(expected == 137, File.Exists(folder["r.jsonl.running"]));
        }
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, arguments);
        Assert.True(exitCode == 0, error);
        JsonElement[] lines = [.. File.ReadLines(folder["r.jsonl"]).Select(line => JsonDocument.Parse(line).RootElement)];
        // The track in which one died is taken last.
        Assert.Equal(
            ["left a", "left a", "failed a", "done b", "done a"],
            lines.Select(line => $"{line.GetProperty("status").GetString()} {line.GetProperty("track").GetString()}")
        );
        Assert.InRange(lines[1].GetProperty("kept").GetDouble(), lines[0].GetProperty("kept").GetDouble(), 1);
        Assert.Equal("WorkerDied", lines[2].GetProperty("error").GetString());
        Assert.True(lines[4].GetProperty("resumed").GetBoolean());
        foreach (string file in Directory.EnumerateFiles(folder["whole"], "*.wav", SearchOption.AllDirectories))
            Assert.Equal(
                File.ReadAllBytes(file),
                File.ReadAllBytes(file.Replace(folder["whole"], folder["separated"], StringComparison.Ordinal))
            );
    }

    [Fact]
    public void At_its_limit_it_stops_in_mid_track_and_another_run_goes_on()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["long.wav"], WavSamples.Sine(1800 * 44100));
        string[] arguments = ["separate", "long.wav", "--stem", "bass", "--resume", "--skip-existing", "--results", "r.jsonl"];
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, [.. arguments, "--time-limit", "0:00:06"]);
        Assert.True(exitCode == 99, error);
        Assert.Contains("The time limit is reached.", error, StringComparison.Ordinal);
        Assert.Equal("left", JsonDocument.Parse(File.ReadAllText(folder["r.jsonl"])).RootElement.GetProperty("status").GetString());
    }

    [Fact]
    public void A_models_folder_that_may_only_be_read_will_do_and_a_model_can_be_pinned_by_its_hash()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no permission bits.");
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["a.wav"], WavSamples.Noise(20000));
        Directory.CreateDirectory(folder["models", "own"]);
        File.Copy(CliModels.Normalizing, folder["models", "own", "own.onnx"]);
        string[] before = folder.Files();
        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(CliModels.Normalizing)));
        Directory.CreateDirectory(folder["out"]);
        Directory.CreateDirectory(folder["cache"]);
        if (!OperatingSystem.IsWindows())
        {
            const UnixFileMode Read =
                UnixFileMode.UserRead
                | UnixFileMode.UserExecute
                | UnixFileMode.GroupRead
                | UnixFileMode.GroupExecute
                | UnixFileMode.OtherRead
                | UnixFileMode.OtherExecute;
            const UnixFileMode Write = UnixFileMode.UserWrite | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite;
            File.SetUnixFileMode(folder["models", "own"], Read);
            File.SetUnixFileMode(folder["models"], Read);
            File.SetUnixFileMode(folder["out"], Read | Write);
            File.SetUnixFileMode(folder["cache"], Read | Write);
            File.SetUnixFileMode(folder.Path, Read | UnixFileMode.UserWrite);
        }
        Dictionary<string, string?> environment = new() { ["DEMUCSPS_MODELS"] = folder["models"], ["DEMUCSPS_CACHE"] = folder["cache"] };
        (int exitCode, _, string error) = Demucsps.RunUnprivileged(
            folder.Path,
            environment,
            "separate",
            "a.wav",
            "--output",
            "out",
            "--model",
            $"own@{hash}",
            "--results",
            "out/r.jsonl"
        );
        Assert.True(exitCode == 0, error);
        Assert.DoesNotContain("warning: The prepared", error, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateFiles(folder["cache"]));
        Assert.Equal(
            before,
            folder
                .Files()
                .Where(file => !file.StartsWith("out", StringComparison.Ordinal) && !file.StartsWith("cache", StringComparison.Ordinal))
        );
        (exitCode, _, error) = Demucsps.Run(
            folder.Path,
            environment,
            "separate",
            "a.wav",
            "--output",
            "out2",
            "--model",
            $"own@{(hash[0] == '0' ? '1' : '0')}{hash[1..12]}"
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("[ModelHashMismatch]", error, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(folder["models"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            File.SetUnixFileMode(folder["models", "own"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    [Theory]
    [InlineData("nowhere.wav")]
    [InlineData("link.wav")]
    public void A_link_that_leads_nowhere_fails_alone(string target)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "On Windows links take a right that few have.");
        using TemporaryFolder folder = new();
        File.CreateSymbolicLink(folder["link.wav"], target);
        WavSamples.WriteFloat(folder["good.wav"], WavSamples.Noise(9000));
        File.WriteAllLines(folder["list.txt"], ["link.wav", "good.wav"]);
        foreach (
            string[] inputs in (string[][])
                [
                    ["link.wav", "good.wav"],
                    ["--files-from", "list.txt", "--shard", "1/1"],
                ]
        )
        {
            (int exitCode, string output, string error) = Demucsps.Run(
                folder.Path,
                ["separate", .. inputs, "--model", CliModels.Small, "--stem", "bass", "--force"]
            );
            Assert.Equal(1, exitCode);
            Assert.Contains("link.wav", error, StringComparison.Ordinal);
            Assert.Contains("[AudioTrackNotFound]", error, StringComparison.Ordinal);
            Assert.DoesNotContain("Unhandled", error, StringComparison.Ordinal);
            Assert.EndsWith(Path.Combine("good", "bass.wav"), output.TrimEnd(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_name_that_is_no_text_fails_alone_and_in_one_share()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        foreach (string name in (string[])["a.wav", "b.wav"])
            WavSamples.WriteFloat(folder[name], WavSamples.Noise(9000));
        File.WriteAllBytes(folder["list"], [.. "a.wav\nc"u8, 0xFF, .. ".wav\nb.wav\n"u8]);
        foreach ((string share, int expected) in new[] { ("1/2", 1), ("2/2", 0) })
        {
            (int exitCode, _, string error) = Demucsps.Run(
                folder.Path,
                "separate",
                "--files-from",
                "list",
                "--shard",
                share,
                "--model",
                CliModels.Small,
                "--results",
                "r.jsonl"
            );
            Assert.True(exitCode == expected, error);
            Assert.Equal(expected == 1, error.Contains("'c\\xFF.wav', is not UTF-8", StringComparison.Ordinal));
        }
        Assert.Equal(
            ["done a", "done b", "failed c\\xFF"],
            File.ReadLines(folder["r.jsonl"])
                .Select(line => JsonDocument.Parse(line).RootElement)
                .Select(line => $"{line.GetProperty("status").GetString()} {line.GetProperty("track").GetString()}")
                .Order()
        );
        // A job has the others.
        (int submitted, _, string said) = Demucsps.Run(
            folder.Path,
            "slurm",
            "submit",
            "--files-from",
            "list",
            "--job",
            "job",
            "--no-submit",
            "--model",
            CliModels.Small
        );
        Assert.Equal(1, submitted);
        Assert.Contains("[TrackListInvalid]", said, StringComparison.Ordinal);
        Assert.Equal(2, File.ReadAllText(folder["job", "submissions", "0001", "tracks.list"]).Count(c => c == '\0'));
    }

    [Fact]
    public void A_job_can_be_in_8_bits()
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["a.wav"], WavSamples.Sine(5000));
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            "slurm",
            "submit",
            "a.wav",
            "--job",
            "job",
            "--no-submit",
            "--real-time-factor",
            "1",
            "--model",
            CliModels.Tiny,
            "--precision",
            "int8"
        );
        Assert.True(exitCode == 0, error);
        JsonElement words = JsonDocument.Parse(File.ReadAllText(folder["job", "job.json"])).RootElement.GetProperty("arguments");
        string[] arguments = [.. words.EnumerateArray().Select(word => word.GetString()!)];
        Assert.Equal("int8", arguments[Array.IndexOf(arguments, "--precision") + 1]);
    }

    [Theory]
    [InlineData("Nothing to separate", "separate")]
    [LongInlineData("Name the list with --files-from", "separate", "a.wav", "--null")]
    [LongInlineData("Choose the share with --shard", "separate", "a.wav", "--durations", "d")]
    [LongInlineData(
        "There is no share 4 of 3. Shares are counted from 1, and there are at most 1000000. The option is --shard.",
        "separate",
        "a.wav",
        "--shard",
        "4/3"
    )]
    [LongInlineData("as 01:50:00, or with days as 1-01:50:00. The option is --time-limit.", "separate", "a.wav", "--time-limit", "90")]
    [LongInlineData("auto needs a scheduler's array", "separate", "a.wav", "--shard", "auto")]
    public void What_cannot_be_meant_ends_with_2(string says, params string[] arguments)
    {
        using TemporaryFolder folder = new();
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            new Dictionary<string, string?>
            {
                ["SLURM_ARRAY_TASK_ID"] = null,
                ["JOB_COMPLETION_INDEX"] = null,
                ["AWS_BATCH_JOB_ARRAY_INDEX"] = null,
            },
            arguments
        );
        Assert.Equal(2, exitCode);
        Assert.Contains(says, error, StringComparison.Ordinal);
        Assert.Empty(folder.Files());
    }
}
