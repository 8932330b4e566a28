using System.Text.RegularExpressions;

namespace DemucsPS.Engine.Tests;

/// <summary>docs/RELIABILITY.md names tests; a promise whose test is gone is none.</summary>
public sealed class ReliabilityDocumentTests
{
    [Fact]
    public void Every_test_that_is_named_exists()
    {
        string tests = Path.Combine(RepositoryFiles.Root, "tests");
        Dictionary<string, string> classes = Directory
            .EnumerateFiles(tests, "*Tests.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .GroupBy(f => Path.GetFileNameWithoutExtension(f)!)
            .ToDictionary(g => g.Key, g => string.Join('\n', g.Select(File.ReadAllText)));
        string[] rows =
        [
            .. File.ReadAllLines(Path.Combine(RepositoryFiles.Root, "docs", "RELIABILITY.md"))
                .Where(l =>
                    l.StartsWith('|')
                    && !l.StartsWith("| ---", StringComparison.Ordinal)
                    && !l.StartsWith("| Promise", StringComparison.Ordinal)
                ),
        ];
        Assert.InRange(rows.Length, 20, 200);
        foreach (string named in rows.Select(row => row.TrimEnd(' ', '|').Split('|')[^1]))
        {
            MatchCollection methods = Regex.Matches(named, @"`(\w+)\.(\w+)`"),
                its = Regex.Matches(named, @"`([\w-]+\.Tests\.ps1)`: ([^;]+)");
            Assert.True(methods.Count + its.Count > 0, $"No test is named in: {named}");
            foreach (Match method in methods)
                Assert.Matches($@"\bpublic (async Task|void) {method.Groups[2].Value}\(", classes[method.Groups[1].Value]);
            foreach (Match it in its)
                Assert.Contains(
                    $"It '{it.Groups[2].Value.Trim()}'",
                    File.ReadAllText(Path.Combine(tests, it.Groups[1].Value)),
                    StringComparison.Ordinal
                );
        }
    }
}
