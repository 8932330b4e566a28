using System.Numerics;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Batch;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Inference;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Models;
using DemucsPS.Engine.Naming;
using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Stems.Selection;
using DemucsPS.Engine.Tests.Audio;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Separation;

/// <summary>
/// Sources of every rate, depth and number of channels through the built-in model, whose stems sum to the mix: so their sum must be the
/// source again, frame by frame.
/// </summary>
public sealed class SourceRateTests(ITestOutputHelper output) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(48000, 2, 16)]
    [InlineData(96000, 2, 24)]
    [InlineData(22050, 2, 16)]
    [InlineData(44100, 2, 16)]
    [InlineData(44100, 1, 8)]
    [InlineData(32000, 1, 16)]
    [InlineData(11025, 2, 8)]
    public void Stems_at_the_rate_of_the_source_have_its_length_and_line_up_with_it(int rate, int channels, int bits)
    {
        string path = _folder["song.wav"];
        float[][] source = WriteSource(path, rate, channels, bits, (rate * 3 / 2) + 17);
        SeparationResult result = Separate(new TrackSource(path), new StemFormat { Sample = WavSampleFormat.Float32, SampleRate = null });
        Assert.Equal(rate, result.SampleRate);
        Assert.Equal(source[0].Length, result.Frames);
        Assert.Equal((double)source[0].Length / rate, result.Duration.TotalSeconds, 1e-6);
        float[][] sum = SumOf(result, rate, 2);
        for (int channel = 0; channel < 2; channel++)
        {
            float[] expected = source[Math.Min(channel, channels - 1)];
            Assert.Equal(expected.Length, sum[channel].Length);
            (int lag, double snr) = Compare(expected, sum[channel]);
            output.WriteLine($"{rate} Hz, {channels} channels, {bits} bit, channel {channel}: lag {lag}, {snr:F1} dB");
            Assert.Equal(0, lag);
            // What is above the pass band does not come back; of 8 bits that is noise all over the band.
            Assert.InRange(snr, bits == 8 ? 40 : 70, double.PositiveInfinity);
        }
    }

    [Theory]
    [InlineData(48000, 44100, 48000)]
    [InlineData(44100, 96000, 96000)]
    [InlineData(48000, 8000, 8000)]
    public void Another_rate_can_be_asked_for(int sourceRate, int asked, int expected)
    {
        string path = _folder["song.wav"];
        WriteSource(path, sourceRate, 2, 16, sourceRate + 1);
        SeparationResult result = Separate(new TrackSource(path), new StemFormat { SampleRate = asked == 44100 ? null : asked });
        Assert.Equal(expected, result.SampleRate);
        Assert.Equal((sourceRate + 1L) * expected / sourceRate, result.Frames);
        foreach (StemFile stem in result.Stems)
        {
            using AudioReader reader = AudioFile.Open(stem.FilePath);
            Assert.Equal((expected, 2, result.Frames, "PCM 24 bit"), (reader.SampleRate, reader.Channels, reader.FrameCount, reader.Codec));
        }
    }

    [Fact]
    public void Rates_out_of_range_and_words_are_refused()
    {
        Assert.Null(StemFormat.ParseSampleRate("source"));
        Assert.Equal(48000, StemFormat.ParseSampleRate("48000"));
        foreach (string text in new[] { "", "fast", "48 kHz", "-1", "48000.5" })
            Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => StemFormat.ParseSampleRate(text)).Error);
        foreach (int rate in new[] { 0, 7999, 384_001 })
            Assert.Contains(
                $"{rate}",
                Assert.Throws<DemucsException>(() => new StemFormat { SampleRate = rate }).Message,
                StringComparison.Ordinal
            );
    }

    [Theory]
    [InlineData(44100, 44100)]
    [InlineData(48000, null)]
    public void Mono_stays_mono_if_wanted(int rate, int? asked)
    {
        string path = _folder["voice.wav"];
        float[][] source = WriteSource(path, rate, 1, 16, rate);
        SeparationResult result = Separate(
            new TrackSource(path),
            new StemFormat
            {
                Sample = WavSampleFormat.Float32,
                SampleRate = asked,
                KeepMono = true,
            }
        );
        float[][] sum = SumOf(result, rate, 1);
        Assert.Equal(source[0].Length, sum[0].Length);
        (int lag, double snr) = Compare(source[0], sum[0]);
        Assert.Equal(0, lag);
        Assert.InRange(snr, 60, double.PositiveInfinity);

        WriteSource(path, rate, 2, 16, rate);
        SeparationResult stereo = Separate(new TrackSource(path), new StemFormat { KeepMono = true, SampleRate = asked });
        using AudioReader reader = AudioFile.Open(stereo.Stems[0].FilePath);
        Assert.Equal(2, reader.Channels);
    }

    [Fact]
    public void Every_pair_of_a_surround_file_is_a_track_of_its_own()
    {
        string path = _folder["film.wav"];
        float[][] source = WriteSource(path, 48000, 6, 16, 48000);
        TrackList list = new(new TrackListOptions { ChannelLayout = ChannelLayout.Pairs }, _ => { }, e => Assert.Fail(e.Message));
        TrackSource[] tracks = [.. list.Expand(path)];
        Assert.Equal(["film (FL FR)", "film (FC)", "film (LFE)", "film (BL BR)"], tracks.Select(t => t.Name));
        foreach (TrackSource track in tracks)
        {
            SeparationResult result = Separate(
                track,
                new StemFormat
                {
                    Sample = WavSampleFormat.Float32,
                    SampleRate = null,
                    KeepMono = true,
                }
            );
            Assert.Equal(Path.Combine(_folder["out"], "baseline", track.Name), Path.GetDirectoryName(result.Stems[0].FilePath));
            bool alone = track.Channels!.Value.Left == track.Channels.Value.Right;
            float[][] sum = SumOf(result, 48000, alone ? 1 : 2);
            Assert.Equal(0, Compare(source[track.Channels.Value.Left], sum[0]).Lag);
            Assert.InRange(Compare(source[track.Channels.Value.Right], sum[^1]).Snr, 60, double.PositiveInfinity);
            Assert.DoesNotContain(result.Warnings, w => w.Contains("channels", StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData(ClipMode.Rescale)]
    [InlineData(ClipMode.Clamp)]
    [InlineData(ClipMode.None)]
    public void Peaks_that_another_rate_brings_are_seen(ClipMode clip)
    {
        // A tone at a quarter of the rate that is hit beside its peaks: another rate hits them, 3 dB higher.
        string path = _folder["tone.wav"];
        int[] tone = [.. Enumerable.Range(0, 60_000).Select(i => (int)Math.Round(32000 * (i % 4 is 0 or 1 ? 1.0 : -1.0)))];
        File.WriteAllBytes(path, WavBytes.Pcm16(44100, 1, tone));
        File.WriteAllBytes(_folder["small.onnx"], SmallModels.Split(normalization: "none"));
        using ModelBag bag = ModelBag.Load([ModelSource.Find(_folder["small.onnx"])], null, new OnnxSessionOptions());
        StemOutput outputs = new(
            new StemNames(_folder["out"]),
            new StemFormat
            {
                Sample = WavSampleFormat.Pcm16,
                Clip = clip,
                SampleRate = 96000,
            }
        );
        // Its first stem is the mix.
        SeparationResult result = new FileSeparator(
            bag,
            StemMatrix.Choose(bag.Contract.Stems, [bag.Contract.Stems[0]]),
            new SeparationOptions(),
            outputs
        ).Separate(new TrackSource(path));
        float peak = result.Stems.Max(s => s.Peak);
        Assert.InRange(peak, 1.3f, 1.6f);
        Assert.Equal(clip == ClipMode.Rescale ? 1 / (1.01f * peak) : 1, result.Gain, 1e-5f);
        Assert.Equal(clip != ClipMode.Rescale, result.Stems.Sum(s => s.ClippedSamples) > 0);
        float written = result.Stems.Max(s =>
        {
            using AudioReader reader = AudioFile.Open(s.FilePath);
            return reader.ReadAll().Max(Math.Abs);
        });
        Assert.Equal(
            clip switch
            {
                ClipMode.Rescale => 1 / 1.01f,
                ClipMode.Clamp => 0.99f,
                _ => 1,
            },
            written,
            1e-3f
        );
    }

    [Fact]
    public void The_plan_counts_the_bytes_at_the_rate_and_channels_of_the_stems()
    {
        string path = _folder["song.wav"];
        WriteSource(path, 96000, 1, 16, 96_001);
        using ModelBag bag = Baseline();
        StemOutput outputs = new(
            new StemNames(_folder["out"]),
            new StemFormat
            {
                SampleRate = null,
                KeepMono = true,
                Sample = WavSampleFormat.Pcm24,
            }
        );
        SeparationPlan plan = new FileSeparator(bag, StemMatrix.Choose(bag.Contract.Stems, null), new SeparationOptions(), outputs).Plan(
            new TrackSource(path)
        );
        Assert.Equal(44_100, plan.Frames);
        Assert.Equal(4 * 3 * 96_001, plan.Bytes);
    }

    [Fact]
    public void The_stage_route_writes_the_same_bytes()
    {
        string path = _folder["song.wav"];
        WriteSource(path, 48000, 1, 16, 48_011);
        StemFormat format = new() { SampleRate = null, KeepMono = true };
        SeparationResult streamed = Separate(new TrackSource(path), format);
        using ModelBag bag = Baseline();
        StemExporter exporter = new(new StemOutput(new StemNames(_folder["stages"]), format));
        StemExportResult? written = null;
        foreach (
            Stem stem in Tracks.StageChain.Join(
                Tracks.StageChain.Separate(bag, AudioTrack.Import(new TrackSource(path)).Split(length: bag.Contract.SegmentFrames))
            )
        )
        {
            if (exporter.Add(stem) is { Count: > 0 } set)
                written = exporter.Write(set, CancellationToken.None);
        }
        foreach (StemFile stem in streamed.Stems)
            Assert.Equal(
                File.ReadAllBytes(stem.FilePath),
                File.ReadAllBytes(stem.FilePath.Replace(_folder["out"], _folder["stages"], StringComparison.Ordinal))
            );
        Assert.NotNull(written);
    }

    [Theory]
    [InlineData(StemFileFormat.Flac, 96000, 96000)]
    [LongInlineData(StemFileFormat.Alac, 48000, 48000)]
    [LongInlineData(StemFileFormat.Mp3, 96000, 48000)]
    [LongInlineData(StemFileFormat.Mp3, 30000, 32000)]
    [InlineData(StemFileFormat.Aac, 48000, 48000)]
    [LongInlineData(StemFileFormat.Aac, 192_000, 96000)]
    [LongInlineData(StemFileFormat.Opus, 96000, 96000)]
    [LongInlineData(StemFileFormat.StemMp4, 48000, 48000)]
    public void Encoded_stems_have_the_rate_the_length_and_the_channels_of_their_source(StemFileFormat file, int rate, int expectedRate)
    {
        ExternalTool.FindOrSkip("ffmpeg");
        foreach (int channels in new[] { 1, 2 })
        {
            string path = _folder[$"song{channels}.wav"];
            float[][] source = WriteSource(path, rate, channels, 16, rate + 17);
            StemFormat format = StemFormat.Create(file, sampleRate: "Source", keepMono: true);
            StemRequest choice = new() { StemMp4 = format.IsOneFile, Residual = !format.IsOneFile };
            using ModelBag bag = Baseline();
            StemOutput outputs = new(new StemNames(_folder["out"]), format);
            SeparationResult result = new FileSeparator(bag, choice.Select(bag.Contract.Stems), new SeparationOptions(), outputs).Separate(
                new TrackSource(path)
            );
            Assert.Equal((expectedRate, (long)source[0].Length * expectedRate / rate), (result.SampleRate, result.Frames));

            // Opus files are decoded at 48,000 Hz, and their length is rounded twice.
            int fileRate = file == StemFileFormat.Opus ? 48000 : expectedRate;
            float[]? sum = null;
            IEnumerable<TrackSource> stems = format.IsOneFile
                ? Enumerable.Range(1, 4).Select(i => new TrackSource(result.Stems[0].FilePath) { StreamIndex = i })
                : result.Stems.Select(s => new TrackSource(s.FilePath));
            foreach (TrackSource stem in stems)
            {
                using StereoTrackReader at = StereoTrackReader.Open(stem, rate);
                Assert.Equal((fileRate, channels), (at.SourceSampleRate, at.SourceChannels));
                float[] left = new float[source[0].Length + 5000],
                    right = new float[left.Length];
                int read = at.Read(left, right);
                long length = file == StemFileFormat.Opus ? result.Frames / 2 : result.Frames;
                Assert.InRange(
                    at.SourceFramesRead,
                    length - (file == StemFileFormat.Opus ? 1 : 0),
                    length + (file == StemFileFormat.Opus ? 1 : 0)
                );
                sum ??= new float[read];
                for (int i = 0; i < read; i++)
                    sum[i] += left[i];
            }
            (int lag, double snr) = Compare(source[0], sum!);
            output.WriteLine($"{file}, {rate} Hz, {channels} channels: lag {lag}, {snr:F1} dB");
            Assert.Equal(0, lag);
            // Four stems' worth of noise; AAC at 96,000 Hz spreads its bits over a band that is half empty.
            Assert.InRange(snr, format.IsLossless ? 60 : 4, double.PositiveInfinity);
        }
    }

    [Theory]
    [InlineData(StemFileFormat.Mp3, 96000)]
    [InlineData(StemFileFormat.Aac, 192_000)]
    [InlineData(StemFileFormat.StemMp4, 30000)]
    public void A_rate_that_a_format_does_not_have_is_refused(StemFileFormat file, int rate)
    {
        DemucsException error = Assert.Throws<DemucsException>(() => StemFormat.Create(file, sampleRate: $"{rate}"));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains($"{rate}; for {file} it must be 8000, 11025", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tags_of_a_CUE_sheet_name_the_stems_and_are_written_into_them()
    {
        string path = _folder["album.wav"];
        using (
            WavWriter writer = WavWriter.Create(
                path,
                44100,
                2,
                WavSampleFormat.Pcm16,
                null,
                new Dictionary<string, string>
                {
                    ["artist"] = "The File",
                    ["title"] = "Whole",
                    ["genre"] = "Rock",
                }
            )
        )
        {
            writer.Write([.. Enumerable.Range(0, 2 * 88_200).Select(i => (float)Math.Sin(i * 0.01) / 2)]);
            writer.Complete();
        }
        File.WriteAllText(
            _folder["album.cue"],
            "PERFORMER \"The Sheet\"\nTITLE \"Album\"\nFILE album.wav WAVE\nTRACK 01 AUDIO\nTITLE \"One/Two?\"\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nTITLE \"Three\"\nINDEX 01 00:01:00\n"
        );
        TrackList list = new(new TrackListOptions(), _ => { }, e => Assert.Fail(e.Message));
        TrackSource[] tracks = [.. list.Expand(_folder["album.cue"])];
        using ModelBag bag = Baseline();
        StemOutput usual = new(new StemNames(_folder["out"]), new StemFormat()),
            named =
                new(
                    new StemNames(_folder["out"], FileNameTemplate.Parse("{artist}/{album}/{genre}/{track:00} {title} ({stem})")),
                    new StemFormat()
                );
        StemMatrix vocals = StemMatrix.Choose(bag.Contract.Stems, ["vocals"]);
        string[] Paths(StemOutput output) =>
            [
                .. tracks.Select(t =>
                    Assert.Single(new FileSeparator(bag, vocals, new SeparationOptions(), output).Separate(t).Stems).FilePath
                ),
            ];
        Assert.Equal(
            [_folder["out", "baseline", "01 One_Two_", "vocals.wav"], _folder["out", "baseline", "02 Three", "vocals.wav"]],
            Paths(usual)
        );
        string[] paths = Paths(named);
        Assert.Equal(
            [
                _folder["out", "The Sheet", "Album", "Rock", "01 One_Two_ (vocals).wav"],
                _folder["out", "The Sheet", "Album", "Rock", "02 Three (vocals).wav"],
            ],
            paths
        );
        using AudioReader written = AudioFile.Open(paths[0]);
        Assert.Equal(
            ("One/Two? (vocals)", "The Sheet", "Album", "Rock"),
            (written.Tags["title"], written.Tags["artist"], written.Tags["album"], written.Tags["genre"])
        );
    }

    [Fact]
    public void Tracks_of_one_file_that_would_share_a_name_are_told_apart_in_the_error()
    {
        string path = _folder["film.wav"];
        WriteSource(path, 44100, 4, 16, 44100);
        StemNames names = new(_folder["out"], FileNameTemplate.Parse("{title} {stem}"));
        TrackSource front = new(path) { Channels = new ChannelPair(0, 1, "FL FR"), TrackName = "One" },
            back = front with { Channels = new ChannelPair(2, 3, "BL BR") };
        names.Claim(front, names.For("model", front, new Dictionary<string, string> { ["title"] = "One" }, ["vocals"], ".wav"));
        DemucsException error = Assert.Throws<DemucsException>(() =>
            names.Claim(back, names.For("model", back, new Dictionary<string, string> { ["title"] = "One" }, ["vocals"], ".wav"))
        );
        Assert.Contains($"A stem of 'One (BL BR)' of '{path}'", error.Message, StringComparison.Ordinal);
        Assert.Contains($"as would one of 'One (FL FR)' of '{path}'", error.Message, StringComparison.Ordinal);
    }

    internal static ModelBag Baseline() => ModelBag.Load([ModelSource.Find(ModelSource.BaselineName)], null, new OnnxSessionOptions());

    /// <summary>The shift at which two signals agree best, and how well they agree without any.</summary>
    internal static (int Lag, double Snr) Compare(float[] a, float[] b)
    {
        const int MaxLag = 3000;
        // White noise in the signal makes the peak sharp; a stretch in the middle keeps the edges out.
        int first = MaxLag,
            count = Math.Min(a.Length, b.Length) - (2 * MaxLag);
        int best = SignalLag.Of(a, b, first, Math.Min(count, 8000), MaxLag);
        double signal = 0,
            error = 0;
        for (int i = first; i < first + count; i++)
        {
            signal += (double)a[i] * a[i];
            error += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        }
        return (best, 10 * Math.Log10(signal / error));
    }

    private SeparationResult Separate(TrackSource source, StemFormat format)
    {
        using ModelBag bag = Baseline();
        StemOutput outputs = new(new StemNames(_folder["out"]), format) { Overwrite = true };
        return new FileSeparator(bag, StemMatrix.Choose(bag.Contract.Stems, null), new SeparationOptions(), outputs).Separate(source);
    }

    private static float[][] SumOf(SeparationResult result, int rate, int channels)
    {
        float[][]? sum = null;
        foreach (StemFile stem in result.Stems)
        {
            using AudioReader reader = AudioFile.Open(stem.FilePath);
            Assert.Equal((rate, channels), (reader.SampleRate, reader.Channels));
            float[] samples = reader.ReadAll(4096);
            sum ??= [.. Enumerable.Range(0, channels).Select(_ => new float[samples.Length / channels])];
            for (int i = 0; i < samples.Length; i++)
                sum[i % channels][i / channels] += samples[i];
        }
        return sum!;
    }

    /// <summary>Noise below 0.8 of what both the file's rate and 44,100 Hz can carry, and another one for each channel.</summary>
    private static float[][] WriteSource(string path, int rate, int channels, int bits, int frames)
    {
        double highest = 0.8 * Math.Min(rate, 44100) / 2;
        float[][] samples =
        [
            .. Enumerable
                .Range(0, channels)
                .Select(channel =>
                {
                    Random random = new(100 + channel);
                    double[] sum = new double[frames];
                    for (int tone = 0; tone < 60; tone++)
                    {
                        // A pointer that turns on from frame to frame: a cosine of each would take longer than the separation.
                        Complex turn = Complex.FromPolarCoordinates(1, 2 * Math.PI * (50 + random.NextDouble() * (highest - 50)) / rate),
                            pointer = Complex.FromPolarCoordinates(0.012, random.NextDouble() * 6.283);
                        for (int i = 0; i < frames; i++, pointer *= turn)
                            sum[i] += pointer.Real;
                    }
                    return Array.ConvertAll(sum, value => (float)value);
                }),
        ];
        double full = Math.Pow(2, bits - 1);
        byte[] data = new byte[frames * channels * bits / 8];
        for (int i = 0; i < frames * channels; i++)
        {
            int value = (int)Math.Round(samples[i % channels][i / channels] * full);
            samples[i % channels][i / channels] = (float)(value / full);
            byte[] bytes = bits switch
            {
                8 => [(byte)(value + 128)],
                16 => WavBytes.U16(value),
                _ => WavBytes.U24(value),
            };
            bytes.CopyTo(data, i * bits / 8);
        }
        File.WriteAllBytes(path, WavBytes.File(WavBytes.Format(WavBytes.Pcm, channels, rate, bits), WavBytes.Chunk("data", data)));
        return samples;
    }
}
