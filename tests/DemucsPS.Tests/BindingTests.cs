using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Tests;

/// <summary>What users write, and what the cmdlets take it for.</summary>
public sealed class BindingTests : IDisposable
{
    private readonly Session _session = new();

    public void Dispose() => _session.Dispose();

    [Theory]
    [InlineData("Import-AudioTrack 'take [1].wav'")]
    [InlineData("Import-AudioTrack -LiteralPath 'take [1].wav'")]
    [InlineData("Import-AudioTrack -PSPath 'take [1].wav'")]
    [InlineData("Import-AudioTrack 'take `[1`].wav'")]
    [InlineData("Import-AudioTrack t*.wav")]
    [InlineData("'take [1].wav' | Import-AudioTrack")]
    [InlineData("Get-Item -LiteralPath 'take [1].wav' | Import-AudioTrack")]
    [InlineData("Get-ChildItem t*.wav | Import-AudioTrack")]
    [InlineData("Import-AudioTrack (Get-ChildItem t*.wav)")]
    [InlineData("[pscustomobject]@{ LiteralPath = 'take [1].wav' } | Import-AudioTrack")]
    [InlineData(
        "[pscustomobject]@{ PSPath = 'Microsoft.PowerShell.Core\\FileSystem::' + (Join-Path $PWD 'take [1].wav') } | Import-AudioTrack"
    )]
    [InlineData("[IO.FileInfo]::new((Join-Path $PWD 'take [1].wav')) | Import-AudioTrack")]
    public void A_file_is_named_in_many_ways(string script)
    {
        string path = _session.AddNoise("take [1].wav", 100);
        // What 'take [1].wav' would be as a pattern.
        _session.AddNoise("take 1.mp3", 100);
        Assert.Equal(path, _session.Run(script).Single<AudioTrack>().SourcePath);
    }

    [Fact]
    public void Patterns_take_all_that_match_and_literal_paths_never_do()
    {
        _session.AddNoise("a.wav", 100);
        _session.AddNoise("b.wav", 100);
        Assert.Equal(["a", "b"], _session.Run("Import-AudioTrack [ab].wav").All<AudioTrack>().Select(t => t.Name));
        ScriptRun literal = _session.Run("Import-AudioTrack -LiteralPath [ab].wav");
        Assert.Equal(["AudioTrackNotFound"], literal.ErrorIds("ImportAudioTrackCommand"));
        Assert.Empty(literal.Output);
    }

    [Fact]
    public void A_file_that_is_gone_is_no_pattern()
    {
        _session.AddNoise("take 1.wav", 100);
        ScriptRun run = _session.Run("[IO.FileInfo]::new((Join-Path $PWD 'take [1].wav')) | Import-AudioTrack");
        Assert.Equal(["AudioTrackNotFound"], run.ErrorIds("ImportAudioTrackCommand"));
        Assert.Empty(run.Output);
    }

    [Fact]
    public void The_second_place_is_the_destination()
    {
        _session.AddNoise("one.wav", 9000);
        _session.Run("Invoke-DemucsSeparation one.wav here -Model $args[0] -Stem bass", Session.Small).Single<SeparationResult>();
        _session
            .Run(
                "Import-AudioTrack one.wav | Split-AudioChunk -Length 8192 | Invoke-DemucsChunk -Model $args[0] -Stem bass | Join-StemChunk | Export-Stem -DestinationPath there",
                Session.Small
            )
            .AssertNoErrors();
        Assert.Equal(
            ["here/small/one/bass.wav", "here/small/one/demucsps.json", "there/small/one/bass.wav"],
            [.. _session.Files("here/"), .. _session.Files("there/")]
        );
    }

    [Fact]
    public void Stages_take_arrays_by_position_and_objects_from_the_pipeline()
    {
        _session.AddNoise("one.wav", 20000);
        Assert.Equal(
            [12, 12, 3, 3],
            _session
                .Run(
                    """
                    $track = Import-AudioTrack one.wav
                    $chunks = Split-AudioChunk $track -Length 8192
                    $stems = Invoke-DemucsChunk $chunks -Model $args[0]
                    $stems.Count
                    ($chunks | ConvertTo-ChunkSpectrogram | Invoke-DemucsChunk -Model $args[0]).Count
                    (ConvertTo-ChunkSpectrogram $chunks).Count
                    @(ConvertFrom-ChunkSpectrogram (ConvertTo-ChunkSpectrogram $chunks)).Count
                    """,
                    Session.Small
                )
                .All<int>()
        );
    }

