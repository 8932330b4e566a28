using DemucsPS.Engine.Encoders;

namespace DemucsPS.Engine.Tests.Encoders;

public sealed class StemFormatTests
{
    [Theory]
    [InlineData(StemFileFormat.Wav, 24, null, null, false)]
    [InlineData(StemFileFormat.Wav, 32, null, null, false)]
    [InlineData(StemFileFormat.Flac, 16, null, null, true)]
    [InlineData(StemFileFormat.Alac, 24, null, null, true)]
    [InlineData(StemFileFormat.Mp3, null, 192, null, false)]
    [InlineData(StemFileFormat.Mp3, null, null, 0, false)]
    [InlineData(StemFileFormat.Aac, null, 512, null, false)]
    [InlineData(StemFileFormat.Opus, null, 16, null, false)]
    [InlineData(StemFileFormat.StemMp4, null, 256, null, false)]
    public void What_goes_together_is_taken(StemFileFormat file, int? bits, int? bitRate, int? quality, bool dither) =>
        Assert.Equal(file, StemFormat.Create(file, bits, bitRate, quality, null, dither).File);

    [Theory]
    [InlineData(StemFileFormat.Flac, 32, null, null, "does not support 32-bit floating point")]
    [InlineData(StemFileFormat.Alac, 32, null, null, "does not support 32-bit floating point")]
    [InlineData(StemFileFormat.Wav, 20, null, null, "16, 24 or 32")]
    [InlineData(StemFileFormat.Mp3, 16, null, null, "no bit depth")]
    [InlineData(StemFileFormat.StemMp4, 24, null, null, "no bit depth")]
    [InlineData(StemFileFormat.Wav, null, 320, null, "lossless")]
    [InlineData(StemFileFormat.Flac, null, 320, null, "lossless")]
    [InlineData(StemFileFormat.Mp3, null, 300, null, "32, 40, 48")]
    [InlineData(StemFileFormat.Mp3, null, 0, null, "it must be")]
    [InlineData(StemFileFormat.Aac, null, 513, null, "32 to 512 kbit/s")]
    [InlineData(StemFileFormat.Opus, null, 511, null, "16 to 510 kbit/s")]
    [InlineData(StemFileFormat.Aac, null, 256000, null, "kbit/s")]
    [InlineData(StemFileFormat.Flac, null, null, 5, "only available for Mp3")]
    [InlineData(StemFileFormat.Opus, null, null, 5, "Choose a bit rate")]
    [InlineData(StemFileFormat.Mp3, null, null, 10, "0 (best) to 9")]
    [InlineData(StemFileFormat.Mp3, null, 320, 0, "cannot be combined")]
    public void What_does_not_is_refused(StemFileFormat file, int? bits, int? bitRate, int? quality, string because)
    {
        DemucsException error = Assert.Throws<DemucsException>(() => StemFormat.Create(file, bits, bitRate, quality));
        Assert.Equal(DemucsError.ParameterInvalid, error.Error);
        Assert.Contains(because, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StemFileFormat.Wav, 24, ClipMode.Rescale)]
    [InlineData(StemFileFormat.Wav, 32, ClipMode.None)]
    [InlineData(StemFileFormat.Mp3, null, ClipMode.Rescale)]
    public void What_can_clip_is_rescaled(StemFileFormat file, int? bits, ClipMode expected) =>
        Assert.Equal(expected, StemFormat.Create(file, bits).ClipInEffect);

    [Fact]
    public void Sizes_are_told_or_the_most_that_they_can_be()
    {
        Assert.Equal(44100 * 6, StemFormat.Create(StemFileFormat.Wav).BytesOf(new StemShape(44100, 44100, 2)));
        Assert.Equal(40_000, StemFormat.Create(StemFileFormat.Mp3).BytesOf(new StemShape(44100, 44100, 2)));
        Assert.False(StemFormat.Create(StemFileFormat.Mp3).BytesAreMost);
        foreach (
            (StemFormat format, long most) in new[]
            {
                (StemFormat.Create(StemFileFormat.Mp3, quality: 9), 40_000L),
                (StemFormat.Create(StemFileFormat.Flac), 44100 * 6),
                (StemFormat.Create(StemFileFormat.Alac, bits: 16), 44100 * 4),
            }
        )
        {
            Assert.Equal(most, format.BytesOf(new StemShape(44100, 44100, 2)));
            Assert.True(format.BytesAreMost);
        }
    }
}
