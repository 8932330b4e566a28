using System.Management.Automation;
using System.Reflection;
using System.Xml.Linq;
using DemucsPS.Cmdlets;
using DemucsPS.Engine;

namespace DemucsPS.Tests;

/// <summary>What the module brings into a session: commands, the types that they give, and how those are shown.</summary>
public sealed class ModuleTests : IDisposable
{
    // Of no cluster: a folder for one.
    private const string Job = "Submit-DemucsJob one.wav -JobPath job -NoSubmit -Program ([Environment]::ProcessPath) -RealTimeFactor 1";

    /// <summary>A script for each type of object that comes out, by the command that gives it, and what is shown of one.</summary>
    private static readonly (string Command, string Script, string Shown)[] s_objects =
    [
        ("Import-AudioTrack", "Import-AudioTrack one.wav", @"one\.wav +0:00:00 +PCM 16 bit, 44100 Hz +2 +0\.0"),
        ("Split-AudioChunk", "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192", @"one\.wav +1 +3 +0:00:00\.1 +0:00:00\.1 +0\.05"),
        (
            "ConvertTo-ChunkSpectrogram",
            "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | ConvertTo-ChunkSpectrogram",
            @"one\.wav +0 +0:00:00\.0 +2048 +8 +10\.77 +23\.2 +False"
        ),
        (
            "ConvertFrom-ChunkSpectrogram",
            "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | ConvertTo-ChunkSpectrogram | ConvertFrom-ChunkSpectrogram",
            @"one\.wav +0 +0:00:00\.0 +0:00:00\.1 +-\d+\.\d"
        ),
        (
            "Invoke-DemucsChunk",
            "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0]",
            @"one\.wav +1 +0:00:00\.1 +drums +small +-0\.0 +-4\.\d +\d+\.\d\d s +1\b"
        ),
        (
            "Join-StemChunk",
            "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] | Where-Object { $_.Chunk.Index -ne 2 } | Join-StemChunk -Force",
            @"one\.wav +bass +small +0:00:00 +6\.0 +2\b"
        ),
        (
            "Export-Stem",
            "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] | Join-StemChunk | Export-Stem -PassThru",
            @"\d+ +drums\.wav"
        ),
        (
            "Invoke-DemucsSeparation",
            "Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass, drums",
            @"one\.wav +small +0:00:00 +0:0\d:\d\d +3 +bass, drums"
        ),
        (
            "Test-DemucsSeparation",
            "$null = Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass; Test-DemucsSeparation separated/small/one",
            @"one\.wav +small +True +bass: Intact"
        ),
        (
            "Show-StemPlayer",
            "$null = Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass; Show-StemPlayer separated -PassThru",
            @"one +0:00:00 +True +Embedded +bass +player\.html"
        ),
        ("Get-DemucsModel", "Get-DemucsModel baseline", @"baseline +built in +split +7\.8 s +drums, bass, other, vocals"),
        (
            "Get-DemucsModel",
            "$null = Test-DemucsModel -Path normalizing.onnx; Get-DemucsModel -Cache",
            @"normalizing +Full +Cpu +\d+ +\d{4}-\d\d-\d\d \d\d:\d\d +\S+\.prepared\.onnx"
        ),
        ("Get-DemucsDevice", "Get-DemucsDevice | Select-Object -First 1", @"Cpu +True +CPU +\d+\.\d +1\.\d+"),
        (
            "Install-DemucsProvider",
            "Install-DemucsProvider OpenVINO openvino.whl; Remove-DemucsProvider OpenVINO",
            @"OpenVINO +False +The plug-in library"
        ),
        (
            "Install-DemucsModel",
            "Install-DemucsModel tiny -Source $args[0] -AcceptLicense",
            @"tiny +verified +0 +0\.2 s +drums, bass, other, vocals"
        ),
        ("ConvertTo-OnnxModel", "ConvertTo-OnnxModel little.safetensors little.onnx", @"\d+ +little\.onnx"),
        ("Export-Spectrogram", "Export-Spectrogram one.wav one.png -Width 300 -Height 200 -PassThru", @"\d+ +one\.png"),
        (
            "Measure-StemQuality",
            "$null = New-Item -ItemType Directory true, made; Copy-Item one.wav true/bass.wav; Copy-Item one.wav made/bass.wav; Measure-StemQuality made true -Metric NSdr",
            @"made +\d\d\d?\.\d\d"
        ),
        ("Compare-DemucsModel", "Compare-DemucsModel one.wav -Model $args[0] -NoPlayer", @"one +small, overlap 0\.05 +\d+\.\d +\d+ MB"),
        ("Submit-DemucsJob", Job, @"Prepared +1 +0 +0"),
        ("Get-DemucsJob", $"{Job} | Get-DemucsJob", @"Prepared +1 +0 +0"),
        ("Wait-DemucsJob", $"{Job} | Wait-DemucsJob", @"Prepared +1 +0 +0"),
        ("Stop-DemucsJob", $"{Job} | Stop-DemucsJob", @"Prepared +1 +0 +0"),
        ("Receive-DemucsJob", $"{Job} | Receive-DemucsJob", @"one\.wav +Missing|Missing +.*one\.wav"),
        ("Test-DemucsModel", "Test-DemucsModel -Path normalizing.onnx", @"normalizing +True +not known +\d+\.\d s +\d+ +\d+ dB +none"),
    ];