    [Theory]
    [InlineData("1 | Split-AudioChunk", "SplitAudioChunkCommand")]
    [InlineData("1 | ConvertTo-ChunkSpectrogram", "ConvertToChunkSpectrogramCommand")]
    [InlineData("1 | ConvertFrom-ChunkSpectrogram", "ConvertFromChunkSpectrogramCommand")]
    [InlineData("1 | Invoke-DemucsChunk -WarningAction Ignore", "InvokeDemucsChunkCommand")]
    [InlineData("1 | Join-StemChunk", "JoinStemChunkCommand")]
    [InlineData("1 | Export-Stem", "ExportStemCommand")]
    public void An_object_of_another_stage_is_refused_by_itself(string script, string command)
    {
        ScriptRun run = _session.Run(script);
        Assert.Null(run.Failure);
        Assert.Equal(["InputObjectNotBound"], run.ErrorIds(command));
        Assert.Equal(1, run.Errors[0].TargetObject);
    }

    [Theory]
    [InlineData("@() | Split-AudioChunk -Overlap 1", "ParameterInvalid,DemucsPS.Cmdlets.SplitAudioChunkCommand")]
    [InlineData("@() | Split-AudioChunk -Length 4095", "ParameterInvalid,DemucsPS.Cmdlets.SplitAudioChunkCommand")]
    [InlineData("@() | Invoke-DemucsChunk -ThrottleLimit -1", "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsChunkCommand")]
    [InlineData("@() | Invoke-DemucsChunk -RetryCount 101", "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsChunkCommand")]
    [InlineData("@() | Invoke-DemucsChunk -Stem kazoo", "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsChunkCommand")]
    [InlineData("@() | Join-StemChunk -TransitionPower 4.5", "ParameterInvalid,DemucsPS.Cmdlets.JoinStemChunkCommand")]
    [InlineData("Export-Stem -BitDepth 20", "ParameterArgumentValidationError,DemucsPS.Cmdlets.ExportStemCommand")]
    [InlineData("@() | Export-Stem -Format Flac -BitDepth 32", "ParameterInvalid,DemucsPS.Cmdlets.ExportStemCommand")]
    [InlineData("@() | Export-Stem -Format Ogg", "CannotConvertArgumentNoMessage,DemucsPS.Cmdlets.ExportStemCommand")]
    [InlineData("Export-Stem -Mixdown vocals=loud", "ParameterArgumentTransformationError,DemucsPS.Cmdlets.ExportStemCommand")]
    [InlineData("@() | Export-Stem -Format StemMp4 -Mixdown bass=1", "ParameterInvalid,DemucsPS.Cmdlets.ExportStemCommand")]
    [InlineData("@() | Export-Stem -FileNameTemplate '../{stem}'", "ParameterInvalid,DemucsPS.Cmdlets.ExportStemCommand")]
    [InlineData("Import-AudioTrack one.wav -StreamIndex -1", "ParameterInvalid,DemucsPS.Cmdlets.ImportAudioTrackCommand")]
    [InlineData("Import-AudioTrack ''", "ParameterArgumentValidationError,DemucsPS.Cmdlets.ImportAudioTrackCommand")]
    [InlineData("Invoke-DemucsSeparation one.wav -Overlap -0.1", "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand")]
    [InlineData("Invoke-DemucsSeparation one.wav -TransitionPower 5", "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand")]
    [InlineData(
        "Invoke-DemucsSeparation one.wav -Model missing.onnx -Stem bass -TwoStems bass",
        "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand"
    )]
    [InlineData("Invoke-DemucsSeparation one.wav -Shifts -1", "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand")]
    [InlineData("Invoke-DemucsSeparation one.wav -SampleRate fast", "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand")]
    [InlineData(
        "Invoke-DemucsSeparation one.wav -Format Mp3 -Quality 10",
        "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand"
    )]
    [InlineData("Invoke-DemucsSeparation one.wav -Weight (, (1, 2))", "ParameterInvalid,DemucsPS.Cmdlets.InvokeDemucsSeparationCommand")]
    public void What_is_out_of_range_ends_the_command_before_anything_is_written(string script, string id)
    {
        _session.AddNoise("one.wav", 9000);
        _session.Run(script).AssertFailed(id);
        Assert.Equal(["one.wav"], _session.Files());
    }

