using DemucsPS.Engine.Separation;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;
using NAudio.Wave;
using NAudio.Wave.SampleProviders;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Tracks;

/// <summary>Sound from NAudio's sources, and stems as such.</summary>
public sealed class SampleProviderTests
{
    [Fact]
    public void A_generator_through_an_effect_is_separated_and_its_stems_are_read_back()
    {
        ISampleProvider source = new VolumeSampleProvider(
            new SignalGenerator(44100, 2)
            {
                Type = SignalGeneratorType.Sweep,
                Frequency = 50,
                FrequencyEnd = 5000,
                SweepLengthSecs = 1,
                Gain = 0.8,
            }
        )
        {
            Volume = 0.5f,
        }.Take(TimeSpan.FromSeconds(1));
        AudioTrack track = source.ToTrack("sweep");
        Assert.Equal((44100, "sweep", "samples", false), (track.Frames, track.Name, track.Codec, track.IsMono));
        Assert.Equal(0.4f, track.Peak, 1e-3f);

        using TemporaryFolder folder = new();
        using ModelBag bag = StageChain.Bag(folder, name: "small");
        List<Stem> stems = StageChain.Join([.. StageChain.Separate(bag, track.Split(length: SmallModels.Segment))]);
        Assert.Equal(bag.Contract.Stems.Count, stems.Count);
        Assert.All(stems, stem => Assert.Equal(StageChain.Interleaved(stem), ReadAll(stem.ToSampleProvider(), 44100, 2)));
        Assert.All(stems, stem => Assert.True(stem.Peak > 0));
    }

    [Fact]
    public void Samples_come_through_untouched_and_twice()
    {
        Random random = new(5);
        float[] samples = [.. Enumerable.Range(0, 200_000).Select(_ => random.NextSingle() - 0.5f)];
        AudioTrack track = new Bits(44100, 2, samples, 1001).ToTrack("noise");
        Assert.Equal(samples, ReadAll(track.ToSampleProvider(), 44100, 2));
        Assert.Equal(samples, ReadAll(track.ToSampleProvider(), 44100, 2));
        Assert.Equal(samples.Length / 2, track.ToSampleProvider().ToTrack("again").Frames);
    }

    [Fact]
    public void Rates_and_channels_are_taken_as_those_of_files()
    {
        float[] samples = [.. Enumerable.Range(0, 48_000).Select(i => MathF.Sin(i * 0.01f))];
        AudioTrack mono = new Bits(48000, 1, samples, 777).ToTrack("voice");
        Assert.Equal(
            (44100, 48000, 1, 48_000L, true),
            (mono.Frames, mono.SourceSampleRate, mono.SourceChannels, mono.SourceFrames, mono.IsMono)
        );
        AudioTrack surround = new Bits(44100, 6, samples, 600).ToTrack("film");
        Assert.Equal(8000, surround.Frames);
        Assert.Equal(samples[7], surround.GetSample(1, 1));
        Assert.Contains("6 channels", Assert.Single(surround.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void What_no_track_can_be_made_of_is_refused()
    {
        DemucsException e = Assert.Throws<DemucsException>(() => new Bits(44100, 65, [], 1).ToTrack("odd"));
        Assert.Equal(DemucsError.AudioFormatUnsupported, e.Error);
        Assert.Contains("'odd' has 65 channels", e.Message, StringComparison.Ordinal);
        Assert.Equal(DemucsError.AudioTrackCorrupt, Assert.Throws<DemucsException>(() => new Bits(44100, 2, [], 1).ToTrack("empty")).Error);
        Assert.Equal(
            DemucsError.AudioTrackCorrupt,
            Assert.Throws<DemucsException>(() => new Bits(44100, 2, [0, float.NaN], 2).ToTrack("nan")).Error
        );
        Assert.Throws<ArgumentException>(() => new Bits(44100, 2, [0, 0], 2).ToTrack(" "));
        Assert.Throws<OperationCanceledException>(() => new SignalGenerator().ToTrack("endless", new CancellationToken(canceled: true)));
    }

    private static float[] ReadAll(ISampleProvider provider, int rate, int channels)
    {
        Assert.Equal(
            (rate, channels, WaveFormatEncoding.IeeeFloat),
            (provider.WaveFormat.SampleRate, provider.WaveFormat.Channels, provider.WaveFormat.Encoding)
        );
        List<float> all = [];
        float[] block = new float[12_345];
        while (provider.Read(block) is > 0 and int read)
            all.AddRange(block.AsSpan(0, read));
        return [.. all];
    }

    /// <summary>Samples that come in pieces of any size.</summary>
    private sealed class Bits(int rate, int channels, float[] samples, int most) : ISampleProvider
    {
        private int _read;

        public WaveFormat WaveFormat { get; } = WaveFormat.CreateIeeeFloatWaveFormat(rate, channels);

        public int Read(Span<float> buffer)
        {
            int count = Math.Min(Math.Min(most, buffer.Length), samples.Length - _read);
            samples.AsSpan(_read, count).CopyTo(buffer);
            _read += count;
            return count;
        }
    }
}
