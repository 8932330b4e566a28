using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class StereoTrackReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Mono_is_duplicated()
    {
        using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(_folder.Write("mono.wav", Pcm16(44100, 1, 1, -2, 3))));
        (float[] left, float[] right) = reader.ReadAll();
        Assert.Equal([1f / 32768, -2f / 32768, 3f / 32768], left);
        Assert.Equal(left, right);
        Assert.Equal(1, reader.SourceChannels);
        Assert.Equal(3, reader.FrameCount);
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void Stereo_keeps_its_sides()
    {
        using StereoTrackReader reader = StereoTrackReader.Open(
            new TrackSource(_folder.Write("stereo.wav", Pcm16(44100, 2, 1, 10, 2, 20, 3, 30)))
        );
        (float[] left, float[] right) = reader.ReadAll(2);
        Assert.Equal([1f / 32768, 2f / 32768, 3f / 32768], left);
        Assert.Equal([10f / 32768, 20f / 32768, 30f / 32768], right);
    }

    [Fact]
    public void Of_more_channels_the_first_two_are_used_with_a_warning()
    {
        string path = _folder.Write("six.wav", Pcm16(44100, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
        using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(path));
        (float[] left, float[] right) = reader.ReadAll();
        Assert.Equal([1f / 32768, 7f / 32768], left);
        Assert.Equal([2f / 32768, 8f / 32768], right);
        Assert.Equal(
            $"'{path}' has 6 channels. Only the first two are used, as left and right. Use the channel layout 'Pairs' to separate all of them.",
            Assert.Single(reader.Warnings)
        );
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Other_rates_are_resampled_whatever_the_size_of_blocks(int channels)
    {
        Random random = new(3);
        int[] samples = [.. Enumerable.Range(0, 20_000 * channels).Select(_ => random.Next(-20000, 20000))];
        string path = _folder.Write("48k.wav", Pcm16(48000, channels, samples));
        using StereoTrackReader whole = StereoTrackReader.Open(new TrackSource(path));
        Assert.Equal(48000, whole.SourceSampleRate);
        Assert.Equal(44100, whole.SampleRate);
        Assert.Equal(20_000, whole.SourceFrameCount);
        Assert.Equal(18_375, whole.FrameCount);
        Assert.Equal("PCM 16 bit", whole.Codec);
        Assert.Equal(path, whole.SourcePath);
        (float[] left, float[] right) = whole.ReadAll(50_000);
        Assert.Equal(18_375, left.Length);
        Assert.Equal(channels == 1, left.SequenceEqual(right));

        using StereoTrackReader pieces = StereoTrackReader.Open(new TrackSource(path));
        (float[] leftAgain, float[] rightAgain) = pieces.ReadAll(77);
        Assert.Equal(left, leftAgain);
        Assert.Equal(right, rightAgain);
    }

    [Fact]
    public void Another_rate_can_be_asked_for()
    {
        string path = _folder.Write("44k.wav", Pcm16(44100, 1, new int[441]));
        using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(path), 48000);
        Assert.Equal(480, reader.FrameCount);
        Assert.Equal(480, reader.ReadAll().Left.Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => StereoTrackReader.Open(new TrackSource(path), 7999));
        Assert.Throws<ArgumentOutOfRangeException>(() => StereoTrackReader.Open(new TrackSource(path), 384_001));
    }

    [Fact]
    public void Spans_that_do_not_fit_are_refused()
    {
        using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(_folder.Write("mono.wav", Pcm16(44100, 1, 1))));
        Assert.Throws<ArgumentException>(() => reader.Read(new float[2], new float[3]));
        Assert.Throws<ArgumentException>(() => reader.Read([], []));
    }

    [Fact]
    public void A_cut_off_file_warns_at_the_end()
    {
        using StereoTrackReader reader = StereoTrackReader.Open(
            new TrackSource(_folder.Write("cut.wav", Pcm16(44100, 1, 1, 2, 3, 4)[..^4]))
        );
        Assert.Equal(2, reader.ReadAll().Left.Length);
        Assert.Contains("declared 4 frames, found 2", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }
}