    private readonly Session _session = new();

    public static TheoryData<int, string> Objects => [.. s_objects.Select((o, i) => (i, o.Command))];

    private static IEnumerable<Type> Cmdlets =>
        typeof(ImportAudioTrackCommand).Assembly.GetTypes().Where(t => t.GetCustomAttribute<CmdletAttribute>() is not null);

    public void Dispose() => _session.Dispose();

    [Fact]
    public void Exactly_the_manifests_commands_are_exported_and_they_are_all_that_there_are()
    {
        string[] manifest =
        [
            .. _session.Run("(Import-PowerShellDataFile $args[0]).CmdletsToExport", Session.Manifest).All<string>().Order(),
        ];
        Assert.Equal(manifest, _session.Run("(Get-Command -Module DemucsPS | Sort-Object Name).Name").All<string>());
        Assert.Equal(
            manifest,
            Cmdlets.Select(t => t.GetCustomAttribute<CmdletAttribute>()!).Select(a => $"{a.VerbName}-{a.NounName}").Order()
        );
        Assert.Equal(
            ["0", "0", "0"],
            _session
                .Run("$m = Get-Module DemucsPS; $m.ExportedAliases.Count, $m.ExportedFunctions.Count, $m.ExportedVariables.Count")
                .AssertNoErrors()
                .Text
        );
        Assert.Empty(
            _session.Run("$known = (Get-Verb).Verb; Get-Command -Module DemucsPS | Where-Object Verb -NotIn $known").AssertNoErrors().Output
        );
    }

    [Fact]
    public void The_manifest_has_the_assemblies_version_and_asks_for_this_PowerShell_or_an_older_one()
    {
        object[] said = _session
            .Run("$m = Get-Module DemucsPS; $m.Version, $m.PowerShellVersion, $PSVersionTable.PSVersion")
            .AssertNoErrors()
            .Output;
        Assert.Equal(typeof(ImportAudioTrackCommand).Assembly.GetName().Version!.ToString(3), said[0].ToString());
        Assert.True((Version)said[1] <= new Version(((SemanticVersion)said[2]).Major, ((SemanticVersion)said[2]).Minor));
    }

