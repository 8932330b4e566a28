using System.Globalization;
using System.Text.Json;

namespace DemucsPS.Cli.Tests;

/// <summary>Estimates and references in, figures out.</summary>
public sealed class MeasureCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MeasureCommandTests()
    {
        foreach (string track in new[] { "One", "Two" })
        {
            Add(["set", "test", track, "vocals.wav"], 1);
            Add(["separated", "model", track, "vocals.wav"], 0.9f);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void OneJsonLineIsATrack()
    {
        (int exitCode, string output, string error) = Demucsps.Run(
            _folder.Path,
            "measure",
            "separated",
            "--references",
            "set",
            "--json",
            "--csv",
            "tables/figures.csv",
            "--window",
            "0.1"
        );
        Assert.True(exitCode == 0, error);
        string[] lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        JsonElement track = JsonDocument.Parse(lines[1]).RootElement,
            vocals = track.GetProperty("stems").GetProperty("vocals");
        Assert.Equal("Two", track.GetProperty("track").GetString());
        Assert.Equal("model", track.GetProperty("model").GetString());
        foreach (string metric in new[] { "sdr", "isr", "nSdr" })
            Assert.Equal(20, vocals.GetProperty(metric).GetDouble(), 0.01);
        Assert.All(["sir", "sar", "siSdr"], metric => Assert.True(vocals.TryGetProperty(metric, out _), metric));
        Assert.Equal([0, 0.1], vocals.GetProperty("frames").EnumerateArray().Select(f => f.GetProperty("time").GetDouble()));
        string[] csv = File.ReadAllLines(_folder["tables", "figures.csv"]);
        Assert.Equal(3, csv.Length);
        Assert.StartsWith("Two,model,vocals,2", csv[2].Replace("19.99", "20", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void ASetGoesOnWhereItWasAndSaysWhatFailed()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        File.WriteAllBytes(_folder["separated", "model", "Two", "vocals.wav"], []);
        string[] command = ["measure", "separated", "--references", "set", "--metric", "nsdr,sisdr", "--output", "figures"];
        (int exitCode, string output, string error) = Demucsps.Run(_folder.Path, command);
        Assert.Equal(1, exitCode);
        Assert.Contains("[AudioTrackCorrupt]", error, StringComparison.Ordinal);
        Assert.Matches(@"^model/One: vocals  nSDR (20\.00|19\.99)  SI-SDR ", output);
        Add(["separated", "model", "Two", "vocals.wav"], 0.5f);
        (exitCode, output, error) = Demucsps.Run(_folder.Path, [.. command, "--resume"]);
        Assert.True(exitCode == 0, error);
        Assert.Matches(@"(?s)^model/One: vocals  nSDR .*\nmodel/Two: vocals  nSDR 6\.02  ", output);
        (exitCode, _, error) = Demucsps.Run(_folder.Path, command);
        Assert.Equal(1, exitCode);
        Assert.Contains("--resume", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no metric 'loudness'", "--metric", "loudness")]
    [InlineData("[ParameterInvalid]", "--window", "-2")]
    [InlineData("--resume needs --output", "--resume")]
    [InlineData("it is a folder", "--csv", "set")]
    public void WhatCannotBeIsSaid(string words, params string[] options)
    {
        (int exitCode, string output, string error) = Demucsps.Run(
            _folder.Path,
            ["measure", "separated", "--references", "set", .. options]
        );
        Assert.Equal(1, exitCode);
        Assert.Empty(output);
        Assert.Contains(words, error, StringComparison.Ordinal);
    }

    [Theory]
    [LongInlineData("0.05")]
    public void TheDocumentedQualityOfTheBuiltInModelIsWhatIsMeasured(string overlap)
    {
        (int exitCode, _, string error) = Demucsps.Run(
            _folder.Path,
            "separate",
            Path.Combine(RepositoryFiles.Root, "samples", "mix.wav"),
            "--model",
            "baseline",
            "--overlap",
            overlap,
            "--output",
            "measured"
        );
        Assert.True(exitCode == 0, error);
        (exitCode, string output, error) = Demucsps.Run(
            _folder.Path,
            "measure",
            "measured",
            "--references",
            Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song"),
            "--json"
        );
        Assert.True(exitCode == 0, error);
        string document = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "QUALITY.md"));
        JsonProperty[] stems = [.. JsonDocument.Parse(output).RootElement.GetProperty("stems").EnumerateObject()];
        Assert.Equal(["bass", "drums", "other", "vocals"], stems.Select(s => s.Name));
        foreach (JsonProperty stem in stems)
        {
            string[] row = document
                .Split('\n')
                .Single(line => line.StartsWith($"| {stem.Name} |", StringComparison.Ordinal))
                .Split('|', StringSplitOptions.TrimEntries);
            foreach ((string metric, int column) in new[] { ("sdr", 2), ("isr", 3), ("sir", 4), ("sar", 5), ("nSdr", 6), ("siSdr", 7) })
                // Half of the last digit, and a little for what rounds otherwise on other processors.
                Assert.Equal(double.Parse(row[column], CultureInfo.InvariantCulture), stem.Value.GetProperty(metric).GetDouble(), 0.006);
        }
    }

    private void Add(string[] name, float gain)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        WavSamples.WriteFloat(_folder[name], [.. WavSamples.Noise(9000).Select(s => s * gain)]);
    }
}
