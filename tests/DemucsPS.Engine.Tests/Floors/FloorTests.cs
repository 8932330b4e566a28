using System.Text.RegularExpressions;

namespace DemucsPS.Engine.Tests.Floors;

/// <summary>The engine is built in floors: each folder uses those below it only. <c>docs/ARCHITECTURE.md</c> has the drawing.</summary>
public sealed class FloorTests
{
    [Fact]
    public void No_namespace_uses_one_that_uses_it() =>
        Assert.Empty(NamespaceGraph.Read(typeof(DemucsException).Assembly.Location).Circles());

    [Fact]
    public void Each_folder_is_on_its_floor()
    {
        NamespaceGraph graph = NamespaceGraph.Read(typeof(DemucsException).Assembly.Location);
        string root = typeof(DemucsException).Namespace!;
        Dictionary<string, int> floors = Regex
            .Matches(
                File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "ARCHITECTURE.md")),
                @"^\| (\d+) \| `([\w/()]+)` \|",
                RegexOptions.Multiline
            )
            .ToDictionary(
                row => row.Groups[2].Value == "(root)" ? root : $"{root}.{row.Groups[2].Value.Replace('/', '.')}",
                row => int.Parse(row.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)
            );
        Assert.Equal(graph.Namespaces, floors.Keys.Order(StringComparer.Ordinal));
        Assert.All(graph.Uses, use =>
            Assert.True(
                floors[use.User] > floors[use.Used],
                $"{use.User} is on floor {floors[use.User]} and uses {use.Used} on floor {floors[use.Used]}: {use.Example}."
            )
        );
    }

    [Fact]
    public void A_circle_is_found() =>
        // The test assembly has one, since its folders are no floors: tests take each other's samples.
        Assert.Contains(NamespaceGraph.Read(typeof(FloorTests).Assembly.Location).Circles(), step =>
            step.StartsWith($"{nameof(DemucsPS)}.{nameof(Engine)}.{nameof(Tests)}.{nameof(Audio)} -> ", StringComparison.Ordinal)
        );

    [Fact]
    public void A_namespace_is_its_folder()
    {
        string source = Path.Combine(RepositoryFiles.Root, "src");
        Assert.All(Sources(source), file =>
        {
            string folder = Path.GetRelativePath(source, Path.GetDirectoryName(file)!).Replace(Path.DirectorySeparatorChar, '.');
            // The names of cmdlets' classes are part of their errors' ids, which do not change because files are sorted into folders.
            folder = Regex.Replace(folder, @"^DemucsPS\.Cmdlets\.\w+$", "DemucsPS.Cmdlets");
            if (Regex.Match(File.ReadAllText(file), @"^namespace ([\w.]+);", RegexOptions.Multiline) is { Success: true } found)
                Assert.Equal(folder, found.Groups[1].Value);
        });
    }

    [Fact]
    public void No_folder_has_more_files_than_can_be_taken_in() =>
        Assert.Empty(
            Sources(Path.Combine(RepositoryFiles.Root, "src"))
                .GroupBy(Path.GetDirectoryName)
                .Where(folder => folder.Count() > 26)
                .Select(folder => $"{folder.Key}: {folder.Count()}")
        );

    private static IEnumerable<string> Sources(string folder) =>
        Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories).Where(file => !Regex.IsMatch(file, @"[/\\](obj|bin)[/\\]"));
}
