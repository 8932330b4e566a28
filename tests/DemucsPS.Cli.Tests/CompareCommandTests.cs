using System.Text.Json;

namespace DemucsPS.Cli.Tests;

/// <summary>The same audio in several ways.</summary>
public sealed class CompareCommandTests
{
    [Theory]
    [LongInlineData("0.05,0.25")]
    public void EachWayIsALine(string overlaps)
    {
        using TemporaryFolder folder = new();
        WavSamples.WriteFloat(folder["song.wav"], WavSamples.Noise(20000));
        (int exitCode, string output, string error) = Demucsps.Run(
            folder.Path,
            "compare",
            "song.wav",
            "--model",
            "baseline",
            "--overlap",
            overlaps,
            "--json"
        );
        Assert.True(exitCode == 0, error);
        JsonElement[] ways =
        [
            .. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement),
        ];
        Assert.Equal(["baseline, overlap 0.05", "baseline, overlap 0.25"], ways.Select(w => w.GetProperty("setting").GetString()));
        Assert.Equal(JsonValueKind.Null, ways[0].GetProperty("differenceDb").ValueKind);
        Assert.NotEqual(JsonValueKind.Null, ways[1].GetProperty("differenceDb").ValueKind);
        Assert.True(File.Exists(folder["compared", "baseline, overlap 0.25", "song", "vocals.wav"]));
        Assert.Contains("\"baseline, overlap 0.25\"", File.ReadAllText(folder["compared", "song.html"]), StringComparison.Ordinal);
        (exitCode, output, error) = Demucsps.Run(
            folder.Path,
            "compare",
            "song.wav",
            "--model",
            "missing",
            "--model",
            "baseline",
            "--overlap",
            overlaps,
            "--resume"
        );
        Assert.Equal(1, exitCode);
        Assert.Contains("[DemucsModelNotFound]", error, StringComparison.Ordinal);
        // It is shorter than a chunk.
        Assert.Matches(
            @"^song: baseline, overlap 0\.05  \d+\.\d s\nsong: baseline, overlap 0\.25  difference none  \d+\.\d s\n$",
            output.ReplaceLineEndings("\n")
        );
        (exitCode, _, error) = Demucsps.Run(folder.Path, "compare", "song.wav", "--overlap", "much");
        Assert.Equal(2, exitCode);
        Assert.Contains("[ParameterInvalid]", error, StringComparison.Ordinal);
    }
}
