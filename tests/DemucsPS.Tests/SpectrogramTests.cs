namespace DemucsPS.Tests;

/// <summary><c>Export-Spectrogram</c> and <c>Show-Spectrogram</c>. What is in the pictures, the engine's tests see to.</summary>
public sealed class SpectrogramTests : IDisposable
{
    private const string Small = "-Width 300 -Height 400",
        Chunk = "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Select-Object -First 1",
        Segment = "-ChunkGrid -Segment (8192 / 44100)";

    private readonly Session _session = new();

    public SpectrogramTests() => _session.AddNoise("one.wav", 20000);

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData("'one.wav', 'o*.wav'", 1)]
    [LongInlineData("Get-Item one.wav", 1)]
    [InlineData("Import-AudioTrack one.wav", 1)]
    [LongInlineData(Chunk, 1)]
    [InlineData($"$c = {Chunk}; $c, ($c | ConvertTo-ChunkSpectrogram)", 2)]
    [LongInlineData($"{Chunk} | Invoke-DemucsChunk -Model $args[0]", 4)]
    [InlineData("Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] | Join-StemChunk", 4)]
    [InlineData("Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass, drums", 2)]
    public void All_that_comes_is_drawn_in_one_picture(string script, int panels)
    {
        ScriptRun run = _session.Run(
            $"$(&{{ {script} }} $args[0]) | Export-Spectrogram -DestinationPath all.png {Small} -PassThru -WhatIf; $all = $(&{{ {script} }} $args[0]) | Export-Spectrogram -DestinationPath all.png {Small} -PassThru; $all.Name".Replace(
                "Invoke-DemucsSeparation",
                "Invoke-DemucsSeparation -Force",
                StringComparison.Ordinal
            ),
            Session.Small
        );
        Assert.Equal(["all.png"], run.AssertNoErrors().Text);
        Assert.Matches(
            panels == 1
                ? @"^What if: .*""Draw the spectrogram of [^,]+"" on target .*all\.png"
                : $@"^What if: .*""Draw {panels} spectrograms of ([^,]+, ){{{panels - 1}}}[^,]+"" on target .*all\.png",
            Session.Host.Lines[0]
        );
        Assert.Equal([0x89, .. "PNG"u8], File.ReadAllBytes(_session["all.png"])[..4]);
    }

    [Fact]
    public void Stems_know_their_grid_from_their_provenance_also_as_files()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        ScriptRun run = _session.Run(
            $"Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass, drums -Overlap 0.25 -Shifts 2 -WarningAction Ignore | Export-Spectrogram -DestinationPath results.png {Small} {Segment} -Title x; Export-Spectrogram separated/small/one/bass.wav, separated/small/one/drums.wav files.png {Small} {Segment} -Title x; Export-Spectrogram separated/small/one/bass.wav, separated/small/one/drums.wav plain.png {Small} -Title x",
            Session.Small
        );
        run.AssertNoErrors();
        Assert.Empty(run.Warnings);
        byte[] results = File.ReadAllBytes(_session["results.png"]);
        Assert.Equal(results, File.ReadAllBytes(_session["files.png"]));
        Assert.NotEqual(results, File.ReadAllBytes(_session["plain.png"]));
        // Another length of chunks would give another number of them.
        ScriptRun wrong = _session.Run($"Export-Spectrogram separated/small/one/drums.wav wrong.png {Small} -ChunkGrid");
        Assert.Equal(["ParameterInvalid"], wrong.ErrorIds("ExportSpectrogramCommand"));
        Assert.DoesNotContain("wrong.png", _session.Files());
    }

    [Fact]
    public void A_picture_is_replaced_only_if_that_is_asked_for_and_none_is_drawn_of_a_part()
    {
        File.WriteAllText(_session["there.png"], "mine");
        Assert.Equal(
            "PictureExists,DemucsPS.Cmdlets.ExportSpectrogramCommand",
            _session.Run($"Export-Spectrogram one.wav there.png {Small}").Failure!.FullyQualifiedErrorId
        );
        Assert.Contains(
            "-Force",
            _session.Run($"Export-Spectrogram one.wav there.png {Small}").Failure!.ErrorDetails.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(
            "PictureWriteFailed,DemucsPS.Cmdlets.ExportSpectrogramCommand",
            _session.Run($"Export-Spectrogram one.wav none/a.png {Small}").Failure!.FullyQualifiedErrorId
        );
        Assert.Equal(
            "ParameterInvalid,DemucsPS.Cmdlets.ExportSpectrogramCommand",
            _session.Run("Export-Spectrogram one.wav a.jpg").Failure!.FullyQualifiedErrorId
        );
        Assert.Equal(
            "ParameterInvalid,DemucsPS.Cmdlets.ExportSpectrogramCommand",
            _session.Run("Export-Spectrogram one.wav a.png -FrameSize 1000").Failure!.FullyQualifiedErrorId
        );
        ScriptRun part = _session.Run($"'one.wav', 'none.wav' | Export-Spectrogram -DestinationPath there.png -Force {Small}");
        Assert.Equal(["AudioTrackNotFound"], part.ErrorIds("ExportSpectrogramCommand"));
        Assert.Equal(
            ["ParameterInvalid"],
            _session.Run($"1 | Export-Spectrogram -DestinationPath there.png -Force {Small}").ErrorIds("ExportSpectrogramCommand")
        );
        Assert.Equal("mine", File.ReadAllText(_session["there.png"]));
        _session.Run($"Export-Spectrogram one.wav there.png -Force {Small}").AssertNoErrors();
        Assert.NotEqual("mine", File.ReadAllText(_session["there.png"]));
        Assert.Equal(["one.wav", "there.png"], _session.Files());
    }

    [Fact]
    public void A_picture_for_the_terminal_goes_to_the_host_and_only_there()
    {
        ScriptRun run = _session.Run($"Show-Spectrogram one.wav {Small} -Force");
        Assert.Empty(run.AssertNoErrors().Output);
        string shown = Assert.Single(Session.Host.Lines);
        Assert.StartsWith("\eP0;1q\"1;1;300;400#0;2;", shown, StringComparison.Ordinal);
        Assert.EndsWith("\e\\" + Environment.NewLine, shown, StringComparison.Ordinal);
        Assert.SkipUnless(Console.IsOutputRedirected, "These tests run in a terminal, which would be asked.");
        ScriptRun refused = _session.Run($"Show-Spectrogram one.wav {Small}");
        Assert.Equal("SixelUnsupported,DemucsPS.Cmdlets.ShowSpectrogramCommand", refused.Failure!.FullyQualifiedErrorId);
        Assert.Contains("Export-Spectrogram", refused.Failure.Exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\e[?62;4;22c", null)]
    [InlineData("x\e[?4c", null)]
    [InlineData("\e[?64;14;40;22c", "the terminal does not support Sixel")]
    [InlineData("\e[?62;4", "the terminal did not report its features")]
    [InlineData("", "the terminal did not report its features")]
    public void A_terminal_is_believed(string answer, string? refusal)
    {
        Queue<char> keys = new(answer + (answer.EndsWith('c') ? "typed later" : ""));
        string read = SixelTerminal.Read(
            () => keys.Count > 0 ? keys.Dequeue() : null,
            TimeSpan.FromMilliseconds(answer.EndsWith('c') ? 60_000 : 50)
        );
        Assert.Equal(answer, read);
        Assert.Equal(refusal, SixelTerminal.RefusalOf(read));
    }
}
