using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>AIFF without ffmpeg.</summary>
public sealed class AiffReaderTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(8, 2, 0)]
    [InlineData(16, 2, 0)]
    [InlineData(16, 1, 6)]
    [InlineData(24, 2, 0)]
    [InlineData(24, 6, 3)]
    [InlineData(8, 1, 0, 4999)]
    [InlineData(24, 1, 0, 4999)]
    [InlineData(32, 2, 0)]
    public void Samples_are_those_of_the_file_bit_for_bit(int bits, int channels, int offset, int frames = 5000)
    {
        int[] samples = Samples(bits, frames * channels);
        string path = _folder.File("song.aiff");
        File.WriteAllBytes(path, AiffBytes.Make(48000, channels, bits, samples, offset));
        using AudioReader reader = AudioFile.Open(new TrackSource(path), NoFFmpeg);
        Assert.Equal((48000, channels, (long)frames, $"AIFF {bits} bit"), (reader.SampleRate, reader.Channels, reader.FrameCount, reader.Codec));
        Assert.Equal(samples.Select(s => (float)(s / Math.Pow(2, bits - 1))), reader.ReadAll());
        Assert.Empty(reader.Warnings);
        Assert.Empty(reader.Tags);
    }

    [Fact]
    public void A_part_of_it_can_be_a_track()
    {
        int[] samples = Samples(16, 2000);
        string path = _folder.File("song.aif");
        File.WriteAllBytes(path, AiffBytes.Make(44100, 2, 16, samples));
        using AudioReader reader = AudioFile.Open(new TrackSource(path) { Range = new FrameRange(100, 50) }, NoFFmpeg);
        Assert.Equal(samples[200..300].Select(s => s / 32768f), reader.ReadAll());
        Assert.Equal(DemucsError.ParameterInvalid, Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(path) { StreamIndex = 1 }, NoFFmpeg)).Error);
    }

    [Fact]
    public void Tags_without_ffmpeg_are_missed_in_words()
    {
        string path = _folder.File("song.aiff");
        File.WriteAllBytes(path, AiffBytes.Make(44100, 2, 16, Samples(16, 200), 0, ("NAME", "A song"u8.ToArray())));
        using (AudioReader reader = AudioFile.Open(new TrackSource(path), NoFFmpeg))
        {
            Assert.Empty(reader.Tags);
            Assert.Null(reader.Picture);
            Assert.Contains("Install ffmpeg to keep them", Assert.Single(reader.Warnings), StringComparison.Ordinal);
        }

        Assert.SkipWhen(FFmpegLocator.Find() is null, "ffmpeg is not installed.");
        using AudioReader tagged = AudioFile.Open(path);
        Assert.Equal("A song", tagged.Tags["title"]);
        Assert.Empty(tagged.Warnings);
    }

    [Theory]
    [InlineData("cut")]
    [InlineData("compressed")]
    [InlineData("12 bit")]
    [InlineData("no samples")]
    [InlineData("half a frame")]
    public void What_NAudio_does_not_read_is_for_ffmpeg(string what)
    {
        byte[] bytes = what switch
        {
            "cut" => AiffBytes.Make(44100, 2, 16, Samples(16, 2000))[..^1000],
            "compressed" => AiffBytes.Make(44100, 2, 16, Samples(16, 2000), type: "AIFC", compression: "ima4"),
            "12 bit" => AiffBytes.Make(44100, 2, 12, Samples(12, 2000)),
            "no samples" => AiffBytes.Make(44100, 2, 16, []),
            _ => AiffBytes.Make(44100, 2, 16, Samples(16, 2001)),
        };
        string path = _folder.File("song.aiff");
        File.WriteAllBytes(path, bytes);
        Assert.Equal(DemucsError.FFmpegNotFound, Assert.Throws<DemucsException>(() => AudioFile.Open(new TrackSource(path), NoFFmpeg)).Error);
    }

    private static string? NoFFmpeg() => null;

    private static int[] Samples(int bits, int count)
    {
        Random random = new(bits);
        long span = 1L << bits;
        return [.. Enumerable.Range(0, count).Select(i => (int)(i switch { 0 => -span / 2, 1 => (span / 2) - 1, _ => random.NextInt64(span) - (span / 2) }))];
    }
}
