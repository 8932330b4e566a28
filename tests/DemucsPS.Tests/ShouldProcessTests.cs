using System.Management.Automation;
using System.Reflection;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Models;

namespace DemucsPS.Tests;

/// <summary>What is asked before something is done, and what is done after each answer.</summary>
public sealed class ShouldProcessTests : IDisposable
{
    private const string Export =
        "Import-AudioTrack one.wav, two.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] | Join-StemChunk | Export-Stem";

    private readonly Session _session = new();

    public ShouldProcessTests()
    {
        _session.AddNoise("one.wav", 9000);
        _session.AddNoise("two.wav", 9000);
        _session.AddCatalog();
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void The_commands_that_change_something_ask() =>
        Assert.Equal(
            [
                "DemucsJob",
                "DemucsJob",
                "DemucsModel",
                "DemucsModel",
                "DemucsModel",
                "DemucsProvider",
                "DemucsProvider",
                "DemucsSeparation",
                "OnnxModel",
                "Spectrogram",
                "Stem",
                "StemPlayer",
                "StemQuality",
            ],
            typeof(Cmdlets.ExportStemCommand)
                .Assembly.GetTypes()
                .Select(t => t.GetCustomAttribute<CmdletAttribute>())
                .Where(a => a is { SupportsShouldProcess: true })
                .Select(a => a!.NounName)
                .Order()
        );

    [Theory]
    [InlineData(
        "Invoke-DemucsSeparation one.wav, two.wav -Model $args[0]",
        @"^What if: .*""Separate \(2 chunks, 0\.2 MB to write: drums\.wav, bass\.wav, other\.wav, vocals\.wav in .*"".*one\.wav",
        @"two\.wav"
    )]
    [InlineData(
        Export,
        @"^What if: .*""Write stems \(0\.2 MB to write: drums\.wav, bass\.wav, other\.wav, vocals\.wav in .*one\.wav",
        @"two\.wav"
    )]
    [InlineData(
        "Install-DemucsModel tiny, other -Source $args[0]",
        @"^What if: .*""Install tiny from '.*', 0 MB; its license notice must be accepted first \(-AcceptLicense\): Only for tests\.""",
        @"Install other from"
    )]
    [InlineData("Remove-DemucsModel mine, yours", @"^What if: .*""Remove the model with all files .*mine""", @"yours")]
    [InlineData(
        "Install-DemucsProvider OpenVINO openvino.whl; Remove-DemucsProvider OpenVINO",
        @"^What if: .*""Install OpenVINO from '.*openvino\.whl' \(3 files, 0 MB\)"".*openvino""",
        @"Remove the execution provider"
    )]
    [InlineData(
        "Submit-DemucsJob one.wav, two.wav -JobPath job, again -Model $args[0] -Program one.wav -RealTimeFactor 1000 -TaskLength 00:03:00 -NoSubmit",
        @"^What if: .*""Create a job \(2 tracks, 0\.0 hours of audio, 2 tasks of 0:03:24 to 0:03:24 at 1000 s of work per second of audio \(given\), time limit 0:16:00\)"".*job""\.",
        @"again""\."
    )]
    public void WhatIf_tells_of_each_thing_and_changes_nothing(string script, string first, string second)
    {
        foreach (string name in (string[])["mine", "yours"])
        {
            Directory.CreateDirectory(_session["models", name]);
            File.Copy(Session.Small, _session["models", name, "any.onnx"]);
        }
        ProviderArchive.Write(_session["openvino.whl"]);
        script = script.Replace("openvino.whl;", "openvino.whl -WhatIf;", StringComparison.Ordinal);
        string[] before = _session.Files();
        Assert.Empty(_session.Run($"{script} -WhatIf", Session.Small).AssertNoErrors().Output);
        Assert.Equal(2, Session.Host.Lines.Count);
        Assert.Matches(first, Session.Host.Lines[0]);
        Assert.Matches(second, Session.Host.Lines[1]);
        Assert.Equal(before, _session.Files());
        // The same for the whole session.
        Assert.Empty(_session.Run($"$WhatIfPreference = $true; {script}", Session.Small).AssertNoErrors().Output);
        Assert.Equal(4, Session.Host.Lines.Count);
        Assert.Equal(before, _session.Files());
        Assert.Empty(Session.Host.Questions);
    }

    [Fact]
    public void Weights_are_converted_when_that_is_confirmed_and_replaced_when_that_is_asked_for()
    {
        File.Copy(
            Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "official", "models", "little.safetensors"),
            _session["little.safetensors"]
        );
        string[] before = _session.Files();
        Assert.Empty(_session.Run("ConvertTo-OnnxModel little.safetensors . -WhatIf").AssertNoErrors().Output);
        Assert.Matches(
            @"^What if: .*""Write the graph of '.*little\.safetensors' as an ONNX model"".*little\.onnx",
            Session.Host.Lines.Single()
        );
        Assert.Equal(before, _session.Files());
        Assert.Equal(
            _session["little.onnx"],
            _session.Run("ConvertTo-OnnxModel little.safetensors .").AssertNoErrors().Single<FileInfo>().FullName
        );
        ErrorRecord taken = Assert.Single(_session.Run("ConvertTo-OnnxModel little.safetensors little.onnx").Errors);
        Assert.Equal("ModelWriteFailed,DemucsPS.Cmdlets.ConvertToOnnxModelCommand", taken.FullyQualifiedErrorId);
        Assert.Contains("-Force", taken.ToString(), StringComparison.Ordinal);
        _session.Run("ConvertTo-OnnxModel little.safetensors little.onnx -Force").AssertNoErrors();
    }

