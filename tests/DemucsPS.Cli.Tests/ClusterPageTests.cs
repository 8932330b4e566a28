using System.Text.Json;
using System.Text.RegularExpressions;

namespace DemucsPS.Cli.Tests;

/// <summary>
/// The examples for schedulers in docs/CLUSTER.md, run as they stand there with fewer shares: by the scheduler where it can be had, else by
/// hand with what it would set.
/// </summary>
public sealed partial class ClusterPageTests : IDisposable
{
    private static readonly string[] s_names = ["a 'b' \"c\".wav", "$(touch pwned).wav", "-n 5.wav", "new\nline.wav"];

    private readonly TemporaryFolder _folder = new();

    public ClusterPageTests()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The examples are for shells.");
        Directory.CreateDirectory(_folder["archive", "music"]);
        foreach (string name in s_names)
            WavSamples.WriteFloat(_folder["archive", "music", name], WavSamples.Noise(9000));
        File.WriteAllText(_folder["archive", "list"], string.Concat(s_names.Select(name => _folder["archive", "music", name] + "\0")));
        ClusterPage.Install(_folder);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void GNU_parallel()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/parallel"), "GNU parallel is not installed.");
        Script(
            ClusterPage
                .Block("# parallel.sh")
                .Replace("{}/16", "{}/2", StringComparison.Ordinal)
                .Replace("seq 16", "seq 2", StringComparison.Ordinal)
        );
        CheckResults(2);
    }

    [Fact]
    public void A_loop_goes_on_while_there_is_more_to_do()
    {
        // The first two times there is.
        ClusterPage.Install(_folder, $"echo >>'{_folder["turns"]}'; [ $(wc -l <'{_folder["turns"]}') -gt 2 ] || exit 99");
        Script(ClusterPage.Block("# more.sh"));
        Assert.Equal(3, File.ReadAllLines(_folder["turns"]).Length);
        CheckStems();
    }

    [Fact]
    public void Snakemake()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/snakemake"), "Snakemake is not installed.");
        File.WriteAllText(
            _folder["archive", "Snakefile"],
            Here(ClusterPage.Block("# Snakefile").Replace("SHARES = 16", "SHARES = 2", StringComparison.Ordinal))
        );
        Run([], "snakemake", "--directory", _folder["archive"], "--snakefile", _folder["archive", "Snakefile"], "--cores", "2");
        CheckResults(2);
        Assert.True(File.Exists(_folder["archive", "results", "2.done"]));
    }

    [Fact]
    public void Kubernetes_indexed_job()
    {
        string[] command =
        [
            .. CommandOfPod()
                .Match(ClusterPage.Block("completionMode: Indexed"))
                .Groups[1]
                .Value.Split(',')
                .Select(word => Here(word.Trim()).Replace("auto/100", "auto/2", StringComparison.Ordinal)),
        ];
        for (int index = 0; index < 2; index++)
        {
            // Kubernetes itself puts variables into commands that are so written.
            Run(
                new() { ["JOB_COMPLETION_INDEX"] = $"{index}" },
                _folder["bin", command[0]],
                [.. command[1..].Select(word => word.Replace("$(JOB_COMPLETION_INDEX)", $"{index}", StringComparison.Ordinal))]
            );
        }
        CheckResults(2);
    }

    [Fact]
    public void AWS_Batch_array()
    {
        using JsonDocument job = JsonDocument.Parse(Here(ClusterPage.Block("\"arrayProperties\"")));
        string[] command =
        [
            .. job.RootElement.GetProperty("containerOverrides").GetProperty("command").EnumerateArray().Select(word => word.GetString()!),
        ];
        for (int index = 0; index < 2; index++)
            Run(
                new() { ["AWS_BATCH_JOB_ARRAY_INDEX"] = $"{index}", ["AWS_BATCH_JOB_ARRAY_SIZE"] = "2" },
                _folder["bin", command[0]],
                command[1..]
            );
        CheckStems();
    }

    [Fact]
    public void Nextflow_process()
    {
        // Nextflow puts values into the script, drops a backslash at the end of a line with the line's end, and runs it by bash -ue in a
        // folder of its own.
        string script = ScriptOfProcess()
            .Match(ClusterPage.Block("process separate"))
            .Groups[1]
            .Value.Replace("\\\n", "", StringComparison.Ordinal);
        for (int index = 1; index <= 2; index++)
        {
            Dictionary<string, string> values = new()
            {
                ["params.list"] = _folder["archive", "list"],
                ["params.shares"] = "2",
                ["params.output"] = _folder["archive"],
                ["task.cpus"] = "2",
                ["i"] = $"{index}",
            };
            string work = Path.Combine(Directory.CreateDirectory(_folder["work", $"{index}"]).FullName, ".command.sh");
            File.WriteAllText(
                work,
                Value().Replace(Here(script), match => values[match.Groups[1].Success ? match.Groups[1].Value : match.Groups[2].Value])
            );
            Run([], "/bin/bash", "-ue", work);
        }
        CheckResults(2);
    }

    /// <summary>What is for an archive and a model of the page, for those of the test.</summary>
    private string Here(string text) =>
        text.Replace("/mnt/archive", _folder["archive"], StringComparison.Ordinal)
            .Replace("htdemucs", CliModels.Small, StringComparison.Ordinal);

    private void Script(string text)
    {
        File.WriteAllText(_folder["script.sh"], $"cd '{_folder["archive"]}'\n{Here(text)}");
        Run([], "/bin/sh", "script.sh");
    }

    private void Run(Dictionary<string, string> variables, string program, params string[] arguments)
    {
        (int exitCode, string said) = ClusterPage.Run(_folder, variables, program, arguments);
        Assert.True(exitCode == 0, said);
    }

    /// <summary>Each track was done by one share, and all shares had some.</summary>
    private void CheckResults(int shares)
    {
        string[][] done =
        [
            .. Directory
                .GetFiles(_folder["archive", "results"], "*.jsonl")
                .Select(file =>
                    File.ReadLines(file)
                        .Select(line => JsonDocument.Parse(line).RootElement)
                        .Where(line => line.GetProperty("status").GetString() == "done")
                        .Select(line => Path.GetFileName(line.GetProperty("source").GetString()!))
                        .ToArray()
                ),
        ];
        Assert.Equal(shares, done.Length);
        Assert.All(done, Assert.NotEmpty);
        Assert.Equal(s_names.Order(StringComparer.Ordinal), done.SelectMany(names => names).Order(StringComparer.Ordinal));
        CheckStems();
    }

    private void CheckStems()
    {
        Assert.Equal(
            4 * s_names.Length,
            Directory
                .EnumerateFiles(_folder["archive"], "*.wav", SearchOption.AllDirectories)
                .Count(file => !file.StartsWith(_folder["archive", "music"], StringComparison.Ordinal))
        );
        Assert.False(Directory.EnumerateFiles(_folder.Path, "pwned", SearchOption.AllDirectories).Any());
    }

    [GeneratedRegex(@"command: \[([^\]]*)\]")]
    private static partial Regex CommandOfPod();

    [GeneratedRegex("\"\"\"\n(.*?)\"\"\"", RegexOptions.Singleline)]
    private static partial Regex ScriptOfProcess();

    [GeneratedRegex(@"\$\{([\w.]+)\}|\$(\w+)")]
    private static partial Regex Value();
}
