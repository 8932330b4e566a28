using DemucsPS.Engine.Batch;
using DemucsPS.OnnxRuntime;

namespace DemucsPS.Tests;

/// <summary>The stages, one after the other, against the one command that does it all.</summary>
public sealed class PipelineTests : IDisposable
{
    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData(
        "Import-AudioTrack one.wav, two.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] -ThrottleLimit 1 | Join-StemChunk | Export-Stem chain -BitDepth 32"
    )]
    [InlineData(
        "Import-AudioTrack one.wav, two.wav | Split-AudioChunk -Length 8192 | Sort-Object Index -Stable | Invoke-DemucsChunk -Model $args[0] -ThrottleLimit 2 | Join-StemChunk | Export-Stem chain -BitDepth 32"
    )]
    [InlineData(
        "Import-AudioTrack one.wav, two.wav | Split-AudioChunk -Length 8192 | ConvertTo-ChunkSpectrogram | Invoke-DemucsChunk -Model $args[0] | Get-Random -Shuffle -SetSeed 3 | Join-StemChunk | Export-Stem chain -BitDepth 32"
    )]
    public void Stages_write_the_bytes_of_the_whole(string chain)
    {
        _session.AddNoise("one.wav", 30000, 1);
        _session.AddNoise("two.wav", 20000, 2);
        _session.Run("Invoke-DemucsSeparation one.wav, two.wav whole -Model $args[0] -BitDepth 32", Session.Small).AssertNoErrors();
        Assert.Empty(_session.Run(chain, Session.Small).AssertNoErrors().Output);
        Assert.Equal(8, _session.Contents("chain").Length);
        Assert.Equal(_session.Contents("whole"), _session.Contents("chain"));
    }

    [Theory]
    [InlineData("-BitDepth 16")]
    [InlineData("-BitDepth 24 -Clip None")]
    [InlineData("-TwoStems vocals -TwoStemsMethod Minus")]
    [InlineData("-Mixdown @{ vocals = '-inf'; drums = -6 }")]
    [InlineData("-Residual -KeepMono -FileNameTemplate '{title}/{model} {stem}'")]
    public void Both_ways_to_files_make_the_same_of_the_same_parameters(string parameters)
    {
        _session.AddNoise("one.wav", 20000);
        _session.Run($"Invoke-DemucsSeparation one.wav whole -Model $args[0] {parameters}", Session.Small).AssertNoErrors();
        _session
            .Run(
                $"Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] | Join-StemChunk | Export-Stem chain {parameters}",
                Session.Small
            )
            .AssertNoErrors();
        Assert.NotEmpty(_session.Contents("chain"));
        Assert.Equal(_session.Contents("whole"), _session.Contents("chain"));
    }

    [Fact]
    public void A_transition_power_shapes_the_cross_fade_in_both_ways()
    {
        _session.AddNoise("one.wav", 20000);
        _session
            .Run(
                "Invoke-DemucsSeparation one.wav linear -Model $args[0] -BitDepth 32 -Overlap 0.5; Invoke-DemucsSeparation one.wav whole -Model $args[0] -BitDepth 32 -Overlap 0.5 -TransitionPower 2",
                Session.Small
            )
            .AssertNoErrors();
        _session
            .Run(
                "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 -Overlap 0.5 | Invoke-DemucsChunk -Model $args[0] | Join-StemChunk -TransitionPower 2 | Export-Stem chain -BitDepth 32",
                Session.Small
            )
            .AssertNoErrors();
        Assert.Equal(_session.Contents("whole"), _session.Contents("chain"));
        Assert.NotEqual(_session.Contents("linear"), _session.Contents("whole"));
    }

    [Fact]
    public void What_wants_no_more_leaves_whole_files()
    {
        _session.AddNoise("a.wav", 20000);
        _session.AddNoise("b.wav", 20000);
        Assert.Equal(
            "a",
            _session
                .Run("Get-ChildItem *.wav | Invoke-DemucsSeparation -Model $args[0] | Select-Object -First 1", Session.Small)
                .Single<SeparationResult>()
                .Track
        );
        Assert.Equal(
            ["bass.wav", "demucsps.json", "drums.wav", "other.wav", "vocals.wav"],
            _session.Files("separated/").Select(f => Path.GetFileName(f))
        );
    }

    [Fact]
    public void Paths_begin_at_the_sessions_location_and_not_at_the_processs()
    {
        string source = _session.AddNoise("music/one.wav", 9000);
        SeparationResult result = _session
            .Run(
                "Set-Location music; Invoke-DemucsSeparation one.wav ../stems -Model ../model.onnx -Stem bass; Set-Location ..",
                Copy("model.onnx")
            )
            .Single<SeparationResult>();
        Assert.NotEqual(_session.Folder, Environment.CurrentDirectory);
        Assert.Equal(source, result.SourcePath);
        Assert.Equal(["stems/model/one/bass.wav", "stems/model/one/demucsps.json"], _session.Files("stems/"));
    }

    [Theory]
    [InlineData("$chunks | Invoke-DemucsChunk -Model $args[0] -ThrottleLimit 2", 16)]
    [InlineData("$chunks | Invoke-DemucsChunk -Model $args[0] -ThrottleLimit 3 | Select-Object -First 1", 1)]
    [InlineData("try { $chunks | Invoke-DemucsChunk -Model $args[0] | ForEach-Object { throw 'downstream' } } catch { 'thrown' }", 1)]
    [InlineData("try { $chunks + $other | Invoke-DemucsChunk -Model $args[0] -ErrorAction Stop } catch { 'thrown' }", null)]
    [InlineData("Invoke-DemucsSeparation one.wav, one.wav -Model $args[0] | Select-Object -First 1", 1)]
    public void The_model_is_released_however_the_pipeline_ends(string script, int? outputs)
    {
        _session.AddNoise("one.wav", 30000);
        ScriptRun run = _session
            .Run(
                $"$track = Import-AudioTrack one.wav; $chunks = @($track | Split-AudioChunk -Length 8192); $other = $track | Split-AudioChunk -Length 10000 | Select-Object -First 1; {script}",
                Session.Small
            )
            .AssertNoErrors();
        Assert.Equal(outputs ?? run.Output.Length, run.Output.Length);
        Assert.NotEmpty(run.Output);
        Assert.Equal(0, SessionHandle.Live);
    }

    [Fact]
    public void A_second_session_in_the_process_works_beside_the_first_and_after_another_import()
    {
        _session.AddNoise("one.wav", 20000);
        const string Script = "Invoke-DemucsSeparation -LiteralPath $args[1] -DestinationPath $args[2] -Model $args[0] -BitDepth 32";
        object[] Arguments(string folder) => [Session.Small, _session["one.wav"], _session[folder]];
        using Session second = new(own: true);
        using (System.Management.Automation.PowerShell shell = second.Shell(Script, Arguments("second")))
        {
            IAsyncResult running = shell.BeginInvoke();
            _session.Run(Script, Arguments("first")).AssertNoErrors();
            Assert.Single(shell.EndInvoke(running));
        }
        Assert.Equal("DemucsPS", _session.Run("(Get-Command Import-AudioTrack).Source").Single<string>());
        second.Run("Remove-Module DemucsPS; Import-Module $args[0]; Import-Module $args[0] -Force", Session.Manifest).AssertNoErrors();
        second.Run(Script, Arguments("third")).Single<SeparationResult>();
        Assert.Equal(4, _session.Contents("first").Length);
        Assert.Equal(_session.Contents("first"), _session.Contents("second"));
        Assert.Equal(_session.Contents("first"), _session.Contents("third"));
    }

    private string Copy(string name)
    {
        File.Copy(Session.Small, _session[name]);
        return name;
    }
}
