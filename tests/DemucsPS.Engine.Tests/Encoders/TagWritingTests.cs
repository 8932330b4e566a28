using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Tags;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Encoders;
using DemucsPS.Engine.Input;
using DemucsPS.Engine.Stems;
using DemucsPS.Engine.Tests.Audio;
using TemporaryFolder = DemucsPS.Tests.Shared.TemporaryFolder;

namespace DemucsPS.Engine.Tests.Encoders;

/// <summary>Several values of a tag, and pictures of every kind, in every format as it has them.</summary>
public sealed class TagWritingTests
{
    private static readonly float[] s_samples = [.. Enumerable.Range(0, 8000).Select(i => i % 200 / 400f)];

    private static readonly TrackTags s_tags = Tags(
        ("title", ["A song"]),
        ("artist", ["One", "Two & Three"]),
        ("albumartist", ["X", "Y"]),
        ("genre", ["Röck", "Pop", "a; b"]),
        ("track", ["31/99"]),
        ("comment", ["well"])
    );

    [Theory]
    [InlineData(StemFileFormat.Flac)]
    [InlineData(StemFileFormat.Opus)]
    [InlineData(StemFileFormat.Alac)]
    public void Formats_that_have_several_values_get_them(StemFileFormat format)
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        using TemporaryFolder folder = new();
        foreach (byte[]? picture in (byte[]?[])[null, FileTagBytes.Png])
        {
            string path = Encode(folder, format, s_tags, picture is null ? null : new CoverArt(picture));
            IReadOnlyDictionary<string, string> read = TrackHeader.Read(new TrackSource(path)).Tags;
            foreach (string field in (string[])["artist", "albumartist", "genre", "title", "track", "comment"])
                Assert.Equal(TrackTags.ValuesOf(s_tags, field), TrackTags.ValuesOf(read, field));
            Assert.Equal(picture, FileTags.ReadPicture(path)?.Data);
            // Everything behind the tags is where it was: all of it decodes, without a word.
            using AudioReader reader = AudioFile.Open(path);
            Assert.InRange(reader.ReadAll().Length, s_samples.Length, format == StemFileFormat.Opus ? 8710 : s_samples.Length);
            Assert.Empty(reader.Warnings);
            Assert.Equal("", ExternalTool.RunAnyway(ffmpeg, "-v", "error", "-i", path, "-map", "0:a", "-f", "null", "-").Words.Trim());
        }
    }

    [Fact]
    public void What_others_read_of_several_values()
    {
        string metaflac = ExternalTool.FindOrSkip("metaflac"),
            ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        using TemporaryFolder folder = new();
        string flac = Encode(folder, StemFileFormat.Flac, s_tags, null);
        string words = ExternalTool.RunAnyway(metaflac, "--no-utf8-convert", "--export-tags-to=-", flac).Words;
        Assert.Equal(["One", "Two & Three"], Fields(words, "artist"));
        Assert.Equal(["Röck", "Pop", "a; b"], Fields(words, "genre"));
        // ffmpeg joins what several fields have, and shows the first of several values in MP4. ID3v2.3 has them with a slash between.
        Assert.Matches(
            @"artist +: One;Two & Three",
            ExternalTool.RunAnyway(ffmpeg, "-hide_banner", "-i", Encode(folder, StemFileFormat.Opus, s_tags, null)).Words
        );
        Assert.Equal(["One/Two & Three"], Fields(Metadata(Encode(folder, StemFileFormat.Mp3, s_tags, null)), "artist"));
        using AudioReader wav = AudioFile.Open(Encode(folder, StemFileFormat.Wav, s_tags, null));
        Assert.Equal("One; Two & Three", wav.Tags["artist"]);

        static string[] Fields(string words, string name) =>
            [
                .. words
                    .Split('\n', StringSplitOptions.TrimEntries)
                    .Where(line => line.StartsWith(name + "=", StringComparison.OrdinalIgnoreCase))
                    .Select(line => line[(name.Length + 1)..]),
            ];

        string Metadata(string path) => ExternalTool.RunAnyway(ffmpeg, "-v", "error", "-i", path, "-f", "ffmetadata", "-").Words;
    }

    [Theory]
    [InlineData(StemFileFormat.Flac, "webp")]
    [InlineData(StemFileFormat.Flac, "gif")]
    [InlineData(StemFileFormat.Mp3, "webp")]
    [InlineData(StemFileFormat.Mp3, "gif")]
    [InlineData(StemFileFormat.Opus, "webp")]
    [InlineData(StemFileFormat.Opus, "gif")]
    public void Pictures_of_every_kind_arrive(StemFileFormat format, string kind)
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using TemporaryFolder folder = new();
        byte[] picture = kind == "gif" ? FileTagBytes.Gif : FileTagBytes.WebP;
        string path = Encode(folder, format, s_tags, new CoverArt(picture));
        Assert.Equal(picture, FileTags.ReadPicture(path)!.Data);
        using AudioReader reader = AudioFile.Open(path);
        Assert.NotEmpty(reader.ReadAll());
        Assert.Empty(reader.Warnings);
        Assert.Equal("A song", reader.Tags["title"]);
        // Another reader finds it under its right name. ffmpeg 5.1 does not know that of WebP.
        if (kind == "webp")
            return;
        Assert.Matches(
            $@"Stream #0:1.*Video: {kind}.*\(attached pic\)",
            ExternalTool.RunAnyway(ExternalTool.FindOrSkip("ffmpeg"), "-hide_banner", "-i", path).Words
        );
    }

    [Fact]
    public void What_a_format_cannot_carry_is_said()
    {
        CoverArt webp = new(FileTagBytes.WebP),
            gif = new(FileTagBytes.Gif),
            png = new(FileTagBytes.Png),
            unknown = new("not a picture"u8.ToArray()),
            large = new([.. FileTagBytes.Png, .. new byte[16 << 20]]);
        foreach (StemFileFormat mp4 in (StemFileFormat[])[StemFileFormat.Aac, StemFileFormat.Alac, StemFileFormat.StemMp4])
        {
            Assert.Equal("is WebP, which MP4 files do not support", webp.Obstacle(mp4));
            Assert.Equal("is Gif, which MP4 files do not support", gif.Obstacle(mp4));
            Assert.Null(png.Obstacle(mp4));
        }

        Assert.All(Enum.GetValues<StemFileFormat>(), format =>
            Assert.Contains("is not a supported picture", unknown.Obstacle(format), StringComparison.Ordinal)
        );
        Assert.Contains("FLAC allows at most 16 MiB", large.Obstacle(StemFileFormat.Flac), StringComparison.Ordinal);
        Assert.Null(large.Obstacle(StemFileFormat.Mp3));
        Assert.Null(webp.Obstacle(StemFileFormat.Flac));
    }

    /// <summary>From a file to the warnings of the result.</summary>
    [Fact]
    public void A_cover_that_a_format_cannot_have_is_a_warning_of_the_track()
    {
        ExternalTool.FindOrSkip("ffmpeg");
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder["song.flac"], FileTagBytes.Flac((6, FileTagBytes.PictureBlock("", FileTagBytes.WebP))));
        StemOutput output = new(new Engine.Naming.StemNames(folder["out"]), new StemFormat { File = StemFileFormat.Aac });
        TrackSource source = new(folder["song.flac"]);
        TrackHeader header = TrackHeader.Read(source);
        Assert.Equal(
            $"The cover of '{source.Path}' is WebP, which MP4 files do not support. The stems have no cover.",
            output.LabelsOf(source, header.Tags, header.Picture).Warning
        );
        TrackLabels labels = (output with { Format = new StemFormat { File = StemFileFormat.Mp3 } }).LabelsOf(
            source,
            header.Tags,
            header.Picture
        );
        Assert.Null(labels.Warning);
        Assert.Equal(FileTagBytes.WebP, labels.Of("vocals").Cover!.Data.ToArray());
    }

    private static TrackTags Tags(params (string Field, string[] Values)[] tags) =>
        TrackTags.OfValues(tags.Select(t => new KeyValuePair<string, IReadOnlyList<string>>(t.Field, t.Values)));

    private static string Encode(TemporaryFolder folder, StemFileFormat file, TrackTags tags, CoverArt? cover)
    {
        string path = folder[$"{Guid.NewGuid():N}{new StemFormat { File = file }.Extension}"];
        using IStemEncoder encoder = StemEncoder.Create(
            new StemFormat { File = file, Sample = WavSampleFormat.Pcm16 },
            path,
            44100,
            1,
            null,
            new StemLabels(tags, cover),
            [],
            TestContext.Current.CancellationToken
        );
        encoder.Write(s_samples, 1);
        encoder.Complete();
        return path;
    }
}
