using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace DemucsPS.Cli.Tests.Slurm;

/// <summary>Jobs on a real Slurm: a controller and three nodes on this machine.</summary>
public sealed class SlurmTests
{
    // Names that mean something to shells, to Slurm or to lists; each as a file's own.
    private static readonly string[] s_names =
    [
        "plain",
        "-n 5",
        "--output=x",
        "$(touch pwned)",
        "`touch pwned`",
        "a'b\"c",
        "two\nlines",
        "%j %a \\%A",
        "; rm -rf x",
        "ünïcode 音",
        "#SBATCH --hold",
        "tab\tand  blanks ",
        "*?[x]",
        "$HOME",
        "back\\slash",
        "@file",
        "a,b=c",
    ];

    private static readonly string[] s_separate = ["--model", CliModels.Small, "--overlap", "0.5"];

    [Fact]
    public void An_array_loses_a_node_and_gives_each_track_whole_and_once()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using LocalSlurm slurm = LocalSlurm.Start(nodes: 3);
        using TemporaryFolder folder = new();
        const int Tracks = 60;
        WriteTracks(folder, Tracks);
        Submit(slurm, folder, "job", "stems", "--max-tasks", "6");

        // Held still in the middle of a task, so that no machine is too quick.
        string victim = HoldOneInMidTask(slurm, folder["job"]);
        slurm.KillNode(victim);
        slurm.StartNode(victim);
        // Slurm has the node back, and begins the lost task anew.
        JsonElement status = WaitForEnd(slurm, folder, "job");

        Assert.Equal("Done", status.GetProperty("state").GetString());
        Assert.Equal(
            (Tracks, 0, 0),
            (status.GetProperty("done").GetInt32(), status.GetProperty("failed").GetInt32(), status.GetProperty("missing").GetInt32())
        );
        Assert.Equal(Tracks * 2.0, status.GetProperty("audio").GetDouble(), 3);
        Assert.Equal(Tracks * 2.0, status.GetProperty("audioDone").GetDouble(), 3);
        JsonElement[] report = Report(slurm, folder, "job");
        Assert.Equal(Sources(folder), report.Select(SourceOf).Order(StringComparer.Ordinal));
        Assert.All(report, track => Assert.Equal(1, track.GetProperty("separations").GetInt32()));
        Assert.Single(slurm.Completed, line => line.Contains("JobState=NODE_FAIL", StringComparison.Ordinal));
        Assert.Equal(6, slurm.Completed.Count(line => line.Contains("JobState=COMPLETED", StringComparison.Ordinal)));

