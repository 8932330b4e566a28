using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Levels;
using DemucsPS.Engine.Tests.Inference;
using DemucsPS.Engine.Tracks;

namespace DemucsPS.Engine.Tests.Tracks;

public sealed class AudioTrackTests
{
    [Fact]
    public void A_file_becomes_its_samples_and_statistics()
    {
        MemoryTrack song = MemoryTrack.Song();
        AudioTrack track = AudioTrack.Import(new TrackSource(RepositoryFiles.Song));
        Assert.Equal(song.Left, track.Samples(0).ToArray());
        Assert.Equal(song.Right, track.Samples(1).ToArray());
        TrackStatistics statistics = TrackStatistics.Measure(song.Restarted(), "song");
        Assert.Equal((statistics.Frames, statistics.Peak), (track.Frames, track.Peak));
        Assert.Equal(statistics.Mean, track.Mean, 1e-12);
        Assert.Equal(statistics.Deviation, track.Deviation, 1e-12);
        Assert.Equal(
            (44100, 44100, 2, 2, "PCM 16 bit"),
            (track.SampleRate, track.SourceSampleRate, track.Channels, track.SourceChannels, track.Codec)
        );
        Assert.Equal(TimeSpan.FromSeconds(20), track.Duration);
        Assert.Equal(RepositoryFiles.Song, track.ToString());
    }

    [Fact]
    public void Samples_that_make_no_track_are_refused()
    {
        Assert.Equal(
            DemucsError.AudioTrackCorrupt,
            Assert.Throws<DemucsException>(() => AudioTrack.FromSamples("none", default, default)).Error
        );
        Assert.Equal(
            DemucsError.AudioTrackCorrupt,
            Assert.Throws<DemucsException>(() => AudioTrack.FromSamples("nan", new[] { float.NaN }, new float[1])).Error
        );
        Assert.Throws<ArgumentException>(() => AudioTrack.FromSamples("uneven", new float[1], new float[2]));
        Assert.Equal(
            DemucsError.AudioTrackNotFound,
            Assert.Throws<DemucsException>(() => AudioTrack.Import(new TrackSource(Path.GetFullPath("/nowhere/song.wav")))).Error
        );
    }

    [Fact]
    public void Chunks_are_views_that_cover_the_track()
    {
        AudioTrack track = StageChain.Track(20_000, 61);
        AudioChunk[] chunks = [.. track.Split(0.25, SmallModels.Segment)];
        Assert.Equal([0, 6144, 12288, 18432], chunks.Select(c => c.Start));
        Assert.Equal([8192, 8192, 7712, 1568], chunks.Select(c => c.Length));
        Assert.All(chunks, c =>
        {
            Assert.Same(track, c.Track);
            Assert.Equal(4, c.Count);
            Assert.Equal(track.Samples(1).Slice(c.Start, c.Length), c.Samples(1));
            Assert.Equal(track.GetSample(0, c.Start + 5), c.GetSample(0, 5));
            Assert.Equal(c.Start / 44100.0, c.StartTime.TotalSeconds, 1e-6);
            Assert.Throws<ArgumentOutOfRangeException>(() => c.GetSample(0, c.Length));
        });
        Assert.Equal("chunk 2 (of 0 to 3) of noise", chunks[2].ToString());
    }

    [Theory]
    [InlineData(-0.1, 8192)]
    [InlineData(1, 8192)]
    [InlineData(double.NaN, 8192)]
    [InlineData(0.05, 4095)]
    [InlineData(0.05, -1)]
    [InlineData(0.05, int.MaxValue)]
    public void Cuts_that_cannot_be_are_refused(double overlap, int length) =>
        Assert.Equal(
            DemucsError.ParameterInvalid,
            Assert.Throws<DemucsException>(() => StageChain.Track(10, 62).Split(overlap, length)).Error
        );
}