    [Theory]
    [InlineData("Invoke-DemucsSeparation one.wav, two.wav -Model $args[0] -Confirm")]
    [InlineData($"{Export} -PassThru -Confirm")]
    public void Confirm_asks_for_each_track_and_does_what_is_answered(string script)
    {
        Session.Host.Answer("No", "Yes");
        Assert.NotEmpty(_session.Run(script, Session.Small).AssertNoErrors().Output);
        Assert.Equal(2, Session.Host.Questions.Count);
        Assert.Contains("one.wav", Session.Host.Questions[0], StringComparison.Ordinal);
        Assert.Contains("two.wav", Session.Host.Questions[1], StringComparison.Ordinal);
        Assert.Empty(_session.Files("separated/small/one/"));
        Assert.NotEmpty(_session.Files("separated/small/two/"));
    }

    [Theory]
    [InlineData("Yes to All", 2)]
    [InlineData("No to All", 0)]
    public void An_answer_for_all_is_asked_for_once(string answer, int separated)
    {
        Session.Host.Answer(answer);
        Assert.Equal(
            separated,
            _session.Run("Invoke-DemucsSeparation one.wav, two.wav -Model $args[0] -Confirm", Session.Small).All<SeparationResult>().Length
        );
        Assert.Single(Session.Host.Questions);
    }

    [Fact]
    public void WhatIf_says_what_the_run_would_skip_or_refuse()
    {
        _session.Run("Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass", Session.Small).AssertNoErrors();
        Assert.Empty(
            _session
                .Run("Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass -SkipExisting -WhatIf", Session.Small)
                .AssertNoErrors()
                .Output
        );
        Assert.Contains("Skip (already there, unchanged: bass.wav in ", Assert.Single(Session.Host.Lines), StringComparison.Ordinal);
        Assert.Equal(
            ["StemExists"],
            _session
                .Run("Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass -WhatIf", Session.Small)
                .ErrorIds("InvokeDemucsSeparationCommand")
        );
        Assert.Equal(
            ["StemExists"],
            _session
                .Run(
                    "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] -Stem bass | Join-StemChunk | Export-Stem -WhatIf",
                    Session.Small
                )
                .ErrorIds("ExportStemCommand")
        );
        Assert.Single(Session.Host.Lines);
    }

    [Fact]
    public void A_license_notice_is_accepted_by_a_parameter_or_by_an_answer()
    {
        Session.Host.Answer("No", "Yes");
        ScriptRun run = _session.Run("Install-DemucsModel tiny, other -Source $args[0] -NoPreparation", Session.Small);
        Assert.Equal(["LicenseNotAccepted"], run.ErrorIds("InstallDemucsModelCommand"));
        Assert.Equal(("tiny", ErrorCategory.PermissionDenied), (run.Errors[0].TargetObject, run.Errors[0].CategoryInfo.Category));
        Assert.Equal("other", Assert.IsType<ModelInfo>(Assert.Single(run.Output)).Name);
        Assert.All(Session.Host.Questions, q => Assert.Contains("Only for tests.", q, StringComparison.Ordinal));
        Assert.Equal(2, Session.Host.Questions.Count);
        Assert.True(
            _session
                .Run("Install-DemucsModel tiny -Source $args[0] -NoPreparation -AcceptLicense", Session.Small)
                .Single<ModelInfo>()
                .Verified
        );
        Assert.Equal(2, Session.Host.Questions.Count);
    }

    [Fact]
    public void What_is_installed_is_neither_asked_for_nor_fetched_again()
    {
        ModelInfo first = _session
            .Run("Install-DemucsModel tiny -Source $args[0] -NoPreparation -AcceptLicense", Session.Small)
            .Single<ModelInfo>();
        // There is no such server.
        ScriptRun again = _session.Run("Install-DemucsModel tiny -Verbose");
        Assert.Equal(first.InstalledAt, again.Single<ModelInfo>().InstalledAt);
        Assert.Contains("tiny is installed already.", again.Verbose);
        Assert.Empty(Session.Host.Questions);
    }

    [Fact]
    public void Where_nobody_answers_the_parameter_is_named_and_nothing_is_installed()
    {
        ScriptRun run = _session.Run("Install-DemucsModel tiny, other -Source $args[0]", Session.Small);
        run.AssertFailed("LicenseNotAccepted,DemucsPS.Cmdlets.InstallDemucsModelCommand");
        Assert.Contains("-AcceptLicense", run.Failure!.ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Single(Session.Host.Questions);
        Assert.Empty(_session.Files("models/"));
    }

    [Fact]
    public void A_removed_model_goes_with_its_prepared_copies_and_the_cache_can_be_emptied()
    {
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "normalizing.onnx"), _session["own.onnx"]);
        _session.Run("Install-DemucsModel mine -Source own.onnx", Session.Small).Single<ModelInfo>();
        Assert.Equal(
            "1",
            Assert.Single(_session.Run("@(Get-DemucsModel -Cache | Where-Object Model -EQ mine).Count").AssertNoErrors().Text)
        );
        Session.Host.Answer("No", "Yes");
        Assert.Empty(_session.Run("Remove-DemucsModel mine -Confirm; Remove-DemucsModel mine -Confirm").AssertNoErrors().Output);
        Assert.Empty(_session.Files("models/mine/"));
        Assert.Empty(_session.Run("Get-DemucsModel -Cache | Where-Object Model -EQ mine").AssertNoErrors().Output);
        _session.Run("$null = Test-DemucsModel -Path own.onnx; Remove-DemucsModel -Cache").AssertNoErrors();
        Assert.Empty(_session.Run("Get-DemucsModel -Cache").AssertNoErrors().Output);
    }
}