        // The same folder of a job on one machine, without Slurm.
        Submit(slurm, folder, "alone", "alone-stems", "--max-tasks", "2", "--no-submit");
        (int exitCode, _, string error) = Demucsps.Run(folder.Path, "slurm", "run", "--local", "alone");
        Assert.True(exitCode == 0, error);
        Assert.Equal(Hashes(folder["alone-stems"]), Hashes(folder["stems"]));
        Assert.Equal(4 * Tracks, Hashes(folder["stems"]).Count);
        Assert.False(Directory.EnumerateFiles(folder.Path, "pwned", SearchOption.AllDirectories).Any());
    }

    [Fact]
    public void Canceled_and_submitted_again_it_does_nothing_twice()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using LocalSlurm slurm = LocalSlurm.Start(nodes: 3);
        using TemporaryFolder folder = new();
        const int Tracks = 24;
        WriteTracks(folder, Tracks);
        Submit(slurm, folder, "job", "stems", "--max-tasks", "3");
        string held = HoldOneInMidTask(slurm, folder["job"]);
        (int exitCode, string output, string error) = Run(slurm, folder, "slurm", "retry", "job");
        Assert.Equal(1, exitCode);
        Assert.Contains("[ClusterJobRunning]", error, StringComparison.Ordinal);
        Assert.Equal(0, Run(slurm, folder, "slurm", "cancel", "job").ExitCode);
        foreach (int process in slurm.ProcessesOn(held))
            Signal.Continue(process);
        JsonElement status = WaitForEnd(slurm, folder, "job");
        int done = status.GetProperty("done").GetInt32();
        Assert.InRange(done, 1, Tracks - 1);
        Assert.Equal("Incomplete", status.GetProperty("state").GetString());

        (exitCode, output, error) = Run(slurm, folder, "slurm", "retry", "job", "--task-length", "00:00:01", "--max-tasks", "2");
        Assert.True(exitCode == 0, error);
        Assert.StartsWith($"{Tracks - done} track", output, StringComparison.Ordinal);
        Assert.Contains("(measured)", output, StringComparison.Ordinal);
        status = WaitForEnd(slurm, folder, "job");
        Assert.Equal("Done", status.GetProperty("state").GetString());
        Assert.All(Report(slurm, folder, "job"), track => Assert.Equal(1, track.GetProperty("separations").GetInt32()));
        Assert.Contains("nothing to do", Run(slurm, folder, "slurm", "retry", "job").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Failures_are_told_by_their_causes_and_the_rest_is_finished()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using LocalSlurm slurm = LocalSlurm.Start(nodes: 3);
        using TemporaryFolder folder = new();
        const string FFmpeg = "/usr/bin/ffmpeg";
        Assert.SkipUnless(File.Exists(FFmpeg), "ffmpeg is not installed.");
        WriteTracks(folder, 12);
        File.WriteAllText(folder["music", "unreadable.wav"], "RIFF, but nothing that a WAV file has");
        // What decodes it ends the program that wants it.
        using (
            Process encoder = Process.Start(FFmpeg, ["-v", "error", "-f", "lavfi", "-i", "sine=duration=2", folder["music", "poison.mp3"]])
        )
            encoder.WaitForExit();
        WriteScript(folder["ffmpeg"], $"case \"$*\" in *poison*pcm_f32le*) kill -KILL $PPID;; esac\nexec {FFmpeg} \"$@\"");
        // On one node the disk of the stems is full: there, and only there, a small file system lies over it.
        string[] program = Submit(slurm, folder, "job", "stems", "--max-tasks", "6", "--no-submit");
        Directory.CreateDirectory(folder["stems"]);
        WriteScript(
            folder["program"],
            $"if [ \"$SLURMD_NODENAME\" = n2 ] && [ -z \"$MOUNTED\" ]; then MOUNTED=1 exec unshare -m sh -c 'mount -t tmpfs -o size=64k tmpfs \"$0\" && exec \"$@\"' '{folder["stems"]}' \"$0\" \"$@\"; fi\nexec {string.Join(' ', program.Select(word => $"'{word}'"))} \"$@\""
        );
        string settings = File.ReadAllText(folder["job", "job.json"]);
        using (JsonDocument document = JsonDocument.Parse(settings))
        {
            string written = document.RootElement.GetProperty("program").GetRawText();
            File.WriteAllText(
                folder["job", "job.json"],
                settings.Replace(written, JsonSerializer.Serialize(new[] { folder["program"] }), StringComparison.Ordinal)
            );
        }
        Dictionary<string, string?> environment = Variables(slurm);
        environment["DEMUCSPS_FFMPEG"] = folder["ffmpeg"];
        (int exitCode, _, string error) = Demucsps.Run(
            folder.Path,
            environment,
            "slurm",
            "retry",
            "job",
            "--task-length",
            "00:00:01",
            "--max-tasks",
            "6"
        );
        Assert.True(exitCode == 0, error);
        JsonElement status = WaitForEnd(slurm, folder, "job");
        Dictionary<string, JsonElement> failures = status
            .GetProperty("failures")
            .EnumerateArray()
            .ToDictionary(group => group.GetProperty("error").GetString()!);
        Assert.True(
            failures.ContainsKey("StemWriteFailed"),
            $"{status} {string.Join('\n', Directory.EnumerateFiles(folder["job", "logs"], "*", SearchOption.AllDirectories).SelectMany(file => File.ReadLines(file).TakeLast(3)))}"
        );
        Assert.Equal(["n2"], failures["StemWriteFailed"].GetProperty("nodes").EnumerateArray().Select(node => node.GetString()));
        Assert.Equal(14, status.GetProperty("done").GetInt32() + status.GetProperty("failed").GetInt32());

        // Elsewhere the others are finished, and what is wrong with the tracks themselves stays.
        (exitCode, _, error) = Demucsps.Run(
            folder.Path,
            environment,
            "slurm",
            "retry",
            "job",
            "--task-length",
            "00:00:01",
            "--max-tasks",
            "3",
            "--sbatch=--exclude=n2"
        );
        Assert.True(exitCode == 0, error);
        status = WaitForEnd(slurm, folder, "job");
        Assert.Equal("Incomplete", status.GetProperty("state").GetString());
        Assert.Equal(
            (12, 2, 0),
            (status.GetProperty("done").GetInt32(), status.GetProperty("failed").GetInt32(), status.GetProperty("missing").GetInt32())
        );
        failures = status.GetProperty("failures").EnumerateArray().ToDictionary(group => group.GetProperty("error").GetString()!);
        Assert.Equal(["AudioFormatUnsupported", "WorkerDied"], failures.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(folder["music", "poison.mp3"], failures["WorkerDied"].GetProperty("sourcePath").GetString());
    }

    [Fact]
    public void A_job_has_the_model_that_was_there_when_it_was_made_and_no_other()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        WriteTracks(folder, 2);
        CliModels.WriteLouder(folder["louder.onnx"]);
        Dictionary<string, string?> environment = new() { ["DEMUCSPS_MODELS"] = folder["models"] };
        Do(0, "models", "install", "own", "--source", CliModels.Small, "--no-preparation");
        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(CliModels.Small)));
        Do(0, "slurm", "submit", "music", "--job", "job", "--output", "stems", "--model", "own", "--real-time-factor", "1", "--no-submit");
        Assert.Contains($"\"own@{hash}\"", File.ReadAllText(folder["job", "job.json"]), StringComparison.Ordinal);
        // Another one takes its place: no track is separated by that.
        Do(0, "models", "install", "own", "--source", "louder.onnx", "--force", "--no-preparation");
        Assert.Contains("[ModelHashMismatch]", Do(1, "slurm", "run", "--local", "job"), StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["stems"]));
        Do(99, "slurm", "status", "job");
        Do(0, "models", "install", "own", "--source", CliModels.Small, "--force", "--no-preparation");
        Do(0, "slurm", "run", "--local", "job");
        Do(0, "slurm", "status", "job");

        string Do(int expected, params string[] arguments)
        {
            (int exitCode, string output, string error) = Demucsps.Run(folder.Path, environment, arguments);
            Assert.True(exitCode == expected, $"{string.Join(' ', arguments)}: {exitCode} {error} {output}");
            return error;
        }
    }

    private static void WriteTracks(TemporaryFolder folder, int count)
    {
        Directory.CreateDirectory(folder["music"]);
        Random random = new(3);
        for (int i = 0; i < count; i++)
            WavSamples.WriteFloat(
                folder["music", $"{s_names[i % s_names.Length]} {i}.wav"],
                WavSamples.Noise(2 * 44100).Select(s => s * (1 + random.NextSingle())).ToArray()
            );
    }

    /// <returns>The program as nodes start it.</returns>
    private static string[] Submit(LocalSlurm slurm, TemporaryFolder folder, string job, string stems, params string[] more)
    {
        byte[] list = [.. Sources(folder).SelectMany(path => Encoding.UTF8.GetBytes(path).Append((byte)0))];
        File.WriteAllBytes(folder["list"], list);
        (int exitCode, string output, string error) = Run(
            slurm,
            folder,
            [
                "slurm",
                "submit",
                "--files-from",
                "list",
                "--null",
                "--job",
                job,
                "--output",
                stems,
                "--task-length",
                "00:00:01",
                .. more,
                .. s_separate,
            ]
        );
        Assert.True(exitCode == 0, error + output);
        using JsonDocument settings = JsonDocument.Parse(File.ReadAllText(folder[job, "job.json"]));
        return [.. settings.RootElement.GetProperty("program").EnumerateArray().Select(word => word.GetString()!)];
    }

    /// <summary>Stops the processes of a node when one of its tasks has done some of its tracks, and not all.</summary>
    /// <returns>The node.</returns>
    private static string HoldOneInMidTask(LocalSlurm slurm, string job)
    {
        string found = "";
        HashSet<string> passed = [];
        slurm.Until(
            () =>
            {
                foreach (
                    string file in Directory
                        .EnumerateFiles(Path.Combine(job, "results"), "*.jsonl", SearchOption.AllDirectories)
                        .Where(file => !passed.Contains(file) && File.ReadAllText(file).Length > 0)
                )
                {
                    string node = Path.GetFileNameWithoutExtension(file).Split('@')[1];
                    IReadOnlyList<int> processes = slurm.ProcessesOn(node);
                    foreach (int process in processes)
                        Signal.Stop(process);
                    // What it was at is written down while it is at it.
                    if (processes.Count > 0 && File.Exists(file + ".running"))
                    {
                        found = node;
                        return true;
                    }
                    foreach (int process in processes)
                        Signal.Continue(process);
                }
                return false;
            },
            "a task that is under way"
        );
        return found;
    }

    private static JsonElement WaitForEnd(LocalSlurm slurm, TemporaryFolder folder, string job)
    {
        slurm.Until(
            () =>
            {
                slurm.SkipDelays();
                return slurm.Run("squeue", "-h", "-r").Output.Length == 0;
            },
            "the queue to be empty"
        );
        (_, string output, string error) = Run(slurm, folder, "slurm", "wait", job, "--interval", "1", "--json");
        Assert.True(output.Length > 0, error);
        return JsonDocument.Parse(output).RootElement;
    }

    private static JsonElement[] Report(LocalSlurm slurm, TemporaryFolder folder, string job) =>
        [
            .. Run(slurm, folder, "slurm", "report", job, "--json")
                .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement),
        ];

    private static (int ExitCode, string Output, string Error) Run(LocalSlurm slurm, TemporaryFolder folder, params string[] arguments) =>
        Demucsps.Run(folder.Path, Variables(slurm), arguments);

    private static Dictionary<string, string?> Variables(LocalSlurm slurm) => new() { ["SLURM_CONF"] = slurm.Configuration };

    private static string[] Sources(TemporaryFolder folder) => [.. Directory.GetFiles(folder["music"]).Order(StringComparer.Ordinal)];

    private static string SourceOf(JsonElement track) => track.GetProperty("sourcePath").GetString()!;

    private static Dictionary<string, string> Hashes(string folder) =>
        Directory
            .EnumerateFiles(folder, "*.wav", SearchOption.AllDirectories)
            .ToDictionary(
                file => Path.GetRelativePath(folder, file),
                file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))
            );

    private static void WriteScript(string path, string lines)
    {
        File.WriteAllText(path, $"#!/bin/sh\n{lines}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
