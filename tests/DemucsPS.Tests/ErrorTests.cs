using System.Management.Automation;
using System.Text.RegularExpressions;
using DemucsPS.Engine;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Records;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Tests;

/// <summary>What goes wrong: under which name, of what kind, of which thing, and whether the rest goes on.</summary>
public sealed class ErrorTests : IDisposable
{
    private readonly Session _session = new();

    public static TheoryData<DemucsError> Errors => [.. Enum.GetValues<DemucsError>()];

    public static TheoryData<Remedy> Remedies => [.. Enum.GetValues<Remedy>()];

    public void Dispose() => _session.Dispose();

    [Theory]
    [MemberData(nameof(Errors))]
    public void An_error_has_its_name_a_kind_and_what_was_passed(DemucsError error)
    {
        ErrorRecord record = new DemucsException(error, "A fault.").ToRecord("song.wav");
        Assert.Equal(error.ToString(), record.FullyQualifiedErrorId);
        Assert.NotEqual(ErrorCategory.NotSpecified, record.CategoryInfo.Category);
        Assert.Equal("song.wav", record.TargetObject);
        Assert.Equal("A fault.", record.ToString());
    }

    [Theory]
    [MemberData(nameof(Remedies))]
    public void A_remedy_names_parameters_that_there_are(Remedy remedy)
    {
        ErrorRecord record = new DemucsException(DemucsError.StemExists, "A fault.") { Remedies = [remedy] }.ToRecord(null);
        Assert.Equal($"A fault. {record.ErrorDetails.RecommendedAction}", record.ToString());
        string[] advised = [.. Regex.Matches(record.ErrorDetails.RecommendedAction, @"(?<!\w)-(\w+)").Select(m => m.Groups[1].Value)];
        Assert.NotEmpty(advised);
        Assert.Empty(advised.Except(_session.Run("(Get-Command -Module DemucsPS).Parameters.Keys | Sort-Object -Unique").All<string>()));
    }

    public static TheoryData<EngineParameter> EngineParameters => [.. Enum.GetValues<EngineParameter>()];

    [Theory]
    [MemberData(nameof(EngineParameters))]
    public void A_parameter_is_called_as_a_cmdlet_has_it(EngineParameter parameter)
    {
        ErrorRecord record = new DemucsException(DemucsError.ParameterInvalid, "A fault.") { Parameter = parameter }.ToRecord(null);
        Match said = Regex.Match(record.ToString(), @"^A fault\. The parameter is -(\w+)\.$");
        // Only the console has them.
        bool isOfConsole = parameter is EngineParameter.Threads or EngineParameter.Shard;
        Assert.Equal(!isOfConsole, said.Success);
        string[] all = _session.Run("(Get-Command -Module DemucsPS).Parameters.Keys | Sort-Object -Unique").All<string>();
        Assert.Equal(!isOfConsole, all.Contains(said.Groups[1].Value));
    }

    [Theory]
    [InlineData("Import-AudioTrack", "ImportAudioTrackCommand")]
    [InlineData("Invoke-DemucsSeparation -Model $args[0]", "InvokeDemucsSeparationCommand")]
    public void Bad_files_are_an_error_each_and_the_rest_goes_on(string command, string name)
    {
        File.WriteAllBytes(_session["empty.wav"], []);
        _session.AddWav("silence.wav", []);
        _session.AddNoise("good.wav", 9000);
        ScriptRun run = _session.Run(
            $"'empty.wav', 'missing.wav', 'silence.wav', 'Env:PATH', 'none*', 'good.wav' | {command}",
            Session.Small
        );
        Assert.Null(run.Failure);
        Assert.Equal(
            "good",
            Assert.Single(run.Output) switch
            {
                AudioTrack track => track.Name,
                SeparationResult result => result.Track,
                object other => other,
            }
        );
        Assert.Equal(
            ["AudioTrackCorrupt", "AudioTrackNotFound", "AudioTrackCorrupt", "AudioTrackNotFound", "AudioTrackNotFound"],
            run.ErrorIds(name)
        );
        Assert.Equal(["empty.wav", "missing.wav", "silence.wav", "Env:PATH", "none*"], run.Errors.Select(e => e.TargetObject));
        Assert.Equal([ErrorCategory.InvalidData, ErrorCategory.ObjectNotFound], run.Errors[..2].Select(e => e.CategoryInfo.Category));
        Assert.Contains(_session["empty.wav"], run.Errors[0].ToString(), StringComparison.Ordinal);
    }

