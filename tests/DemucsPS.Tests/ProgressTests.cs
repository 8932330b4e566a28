using System.Management.Automation;
using System.Text.RegularExpressions;

namespace DemucsPS.Tests;

/// <summary>What is shown while it lasts, and that it is taken away.</summary>
public sealed class ProgressTests : IDisposable
{
    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData("Import-AudioTrack one.wav", "Reading audio", "track 1: one.wav")]
    [InlineData("Invoke-DemucsSeparation one.wav -Model $args[0]", "Separating music", "track 1: one.wav")]
    [InlineData(
        "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] -ThrottleLimit 1",
        "Separating music",
        "track 1: one.wav"
    )]
    public void A_track_is_shown_with_its_parts_below_and_both_are_taken_away(string script, string activity, string status)
    {
        _session.AddNoise("one.wav", 200000);
        ProgressRecord[] records = _session.Run(script, Session.Small).AssertNoErrors().Progress;
        ProgressRecord track = records.First(r => r.ActivityId == 1 && r.Activity == activity);
        Assert.Equal((status, -1), (track.StatusDescription, track.ParentActivityId));
        Assert.Contains(records, r => r.ActivityId == 2 && r.RecordType == ProgressRecordType.Processing);
        Assert.All(records.Where(r => r.ActivityId == 2), r => Assert.Equal(1, r.ParentActivityId));
        AssertOrderly(records);
    }

    [Theory]
    [InlineData("Invoke-DemucsSeparation one.wav -Model $args[0]")]
    [InlineData("Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0]")]
    public void The_last_chunk_is_shown_however_quick_it_was(string script)
    {
        _session.AddNoise("one.wav", 30000);
        ProgressRecord last = Assert.Single(_session.Run(script, Session.Small).AssertNoErrors().Progress, r =>
            r.StatusDescription == "chunk 4 of 4"
        );
        Assert.Equal((100, "Chunks"), (last.PercentComplete, last.Activity));
    }

    [Fact]
    public void A_second_track_is_a_second_one()
    {
        _session.AddNoise("one.wav", 9000);
        _session.AddNoise("two.wav", 9000);
        ProgressRecord[] records = _session
            .Run("Invoke-DemucsSeparation one.wav, two.wav -Model $args[0]", Session.Small)
            .AssertNoErrors()
            .Progress;
        Assert.Equal(
            ["track 1: one.wav", "done", "track 2: two.wav", "done"],
            records
                .Where(r => r.ActivityId == 1)
                .Select(r => r.StatusDescription)
                .Aggregate(new List<string>(), (seen, s) => seen.LastOrDefault() == s ? seen : [.. seen, s])
        );
        AssertOrderly(records);
    }

    [Theory]
    [InlineData("Import-AudioTrack cut.wav", true)]
    [InlineData("Import-AudioTrack cut.wav -ErrorAction Stop", true)]
    [InlineData("Invoke-DemucsSeparation cut.wav -Model $args[0]", true)]
    [InlineData("Invoke-DemucsSeparation cut.wav -Model $args[0] -ErrorAction Stop", true)]
    // The last chunk is refused when the first is shown already.
    [InlineData(
        "$track = Import-AudioTrack one.wav; @($track | Split-AudioChunk -Length 8192) + ($track | Split-AudioChunk -Length 10000)[0] | Invoke-DemucsChunk -Model $args[0] -ThrottleLimit 1 -ErrorAction Stop",
        false
    )]
    public void What_ends_with_an_error_is_taken_away(string script, bool cut)
    {
        _session.AddNoise("one.wav", 30000);
        string path = _session.AddWav("cut.wav", new byte[8 * 100000]);
        // As 32-bit floats, of which the last is not a number: an error that comes after some has been read.
        byte[] file = File.ReadAllBytes(path);
        BitConverter.GetBytes((short)3).CopyTo(file, 20);
        BitConverter.GetBytes(8 * 44100).CopyTo(file, 28);
        BitConverter.GetBytes((short)8).CopyTo(file, 32);
        BitConverter.GetBytes((short)32).CopyTo(file, 34);
        BitConverter.GetBytes(float.NaN).CopyTo(file, file.Length - 4);
        File.WriteAllBytes(path, file);
        ScriptRun run = _session.Run(script, Session.Small);
        Assert.StartsWith(
            cut ? "AudioTrackCorrupt" : "ChunkLengthMismatch",
            (run.Failure ?? Assert.Single(run.Errors)).FullyQualifiedErrorId,
            StringComparison.Ordinal
        );
        Assert.Contains(run.Progress, r => r.ActivityId == 2 && r.Activity == (cut ? "Reading" : "Chunks"));
        AssertOrderly(run.Progress);
    }

    [Fact]
    public void A_test_of_a_model_shows_its_stages()
    {
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "normalizing.onnx"), _session["own.onnx"]);
        ProgressRecord[] records = _session.Run("Test-DemucsModel -Path own.onnx").AssertNoErrors().Progress;
        Assert.Equal(
            ["own: checking SHA-256", "own: separating", "own: separating with the model as exported", "own: computing in float64", "done"],
            records.Select(r => r.StatusDescription).Distinct()
        );
        AssertOrderly(records);
    }

    /// <summary>No number goes down while an activity lasts, each activity ends, and none goes on after its end.</summary>
    private static void AssertOrderly(ProgressRecord[] records)
    {
        foreach (IGrouping<int, ProgressRecord> activity in records.GroupBy(r => r.ActivityId))
        {
            Assert.Equal(ProgressRecordType.Completed, activity.Last().RecordType);
            (string Name, int Percent, int Number) last = ("", 0, 0);
            foreach (ProgressRecord record in activity)
            {
                if (record.RecordType == ProgressRecordType.Completed)
                {
                    last = ("", 0, 0);
                    continue;
                }
                int number = Regex.Match(record.StatusDescription, @"^\w+ (\d+) of \d+$") is { Success: true } match
                    ? int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)
                    : 0;
                if (record.Activity == last.Name)
                {
                    Assert.InRange(record.PercentComplete, Math.Min(last.Percent, 100), 100);
                    Assert.InRange(number, last.Number, int.MaxValue);
                }
                last = (record.Activity, record.PercentComplete, number);
            }
        }
    }
}
