using System.Text;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Tags;
using DemucsPS.Engine.Input;
using static DemucsPS.Engine.Tests.Audio.FileTagBytes;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Several values of a tag, and pictures that are not called what they are.</summary>
public sealed class FileTagsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string, byte[]> FilesWithTwoArtists =>
        new()
        {
            { "ID3v2.4, UTF-8", Id3(4, TextFrame(4, "TPE1", 3, "Ä", "B/C"), TextFrame(4, "TCON", 3, "Rock", "Pop", "Jazz")) },
            { "ID3v2.4, UTF-16 with marks", Id3(4, TextFrame(4, "TPE1", 1, "Ä", "B/C"), TextFrame(4, "TCON", 1, "Rock", "Pop", "Jazz")) },
            { "ID3v2.4, UTF-16, big endian", Id3(4, TextFrame(4, "TPE1", 2, "Ä", "B/C"), TextFrame(4, "TCON", 2, "Rock", "Pop", "Jazz")) },
            {
                "ID3v2.4 with sizes of ID3v2.3",
                Id3(
                    4,
                    Frame(3, "TIT2", Text(3, new string('x', 200))),
                    Frame(3, "TPE1", Text(3, "Ä", "B/C")),
                    Frame(3, "TCON", Text(0, "Rock", "Pop", "Jazz"))
                )
            },
            { "ID3v2.3, Latin-1", Id3(3, TextFrame(3, "TPE1", 0, "Ä", "B/C"), TextFrame(3, "TCON", 0, "Rock", "Pop", "Jazz", "")) },
            {
                "ID3v2.3 with an extension",
                Id3(
                    3,
                    0x40,
                    [0, 0, 0, 6, 0, 0, 0, 0, 0, 0],
                    TextFrame(3, "TPE1", 0, "Ä", "B/C"),
                    TextFrame(3, "TCON", 0, "Rock", "Pop", "Jazz")
                )
            },
            {
                "ID3v2.3, unsynchronized",
                Unsynchronized(Id3(3, 0x80, TextFrame(3, "TPE1", 1, "Ä", "B/C"), TextFrame(3, "TCON", 1, "Rock", "Pop", "Jazz")))
            },
            {
                "ID3v2.4, a frame unsynchronized",
                Id3(
                    4,
                    Frame(4, "TPE1", [0, 0, 0, 9, 1, 0xFF, 0, 0xFE, 0xC4, 0, 0, 0, (byte)'B', 0, (byte)'/', 0, (byte)'C', 0], flags: 3),
                    TextFrame(4, "TCON", 3, "Rock", "Pop", "Jazz")
                )
            },
            { "ID3v2.2", Id3(2, TextFrame(2, "TP1", 0, "Ä", "B/C"), TextFrame(2, "TCO", 0, "Rock", "Pop", "Jazz")) },
            { "Opus", Ogg(true, Comments("ARTIST=Ä", "artist=B/C", "GENRE=Rock", "GENRE=Pop", "GENRE=Jazz", "TITLE=x")) },
            {
                "Vorbis, in pages",
                Ogg(
                    false,
                    Comments("COMMENT=" + new string('y', 30_000), "ARTIST=Ä", "ARTIST=B/C", "GENRE=Rock", "GENRE=Pop", "GENRE=Jazz"),
                    pageBytes: 600
                )
            },
            {
                "a chunk of a WAV file",
                WavBytes.File(
                    WavBytes.Format(1, 1, 44100, 16),
                    WavBytes.Chunk("data", [1, 0, 2, 0]),
                    WavBytes.Chunk("id3 ", Id3(4, TextFrame(4, "TPE1", 3, "Ä", "B/C"), TextFrame(4, "TCON", 3, "Rock", "Pop", "Jazz")))
                )
            },
            {
                "a chunk of an AIFF file",
                AiffBytes.Make(
                    44100,
                    1,
                    16,
                    [1, 2, 3],
                    text: ("ID3 ", Id3(3, TextFrame(3, "TPE1", 1, "Ä", "B/C"), TextFrame(3, "TCON", 1, "Rock", "Pop", "Jazz")))
                )
            },
            {
                "MP4",
                Mp4(
                    Movie(
                        ("\u00A9ART", 1, [Encoding.UTF8.GetBytes("Ä"), "B/C"u8.ToArray()]),
                        ("\u00A9gen", 1, ["Rock"u8.ToArray(), "Pop"u8.ToArray(), "Jazz"u8.ToArray()])
                    )
                )
            },
        };

    [Theory]
    [MemberData(nameof(FilesWithTwoArtists))]
    public void All_values_of_a_field_are_read(string kind, byte[] file)
    {
        IReadOnlyDictionary<string, string> tags = FileTags.ReadTexts(_folder.Write("song", file))!.Build();
        Assert.True(TrackTags.ValuesOf(tags, "artist").SequenceEqual(["Ä", "B/C"]), kind);
        Assert.Equal(["Rock", "Pop", "Jazz"], TrackTags.ValuesOf(tags, "Genre"));
        Assert.Equal("Ä; B/C", tags["ARTIST"]);
    }

    [Fact]
    public void What_ffmpeg_reads_gets_all_its_values_and_keeps_the_rest()
    {
        string ffmpeg = ExternalTool.FindOrSkip("ffmpeg");
        ExternalTool.Run(
            ffmpeg,
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "anoisesrc=d=0.2",
            "-id3v2_version",
            "0",
            "-write_xing",
            "0",
            _folder.File("plain.mp3")
        );
        byte[] tag = Id3(4, TextFrame(4, "TPE1", 3, "A", "B"), TextFrame(4, "TIT2", 3, "A song"), TextFrame(4, "TDRC", 3, "2001"));
        string path = _folder.Write("song.mp3", [.. tag, .. File.ReadAllBytes(_folder.File("plain.mp3"))]);
        foreach (
            IReadOnlyDictionary<string, string> tags in (IReadOnlyDictionary<string, string>[])
                [TrackHeader.Read(new TrackSource(path)).Tags, AudioFile.Open(path).Tags]
        )
        {
            Assert.Equal(["A", "B"], TrackTags.ValuesOf(tags, "artist"));
            Assert.Equal("A song", tags["title"]);
            Assert.Equal("2001", tags["date"]);
        }
    }

    [Fact]
    public void Tags_of_a_sheet_replace_all_values_of_a_field_and_no_others()
    {
        AudioTagBuilder file = new();
        foreach ((string field, string value) in ((string, string)[])[("artist", "A"), ("artist", "B"), ("genre", "C"), ("genre", "D")])
            file.Add(field, value);
        IReadOnlyDictionary<string, string> tags = new TrackTags([new KeyValuePair<string, string>("artist", "E")]).Over(file.Build());
        Assert.Equal(["E"], TrackTags.ValuesOf(tags, "artist"));
        Assert.Equal(["C", "D"], TrackTags.ValuesOf(tags, "genre"));
        Assert.Empty(TrackTags.ValuesOf(tags, "title"));
        Assert.NotEqual((TrackTags)file.Build(), new TrackTags([new KeyValuePair<string, string>("artist", "A; B"), new("genre", "C; D")]));
    }

    public static TheoryData<string> MimeTypes =>
        ["", "image/png", "image/png;charset=utf-8", "image/jpeg", "PNG", "application/octet-stream"];

    [Theory]
    [MemberData(nameof(MimeTypes))]
    public void A_picture_is_found_whatever_it_is_called(string mime)
    {
        byte[] block = PictureBlock(mime, Png, description: "a cover");
        byte[][] files =
        [
            Flac((4, Comments("TITLE=x")), (6, block)),
            Flac((6, PictureBlock("image/jpeg", Gif, type: 4)), (1, new byte[30]), (6, block)),
            [.. Id3(4, PictureFrame(4, mime, Png)), .. Flac()],
            Id3(4, TextFrame(4, "TIT2", 3, "x"), PictureFrame(4, mime, Png)),
            Id3(3, PictureFrame(3, mime, WebP, type: 0), PictureFrame(3, mime, Png)),
            Id3(2, PictureFrame(2, mime, Png)),
            Ogg(true, Comments("TITLE=x", "METADATA_BLOCK_PICTURE=" + Convert.ToBase64String(block), "ARTIST=y"), pageBytes: 300),
            Ogg(false, Comments("metadata_block_picture=" + Convert.ToBase64String(block))),
            WavBytes.File(
                WavBytes.Format(1, 1, 44100, 16),
                WavBytes.Chunk("id3 ", Id3(4, PictureFrame(4, mime, Png))),
                WavBytes.Chunk("data", [1, 0])
            ),
            AiffBytes.Make(44100, 1, 16, [1, 2, 3], text: ("ID3 ", Id3(3, PictureFrame(3, mime, Png)))),
            Mp4(Movie(("covr", 0, [Png]))),
        ];
        Assert.All(files, file => Assert.Equal(Png, FileTags.ReadPicture(_folder.Write("song", file))?.Data));
    }

    [Fact]
    public void An_address_or_what_is_cut_is_no_picture()
    {
        byte[][] files =
        [
            Flac((6, PictureBlock("-->", "http://example.org"u8.ToArray()))),
            Flac((6, PictureBlock("image/png", Png)[..^3])),
            Flac((6, PictureBlock("image/png", []))),
            Id3(4, PictureFrame(4, "-->", "http://example.org"u8.ToArray())),
            Id3(4, PictureFrame(4, "image/png", Png))[..40],
            Ogg(true, Comments("METADATA_BLOCK_PICTURE=" + Convert.ToBase64String(PictureBlock("image/png", Png))[..^7] + "!")),
            Flac(),
        ];
        Assert.All(files, file => Assert.Null(FileTags.ReadPicture(_folder.Write("song", file))));
    }

    /// <summary>
    /// As programs write it: the block has what is left of the length in 24 bits. ffmpeg reads such files, and so does flac -F.
    /// </summary>
    [Theory]
    [InlineData((16 << 20) + 1000, 0)]
    [InlineData((16 << 20) - 41, 1)]
    [InlineData(20_000_000, 2)]
    public void A_picture_that_is_longer_than_its_block_can_say_is_read_over_and_found(int bytes, int place)
    {
        byte[] picture = new byte[bytes];
        Png.CopyTo(picture, 0);
        byte[] block = PictureBlock("image/png", picture);
        Assert.True(block.Length > 0xFF_FFFF);
        (int, byte[]) comments = (4, Comments("TITLE=x", "ARTIST=y"));
        byte[] file = Flac(
            place switch
            {
                0 => [(6, block)],
                1 => [(6, block), comments],
                _ => [comments, (6, block), (1, new byte[100])],
            }
        );
        string path = _folder.Write("song.flac", file);
        using AudioReader reader = AudioFile.Open(path);
        Assert.Equal(Enumerable.Repeat(5 / 32768f, 16), reader.ReadAll());
        Assert.Equal(place == 0 ? null : "x", reader.Tags.GetValueOrDefault("title"));
        Assert.Contains(
            $"its picture has {block.Length} bytes, more than FLAC allows",
            Assert.Single(reader.Warnings),
            StringComparison.Ordinal
        );
        EmbeddedPicture found = FileTags.ReadPicture(path)!;
        Assert.Equal(picture.Length, found.Data.Length);
        Assert.True(picture.AsSpan().SequenceEqual(found.Data));
    }

    /// <summary>Lengths in a picture that lead out of its block are no such case.</summary>
    [Theory]
    [InlineData(1000)]
    [InlineData(0x7FFF_FFFF)]
    [InlineData(0xFFFF_FFFF)]
    public void A_picture_that_claims_more_than_its_block_or_file_has_is_passed_over(uint claimed)
    {
        byte[] block = PictureBlock("image/png", Png);
        Big(claimed).CopyTo(block, 4 + 4 + 9 + 4 + 16);
        string path = _folder.Write("song.flac", Flac((6, block)));
        using AudioReader reader = AudioFile.Open(path);
        Assert.Equal(16, reader.ReadAll().Length);
        Assert.Empty(reader.Warnings);
        Assert.Null(FileTags.ReadPicture(path));
    }

    private static byte[] Mp4(byte[] movie) =>
        [.. Box("ftyp", "M4A \0\0\0\0"u8.ToArray()), .. Box("mdat", new byte[10]), .. Box("moov", movie)];

    /// <summary>A zero behind every FF, as players of old want it.</summary>
    private static byte[] Unsynchronized(byte[] tag)
    {
        byte[] body = [.. tag[10..].SelectMany(value => value == 0xFF ? new byte[] { 0xFF, 0 } : [value])];
        int size = body.Length;
        return [.. tag[..6], (byte)(size >> 21 & 127), (byte)(size >> 14 & 127), (byte)(size >> 7 & 127), (byte)(size & 127), .. body];
    }
}
