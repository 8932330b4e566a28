using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace DemucsPS.Cli.Tests;

/// <summary>That the benchmark runs to its end and reports what it should. How quick anything is, is not a test's business.</summary>
public sealed class BenchTests
{
    [Fact]
    public void A_round_with_the_built_in_model_reports_all_figures()
    {
        using TemporaryFolder folder = new();
        string json = folder["figures.json"];
        // Its own song is of thirty chunks.
        string[] song = TestSet.IsLong ? [] : ["--song", RepositoryFiles.Song];
        ProcessStartInfo start = new("dotnet", ["exec", Assembly, "--rounds", "1", "--json", json, .. song]) { WorkingDirectory = folder.Path, RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"The benchmark hung: {error.Result}");
        }
        Assert.True(process.ExitCode == 0, error.Result);

        using JsonDocument figures = JsonDocument.Parse(File.ReadAllText(json));
        JsonElement root = figures.RootElement;
        Assert.Equal("baseline", root.GetProperty("model").GetString());
        foreach (string group in new[] { "seconds", "ratios", "gigaflopsPerSecond", "peakBytes" })
        {
            foreach (JsonProperty figure in root.GetProperty(group).EnumerateObject())
            {
                Assert.True(figure.Value.GetDouble() > 0, figure.Name);
                // The table says the same.
                Assert.Contains(figure.Name, output.Result, StringComparison.Ordinal);
            }
        }
        Assert.Equal("abcdf", Letters("seconds"));
        Assert.Equal("abcg", Letters("ratios"));
        Assert.Equal("f", Letters("gigaflopsPerSecond"));
        Assert.Equal("e", Letters("peakBytes"));

        string Letters(string group) => string.Concat(root.GetProperty(group).EnumerateObject().Select(figure => figure.Name[1]).Distinct().Order());
    }

    [Fact]
    public void A_model_that_is_not_there_is_an_error()
    {
        using Process process = Process.Start(new ProcessStartInfo("dotnet", ["exec", Assembly, "--model", "missing.onnx"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("missing.onnx", error, StringComparison.Ordinal);
    }

    private static string Assembly
    {
        get
        {
            string configuration = typeof(BenchTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Configuration").Value!;
            return Path.Combine(RepositoryFiles.Root, "bench", "DemucsPS.Bench", "bin", configuration, "net10.0", "DemucsPS.Bench.dll");
        }
    }
}
