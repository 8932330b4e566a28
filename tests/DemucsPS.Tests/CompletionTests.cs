using System.Management.Automation;
using System.Reflection;
using System.Runtime.InteropServices;

namespace DemucsPS.Tests;

/// <summary>What the Tab key offers.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly Session _session = new();

    public CompletionTests() => _session.AddCatalog();

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData("Invoke-DemucsSeparation -Stem ", "drums", "bass", "other", "vocals", "guitar", "piano")]
    [InlineData("Invoke-DemucsChunk -Stem V", "vocals")]
    [InlineData("Export-Stem -TwoStems 'b", "bass")]
    [InlineData("Export-Stem -TwoStemsMethod m", "Minus")]
    [InlineData("Export-Stem -Format ", "Aac", "Alac", "Flac", "Mp3", "Opus", "StemMp4", "Wav")]
    [InlineData("Export-Stem -BitDepth ", "16", "24", "32")]
    [InlineData("Export-Stem -Clip cl", "Clamp")]
    [InlineData("Invoke-DemucsSeparation -Precision i", "Int8")]
    [InlineData("Invoke-DemucsSeparation -ExecutionProvider c", "CoreML", "Cpu", "Cuda")]
    [InlineData("Invoke-DemucsSeparation -ChannelLayout p", "Pairs")]
    [InlineData("Import-AudioTrack -LateStart c", "Cut")]
    [InlineData("Import-AudioTrack -OnDamage ", "Fail", "Warn")]
    [InlineData("Export-Stem -FileNameTemplate '{artist}/{t", "'{artist}/{title}'", "'{artist}/{track}'")]
    [InlineData("Get-DemucsModel ti", "tiny")]
    [InlineData("Invoke-DemucsSeparation -Model pa", "pair")]
    [InlineData("Import-AudioTrack -Pat", "-Path")]
    public void Completes(string line, params string[] expected) =>
        Assert.Equal(expected, _session.Complete(line).Select(m => m.CompletionText));

    [Fact]
    public void Offers_of_models_what_can_be_done_with_them()
    {
        string[] Offered(string command) =>
            [.. _session.Complete($"{command} ").Select(m => m.CompletionText).Where(n => n is "tiny" or "other" or "baseline")];
        Assert.Equal(["tiny", "other"], Offered("Install-DemucsModel"));
        Assert.Empty(Offered("Remove-DemucsModel"));
        _session.Run("Install-DemucsModel other -Source $args[0] -AcceptLicense -NoPreparation", Session.Small).AssertNoErrors();
        Assert.Equal(["tiny"], Offered("Install-DemucsModel"));
        Assert.Equal(["other"], Offered("Remove-DemucsModel"));
        Assert.Equal(["baseline", "other"], Offered("Test-DemucsModel"));
        // What can be used comes first.
        Assert.Equal(["baseline", "other", "tiny"], Offered("Get-DemucsModel"));
        Assert.Equal("not installed; your own model", _session.Complete("Get-DemucsModel ti").Single().ToolTip);
    }

    [Fact]
    public void Offers_model_files_and_folders_that_have_some()
    {
        foreach (
            string name in (string[])
                [
                    "model.onnx",
                    "model.ort",
                    "model.safetensors",
                    "model.txt",
                    "model.yaml",
                    "model.0123456789abcdef.prepared.onnx",
                    "m [1]/x.onnx",
                    "m2/below/more/x.ort",
                    "m4/songs/x.wav",
                    "m5/x.onnx.data",
                ]
        )
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_session[name])!);
            File.WriteAllText(_session[name], "");
        }
        Directory.CreateDirectory(_session["m3"]);
        Assert.Equal(
            ["m [1]", "m2", "model.onnx", "model.ort", "model.safetensors", "model.yaml"],
            _session.Complete("Invoke-DemucsSeparation -Model ./m").Select(m => m.ListItemText)
        );
        Assert.Equal(["below"], _session.Complete("Invoke-DemucsChunk -Model ./m2/").Select(m => m.ListItemText));
    }

    [Fact]
    public void Offers_nothing_where_the_catalog_cannot_be_read()
    {
        File.WriteAllText(_session["catalog.json"], "{");
        Assert.DoesNotContain(_session.Complete("Get-DemucsModel b"), m => m.ResultType == CompletionResultType.ParameterValue);
    }

    /// <summary>The console program's own script; it asks the built program.</summary>
    [Fact]
    public void The_console_programs_script_completes_its_command_line()
    {
        string configuration = typeof(CompletionTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        string program = Path.Combine(
            RepositoryFiles.Root,
            "src",
            "DemucsPS.Cli",
            "bin",
            configuration,
            "net10.0",
            OperatingSystem.IsWindows() ? "demucsps.exe" : "demucsps"
        );
        // The .NET that runs this, wherever it is.
        Environment.SetEnvironmentVariable(
            "DOTNET_ROOT",
            Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."))
        );
        Directory.CreateDirectory(_session["my songs"]);
        File.WriteAllText(_session["my songs", "a $(b).wav"], "");
        _session
            .Run("Set-StrictMode -Version Latest; & $args[0] completion pwsh | Out-String | Invoke-Expression", program)
            .AssertNoErrors();

        Assert.Equal(["models"], Completed("mod"));
        Assert.Equal(["tiny"], Completed("models install ti"));
        Assert.Equal(["--format=flac"], Completed("separate --format=fl"));
        // Of a list, what is behind the comma.
        Assert.Equal(["drums"], Completed("separate --stem vocals,d"));
        Assert.Equal(["'{artist}/{stem}'"], Completed("separate --file-name-template '{artist}/{st"));
        Assert.Equal([Path.Combine(".", "my songs")], Completed("separate --output my").Select(text => text.Trim('\'')));
        Assert.Equal([$"'{Path.Combine(".", "my songs", "a $(b).wav")}'"], Completed("separate 'my songs/"));
        Assert.Equal(["tiny"], Completed("separate --model t"));

        IEnumerable<string> Completed(string words) => _session.Complete($"{program} {words}").Select(match => match.CompletionText);
    }
}
