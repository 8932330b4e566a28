using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Text.Json;

namespace DemucsPS.Cli.Tests;

/// <summary>That the benchmark runs to its end and reports what it should. How quick anything is, is not a test's business.</summary>
public sealed class BenchTests
{
    [Fact]
    public void A_round_with_the_built_in_model_reports_all_figures()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        using TemporaryFolder folder = new();
        string json = folder["figures.json"],
            song = folder["song.wav"];
        WavSamples.WriteFloat(song, WavSamples.Sine(44100 * 10));
        ProcessStartInfo start = new("dotnet", ["exec", Assembly, "--rounds", "1", "--json", json, "--song", song])
        {
            WorkingDirectory = folder.Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
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

        string Letters(string group) =>
            string.Concat(root.GetProperty(group).EnumerateObject().Select(figure => figure.Name[1]).Distinct().Order());
    }

    [Fact]
    public void A_model_that_is_not_there_is_an_error()
    {
        using Process process = Process.Start(
            new ProcessStartInfo("dotnet", ["exec", Assembly, "--model", "missing.onnx"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("missing.onnx", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Single_nodes_are_compared_with_float64()
    {
        string[] lines = Exactness("nodes", "--model", Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx"));
        Assert.Contains(lines, line =>
            line.Contains("Mul ", StringComparison.Ordinal) && line.Contains("waves [1,4,2,8192]", StringComparison.Ordinal)
        );
        Assert.StartsWith("4 tensors", lines[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void Chunks_with_silence_behind_their_music_are_compared_with_float64()
    {
        string[] lines = Exactness(
            "chunks",
            "--model",
            Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "small.onnx"),
            "--song",
            RepositoryFiles.Song,
            "--frames",
            "2000"
        );
        Assert.All(lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1), figure =>
            Assert.InRange(double.Parse(figure, CultureInfo.InvariantCulture), 100, double.PositiveInfinity)
        );
    }

    [Fact]
    public void What_float64_is_to_be_compared_with_has_to_be_there()
    {
        using Process process = Start("nodes", "--model", "missing.onnx");
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("missing.onnx", error, StringComparison.Ordinal);
    }

    private static string[] Exactness(params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, error.Result);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    private static Process Start(params string[] arguments) =>
        Process.Start(
            new ProcessStartInfo("dotnet", ["exec", Assembly, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;

    private static string Assembly
    {
        get
        {
            string configuration = typeof(BenchTests)
                .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
                .Single(a => a.Key == "Configuration")
                .Value!;
            return Path.Combine(RepositoryFiles.Root, "bench", "DemucsPS.Bench", "bin", configuration, "net10.0", "DemucsPS.Bench.dll");
        }
    }
}
