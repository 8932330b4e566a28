using System.Text.RegularExpressions;

namespace DemucsPS.Cli.Tests;

/// <summary>Workflows run at those who host the project, and not here: what can be said of them by reading.</summary>
public sealed partial class WorkflowTests
{
    public static TheoryData<string> Workflows { get; } =
    [
        .. Directory
            .EnumerateFiles(Path.Combine(RepositoryFiles.Root, ".github", "workflows"), "*.yml")
            .Select(file => Path.GetFileName(file)),
    ];

    [Theory]
    [MemberData(nameof(Workflows))]
    public void They_call_scripts_that_are_there_with_least_rights(string name)
    {
        string text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, ".github", "workflows", name));
        // What is not said per job is nothing but reading.
        Assert.Matches(@"(?m)^permissions:\n  contents: read$", text);
        Assert.Matches(@"(?m)^concurrency:\n  group: ", text);
        Assert.DoesNotContain("pull_request_target", text, StringComparison.Ordinal);
        string[] jobs = Job().Split(text[text.IndexOf("\njobs:\n", StringComparison.Ordinal)..])[1..];
        Assert.NotEmpty(jobs);
        Assert.All(jobs, job => Assert.Matches(@"(?m)^    timeout-minutes: \d+$", job));
        Assert.All(Used().Matches(text), used => Assert.Matches(@"^[\w./-]+@(v\d+|[0-9a-f]{40})$", used.Groups[1].Value));
        // Inputs and names of branches are words of others: they come by variables, never into a script's text.
        Assert.All(Run().Matches(text), run => Assert.DoesNotContain("${{", run.Value, StringComparison.Ordinal));
        foreach (Match script in Script().Matches(text))
        {
            string path = Path.Combine(RepositoryFiles.Root, script.Groups[1].Value);
            Assert.True(File.Exists(path), $"{name} calls {script.Groups[1].Value}, which is not there.");
            if (!OperatingSystem.IsWindows() && Path.GetExtension(path) != ".ps1")
                Assert.True(File.GetUnixFileMode(path).HasFlag(UnixFileMode.UserExecute), $"{script.Groups[1].Value} cannot be executed.");
        }
        string tasks = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "build.ps1"));
        Assert.All(BuildTask().Matches(text), task => Assert.Contains($"'{task.Groups[1].Value}' {{", tasks, StringComparison.Ordinal));
    }

    [Fact]
    public void They_call_what_is_run_here()
    {
        string Of(string name) => File.ReadAllText(Path.Combine(RepositoryFiles.Root, ".github", "workflows", name));
        Assert.Contains("- run: .ci/run\n", Of("ci.yml"), StringComparison.Ordinal);
        string release = Of("release.yml");
        int at = 0;
        foreach (
            string step in (string[])
                [
                    "- run: tests/packages/run\n",
                    "build.ps1 Pack\n",
                    "build.ps1 Archive\n",
                    "actions/attest-build-provenance@",
                    "actions/upload-artifact@",
                    "gh release create",
                ]
        )
        {
            int next = release.IndexOf(step, at, StringComparison.Ordinal);
            Assert.True(next >= 0, $"release.yml has no '{step.Trim()}' behind what comes before it.");
            at = next;
        }
        // The check of the tag looks for the line as the manifest has it.
        string manifest = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "DemucsPS.psd1"));
        string looked = Regex.Match(release, "grep -qxF \"( +ModuleVersion += )'").Groups[1].Value;
        Assert.Matches($"(?m)^{looked}'[0-9.]+'$", manifest);
    }

    [GeneratedRegex(@"(?m)^  \w+:\n")]
    private static partial Regex Job();

    [GeneratedRegex(@"uses: (\S+)")]
    private static partial Regex Used();

    [GeneratedRegex(@"run: .*")]
    private static partial Regex Run();

    [GeneratedRegex(@"(?:run: |-File |&& )(\.ci/[\w/.-]+|tests/[\w/.-]+|build\.ps1)")]
    private static partial Regex Script();

    [GeneratedRegex(@"build\.ps1 (\w+)")]
    private static partial Regex BuildTask();
}
