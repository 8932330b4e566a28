using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Input;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class TrackSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Equal_is_what_is_the_same_of_the_same_file()
    {
        TrackSource Make(string title = "a") =>
            new("/music/song.flac")
            {
                StreamIndex = 1,
                Channels = new ChannelPair(4, 5, "BL BR"),
                Range = new FrameRange(10, 20),
                TrackName = "01 a",
                Tags = new TrackTags(new Dictionary<string, string> { ["title"] = title, ["artist"] = "b" }),
            };
        Assert.Equal(Make(), Make());
        Assert.Equal(Make().GetHashCode(), Make().GetHashCode());
        Assert.NotEqual(Make(), Make("b"));
        Assert.NotEqual(Make(), Make() with { Range = new FrameRange(10, null) });
        Assert.NotEqual(Make(), Make() with { Channels = null });
        Assert.NotEqual(Make(), Make() with { StreamIndex = 0 });
        Assert.Equal(new TrackSource("/music/song.flac"), new TrackSource("/music/song.flac"));
        Assert.Equal(new TrackTags([new("A", "1"), new("b", "2")]), new TrackTags([new("B", "2"), new("a", "1")]));
        Assert.Equal(
            new TrackTags([new("A", "1"), new("b", "2")]).GetHashCode(),
            new TrackTags([new("B", "2"), new("a", "1")]).GetHashCode()
        );
    }

    [Fact]
    public void The_name_is_the_files_or_the_given_one_with_the_channels()
    {
        TrackSource source = new("/music/song.one.flac");
        Assert.Equal("song.one", source.Name);
        Assert.Equal("song.one.flac", source.Label());
        Assert.Equal("song.one (BL BR)", (source with { Channels = new ChannelPair(4, 5, "BL BR") }).Name);
        Assert.Equal("03 Title", (source with { TrackName = "03 Title" }).Name);
        Assert.Equal(
            "03 Title (FC) of song.one.flac",
            (source with { TrackName = "03 Title", Channels = new ChannelPair(2, 2, "FC") }).Label()
        );
    }

    [Fact]
    public void Impossible_parts_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameRange(-1, null));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FrameRange(0, 0));
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(0, null)]
    [InlineData(3, 4)]
    [InlineData(99_990, 10)]
    [InlineData(70_001, 20_002)]
    [InlineData(70_001, null)]
    public void A_part_of_a_file_is_the_samples_of_that_part(int start, int? length)
    {
        // More than the readers' buffers hold, so that skipping has to go beyond them.
        int[] samples = [.. Enumerable.Range(0, 200_000).Select(i => i % 30_011)];
        string path = _folder.Write("long.wav", Pcm16(44100, 2, samples));
        using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(path) { Range = new FrameRange(start, length) });
        Assert.Equal(length ?? 100_000 - start, reader.FrameCount);
        (float[] left, float[] right) = reader.ReadAll(777);
        int[] part = samples[(2 * start)..(length is { } n ? 2 * (start + n) : samples.Length)];
        Assert.Equal(part.Where((_, i) => i % 2 == 0).Select(x => x / 32768f), left);
        Assert.Equal(part.Where((_, i) => i % 2 == 1).Select(x => x / 32768f), right);
        Assert.Equal(left.Length, reader.SourceFramesRead);
        Assert.Empty(reader.Warnings);
    }

    [Fact]
    public void A_part_of_a_FLAC_file_is_found_too()
    {
        string path = Path.Combine(RepositoryFiles.Root, "tests", "fixtures", "song", "bass.flac");
        using StereoTrackReader whole = StereoTrackReader.Open(new TrackSource(path));
        (float[] left, _) = whole.ReadAll();
        using StereoTrackReader part = StereoTrackReader.Open(new TrackSource(path) { Range = new FrameRange(123_457, 5_001) });
        Assert.Equal(left[123_457..128_458], part.ReadAll().Left);
    }

    [Fact]
    public void A_part_behind_the_end_is_an_error_and_one_across_it_a_warning()
    {
        string path = _folder.Write("short.wav", Pcm16(44100, 1, 1, 2, 3, 4));
        foreach (long start in new[] { 4L, 5, 100_000 })
        {
            DemucsException error = Assert.Throws<DemucsException>(() =>
                StereoTrackReader.Open(new TrackSource(path) { Range = new FrameRange(start, 1) })
            );
            Assert.Equal(DemucsError.AudioTrackCorrupt, error.Error);
            Assert.Contains($"'{path}' ends after 4 frames", error.Message, StringComparison.Ordinal);
        }
        using StereoTrackReader reader = StereoTrackReader.Open(new TrackSource(path) { Range = new FrameRange(3, 3) });
        Assert.Equal([4f / 32768], reader.ReadAll().Left);
        Assert.Contains("ends 2 frames before the end of the track", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Chosen_channels_are_taken()
    {
        string path = _folder.Write("six.wav", Pcm16(44100, 6, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
        float[][] Read(int left, int right, int rate = 44100)
        {
            using StereoTrackReader reader = StereoTrackReader.Open(
                new TrackSource(path) { Channels = new ChannelPair(left, right, "x") },
                rate
            );
            Assert.Empty(reader.Warnings);
            Assert.Equal(left == right, reader.IsMono);
            Assert.Equal(6, reader.SourceChannels);
            (float[] first, float[] second) = reader.ReadAll();
            return [first, second];
        }
        Assert.Equal(
            [
                [5f / 32768, 11f / 32768],
                [6f / 32768, 12f / 32768],
            ],
            Read(4, 5)
        );
        Assert.Equal(
            [
                [3f / 32768, 9f / 32768],
                [3f / 32768, 9f / 32768],
            ],
            Read(2, 2)
        );
        Assert.Equal(
            [
                [6f / 32768, 12f / 32768],
                [1f / 32768, 7f / 32768],
            ],
            Read(5, 0)
        );
        Assert.All(Read(1, 4, 88200), channel => Assert.Equal(4, channel.Length));
        DemucsException error = Assert.Throws<DemucsException>(() => Read(5, 6));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains("has 6 channels", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resampling_chosen_channels_gives_what_resampling_a_file_of_them_gives()
    {
        Random random = new(8);
        int[] samples = [.. Enumerable.Range(0, 6 * 9000).Select(_ => random.Next(-30000, 30000))];
        string six = _folder.Write("six.wav", Pcm16(48000, 6, samples));
        string two = _folder.Write("two.wav", Pcm16(48000, 2, [.. samples.Where((_, i) => i % 6 is 4 or 5)]));
        using StereoTrackReader chosen = StereoTrackReader.Open(new TrackSource(six) { Channels = new ChannelPair(4, 5, "BL BR") });
        using StereoTrackReader alone = StereoTrackReader.Open(new TrackSource(two));
        (float[] left, float[] right) = chosen.ReadAll(501);
        (float[] expectedLeft, float[] expectedRight) = alone.ReadAll();
        Assert.Equal(expectedLeft, left);
        Assert.Equal(expectedRight, right);
    }

    [Fact]
    public void A_second_stream_of_a_wave_file_does_not_exist()
    {
        string path = _folder.Write("one.wav", Pcm16(22050, 1, 1, 2));
        DemucsException error = Assert.Throws<DemucsException>(() => StereoTrackReader.Open(new TrackSource(path) { StreamIndex = 1 }));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains("has no audio stream 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("0: PCM 16 bit, 22050 Hz, 1 channels", error.Message, StringComparison.Ordinal);
        using (new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None))
        {
            // Nobody has it open any more.
        }
    }

    [Fact]
    public void Given_tags_replace_those_of_the_file()
    {
        TrackTags given = new([new("TITLE", "one of many"), new("track", "7")]);
        IReadOnlyDictionary<string, string> tags = given.Over(new Dictionary<string, string> { ["title"] = "all", ["genre"] = "x" });
        Assert.Equal("one of many", tags["title"]);
        Assert.Equal("7", tags["Track"]);
        Assert.Equal("x", tags["genre"]);
        Assert.Equal(3, tags.Count);
    }

    [Theory]
    [InlineData(0u, 2, "FL FR")]
    [InlineData(0u, 3, "FL FR|FC")]
    [InlineData(0u, 4, "FL FR|BL BR")]
    [InlineData(0u, 6, "FL FR|FC|LFE|BL BR")]
    [InlineData(0u, 7, "FL FR|FC|LFE|BC|SL SR")]
    [InlineData(0u, 8, "FL FR|FC|LFE|BL BR|SL SR")]
    [InlineData(0u, 10, "1 2|3 4|5 6|7 8|9 10")]
    [InlineData(0u, 9, "1 2|3 4|5 6|7 8|9")]
    [InlineData(0x60Fu, 6, "FL FR|FC|LFE|SL SR")]
    [InlineData(0x60Fu, 5, "FL FR|FC|BL BR")]
    [InlineData(0x107u, 4, "FL FR|FC|BC")]
    [InlineData(0xFFu, 8, "FL FR|FC|LFE|BL BR|FLC FRC")]
    [InlineData(0xFFFFFFFFu, 32, null)]
    public void Channels_are_paired_by_where_their_speakers_stand(uint mask, int channels, string? expected)
    {
        IReadOnlyList<ChannelPair> pairs = ChannelNames.Pairs(ChannelNames.FromMask(mask, channels));
        Assert.Equal(Enumerable.Range(0, channels), pairs.SelectMany(p => new[] { p.Left, p.Right }).Distinct());
        if (expected is not null)
            Assert.Equal(expected, string.Join('|', pairs.Select(p => p.Name)));
    }

    [Fact]
    public void The_mask_of_a_wave_file_is_used()
    {
        byte[] format = ExtensibleFormat(Pcm, 6, 44100, 16, 16);
        // The speakers' bits: after name, length, 16 bytes of the plain format, its extension's length and the valid bits.
        U32(0x60F).CopyTo(format, 8 + 20);
        using AudioReader reader = AudioFile.Open(_folder.Write("side.wav", WavBytes.File(format, Chunk("data", new byte[12]))));
        Assert.Equal(["FL", "FR", "FC", "LFE", "SL", "SR"], reader.ChannelNames);
    }
}