    [Theory]
    [MemberData(nameof(Objects))]
    public void What_comes_out_is_of_the_declared_type_and_shown_in_a_table(int index, string command)
    {
        (_, string script, string shown) = s_objects[index];
        _session.AddNoise("one.wav", 22000);
        _session.AddCatalog();
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "normalizing.onnx"), _session["normalizing.onnx"]);
        File.Copy(
            Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "official", "models", "little.safetensors"),
            _session["little.safetensors"]
        );
        ProviderArchive.Write(_session["openvino.whl"]);
        object[] output = _session.Run(script, Session.Small).AssertNoErrors().Output;
        Assert.NotEmpty(output);
        string[] declared = _session.Run("(Get-Command $args[0]).OutputType.Name", command).All<string>();
        Assert.All(output, o => Assert.Contains(o.GetType().FullName, declared));
        string table = _session.Run("$args[0] | Out-String -Width 250", (object)output).Single<string>();
        Assert.True(System.Text.RegularExpressions.Regex.IsMatch(table, shown), table);
        Assert.DoesNotContain("DemucsPS.Engine", table, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_declared_type_of_ours_is_given_somewhere_above_and_has_a_view()
    {
        string[] declared =
        [
            .. _session
                .Run("(Get-Command -Module DemucsPS).OutputType.Name")
                .All<string>()
                .Distinct()
                .Where(n => n.StartsWith("DemucsPS.", StringComparison.Ordinal)),
        ];
        XDocument views = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "DemucsPS.Format.ps1xml"));
        string[] viewed = [.. views.Descendants("TypeName").Select(n => n.Value)];
        Assert.Empty(declared.Except(viewed));
        Assert.All(viewed, name => Assert.NotNull(typeof(DemucsError).Assembly.GetType(name)));
        Assert.Empty(
            _session
                .Run("(Get-Command -Module DemucsPS).Name")
                .All<string>()
                .Except([.. s_objects.Select(o => o.Command), "Remove-DemucsModel", "Remove-DemucsProvider", "Show-Spectrogram"])
        );
        Assert.All(views.Descendants("TableControl"), t =>
            Assert.Equal(t.Descendants("TableColumnHeader").Count(), t.Descendants("TableColumnItem").Count())
        );
    }

    [Fact]
    public void Columns_name_properties_that_the_type_has()
    {
        foreach (XElement view in XDocument.Load(Path.Combine(AppContext.BaseDirectory, "DemucsPS.Format.ps1xml")).Descendants("View"))
        {
            Type type = typeof(DemucsError).Assembly.GetType(view.Descendants("TypeName").Single().Value)!;
            Assert.All(view.Descendants("PropertyName"), name => Assert.NotNull(type.GetProperty(name.Value)));
        }
    }

    [Fact]
    public void Parts_of_results_have_tables_of_their_own()
    {
        _session.AddNoise("one.wav", 9000);
        Assert.Matches(
            @"bass +-?\d+\.\d +.*bass\.wav",
            _session
                .Run("(Invoke-DemucsSeparation one.wav -Model $args[0] -Stem bass).Stems | Out-String -Width 250", Session.Small)
                .Single<string>()
        );
        File.Copy(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "normalizing.onnx"), _session["own.onnx"]);
        Assert.Matches(
            @"MostlySilence +-?\d+\.\d +-?\d+\.\d +-?\d+\.\d",
            _session.Run("(Test-DemucsModel -Path own.onnx).Preparation | Out-String -Width 250").Single<string>()
        );
    }

    [Fact]
    public void Tables_have_points_in_numbers_whatever_the_language()
    {
        _session.AddNoise("one.wav", 22000);
        string[] said = _session
            .Run(
                """
                [cultureinfo]::CurrentCulture = 'de-DE'
                try {
                    1.5.ToString()
                    $track = Import-AudioTrack one.wav
                    $chunks = $track | Split-AudioChunk -Length 8192
                    $track, $chunks, ($chunks | ConvertTo-ChunkSpectrogram), ($chunks | Invoke-DemucsChunk -Model $args[0]), (Get-DemucsModel) | ForEach-Object { $_ | Out-String -Width 250 }
                }
                finally { [cultureinfo]::CurrentCulture = '' }
                """,
                Session.Small
            )
            .All<string>();
        Assert.Equal("1,5", said[0]);
        Assert.Equal(6, said.Length);
        Assert.All(said[1..], text => Assert.DoesNotMatch(@"\d,\d", text));
    }

    [Fact]
    public void No_parameter_has_two_meanings()
    {
        // A chunk is a chunk whatever it is of.
        string Kind(Type type) =>
            (type.GetElementType() ?? type).Namespace == "DemucsPS.Engine.Tracks" ? "an object of a stage" : type.ToString();
        IGrouping<string, PropertyInfo>[] names =
        [
            .. Cmdlets
                .SelectMany(t => t.GetProperties())
                .Where(p => p.GetCustomAttribute<ParameterAttribute>() is not null)
                .GroupBy(p => p.Name),
        ];
        Assert.True(names.Length > 20);
        Assert.All(names, n => Assert.Single(n.Select(p => Kind(p.PropertyType)).Distinct()));
    }
}
