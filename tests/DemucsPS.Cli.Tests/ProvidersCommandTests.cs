using System.Text.Json;

namespace DemucsPS.Cli.Tests;

/// <summary>Execution providers of plug-in libraries, in the console.</summary>
public sealed class ProvidersCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private Dictionary<string, string?> Environment => new() { ["DEMUCSPS_PROVIDERS"] = _folder["providers"] };

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void One_is_installed_listed_with_what_keeps_it_from_running_and_removed()
    {
        ProviderArchive.Write(_folder["openvino.whl"], record: false);
        (int exitCode, string output, string error) = Run("providers", "install", "openvino", "--source", "openvino.whl");
        Assert.True(exitCode == 0, error);
        string library = _folder["providers", "openvino", ProviderArchive.LibraryName];
        Assert.Equal(library, output.Trim());
        Assert.StartsWith("warning: The package ", error, StringComparison.Ordinal);
        (exitCode, _, error) = Run("providers", "install", "openvino", "--source", "openvino.whl");
        Assert.Equal(1, exitCode);
        Assert.Matches(@"is already installed in .*Use --force to replace it\. \[ProviderWriteFailed\]", error);

        (exitCode, output, error) = Run("devices");
        Assert.True(exitCode == 0, error);
        Assert.Matches(@"(?m)^cpu +usable +CPU, \d+\.\d GB, CPUExecutionProvider 1\.", output);
        Assert.Contains($"openvino  no      The plug-in library '{library}' cannot be loaded", output, StringComparison.Ordinal);
        (_, output, _) = Run("devices", "--json");
        JsonElement device = output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Single(line => line.GetProperty("library").ValueKind == JsonValueKind.String);
        Assert.Equal(
            (library, "OpenVINO", false),
            (
                device.GetProperty("library").GetString(),
                device.GetProperty("executionProvider").GetString(),
                device.GetProperty("usable").GetBoolean()
            )
        );

        // Found by itself where it is asked for.
        File.Copy(RepositoryFiles.Song, _folder["a.wav"]);
        (exitCode, _, error) = Run("separate", "a.wav", "--execution-provider", "openvino");
        Assert.Equal(1, exitCode);
        Assert.Contains(library, error, StringComparison.Ordinal);
        Assert.Contains("[ProviderLibraryInvalid]", error, StringComparison.Ordinal);

        (exitCode, output, _) = Run("providers", "remove", "openvino");
        Assert.Equal((0, _folder["providers", "openvino"] + " removed"), (exitCode, output.Trim()));
        (exitCode, _, error) = Run("separate", "a.wav", "--execution-provider", "openvino");
        Assert.Equal(1, exitCode);
        Assert.Contains($"there is none in '{_folder["providers"]}'", error, StringComparison.Ordinal);
        const string Advice = "Use 'demucsps providers install' with --source FILE to install it.";
        Assert.Contains(Advice + " [ExecutionProviderUnavailable]", error, StringComparison.Ordinal);
        (_, output, _) = Run("devices");
        Assert.Matches($"(?m)^openvino +no .*{Advice}\r?$", output);
    }

    [Fact]
    public void A_track_is_separated_by_a_plug_in_library_and_goes_on_on_the_processor()
    {
        string library = TestProvider.Library();
        Random random = new(1);
        WavSamples.WriteFloat(_folder["a.wav"], [.. Enumerable.Range(0, 400_000).Select(_ => random.NextSingle() / 2 - 0.25f)]);
        string[] separate =
        [
            "separate",
            "a.wav",
            "--model",
            CliModels.Small,
            "--execution-provider",
            "plugin",
            "--provider-library",
            Path.GetRelativePath(_folder.Path, library),
        ];
        (int exitCode, string output, string error) = Run([.. separate, "--output", "by", "--json"]);
        Assert.True(exitCode == 0, error);
        Assert.Equal("Plugin", JsonDocument.Parse(output).RootElement.GetProperty("executionProvider").GetString());

        (exitCode, _, error) = Run([.. separate, "--output", "wrong", "--provider-option", "scale=1.01"]);
        Assert.Equal(1, exitCode);
        Assert.Matches(@"it agrees with the CPU to 40\.0 dB.*Use --skip-provider-check to use it anyway\. \[ProviderRefused\]", error);
        (exitCode, _, error) = Run([.. separate, "--output", "wrong", "--provider-option", "scale=1.01", "--skip-provider-check"]);
        Assert.True(exitCode == 0, error);

        (exitCode, _, error) = Run([.. separate, "--output", "out", "--provider-option", "fail=31"]);
        Assert.Equal(1, exitCode);
        Assert.Matches(
            @"of a\.wav could not be separated in 3 attempts\..*the device is gone.*Use --resume to continue\. \[ExecutionProviderFailed\]",
            error.ReplaceLineEndings(" ")
        );
        (exitCode, _, error) = Run("separate", "a.wav", "--model", CliModels.Small, "--output", "out", "--resume");
        Assert.True(exitCode == 0, error);
        Assert.Equal(
            File.ReadAllBytes(Path.Combine(_folder["by"], "small", "a", "bass.wav")),
            File.ReadAllBytes(Path.Combine(_folder["out"], "small", "a", "bass.wav"))
        );
    }

    [Theory]
    [InlineData("ParameterInvalid", "is not an option. Write options as", "--provider-option", "nothing")]
    [InlineData("ParameterInvalid", "was given before", "--provider-option", "a=1", "--provider-option", "a=2")]
    [InlineData("ParameterInvalid", "Choose the execution provider as well", "--provider-library", "a.so")]
    [InlineData("ParameterInvalid", "only available with the execution provider OpenVINO, not with Cpu", "--precision", "bfloat16")]
    public void What_does_not_go_together_is_refused(string error, string says, params string[] options)
    {
        File.Copy(RepositoryFiles.Song, _folder["a.wav"]);
        (int exitCode, _, string said) = Run(["separate", "a.wav", .. options]);
        Assert.Equal(2, exitCode);
        Assert.Contains(says, said, StringComparison.Ordinal);
        Assert.Contains($"[{error}]", said, StringComparison.Ordinal);
    }

    private (int ExitCode, string Output, string Error) Run(params string[] arguments) =>
        Demucsps.Run(_folder.Path, Environment, arguments);
}
