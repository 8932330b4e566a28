using System.Management.Automation;
using System.Text.Json;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Models;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Tests;

/// <summary>Ctrl+C, as a script's host does it.</summary>
public sealed class StopTests : IDisposable
{
    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Theory]
    // After all was shown of a chunk, and between the two records that show it: the second one is refused then, in the midst of the work.
    [InlineData(2)]
    [InlineData(1)]
    public void What_is_done_is_kept_and_the_rest_is_continued(int activity)
    {
        _session.AddNoise("one.wav", 9000, 1);
        _session.AddNoise("two.wav", 300000, 2);
        const string Separate = "Invoke-DemucsSeparation one.wav, two.wav -Model $args[0] -BitDepth 32";
        bool begun = false;
        Stop(
            Separate,
            seen =>
            {
                if (begun)
                    return seen.ActivityId == activity;
                begun = seen.StatusDescription == "chunk 0 of 39";
                // Records come at most every 200 ms: so that the next chunk has one.
                if (begun)
                    Thread.Sleep(250);
                return false;
            },
            outputs: 1
        );
        Assert.Equal(
            ["bass.wav", "demucsps.json", "drums.wav", "other.wav", "vocals.wav"],
            _session.Files("separated/small/one/").Select(f => Path.GetFileName(f))
        );
        Assert.Contains("separated/small/two/demucsps.partial/journal.json", _session.Files("separated/small/two/"));
        Assert.All(_session.Files("separated/small/two/"), f => Assert.Contains("/demucsps.partial/", f, StringComparison.Ordinal));
        // Of 300,000: what was in the models then, and no more.
        using (
            JsonDocument journal = JsonDocument.Parse(
                File.ReadAllText(_session["separated", "small", "two", "demucsps.partial", "journal.json"])
            )
        )
            Assert.InRange(journal.RootElement.GetProperty("durableFrames").GetInt32(), 1, 100_000);

        Assert.Equal(
            ["StemExists", "SeparationUnfinished"],
            _session.Run(Separate, Session.Small).ErrorIds("InvokeDemucsSeparationCommand")
        );
        Assert.Equal(
            ["ResumeMismatch"],
            _session
                .Run("Invoke-DemucsSeparation two.wav -Model $args[0] -BitDepth 32 -Resume -Overlap 0.25", Session.Small)
                .ErrorIds("InvokeDemucsSeparationCommand")
        );
        SeparationResult[] results = _session.Run($"{Separate} -SkipExisting -Resume", Session.Small).All<SeparationResult>();
        Assert.Equal([(true, false), (false, true)], results.Select(r => (r.Skipped, r.Resumed)));
        _session.Run($"{Separate} -DestinationPath undisturbed", Session.Small).AssertNoErrors();
        Assert.Equal(8, _session.Contents("undisturbed").Length);
        Assert.Equal(_session.Contents("undisturbed"), _session.Contents("separated"));
    }

    [Theory]
    [InlineData("Import-AudioTrack two.wav", "Reading")]
    [InlineData(
        "Import-AudioTrack two.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] -ThrottleLimit 2 | Join-StemChunk | Export-Stem",
        "Chunks"
    )]
    [InlineData("Invoke-DemucsSeparation two.wav -Model $args[0]", "Reading")]
    [LongInlineData("Compare-DemucsModel two.wav -Model $args[0] -Resume -NoPlayer", "Reading")]
    [InlineData("Export-Spectrogram two.wav two.png", "Reading")]
    [InlineData("Test-DemucsModel -Path own.onnx", "Testing models")]
    public void A_stopped_command_is_no_error_and_the_next_one_works(string script, string activity)
    {
        _session.AddNoise("two.wav", 300000, 2);
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "normalizing.onnx"), _session["own.onnx"]);
        Stop(script, seen => seen.Activity == activity, outputs: 0);
        Assert.DoesNotContain(_session.Files(), f =>
            f.StartsWith("separated/", StringComparison.Ordinal)
            && f.EndsWith(".wav", StringComparison.Ordinal)
            && !f.Contains(".partial/", StringComparison.Ordinal)
        );
        _session.Run($"{script} {(script.StartsWith("Invoke", StringComparison.Ordinal) ? "-Force" : "")}", Session.Small).AssertNoErrors();
    }

    [Fact]
    public void A_stopped_download_goes_on_where_it_was()
    {
        byte[] model = File.ReadAllBytes(Session.Small);
        LoopbackServer server = null!;
        // Without the stop it would not come to an end.
        using (server = new LoopbackServer(request => server.Stall(model, model.Length / 2)(request), LoopbackServer.File(model)))
        {
            _session.AddCatalog($"{server.Address}small.onnx");
            Stop(
                "Install-DemucsModel tiny -AcceptLicense -NoPreparation",
                seen => seen.Activity == "Installing models" && seen.PercentComplete > 0,
                outputs: 0
            );
            Assert.Equal(["models/tiny/tiny.onnx.partial", "models/tiny/tiny.onnx.partial.tag"], _session.Files("models/"));
            Assert.True(_session.Run("Install-DemucsModel tiny -AcceptLicense -NoPreparation").Single<ModelInfo>().Verified);
            Assert.Equal([null, model.Length / 2], server.Requests.Select(r => r.From));
        }
    }

    /// <summary>Runs a command and stops it in the middle of what it shows: it goes on only when it has been told to stop.</summary>
    private void Stop(string script, Func<ProgressRecord, bool> here, int outputs)
    {
        using ManualResetEventSlim told = new();
        using PowerShell shell = _session.Shell($"{script} | Watch-Stop -Told $args[1]", Session.Small, told);
        IAsyncResult? stopping = null;
        shell.Streams.Progress.DataAdded += (_, e) =>
        {
            if (stopping is not null || !here(shell.Streams.Progress[e.Index]))
                return;
            stopping = shell.BeginStop(null, null);
            Assert.True(told.Wait(TimeSpan.FromMinutes(1)));
        };
        PSDataCollection<PSObject> output = [];
        Assert.Throws<PipelineStoppedException>(() => shell.EndInvoke(shell.BeginInvoke<PSObject, PSObject>(null, output)));
        Assert.NotNull(stopping);
        shell.EndStop(stopping);
        Assert.Equal(PSInvocationState.Stopped, shell.InvocationStateInfo.State);
        ScriptRun.Of(shell, output, null).AssertNoErrors();
        Assert.Equal(outputs, output.Count);
        Assert.Equal(0, SessionHandle.Live);
    }
}