    /// <summary>A file that is cut off: half of what it declares is there.</summary>
    [Theory]
    [InlineData("Import-AudioTrack cut.wav")]
    [InlineData("Invoke-DemucsSeparation cut.wav -Model $args[0]")]
    public void Damage_is_a_warning_with_its_gaps_or_an_error_as_is_asked_for(string command)
    {
        string path = _session.AddNoise("cut.wav", 9000);
        byte[] file = File.ReadAllBytes(path);
        File.WriteAllBytes(path, file[..(44 + ((file.Length - 44) / 9000 * 6000))]);
        ScriptRun refused = _session.Run($"{command} -OnDamage Fail", Session.Small);
        Assert.Empty(refused.Output);
        Assert.StartsWith("AudioTrackCorrupt,", Assert.Single(refused.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.EndsWith(
            "Use -OnDamage Warn to read what can be read.",
            refused.Errors[0].ToString(),
            StringComparison.Ordinal
        );
        ScriptRun read = _session.Run($"{command} | ForEach-Object Gaps", Session.Small);
        TrackGap gap = read.Single<TrackGap>();
        Assert.Equal((6000L, 3000L, false), (gap.StartFrame, gap.Frames, gap.IsFilled));
        Assert.Contains(read.Warnings, w => w.Contains("the file is cut short, 3000 frames are missing", StringComparison.Ordinal));
        // It is what happens where nothing is said.
        Assert.Equal(
            "Warn",
            _session
                .Run(
                    $"[DemucsPS.Cmdlets.{(command[1] == 'm' ? "ImportAudioTrack" : "InvokeDemucsSeparation")}Command]::new().OnDamage.ToString()"
                )
                .Single<string>()
        );
    }

    [Fact]
    public void An_error_of_a_patterns_file_names_the_file()
    {
        File.WriteAllBytes(_session["a.wav"], []);
        _session.AddNoise("b.wav", 100);
        ScriptRun run = _session.Run("Import-AudioTrack *.wav");
        Assert.Equal(_session["a.wav"], Assert.Single(run.Errors).TargetObject);
        Assert.Equal("b", Assert.IsType<AudioTrack>(Assert.Single(run.Output)).Name);
    }

    [Theory]
    [InlineData("Import-AudioTrack missing.wav, good.wav", "AudioTrackNotFound,DemucsPS.Cmdlets.ImportAudioTrackCommand")]
    [InlineData(
        "Invoke-DemucsSeparation missing.wav, good.wav -Model $args[0]",
        "AudioTrackNotFound,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand"
    )]
    [InlineData("Get-DemucsModel kazoo, baseline", "DemucsModelNotFound,DemucsPS.Cmdlets.GetDemucsModelCommand")]
    [InlineData("Test-DemucsSeparation missing, .", "AudioTrackNotFound,DemucsPS.Cmdlets.TestDemucsSeparationCommand")]
    public void With_ErrorAction_Stop_the_first_one_ends_it(string script, string id)
    {
        _session.AddNoise("good.wav", 9000);
        ScriptRun run = _session.Run($"{script} -ErrorAction Stop", Session.Small);
        run.AssertFailed(id);
        Assert.Empty(run.Output);
        Assert.Equal(["good.wav"], _session.Files());
    }

    [Theory]
    [InlineData(
        "Invoke-DemucsSeparation good.wav -Model missing.onnx",
        "DemucsModelNotFound,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand",
        ErrorCategory.ObjectNotFound,
        "missing.onnx"
    )]
    [InlineData(
        "Invoke-DemucsSeparation good.wav -Model htdemucs",
        "DemucsModelNotFound,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand",
        ErrorCategory.ObjectNotFound,
        "htdemucs"
    )]
    [InlineData(
        "Invoke-DemucsSeparation good.wav -Model good.wav",
        "DemucsModelInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand",
        ErrorCategory.InvalidData,
        "good.wav"
    )]
    [InlineData(
        "Import-AudioTrack good.wav | Split-AudioChunk | Invoke-DemucsChunk -Model good.wav",
        "DemucsModelInvalid,DemucsPS.Cmdlets.InvokeDemucsChunkCommand",
        ErrorCategory.InvalidData,
        "good.wav"
    )]
    public void What_concerns_all_tracks_ends_the_command(string script, string id, ErrorCategory category, string target)
    {
        _session.AddNoise("good.wav", 9000);
        ScriptRun run = _session.Run(script);
        run.AssertFailed(id);
        Assert.Equal(category, run.Failure!.CategoryInfo.Category);
        Assert.Equal(target, Path.GetFileName((string)run.Failure.TargetObject));
        Assert.Equal(["good.wav"], _session.Files());
    }

    [Fact]
    public void An_execution_provider_that_cannot_be_had_is_the_target_of_its_error()
    {
        _session.AddNoise("good.wav", 9000);
        // No library has both.
        string foreign = OperatingSystem.IsMacOS() ? "DirectML" : "CoreML";
        ScriptRun run = _session.Run($"Invoke-DemucsSeparation good.wav -Model $args[0] -ExecutionProvider {foreign}", Session.Small);
        run.AssertFailed("ExecutionProviderUnavailable,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand");
        Assert.Equal((ErrorCategory.NotInstalled, foreign), (run.Failure!.CategoryInfo.Category, run.Failure.TargetObject.ToString()));
    }

    [Fact]
    public void A_chunk_of_another_length_is_an_error_and_those_around_it_are_separated()
    {
        _session.AddNoise("one.wav", 20000);
        ScriptRun run = _session.Run(
            """
            $track = Import-AudioTrack one.wav
            $good = $track | Split-AudioChunk -Length 8192
            $good[0], ($track | Split-AudioChunk -Length 10000)[1], $good[1] | Invoke-DemucsChunk -Model $args[0] -Stem bass
            """,
            Session.Small
        );
        Assert.Equal([0, 1], run.Output.Cast<StemChunk>().Select(s => s.Chunk.Index));
        Assert.Equal(["ChunkLengthMismatch"], run.ErrorIds("InvokeDemucsChunkCommand"));
        Assert.Equal(10000, Assert.IsType<AudioChunk>(run.Errors[0].TargetObject).Length);
    }

    [Fact]
    public void Missing_and_doubled_chunks_are_an_error_for_their_stem_only_or_a_warning_by_force()
    {
        _session.AddNoise("one.wav", 30000);
        const string Chunks = """
            $all = Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0]
            $some = @($all | Where-Object StemName -EQ 'other')[0], @($all | Where-Object { $_.StemName -ne 'bass' -or $_.Chunk.Index -notin 1, 3 }) | Write-Output
            $some | Join-StemChunk
            """;
        ScriptRun strict = _session.Run(Chunks, Session.Small);
        Assert.Equal(["drums", "vocals"], strict.Output.Cast<Stem>().Select(s => s.StemName));
        Assert.Equal(["StemChunkDoubled", "StemChunkMissing"], strict.ErrorIds("JoinStemChunkCommand").Order());
        Assert.All(strict.Errors, e => Assert.Equal("one", Assert.IsType<AudioTrack>(e.TargetObject).Name));
        Assert.Contains(
            "lacks chunks 1, 3",
            strict.Errors.Single(e => e.FullyQualifiedErrorId.StartsWith("StemChunkMissing", StringComparison.Ordinal)).ToString(),
            StringComparison.Ordinal
        );
        ScriptRun forced = _session.Run($"{Chunks} -Force", Session.Small);
        Assert.Equal([1, 3], forced.All<Stem>().Single(s => s.StemName == "bass").MissingChunks);
        Assert.Equal(2, forced.Warnings.Length);
    }

    [Fact]
    public void Existing_stems_are_kept_and_the_error_tells_the_ways_out()
    {
        _session.AddNoise("one.wav", 9000);
        Directory.CreateDirectory(_session["separated", "small", "one"]);
        File.WriteAllText(_session["separated", "small", "one", "bass.wav"], "mine");
        const string Separate = "Invoke-DemucsSeparation one.wav -Model $args[0]",
            Export =
                "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] | Join-StemChunk | Export-Stem";
        ScriptRun separated = _session.Run(Separate, Session.Small),
            exported = _session.Run(Export, Session.Small);
        Assert.Equal(["StemExists"], separated.ErrorIds("InvokeDemucsSeparationCommand"));
        Assert.Equal(["StemExists"], exported.ErrorIds("ExportStemCommand"));
        Assert.Contains("Use -Force to replace it.", separated.Errors[0].ToString(), StringComparison.Ordinal);
        Assert.Contains("-SkipExisting", separated.Errors[0].ErrorDetails.RecommendedAction, StringComparison.Ordinal);
        Assert.Equal(ErrorCategory.ResourceExists, separated.Errors[0].CategoryInfo.Category);
        Assert.All(Assert.IsAssignableFrom<IReadOnlyList<Stem>>(exported.Errors[0].TargetObject), stem =>
            Assert.Equal("one", stem.Track.Name)
        );
        Assert.Equal(["separated/small/one/bass.wav"], _session.Files("separated/"));
        Assert.Equal("mine", File.ReadAllText(_session["separated", "small", "one", "bass.wav"]));
        _session.Run($"{Separate} -Force", Session.Small).Single<SeparationResult>();
        Assert.Equal(5, _session.Files("separated/").Length);
    }

    [Fact]
    public void Tracks_that_are_done_are_skipped_where_that_is_asked_for()
    {
        _session.AddNoise("one.wav", 9000);
        _session.Run("Invoke-DemucsSeparation one.wav -Model $args[0]", Session.Small).Single<SeparationResult>();
        Assert.True(
            _session.Run("Invoke-DemucsSeparation one.wav -Model $args[0] -SkipExisting", Session.Small).Single<SeparationResult>().Skipped
        );
        ErrorRecord done = _session.Run("Invoke-DemucsSeparation one.wav -Model $args[0] -Resume", Session.Small).Errors.Single();
        Assert.EndsWith(" Use -Force to replace it. Use -SkipExisting to skip finished tracks.", done.ToString(), StringComparison.Ordinal);
        ScriptRun other = _session.Run("Invoke-DemucsSeparation one.wav -Model $args[0] -SkipExisting -Overlap 0.5", Session.Small);
        Assert.Equal(["StemExists"], other.ErrorIds("InvokeDemucsSeparationCommand"));
        Assert.Contains("overlap changed from 0.05 to 0.5", other.Errors[0].ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_stem_that_comes_twice_is_written_once()
    {
        _session.AddNoise("one.wav", 9000);
        ScriptRun run = _session.Run(
            "$stems = Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] | Join-StemChunk; $stems[0, 1, 1, 2, 3] | Export-Stem -Force -PassThru",
            Session.Small
        );
        Assert.Equal(["drums.wav", "bass.wav", "other.wav", "vocals.wav"], run.Output.Cast<FileInfo>().Select(f => f.Name));
        Assert.Equal(["StemExists"], run.ErrorIds("ExportStemCommand"));
        Assert.Equal(
            "bass",
            (run.Errors[0].TargetObject as Stem ?? Assert.Single((IReadOnlyList<Stem>)run.Errors[0].TargetObject)).StemName
        );
    }

    [Fact]
    public void An_entry_of_a_playlist_that_cannot_be_had_is_an_error_and_the_others_are_taken()
    {
        _session.AddNoise("album/one.wav", 9000);
        _session.AddNoise("album/two.wav", 9000);
        File.WriteAllText(_session["list.m3u8"], "album/one.wav\nhttp://models.invalid/three.wav\nalbum/two.wav\n");
        ScriptRun run = _session.Run("Import-AudioTrack list.m3u8");
        Assert.Equal(["one", "two"], run.Output.Cast<AudioTrack>().Select(t => t.Name));
        Assert.Equal(["TrackListInvalid"], run.ErrorIds("ImportAudioTrackCommand"));
        Assert.Equal("list.m3u8", run.Errors[0].TargetObject);
    }

    [Fact]
    public void A_drive_that_is_not_there_is_named()
    {
        _session.AddNoise("one.wav", 9000);
        ScriptRun read = _session.Run("Import-AudioTrack kazoo:/one.wav; Import-AudioTrack -LiteralPath kazoo:/one.wav");
        Assert.Equal(["AudioTrackNotFound", "AudioTrackNotFound"], read.ErrorIds("ImportAudioTrackCommand"));
        Assert.All(read.Errors, e => Assert.Equal("kazoo:/one.wav", e.TargetObject));
        _session
            .Run("Invoke-DemucsSeparation one.wav kazoo:/stems -Model $args[0]", Session.Small)
            .AssertFailed("StemWriteFailed,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand");
        _session
            .Run("Invoke-DemucsSeparation one.wav -Model kazoo:/model.onnx")
            .AssertFailed("DemucsModelNotFound,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand");
    }

    [Fact]
    public void A_destination_that_is_a_file_is_an_error_of_writing()
    {
        string source = _session.AddNoise("one.wav", 9000);
        ScriptRun run = _session.Run(
            "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] | Join-StemChunk | Export-Stem one.wav",
            Session.Small
        );
        Assert.Equal(["StemWriteFailed"], run.ErrorIds("ExportStemCommand"));
        Assert.Equal(ErrorCategory.WriteError, run.Errors[0].CategoryInfo.Category);
        Assert.Equal(44 + 4 * 9000, new FileInfo(source).Length);
    }

    [Fact]
    public void Provenance_that_is_missing_or_damaged_is_an_error_for_its_folder()
    {
        _session.AddNoise("one.wav", 9000);
        _session.Run("Invoke-DemucsSeparation one.wav -Model $args[0]", Session.Small).Single<SeparationResult>();
        Directory.CreateDirectory(_session["empty"]);
        Directory.CreateDirectory(_session["damaged"]);
        File.WriteAllText(_session["damaged", "demucsps.json"], """{ "schema": 1 }""");
        ScriptRun run = _session.Run("'empty', 'damaged', 'separated/small/*' | Test-DemucsSeparation");
        Assert.True(Assert.IsType<SeparationVerification>(Assert.Single(run.Output)).IsIntact);
        Assert.Equal(["ProvenanceInvalid", "ProvenanceInvalid"], run.ErrorIds("TestDemucsSeparationCommand"));
        Assert.Equal(["empty", "damaged"], run.Errors.Select(e => e.TargetObject));
        using (FileStream stem = new(_session["separated", "small", "one", "bass.wav"], FileMode.Open))
        {
            stem.Seek(-1, SeekOrigin.End);
            int last = stem.ReadByte();
            stem.Seek(-1, SeekOrigin.End);
            stem.WriteByte((byte)(last ^ 1));
        }
        SeparationVerification changed = _session.Run("Test-DemucsSeparation separated/small/one").Single<SeparationVerification>();
        Assert.False(changed.IsIntact);
        Assert.Equal(
            [StemFileState.Intact, StemFileState.Changed, StemFileState.Intact, StemFileState.Intact],
            changed.Stems.Select(s => s.State)
        );
    }

    [Fact]
    public void Models_that_there_are_not_are_an_error_each()
    {
        _session.AddCatalog();
        ScriptRun listed = _session.Run("'tiny', 'kazoo', 'pair' | Get-DemucsModel");
        Assert.Equal(["tiny", "pair"], listed.Output.Cast<ModelInfo>().Select(m => m.Name));
        Assert.Equal(["DemucsModelNotFound"], listed.ErrorIds("GetDemucsModelCommand"));
        Assert.Equal("kazoo", listed.Errors[0].TargetObject);
        Assert.Empty(_session.Run("Get-DemucsModel none*").AssertNoErrors().Output);
        ScriptRun tested = _session.Run("Test-DemucsModel tiny, ./none.onnx");
        Assert.Equal(["DemucsModelNotFound", "DemucsModelNotFound"], tested.ErrorIds("TestDemucsModelCommand"));
        ScriptRun removed = _session.Run("Remove-DemucsModel ../models, baseline, tiny");
        Assert.Equal(["ParameterInvalid", "ParameterInvalid", "DemucsModelNotFound"], removed.ErrorIds("RemoveDemucsModelCommand"));
        ScriptRun installed = _session.Run("Install-DemucsModel kazoo, baseline, tiny -Source ./none.onnx -AcceptLicense");
        Assert.Equal(["kazoo", "baseline", "tiny"], installed.Errors.Select(e => e.TargetObject));
        Assert.Equal("ModelDownloadFailed", installed.ErrorIds("InstallDemucsModelCommand")[2]);
    }

    [Theory]
    [InlineData("Get-DemucsModel", "GetDemucsModelCommand")]
    [InlineData("Install-DemucsModel tiny", "InstallDemucsModelCommand")]
    [InlineData("Remove-DemucsModel tiny", "RemoveDemucsModelCommand")]
    [InlineData("Test-DemucsModel tiny", "TestDemucsModelCommand")]
    [InlineData("Invoke-DemucsSeparation one.wav -Model tiny", "InvokeDemucsSeparationCommand")]
    public void A_catalog_that_cannot_be_used_ends_every_command_that_needs_it(string script, string command)
    {
        _session.AddNoise("one.wav", 100);
        _session.AddCatalog();
        File.WriteAllText(_session["catalog.json"], """{ "version": 1, "models": [{ "name": "bad one" }] }""");
        ScriptRun run = _session.Run(script);
        run.AssertFailed($"CatalogInvalid,DemucsPS.Cmdlets.{command}");
        Assert.Equal(_session["catalog.json"], run.Failure!.TargetObject);
    }
}