    [Theory]
    [InlineData("Import-AudioTrack -Path one.wav -LiteralPath one.wav", "ImportAudioTrackCommand")]
    [InlineData("Invoke-DemucsSeparation -Path one.wav -LiteralPath one.wav", "InvokeDemucsSeparationCommand")]
    [InlineData("Test-DemucsSeparation -Path one.wav -LiteralPath one.wav", "TestDemucsSeparationCommand")]
    [InlineData("Show-StemPlayer -Path one.wav -LiteralPath one.wav", "ShowStemPlayerCommand")]
    [InlineData("Invoke-DemucsChunk -Chunk $args[0] -Spectrogram $args[1]", "InvokeDemucsChunkCommand")]
    [InlineData("Get-DemucsModel -Name baseline -Cache", "GetDemucsModelCommand")]
    [InlineData("Remove-DemucsModel -Name baseline -Cache", "RemoveDemucsModelCommand")]
    [InlineData("Test-DemucsModel -Name baseline -Path one.onnx", "TestDemucsModelCommand")]
    public void Two_ways_to_name_a_thing_exclude_each_other(string script, string command)
    {
        AudioChunk chunk = AudioTrack.FromSamples("noise", new float[9000], new float[9000]).Split(0, Session.Segment).First();
        _session.Run(script, chunk, ChunkSpectrogram.Compute(chunk)).AssertFailed($"AmbiguousParameterSet,DemucsPS.Cmdlets.{command}");
    }

    [Fact]
    public void A_mixdown_is_written_as_text_as_pieces_or_as_a_table()
    {
        _session.AddNoise("one.wav", 9000);
        string[] forms =
        [
            "'vocals=-inf,drums=-6.5'",
            "vocals=-inf, drums=-6.5",
            "@{ vocals = '-inf'; drums = '-6.5' }",
            "@{ vocals = [double]::NegativeInfinity; drums = -6.5 }",
        ];
        for (int i = 0; i < forms.Length; i++)
        {
            _session
                .Run($"Invoke-DemucsSeparation one.wav {i} -Model $args[0] -BitDepth 32 -Mixdown {forms[i]}", Session.Small)
                .Single<SeparationResult>();
            Assert.EndsWith("/small/one/mixdown.wav", _session.Files($"{i}/")[1], StringComparison.Ordinal);
            Assert.Equal(_session.Contents("0"), _session.Contents($"{i}"));
        }
    }

    [Fact]
    public void Channels_of_a_pair_each_are_tracks_and_a_mono_source_says_so()
    {
        byte[] samples = new byte[12 * 100];
        new Random(5).NextBytes(samples);
        string film = _session.AddWav("film.wav", samples);
        // The same bytes as 100 frames of six channels.
        byte[] file = File.ReadAllBytes(film);
        (file[22], file[32]) = (6, 12);
        File.WriteAllBytes(film, file);
        AudioTrack[] tracks = _session.Run("Import-AudioTrack film.wav -ChannelLayout Pairs").All<AudioTrack>();
        Assert.Equal(["film (FL FR)", "film (FC)", "film (LFE)", "film (BL BR)"], tracks.Select(t => t.Name));
        Assert.Equal([false, true, true, false], tracks.Select(t => t.IsMono));
        Assert.Equal(BitConverter.ToInt16(samples, 8) / 32768f, tracks[3].GetSample(0, 0));
        ScriptRun mixed = _session.Run("Import-AudioTrack film.wav");
        mixed.Single<AudioTrack>();
        Assert.Contains("has 6 channels", Assert.Single(mixed.Warnings), StringComparison.Ordinal);
        Assert.Equal(
            ChannelLayout.FirstTwo,
            _session.Run("[DemucsPS.Cmdlets.ImportAudioTrackCommand]::new().ChannelLayout").Single<ChannelLayout>()
        );
        Assert.Equal(
            (LateStart.Silence, LateStart.Cut),
            (
                _session.Run("(Import-AudioTrack film.wav -WarningAction Ignore).Source.LateStart").Single<LateStart>(),
                _session.Run("(Import-AudioTrack film.wav -LateStart Cut -WarningAction Ignore).Source.LateStart").Single<LateStart>()
            )
        );
    }

    [Fact]
    public void Folders_are_taken_with_what_is_asked_of_them()
    {
        foreach (string name in (string[])["album/a.wav", "album/b.wav", "album/deep/c.wav", "album/draft d.wav"])
            _session.AddNoise(name, 100);
        Assert.Equal(["a", "b", "draft d"], _session.Run("Import-AudioTrack album").All<AudioTrack>().Select(t => t.Name));
        Assert.Equal(
            ["a", "b", "c"],
            _session.Run("Import-AudioTrack album -Recurse -Exclude draft*").All<AudioTrack>().Select(t => t.Name).Order()
        );
        Assert.Equal(["b"], _session.Run("Import-AudioTrack album -Include b*").All<AudioTrack>().Select(t => t.Name));
    }
}
