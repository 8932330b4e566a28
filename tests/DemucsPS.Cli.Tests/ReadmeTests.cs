using System.Text.RegularExpressions;

namespace DemucsPS.Cli.Tests;

/// <summary>Runs what the README and the tour show in their console blocks and compares the output, so that they cannot lie.</summary>
public sealed partial class ReadmeTests
{
    private const string FromSource = "dotnet run -c Release --project src/DemucsPS.Cli -- ",
        Installed = "demucsps ";

    [Theory]
    [InlineData("README.md", 3)]
    [InlineData("docs/TOUR.md", 2)]
    public void Every_console_command_prints_what_is_printed_there(string document, int commands)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder["samples"]);
        File.Copy(RepositoryFiles.Song, folder["samples", "mix.wav"]);
        File.Copy(RepositoryFiles.Song, folder["mix.wav"]);
        (string Command, string[] Output)[] shown = [.. Shown(document)];
        Assert.Equal(commands, shown.Length);
        foreach ((string command, string[] expected) in shown)
        {
            string arguments = command.StartsWith(FromSource, StringComparison.Ordinal)
                ? command[FromSource.Length..]
                : command[Installed.Length..];
            (int exitCode, string output, string error) = Demucsps.Run(folder.Path, arguments.Split(' '));
            Assert.True(exitCode == 0, error);
            string all = error + output;
            // JSON doubles the separators of Windows.
            if (Path.DirectorySeparatorChar == '\\')
                all = all.Replace(@"\\", "/", StringComparison.Ordinal).Replace('\\', '/');
            foreach (string root in new[] { folder.Path, RealPath(folder.Path) })
                all = all.Replace(root.Replace(Path.DirectorySeparatorChar, '/'), "/music", StringComparison.Ordinal);
            string[] got = all.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            Assert.Equal(
                expected.Select(l => WithoutTimes(l.Replace("/src/DemucsPS/", "/music/", StringComparison.Ordinal))),
                got.Select(WithoutTimes)
            );
        }
    }

    [Fact]
    public void Both_set_up_commands_are_there()
    {
        string readme = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "README.md"));
        Assert.Contains("$ " + FromSource + "separate samples/mix.wav --bit-depth 32\n", readme, StringComparison.Ordinal);
        Assert.Contains("\ndotnet test -c Release\n", readme, StringComparison.Ordinal);
        Assert.Contains(
            "dotnet test -c Release 2>&1",
            File.ReadAllText(Path.Combine(RepositoryFiles.Root, ".ci", "run")),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void The_pinned_runtime_is_the_one_named()
    {
        string pinned = Regex
            .Match(
                File.ReadAllText(Path.Combine(RepositoryFiles.Root, "Directory.Packages.props")),
                "\"Microsoft.ML.OnnxRuntime\" Version=\"([^\"]+)\""
            )
            .Groups[1]
            .Value;
        Assert.Contains(
            $"Microsoft.ML.OnnxRuntime {pinned}",
            File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "DEPENDENCIES.md")),
            StringComparison.Ordinal
        );
    }

    /// <summary>
    /// Links of the documents lead to files and headings that are there; on the web they would only fail when somebody clicks.
    /// </summary>
    [Fact]
    public void Links_between_documents_lead_somewhere()
    {
        string[] documents =
        [
            Path.Combine(RepositoryFiles.Root, "README.md"),
            Path.Combine(RepositoryFiles.Root, "bench", "README.md"),
            .. Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "docs"), "*.md", SearchOption.AllDirectories),
        ];
        int links = 0;
        foreach (string document in documents)
        {
            foreach (Match link in Link().Matches(File.ReadAllText(document)))
            {
                string[] target = link.Groups[1].Value.Split('#');
                if (target[0].Contains(':', StringComparison.Ordinal))
                    continue;
                links++;
                string path = target[0].Length == 0 ? document : Path.GetFullPath(target[0], Path.GetDirectoryName(document)!);
                Assert.True(File.Exists(path), $"{document} links to '{link.Groups[1].Value}', which is not there.");
                if (target.Length > 1)
                    Assert.Contains(
                        target[1],
                        Heading().Matches(File.ReadAllText(path)).Select(heading => Anchor(heading.Groups[1].Value))
                    );
            }
        }
        Assert.InRange(links, 10, 1000);

        // As GitHub makes them.
        static string Anchor(string heading) =>
            new([
                .. heading
                    .Trim()
                    .ToLowerInvariant()
                    .Where(c => char.IsLetterOrDigit(c) || c is ' ' or '-' or '_')
                    .Select(c => c == ' ' ? '-' : c),
            ]);
    }

    private static IEnumerable<(string Command, string[] Output)> Shown(string document)
    {
        string readme = File.ReadAllText(Path.Combine(RepositoryFiles.Root, document)).ReplaceLineEndings("\n");
        foreach (Match block in ConsoleBlock().Matches(readme))
        {
            string? command = null;
            List<string> output = [];
            foreach (string line in block.Groups[1].Value.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                if (!line.StartsWith("$ ", StringComparison.Ordinal))
                {
                    output.Add(line);
                    continue;
                }
                if (command is not null)
                    yield return (command, [.. output]);
                command = line[2..];
                output.Clear();
            }
            if (command is not null)
                yield return (command, [.. output]);
        }
    }

    /// <summary>Times differ from run to run, and peaks in their last digits; the rest must not.</summary>
    private static string WithoutTimes(string line)
    {
        line = Regex.Replace(line, @"\d+ s left", "# s left");
        line = Regex.Replace(line, @"in [\d.]+ s \([\d.]+ s per second", "in # s (# s per second");
        line = Regex.Replace(line, "\"(elapsed|realTimeFactor)\":[\\d.E-]+", "\"$1\":#");
        line = Regex.Replace(line, "\"nullTestDb\":(-\\d+)[\\d.]*", "\"nullTestDb\":$1");
        return Regex.Replace(line, "\"peak\":(\\d\\.\\d\\d)\\d*", "\"peak\":$1");
    }

    // macOS keeps its temporary folders behind a link.
    private static string RealPath(string path) => OperatingSystem.IsMacOS() ? "/private" + path : path;

    [GeneratedRegex("```console\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex ConsoleBlock();

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("^#+ (.*)$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
