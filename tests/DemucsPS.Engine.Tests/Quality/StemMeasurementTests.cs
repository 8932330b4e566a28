using DemucsPS.Engine.Quality;
using WavBytes = DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Quality;

public sealed class StemMeasurementTests : IDisposable
{
    private static readonly QualityOptions s_global = new()
    {
        Metrics = QualityMetric.NSdr | QualityMetric.SiSdr | QualityMetric.Sdr,
        Threads = 1,
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void StemsArePairedByName()
    {
        Add("references/b.wav", 1);
        Add("references/a.wav", 2);
        Add("estimates/B.wav", 1, gain: 0.9);
        Add("estimates/a.WAV", 2, gain: 0.5);
        TrackQuality quality = MeasureOne();
        Assert.Equal(["a", "B"], quality.Stems.Select(s => s.StemName));
        // 10·log₁₀(1/(1 − gain)²), but for rounding to 16 bits.
        Assert.Equal(20 * Math.Log10(2), quality.Stems[0].NSdr!.Value, 0.01);
        Assert.Equal(20, quality.Stems[1].NSdr!.Value, 0.01);
        Assert.True(quality.Stems[0].SiSdr > 60);
        Assert.Equal((quality.Stems[0].NSdr + quality.Stems[1].NSdr) / 2, quality.NSdr);
        Assert.Null(quality.Sir);
        Assert.Empty(quality.Warnings);

        // Where one is missing, the order of the others is another.
        File.Delete(_folder["estimates", "a.WAV"]);
        StemQuality only = Assert.Single(MeasureOne().Stems);
        Assert.Equal(20, only.NSdr!.Value, 0.01);
        Assert.Equal("b.wav", Path.GetFileName(only.ReferencePath));
    }

    [Fact]
    public void MissingAndExtraStemsAreNamed()
    {
        Add("references/a.wav", 1);
        Add("references/b.wav", 2);
        Add("estimates/a.wav", 1, gain: 0.9);
        Add("estimates/c.wav", 3);
        TrackQuality quality = MeasureOne();
        Assert.Equal(["a"], quality.Stems.Select(s => s.StemName));
        Assert.Collection(
            quality.Warnings,
            w => Assert.Contains("c.wav' has no reference", w, StringComparison.Ordinal),
            w => Assert.Contains("'b' has no estimate", w, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void NoStemInCommonIsAnError()
    {
        Add("references/a.wav", 1);
        Add("estimates/b.wav", 2);
        DemucsException error = Assert.Throws<DemucsException>(MeasureOne);
        Assert.Equal(DemucsError.StemsNotComparable, error.Error);
        Assert.Contains("(b)", error.Message, StringComparison.Ordinal);
        Assert.Contains("(a)", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(48000, 2, "a sample rate of 48000 Hz")]
    [InlineData(44100, 3, "has 3.")]
    public void OtherRatesAndChannelsAreAnError(int rate, int channels, string words)
    {
        Add("references/a.wav", 1);
        Add("estimates/a.wav", 1, rate: rate, channels: channels);
        DemucsException error = Assert.Throws<DemucsException>(MeasureOne);
        Assert.Equal(DemucsError.StemsNotComparable, error.Error);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OneChannelStandsForBoth()
    {
        Add("references/a.wav", 1, same: true);
        Add("estimates/a.wav", 1, channels: 1, gain: 0.9);
        Assert.Equal(20, MeasureOne().Stems[0].NSdr!.Value, 0.01);
    }

    [Fact]
    public void EstimatesAreCutOrFilledUpAndThatIsSaid()
    {
        Add("references/a.wav", 1, frames: 1000);
        Add("references/b.wav", 2, frames: 1000);
        Add("estimates/a.wav", 1, frames: 900);
        Add("estimates/b.wav", 2, frames: 1100);
        TrackQuality quality = MeasureOne();
        Assert.Collection(
            quality.Warnings,
            w => Assert.Contains("a.wav' ends 100 frames before", w, StringComparison.Ordinal),
            w => Assert.Contains("b.wav' is longer", w, StringComparison.Ordinal)
        );
        Assert.Equal(10 * Math.Log10((1.0 / 1e-7) * Energy(2, 1000) + 1), quality.Stems[1].NSdr!.Value, 0.01);
        Assert.Equal(double.PositiveInfinity, quality.Stems[1].Frames[0].Sdr);
        Assert.Null(quality.Stems[1].Sdr);
    }

    [Fact]
    public void TheRestIsComparedWithTheSumOfAllOthers()
    {
        Add("references/a.wav", 1);
        Add("references/b.wav", 2);
        Add("references/c.wav", 3);
        Add("estimates/a.wav", 1, gain: 0.9);
        Write("estimates/no_a.wav", Sum(Samples(2), Samples(3)));
        TrackQuality quality = MeasureOne();
        Assert.Empty(quality.Warnings);
        Assert.Equal(["a", "no_a"], quality.Stems.Select(s => s.StemName));
        Assert.True(quality.Stems[1].NSdr > 80);
        Assert.Contains("b.wav; ", quality.Stems[1].ReferencePath, StringComparison.Ordinal);
    }

    [Fact]
    public void TheSumOfTheStemsIsComparedWithTheMix()
    {
        Add("references/a.wav", 1);
        Add("references/b.wav", 2);
        Write("references/mixture.wav", Sum(Samples(1), Samples(2)));
        Add("estimates/a.wav", 1);
        Add("estimates/b.wav", 2, gain: 0.5);
        double expected = 10 * Math.Log10(Squares(Samples(2), 0.5) / Squares(Sum(Samples(1), Samples(2)), 1));
        Assert.Equal(expected, MeasureOne().NullTestDb!.Value, 0.01);
    }

    [Fact]
    public void OfSeveralMixesItIsSaidWhichIsUsed()
    {
        Add("references/a.wav", 1);
        Add("references/mix.wav", 1);
        Add("references/mixture.wav", 2);
        Add("estimates/a.wav", 1, gain: 0.9);
        TrackQuality quality = MeasureOne();
        Assert.Equal(-20, quality.NullTestDb!.Value, 0.01);
        string warning = Assert.Single(quality.Warnings);
        Assert.Contains("mix.wav' is used", warning, StringComparison.Ordinal);
        Assert.Contains("mixture.wav' is ignored", warning, StringComparison.Ordinal);
    }

    /// <summary>
    /// What is allocated on the one thread that works: of a long track not more for each window, and of the next one none of the arrays
    /// anew.
    /// </summary>
    [Fact]
    public void MemoryDependsNeitherOnTheNumberOfWindowsNorOnThatOfTracks()
    {
        Add("references/a.wav", 1, frames: 44_100);
        Add("estimates/a.wav", 1, frames: 44_100, gain: 0.9);
        EvaluationPool stock = new();
        EstimatedTrack track = Assert.Single(EstimatedTrack.Find(_folder["estimates"], _folder["references"]));
        long first = Allocated(1),
            few = Allocated(1),
            many = Allocated(40);
        Assert.InRange(first, 5_000_000, 100_000_000);
        Assert.InRange(few, 0, 1_500_000);
        Assert.InRange(many, few, few + 500_000);

        long Allocated(int windows)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            TrackQuality quality = StemMeasurement.Measure(
                track,
                new QualityOptions { Window = 1.0 / windows, Threads = 1 },
                stock,
                null,
                Token
            );
            Assert.Equal(windows, quality.Stems[0].Frames.Count);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    [Fact]
    public void ASilentStemLeavesFiguresOfTheWholeTrack()
    {
        Add("references/a.wav", 1);
        Add("references/b.wav", 2, gain: 0);
        Add("estimates/a.wav", 1, gain: 0.9);
        Add("estimates/b.wav", 2);
        TrackQuality quality = MeasureOne();
        Assert.All(quality.Stems, s => Assert.Null(s.Sdr));
        Assert.All(quality.Stems, s => Assert.Null(s.Frames[0].Sdr));
        Assert.Equal(20, quality.Stems[0].NSdr!.Value, 0.01);
        Assert.Null(quality.Stems[1].SiSdr);
        Assert.Contains("reference of 'b' is silent", Assert.Single(quality.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void SamplesThatAreNoNumbersAreAnError()
    {
        Add("references/a.wav", 1);
        byte[] samples = [.. Enumerable.Range(0, 200).SelectMany(i => WavBytes.F32(i == 101 ? float.NaN : 0.1f))];
        Directory.CreateDirectory(_folder["estimates"]);
        File.WriteAllBytes(
            _folder["estimates", "a.wav"],
            WavBytes.File(WavBytes.Format(WavBytes.Float, 2, 44100, 32), WavBytes.Chunk("data", samples))
        );
        DemucsException error = Assert.Throws<DemucsException>(MeasureOne);
        Assert.Equal(DemucsError.AudioTrackCorrupt, error.Error);
        Assert.Contains("frame 50", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, null, QualityMetric.All)]
    [InlineData(double.NaN, null, QualityMetric.All)]
    [InlineData(1, 0.0, QualityMetric.All)]
    [InlineData(1, 0.011, QualityMetric.All)]
    [InlineData(1, null, QualityMetric.None)]
    public void OptionsOutOfRangeAreAnError(double window, double? hop, QualityMetric metrics) =>
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert
                .Throws<DemucsException>(
                    new QualityOptions
                    {
                        Window = window,
                        Hop = hop,
                        Metrics = metrics,
                    }.Check
                )
                .Error
        );

    [Fact]
    public void TheMedianIsMusevals()
    {
        Assert.Equal(2.5, StemQuality.Median([3, null, 2, double.PositiveInfinity]));
        Assert.Equal(1.23457, StemQuality.Median([1.234567]));
        Assert.Null(StemQuality.Median([null, double.PositiveInfinity]));
    }

    [Fact]
    public void ATestSetIsFoundInItsLayout()
    {
        foreach (string track in new[] { "One", "Two", "Three" })
        {
            Add($"musdb/{(track == "One" ? "train" : "test")}/{track}/vocals.wav", 1);
            Add($"musdb/{(track == "One" ? "train" : "test")}/{track}/mixture.wav", 2);
        }
        foreach (string model in new[] { "x", "y" })
        {
            Add($"separated/{model}/Two/vocals.wav", 1);
            Add($"separated/{model}/One/vocals.wav", 1);
        }
        Add("separated/x/Four/vocals.wav", 1);
        List<string> warnings = [];
        IReadOnlyList<EstimatedTrack> tracks = EstimatedTrack.Find(_folder["separated"], _folder["musdb"], warnings.Add);
        Assert.Equal(["x/One", "x/Two", "y/One", "y/Two"], tracks.Select(t => $"{t.Model}/{t.Track}"));
        Assert.All(tracks, t => Assert.EndsWith("mixture.wav", t.MixPath, StringComparison.Ordinal));
        Assert.Collection(
            warnings,
            w => Assert.Contains("Four", w, StringComparison.Ordinal),
            w => Assert.Contains("'Three'", w, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void ReferencesOfOneTrackServeAllItsEstimates()
    {
        Add("stems/vocals.wav", 1);
        Add("separated/x/song/vocals.wav", 1);
        Add("separated/y/song/vocals.wav", 1);
        Assert.Equal(["x", "y"], EstimatedTrack.Find(_folder["separated"], _folder["stems"]).Select(t => t.Model!));
        Add("separated/y/other/vocals.wav", 1);
        Assert.Equal(
            DemucsError.AudioTrackNotFound,
            Assert.Throws<DemucsException>(() => EstimatedTrack.Find(_folder["separated"], _folder["stems"])).Error
        );
    }

    /// <summary>Of a separation of {model}/{folder}/{stem}, as test sets want it.</summary>
    [Fact]
    public void AProvenanceAloneInAFolderIsOfThatTrack()
    {
        Add("set/One/bass.wav", 1);
        Add("separated/x/One/bass.wav", 1);
        AddProvenance("separated/x/One/bass.demucsps.json");
        EstimatedTrack track = Assert.Single(EstimatedTrack.Find(_folder["separated"], _folder["set"]));
        Assert.Equal("One", track.Track);
        Assert.All(track.Estimates.Values, stem =>
            Assert.StartsWith(_folder["separated", "x", "One"], stem.Path, StringComparison.Ordinal)
        );
    }

    /// <summary>A template that gives a track no folder of its own, such as {name}_{stem} or, for test sets, {folder}_{stem}.</summary>
    [Theory]
    [InlineData("/music/my song.wav", "my song")]
    [InlineData("/music/One/mixture.wav", "One")]
    public void WithoutAFolderOfItsOwnATrackIsCalledAfterItsSource(string source, string track)
    {
        Add("set/One/bass.wav", 1);
        AddProvenance("separated/x_drums.demucsps.json", ("/music/mix.wav", source));
        Assert.Equal(track, Assert.Single(EstimatedTrack.Find(_folder["separated"], _folder["set"])).Track);
        // Two of one name can only be told apart by their files.
        AddProvenance("separated/y_drums.demucsps.json", ("/music/mix.wav", source));
        Add("set/x_drums/bass.wav", 1);
        Assert.Equal("x_drums", Assert.Single(EstimatedTrack.Find(_folder["separated"], _folder["set"])).Track);
    }

    [Fact]
    public void AProvenanceStandsForItsTrackAndNoOtherFileDoes()
    {
        Add("set/One/bass.wav", 1);
        Add("set/Two/bass.wav", 1);
        AddProvenance("separated/One/demucsps.json");
        AddProvenance("separated/Two/demucsps.json");
        Assert.Equal("Two", Assert.Single(EstimatedTrack.Find(_folder["separated", "Two", "demucsps.json"], _folder["set"])).Track);
        DemucsException error = Assert.Throws<DemucsException>(() =>
            EstimatedTrack.Find(_folder["set", "One", "bass.wav"], _folder["set"])
        );
        Assert.Equal(DemucsError.AudioTrackNotFound, error.Error);
        Assert.Contains("is a file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void StemsInOneFileAreItsStreamsBehindTheMix()
    {
        Add("set/One/bass.wav", 1);
        AddProvenance(
            "separated/x/One.demucsps.json",
            ("\"Wav\"", "\"StemMp4\""),
            ("\"drums = drums,", "\"master = drums, drums = drums,"),
            ("/music/mix.wav", "/music/One.wav"),
            ("\"drums.wav\"", "\"One.stem.mp4\"")
        );
        EstimatedTrack track = Assert.Single(EstimatedTrack.Find(_folder["separated"], _folder["set"]));
        Assert.Equal("x", track.Model);
        Assert.Equal([("bass", 2), ("drums", 1), ("other", 3), ("vocals", 4)], track.Estimates.Select(e => (e.Key, e.Value.StreamIndex)));
        Assert.All(track.Estimates.Values, stem => Assert.Equal(_folder["separated", "x", "One.stem.mp4"], stem.Path));
    }

    [Theory]
    [InlineData("missing", DemucsError.AudioTrackNotFound)]
    [InlineData("empty", DemucsError.AudioTrackNotFound)]
    [InlineData("doubled", DemucsError.ParameterInvalid)]
    public void AFolderWithoutUsableStemsIsAnError(string folder, DemucsError error)
    {
        Directory.CreateDirectory(_folder["empty"]);
        Add("doubled/a.wav", 1);
        File.Copy(_folder["doubled", "a.wav"], _folder["doubled", "a.flac"]);
        Add("good/a.wav", 1);
        Assert.Equal(error, Assert.Throws<DemucsException>(() => EstimatedTrack.Find(_folder[folder], _folder["good"])).Error);
        Assert.Equal(error, Assert.Throws<DemucsException>(() => EstimatedTrack.Find(_folder["good"], _folder[folder])).Error);
    }

    [Fact]
    public void ASetGoesOnWhereItWas()
    {
        foreach (int track in new[] { 1, 2, 3 })
        {
            Add($"references/{track}/a.wav", track);
            Add($"estimates/{track}/a.wav", track, gain: 0.9);
        }
        IReadOnlyList<EstimatedTrack> tracks = EstimatedTrack.Find(_folder["estimates"], _folder["references"]);
        QualityResults results = new(_folder["results"]);
        TrackQuality[] first = [.. QualitySet.Measure(tracks.Take(2).ToArray(), s_global, 2, results, Token).Select(t => t.Quality!)];
        Assert.All(QualitySet.Measure(tracks.Take(1).ToArray(), s_global, 1, results, Token), t =>
            Assert.Equal(DemucsError.StemExists, t.Error!.Error)
        );

        TrackQuality[] second = [.. QualitySet.Measure(tracks, s_global, 2, results with { Resume = true }, Token).Select(t => t.Quality!)];
        Assert.Equal([true, true, false], second.Select(q => q.Resumed));
        Assert.Equal(QualityJson.Write(first[1]), QualityJson.Write(second[1]));
        Assert.Equal(
            ["results/1.json", "results/2.json", "results/3.json"],
            _folder.Files().Where(f => f.StartsWith("results", StringComparison.Ordinal)).Select(f => f.Replace('\\', '/'))
        );

        // Of other options, damaged, or of an estimate that has changed.
        Assert.Equal(
            DemucsError.ResumeMismatch,
            Assert
                .Single(
                    QualitySet.Measure(tracks.Take(1).ToArray(), s_global with { Window = 2 }, 1, results with { Resume = true }, Token)
                )
                .Error!.Error
        );
        File.WriteAllText(_folder["results", "1.json"], "{ \"track\": 3 }");
        Assert.Equal(
            DemucsError.ResumeMismatch,
            Assert.Single(QualitySet.Measure(tracks.Take(1).ToArray(), s_global, 1, results with { Resume = true }, Token)).Error!.Error
        );
        Add("estimates/2/a.wav", 2, gain: 0.5, frames: 1999);
        TrackQuality[] third =
        [
            .. QualitySet.Measure(tracks, s_global, 1, results with { Resume = true, Overwrite = true }, Token).Select(t => t.Quality!),
        ];
        Assert.Equal([false, false, true], third.Select(q => q.Resumed));
    }

    [Fact]
    public void OneBadTrackDoesNotKeepTheRest()
    {
        foreach (int track in new[] { 1, 2 })
        {
            Add($"references/{track}/a.wav", track);
            Add($"estimates/{track}/a.wav", track);
        }
        File.WriteAllBytes(_folder["estimates", "1", "a.wav"], []);
        Assert.Collection(
            QualitySet.Measure(EstimatedTrack.Find(_folder["estimates"], _folder["references"]), s_global, 2, null, Token),
            t => Assert.Equal(DemucsError.AudioTrackCorrupt, t.Error!.Error),
            t => Assert.NotNull(t.Quality)
        );
    }

    [Fact]
    public void OneDamagedProvenanceDoesNotKeepTheRest()
    {
        foreach (int track in new[] { 1, 2 })
        {
            Add($"references/{track}/a.wav", track);
            Add($"estimates/{track}/a.wav", track);
        }
        // That what is damaged has no references either is no reason to leave it out.
        Directory.CreateDirectory(_folder["estimates", "3"]);
        foreach (string track in new[] { "1", "3" })
            File.WriteAllText(_folder["estimates", track, "demucsps.json"], "{");
        Assert.Collection(
            QualitySet.Measure(EstimatedTrack.Find(_folder["estimates"], _folder["references"]), s_global, 2, null, Token),
            t => Assert.Equal(DemucsError.ProvenanceInvalid, t.Error!.Error),
            t => Assert.NotNull(t.Quality),
            t => Assert.Equal(DemucsError.ProvenanceInvalid, t.Error!.Error)
        );
    }

    [Fact]
    public void AResultThatCannotBeWrittenLeavesNothingBehind()
    {
        Add("references/a.wav", 1);
        Add("song/a.wav", 1);
        Directory.CreateDirectory(_folder["results", "song.json"]);
        Assert.Equal(
            DemucsError.StemWriteFailed,
            Assert
                .Single(
                    QualitySet.Measure(
                        EstimatedTrack.Find(_folder["song"], _folder["references"]),
                        s_global,
                        1,
                        new QualityResults(_folder["results"]),
                        Token
                    )
                )
                .Error!.Error
        );
        Assert.Empty(Directory.GetFiles(_folder["results"]));
    }

    [Fact]
    public void CancellationEndsASet()
    {
        Add("references/1/a.wav", 1);
        Add("estimates/1/a.wav", 1);
        using CancellationTokenSource stop = new();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() =>
            QualitySet.Measure(EstimatedTrack.Find(_folder["estimates"], _folder["references"]), s_global, 1, null, stop.Token).ToArray()
        );
    }

    [Fact]
    public void TextIsQuotedInCsv()
    {
        Add("references/a.wav", 1);
        Add("a, \"b\"/a.wav", 1, gain: 0.9);
        TrackQuality quality = StemMeasurement.Measure(
            Assert.Single(EstimatedTrack.Find(_folder["a, \"b\""], _folder["references"])),
            s_global,
            null,
            Token
        );
        Assert.StartsWith("\"a, \"\"b\"\"\",,a,19.99", Assert.Single(QualityCsv.Lines(quality)), StringComparison.Ordinal);
        Assert.Equal(11, QualityCsv.Header.Split(',').Length);
    }

    private TrackQuality MeasureOne() =>
        StemMeasurement.Measure(Assert.Single(EstimatedTrack.Find(_folder["estimates"], _folder["references"])), s_global, null, Token);

    private static int[] Samples(int seed, int frames = 2000, bool same = false)
    {
        Random random = new(seed);
        int[] samples = [.. Enumerable.Range(0, 2 * frames).Select(_ => random.Next(-8000, 8000))];
        for (int i = 0; same && i < samples.Length; i += 2)
            samples[i + 1] = samples[i];
        return samples;
    }

    private static double Squares(int[] samples, double gain) => samples.Sum(s => s * gain * s * gain);

    private static double Energy(int seed, int frames) => Squares(Samples(seed, frames), 1 / 32768.0);

    private static int[] Sum(int[] a, int[] b) => [.. a.Zip(b, (x, y) => x + y)];

    private void Write(string name, int[] samples, int rate = 44100, int channels = 2)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        File.WriteAllBytes(_folder[name], WavBytes.Pcm16(rate, channels, samples));
    }

    private void AddProvenance(string name, params (string Old, string New)[] changes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(_folder[name])!);
        string text = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "records", "provenance.json"));
        File.WriteAllText(
            _folder[name],
            changes.Aggregate(text, (all, change) => all.Replace(change.Old, change.New, StringComparison.Ordinal))
        );
    }

    private void Add(string name, int seed, double gain = 1, int frames = 2000, int rate = 44100, int channels = 2, bool same = false)
    {
        int[] samples = [.. Samples(seed, frames, same || channels == 1).Select(s => (int)Math.Round(s * gain))];
        Write(
            name,
            channels == 1 ? [.. samples.Where((_, i) => i % 2 == 0)] : samples[..(samples.Length / channels * channels)],
            rate,
            channels
        );
    }
}
