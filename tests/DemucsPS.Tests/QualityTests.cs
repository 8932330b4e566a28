using DemucsPS.Engine.Comparison;
using DemucsPS.Engine.Quality;

namespace DemucsPS.Tests;

/// <summary><c>Measure-StemQuality</c> and <c>Compare-DemucsModel</c>: what they take, give and say.</summary>
public sealed class QualityTests : IDisposable
{
    private readonly Session _session = new();

    public QualityTests()
    {
        _session.AddNoise("one.wav", 30000, 1);
        // The stems of the small model are multiples of the mix.
        _session.AddNoise("true/drums.wav", 30000, 1);
        _session.AddNoise("true/bass.wav", 30000, 2);
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Folders_are_measured_by_the_names_of_stems_and_what_is_kept_is_asked_for()
    {
        _session.AddNoise("made/one/bass.wav", 30000, 2);
        _session.AddNoise("made/one/drums.wav", 30000, 3);
        TrackQuality quality = _session.Run("Get-Item made/one | Measure-StemQuality -Reference true -Metric NSdr").Single<TrackQuality>();
        Assert.Equal(["bass", "drums"], quality.Stems.Select(s => s.StemName));
        Assert.True(quality.Stems[0].NSdr > 60 && quality.Stems[1].NSdr < 0, $"{quality.Stems[0].NSdr}, {quality.Stems[1].NSdr}");
        string[] before = _session.Files();
        Assert.Empty(_session.Run("Measure-StemQuality made true -Metric NSdr -DestinationPath figures -WhatIf").AssertNoErrors().Output);
        Assert.Matches(@"^What if: .*""Write the results of 'one'"".*figures", Assert.Single(Session.Host.Lines));
        Assert.Equal(before, _session.Files());
        Assert.Equal(["AudioTrackNotFound"], _session.Run("Measure-StemQuality made missing").ErrorIds("MeasureStemQualityCommand"));
        Assert.StartsWith(
            "There is no folder 'absent'",
            Assert.Single(_session.Run("Measure-StemQuality absent true").Errors).Exception.Message,
            StringComparison.Ordinal
        );
        _session.Run("Measure-StemQuality made true -Resume").AssertFailed("ParameterInvalid,DemucsPS.Cmdlets.MeasureStemQualityCommand");
    }

    [Theory]
    [InlineData("Measure-StemQuality made true", "MeasureStemQualityCommand")]
    [InlineData("Compare-DemucsModel one.wav -Model small", "CompareDemucsModelCommand")]
    public void No_figure_is_none_to_ask_for(string command, string type)
    {
        Assert.Equal(
            ["All", "Isr", "NSdr", "Sar", "Sdr", "SiSdr", "Sir"],
            _session
                .Run($"(TabExpansion2 '{command} -Metric ').CompletionMatches.CompletionText")
                .Output.Cast<string>()
                .Order(StringComparer.Ordinal)
        );
        _session.Run($"{command} -Metric None").AssertFailed($"ParameterArgumentValidationError,DemucsPS.Cmdlets.{type}");
    }

    [Theory]
    [LongInlineData("-Reference true -Metric NSdr")]
    public void Ways_are_compared_with_the_first_one_and_played_on_one_page(string measured)
    {
        File.Copy(Session.Small, Path.Combine(Directory.CreateDirectory(_session["mine"]).FullName, "small.onnx"));
        string compare =
            $"Compare-DemucsModel one.wav -Model $args[0], missing, mine/small.onnx -Setting @{{ Overlap = 0.05 }}, @{{ overlap = 0.25; Shifts = 1 }} {measured}";
        string[] before = _session.Files();
        ScriptRun planned = _session.Run($"{compare} -WhatIf", Session.Small);
        Assert.Empty(planned.Output);
        Assert.Equal(["DemucsModelNotFound", "DemucsModelNotFound"], planned.ErrorIds("CompareDemucsModelCommand"));
        Assert.Equal(5, Session.Host.Lines.Count);
        Assert.Matches(
            @"^What if: .*""Separate with small, overlap 0\.05 \(4 chunks, 1\.0 MB to write: drums\.wav, bass\.wav, other\.wav, vocals\.wav in .*"".*one\.wav",
            Session.Host.Lines[0]
        );
        Assert.Matches(
            @"""Write player page \(small, overlap 0\.05; small, overlap 0\.25, shifts 1; small, overlap 0\.05 \(2\); small, overlap 0\.25, shifts 1 \(2\)\)"".*one\.html",
            Session.Host.Lines[4]
        );
        Assert.Equal(before, _session.Files());

        ScriptRun run = _session.Run(compare, Session.Small);
        Assert.Null(run.Failure);
        Assert.Equal(["DemucsModelNotFound", "DemucsModelNotFound"], run.ErrorIds("CompareDemucsModelCommand"));
        ComparedSeparation[] ways = [.. run.Output.Cast<ComparedSeparation>()];
        Assert.Equal(
            ["small, overlap 0.05", "small, overlap 0.25, shifts 1", "small, overlap 0.05 (2)", "small, overlap 0.25, shifts 1 (2)"],
            ways.Select(w => w.Setting)
        );
        Assert.Equal([null, ways[0].Setting, ways[0].Setting, ways[0].Setting], ways.Select(w => w.DifferenceFrom));
        Assert.Equal([null, null, double.NegativeInfinity], [ways[0].DifferenceDb, null, ways[2].DifferenceDb]);
        Assert.True(ways[1].DifferenceDb < -100, $"{ways[1].DifferenceDb}");
        Assert.All(ways, w =>
            Assert.True(
                w.Quality!.Stems.Single(s => s.StemName == "drums").NSdr > 60
                    && w.NSdr is not null
                    && w.PeakMemory > 10_000_000
                    && w.Elapsed > TimeSpan.Zero
            )
        );
        Assert.Equal(_session["compared", "small, overlap 0.05 (2)", "one"], ways[2].Folder);
        string page = File.ReadAllText(_session["compared", "one.html"]);
        Assert.All(ways, w => Assert.Contains($"\"{w.Setting}\"", page, StringComparison.Ordinal));
        Assert.Contains(run.Progress, p => p.StatusDescription == "track 1: one.wav with small, overlap 0.05");

        Assert.All(_session.Run(compare, Session.Small).ErrorIds("CompareDemucsModelCommand"), id =>
            Assert.Contains(id, new[] { "StemExists", "DemucsModelNotFound" })
        );
        File.Delete(_session["compared", "small, overlap 0.05", "one", "bass.wav"]);
        ComparedSeparation[] again = [.. _session.Run($"{compare} -Resume", Session.Small).Output.Cast<ComparedSeparation>()];
        Assert.Equal([true, true, true], again.TakeLast(3).Select(w => w.Result.Skipped));
        Assert.Equal([null, null, null], again.TakeLast(3).Select(w => w.PeakMemory));
        // As its record has it, which is written shortly before the end.
        Assert.InRange(again.First(w => w.Setting == ways[1].Setting).Elapsed, TimeSpan.FromMicroseconds(1), ways[1].Elapsed);
    }

    [Theory]
    [LongInlineData("baseline")]
    public void The_built_in_model_is_named_once_as_what_it_is_and_no_page_is_made_where_none_is_wanted(string model)
    {
        ScriptRun run = _session
            .Run($"Compare-DemucsModel one.wav -Model {model} -Setting @{{ }}, @{{ Overlap = 0.5 }} -NoPlayer")
            .AssertNoErrors();
        Assert.Equal(["baseline, overlap 0.05", "baseline, overlap 0.5"], run.All<ComparedSeparation>().Select(w => w.Setting));
        Assert.Single(run.Warnings, w => w.Contains("not Demucs", StringComparison.Ordinal));
        Assert.DoesNotContain(_session.Files(), f => f.EndsWith(".html", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("@{ Volume = 3 }")]
    [InlineData("@{ Overlap = 'much' }")]
    [InlineData("@{ Overlap = 1.5 }")]
    [InlineData("@{ }, @{ Shifts = 0 }")]
    public void Settings_that_cannot_be_are_refused(string settings) =>
        _session
            .Run($"Compare-DemucsModel one.wav -Setting {settings}")
            .AssertFailed("ParameterInvalid,DemucsPS.Cmdlets.CompareDemucsModelCommand");
}
