using System.Text.Json;

namespace DemucsPS.Cli.Tests.Slurm;

/// <summary>A task of a real Slurm whose time is over.</summary>
public sealed class SlurmTimeTests
{
    [Fact]
    public void A_task_whose_time_is_over_keeps_what_it_has_done_and_goes_on_in_another_turn()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using LocalSlurm slurm = LocalSlurm.Start(nodes: 1);
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["music"]);
        // The first is long enough that a slow start does not look like a slow machine, and the second short enough that the minute holds
        // it on a machine that needs a second for a second of music, which a busy one does.
        WavSamples.WriteFloat(folder["music", "1 short.wav"], WavSamples.Noise(12 * 44100));
        WavSamples.WriteFloat(folder["music", "2 long.wav"], WavSamples.Noise(24 * 44100));
        WavSamples.WriteFloat(folder["music", "3 short.wav"], WavSamples.Noise(44100));
        // These chunks are worked on for seconds, in which it can be stopped.
        string[] arguments = ["--model", CliModels.Small, "--overlap", "0.5", "--real-time-factor", "0.1", "--max-tasks", "1"];
        Dictionary<string, string?> environment = new() { ["SLURM_CONF"] = slurm.Configuration };
        // Slurm's shortest limit is a minute.
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            environment,
            ["slurm", "submit", "music", "--job", "job", "--output", "stems", "--time-limit", "00:01:00", .. arguments]
        );
        Assert.True(exitCode == 0, error + output);

        // Held still in the middle of the long track until Slurm tells the task that its time is nearly over: nothing is worked meanwhile.
        int[] held = [];
        slurm.Until(
            () =>
                Directory.Exists(folder["stems"])
                && Directory
                    .EnumerateFiles(folder["stems"], "*.staged.partial", SearchOption.AllDirectories)
                    .Any(file => file.Contains("2 long", StringComparison.Ordinal) && Length(file) > 300_000),
            "the long track to be under way"
        );
        slurm.Until(() => (held = [.. slurm.ProcessesOn("n1")]).Length > 0, "its processes");
        foreach (int process in held)
            Signal.Stop(process);
        string result = Assert.Single(Results(folder));
        Assert.True(
            Lines(result).Select(Outcome).SequenceEqual(["done 1 short"]),
            $"Not held in the middle of the long track: {File.ReadAllText(result)}"
        );
        // Slurm has the task itself go on with its signal, and the task hands it on to what works on the track.
        slurm.Until(() => held.Any(process => HasSignal(process, 15)), "Slurm's signal to be handed on");
        foreach (int process in held)
            Signal.Continue(process);

        slurm.Until(
            () =>
            {
                slurm.SkipDelays();
                return slurm.Run("squeue", "-h", "-r").Output.Length == 0;
            },
            "the second turn"
        );
        (exitCode, output, error) = Demucsps.Run(folder.Path, environment, "slurm", "wait", "job", "--interval", "1");
        Assert.True(
            exitCode == 0,
            $"{exitCode}: {output}{error}{slurm.Run("squeue", "-h", "-r", "-t", "all", "-o", "%i %T %r").Output}{string.Join('\n', slurm.Completed)}{string.Join('\n', Directory.GetFiles(folder["job", "logs"], "*", SearchOption.AllDirectories).Select(File.ReadAllText))}"
        );
        string[] turns = [.. Results(folder).Order(StringComparer.Ordinal)];
        Assert.Equal(2, turns.Length);
        JsonElement[] first = Lines(turns[0]),
            second = Lines(turns[1]);
        Assert.Equal(["done 1 short", "left 2 long"], first.Select(Outcome));
        Assert.Equal(["done 2 long", "done 3 short"], second.Select(Outcome).Order(StringComparer.Ordinal));
        // It goes on where it was stopped.
        Assert.InRange(first[1].GetProperty("kept").GetDouble(), 0.01, 0.99);
        Assert.True(second.Single(line => Outcome(line) == "done 2 long").GetProperty("resumed").GetBoolean());
        Assert.Contains(File.ReadLines(Directory.GetFiles(folder["job", "logs", "0001"]).Single()), line =>
            line.Contains("this task waits to run again", StringComparison.Ordinal)
        );
        Assert.Contains(slurm.Completed, line => line.Contains("JobState=COMPLETED", StringComparison.Ordinal));

        // On one machine, in one go, it is the same.
        Assert.Equal(0, Demucsps.Run(folder.Path, ["separate", "music/2 long.wav", "--output", "whole", .. arguments[..4]]).ExitCode);
        foreach (string stem in Directory.GetFiles(folder["whole", "small", "2 long"], "*.wav"))
            Assert.Equal(File.ReadAllBytes(stem), File.ReadAllBytes(folder["stems", "small", "2 long", Path.GetFileName(stem)]));
    }

    private static string[] Results(TemporaryFolder folder) =>
        Directory.GetFiles(folder["job", "results"], "*.jsonl", SearchOption.AllDirectories);

    private static JsonElement[] Lines(string file) => [.. File.ReadLines(file).Select(line => JsonDocument.Parse(line).RootElement)];

    private static string Outcome(JsonElement line) => $"{line.GetProperty("status").GetString()} {line.GetProperty("track").GetString()}";

    private static long Length(string file) => new FileInfo(file) is { Exists: true } info ? info.Length : 0;

    /// <summary>Whether a signal waits for a process.</summary>
    private static bool HasSignal(int process, int signal)
    {
        string path = $"/proc/{process}/status";
        string? pending = File.Exists(path)
            ? File.ReadLines(path).FirstOrDefault(line => line.StartsWith("ShdPnd:", StringComparison.Ordinal))
            : null;
        return pending is not null && (Convert.ToUInt64(pending["ShdPnd:".Length..].Trim(), 16) & 1UL << (signal - 1)) != 0;
    }
}
