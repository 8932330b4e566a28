using System.IO.Compression;

namespace DemucsPS.Tests;

/// <summary>Execution providers of plug-in libraries, as cmdlets take them.</summary>
public sealed class ProviderTests : IDisposable
{
    private const string Separate =
        "Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass -Force -ExecutionProvider Plugin -ProviderLibrary ./provider.so";

    private readonly Session _session = new();

    public ProviderTests()
    {
        _session.AddNoise("one.wav", 9000);
        File.Copy(TestProvider.Library(), _session["provider.so"]);
    }

    public void Dispose() => _session.Dispose();

    [Fact]
    public void A_library_is_found_from_the_sessions_location_and_gets_its_options()
    {
        Assert.Equal("Plugin", _session.Run($"({Separate}).ExecutionProvider", Session.Small).AssertNoErrors().Text[0]);
        _session
            .Run($"{Separate} -ProviderOption @{{ scale = 1.01 }}", Session.Small)
            .AssertFailed("ProviderRefused,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand");
        Assert.Single(
            _session.Run($"{Separate} -ProviderOption @{{ scale = 1.01 }} -SkipProviderCheck", Session.Small).AssertNoErrors().Output
        );
        _session
            .Run($"{Separate} -ProviderOption @{{ device = 'GPU' }}", Session.Small)
            .AssertFailed("ExecutionProviderUnavailable,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand");
        Assert.Equal(
            ["Plugin"],
            _session
                .Run(
                    "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Select-Object -First 1 | Invoke-DemucsChunk -Model $args[0] -Stem bass -ExecutionProvider Plugin -ProviderLibrary provider.so | ForEach-Object ExecutionProvider",
                    Session.Small
                )
                .AssertNoErrors()
                .Text
        );
        // The whole stems differ from the processor's by nothing.
        Assert.Equal(
            [double.PositiveInfinity],
            _session
                .Run("(Test-DemucsModel -Path $args[0] -ExecutionProvider Plugin -ProviderLibrary provider.so).DifferenceDb", Session.Small)
                .AssertNoErrors()
                .All<double>()
        );
    }

    /// <summary>OpenVINO's own library, as its maker publishes it, where it lies beside the checkout and the processor is Intel's.</summary>
    [Fact]
    public void OpenVINO_is_used_in_two_runspaces()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        string wheels = Path.Combine(RepositoryFiles.Root, "..", "shared", "providers");
        string? wheel = Directory.Exists(wheels) && OperatingSystem.IsLinux()
            ? Directory.GetFiles(wheels, "onnxruntime_ep_openvino-*.whl").FirstOrDefault()
            : null;
        Assert.SkipWhen(wheel is null, $"There is no wheel of OpenVINO's plug-in library in '{wheels}'.");
        // A wheel is a zip.
        ZipFile.ExtractToDirectory(wheel!, _session["wheel"]);
        string library = Directory
            .GetFiles(_session["wheel"], "libonnxruntime_providers_openvino_plugin.so", SearchOption.AllDirectories)
            .Single();
        Assert.SkipUnless(
            _session.Run("(Get-DemucsDevice $args[0] | Where-Object Library -EQ $args[0]).Usable", library).AssertNoErrors().Text is ["True"],
            "This processor is not of Intel, and OpenVINO's plug-in library takes no other."
        );
        string script =
            $"(Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass -Force -ExecutionProvider OpenVINO -ProviderLibrary '{library}').ExecutionProvider";
        Assert.Equal(["OpenVINO"], _session.Run(script, Session.Small).AssertNoErrors().Text);
        using Session other = new(own: true);
        other.AddNoise("one.wav", 9000);
        Assert.Equal(["OpenVINO"], other.Run(script, Session.Small).AssertNoErrors().Text);
        Assert.Equal(["OpenVINO"], _session.Run(script, Session.Small).AssertNoErrors().Text);
    }

    [Fact]
    public void A_second_runspace_uses_the_same_library()
    {
        string library = _session["provider.so"];
        Assert.Single(_session.Run(Separate, Session.Small).AssertNoErrors().Output);
        using Session other = new(own: true);
        other.AddNoise("one.wav", 9000);
        string script = Separate.Replace("./provider.so", library, StringComparison.Ordinal);
        Assert.Single(other.Run(script, Session.Small).AssertNoErrors().Output);
        Assert.Single(
            _session.Run(Separate.Replace("./provider.so", library, StringComparison.Ordinal), Session.Small).AssertNoErrors().Output
        );
        Assert.Equal(
            ["True"],
            other.Run("(Get-DemucsDevice $args[0] | Where-Object Library -EQ $args[0]).Usable", library).AssertNoErrors().Text
        );
    }
}
