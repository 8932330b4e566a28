using System.Text;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Id3;
using DemucsPS.Engine.Input;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class Id3v2Tests : IDisposable
{
    private readonly DemucsPS.Tests.Shared.TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(3, "TIT2", "TPE1", "TRCK", "TCON", "COMM", "TYER")]
    [InlineData(4, "TIT2", "TPE1", "TRCK", "TCON", "COMM", "TDRC")]
    [InlineData(2, "TT2", "TP1", "TRK", "TCO", "COM", "TYE")]
    public void All_versions_say_the_same(int version, string title, string artist, string track, string genre, string comment, string date)
    {
        IReadOnlyDictionary<string, string> tags = Read(
            Id3Bytes.Tag(
                version,
                Id3Bytes.Text(title, "A title"),
                Id3Bytes.Text(artist, "One\0Two"),
                Id3Bytes.Frame("APIC", new byte[70_000]),
                Id3Bytes.Text(track, "3/12"),
                Id3Bytes.Text(genre, "(17)"),
                Id3Bytes.Frame(comment, Join([0], Text("eng"), Text("\0A comment"))),
                Id3Bytes.Text(date, "2001")
            )
        );
        Assert.Equal(
            ["title=A title", "artist=One; Two", "track=3/12", "genre=Rock", "comment=A comment", "date=2001"],
            tags.Select(t => $"{t.Key}={t.Value}")
        );
    }

    [Fact]
    public void Texts_are_read_in_every_encoding()
    {
        byte[] little = [0xFF, 0xFE, .. Encoding.Unicode.GetBytes("Ωä")],
            big = [0xFE, 0xFF, .. Encoding.BigEndianUnicode.GetBytes("Ωä")];
        Assert.Equal("Été", Read(Id3Bytes.Tag(3, Id3Bytes.Text("TALB", 0, Encoding.Latin1.GetBytes("Été"))))["album"]);
        Assert.Equal("Ωä", Read(Id3Bytes.Tag(3, Id3Bytes.Text("TALB", 1, little)))["album"]);
        Assert.Equal("Ωä", Read(Id3Bytes.Tag(3, Id3Bytes.Text("TALB", 1, big)))["album"]);
        Assert.Equal("Ωä", Read(Id3Bytes.Tag(4, Id3Bytes.Text("TALB", 2, big[2..])))["album"]);
        Assert.Equal("Ωä", Read(Id3Bytes.Tag(4, Id3Bytes.Text("TALB", 3, Encoding.UTF8.GetBytes("Ωä\0"))))["album"]);
        // Each of several values has a mark of its own.
        Assert.Equal("Ωä; Ωä!", Read(Id3Bytes.Tag(4, Id3Bytes.Text("TPE1", 1, [.. little, 0, 0, .. little, 0x21, 0])))["artist"]);
    }

    [Fact]
    public void Fields_of_ones_own_keep_their_names_and_lengths_of_a_frame_are_believed_in_both_forms()
    {
        IReadOnlyDictionary<string, string> tags = Read(
            Id3Bytes.Tag(4, Id3Bytes.Text("TXXX", "MOOD\0calm"), Id3Bytes.Text("TBPM", "120"), Id3Bytes.Text("TDAT", "0102"))
        );
        Assert.Equal("calm", tags["mood"]);
        Assert.Equal("120", tags["tbpm"]);
        Assert.Equal("2001-02-01", Read(Id3Bytes.Tag(3, Id3Bytes.Text("TYER", "2001"), Id3Bytes.Text("TDAT", "0102")))["date"]);

        // 200 bytes, as a plain number where version 2.4 wants seven bits to a byte.
        byte[] tag = Id3Bytes.Tag(4, Id3Bytes.Text("TIT2", new string('a', 199)), Id3Bytes.Text("TPE1", "behind"));
        tag[16] = 0;
        tag[17] = 200;
        Assert.Equal("behind", Read(tag)["artist"]);
    }

    [Fact]
    public void Zeros_that_were_put_behind_ones_are_taken_out()
    {
        // ÿ in Latin-1 is 0xFF; in version 2.3 all of the tag is treated so and lengths are the original's, in version 2.4 each frame.
        byte[] old = Id3Bytes.Tag(3, 0x80, Id3Bytes.Text("TIT2", 0, [0xFF, 0x61]), Id3Bytes.Text("TPE1", 0, Text("A")));
        int at = Array.IndexOf(old, (byte)0xFF);
        old = [.. old[..(at + 1)], 0, .. old[(at + 1)..^1]];
        Assert.Equal(("ÿa", "A"), (Read(old)["title"], Read(old)["artist"]));
        byte[] recent = Id3Bytes.Tag(4, Id3Bytes.Frame("TIT2", [0, 0xFF, 0, 0x61], flags: 0x02), Id3Bytes.Text("TPE1", 0, Text("A")));
        Assert.Equal(("ÿa", "A"), (Read(recent)["title"], Read(recent)["artist"]));
    }

    [Fact]
    public void An_extended_header_is_passed_over_whatever_length_it_declares()
    {
        // Its length is that of what follows in version 2.3, of all of it in version 2.4, where less than its own four bytes is none.
        foreach (
            (int version, byte[] header) in ((int, byte[])[])
                [(3, [0, 0, 0, 6, 0, 0, 0, 0, 0, 0]), (4, [0, 0, 0, 6, 1, 0]), (4, [0, 0, 0, 1])]
        )
        {
            byte[] tag = Id3Bytes.Tag(version, 0x40, Id3Bytes.Text("TIT2", "A title"));
            byte[] extended = Join(tag[..6], Id3Bytes.SynchSafe(tag.Length - 10 + header.Length), header, tag[10..]);
            Assert.Equal("A title", Read(extended)["title"]);
        }
    }

    [Fact]
    public void What_is_compressed_encrypted_or_damaged_is_left_out()
    {
        AudioTagBuilder tags = new();
        byte[] tag = Id3Bytes.Tag(
            4,
            Id3Bytes.Frame("TIT2", [3, 0x61], flags: 0x08),
            Id3Bytes.Frame("TALB", [3, 0x61], flags: 0x04),
            Id3Bytes.Text("TPE1", "A")
        );
        Id3v2.Read(Source(tag), tag.Length, tags);
        Assert.Equal(["artist"], tags.Build().Keys);
        Assert.False(tags.IsDamaged);

        foreach (
            byte[] damaged in (byte[][])
                [
                    Id3Bytes.Tag(4, Id3Bytes.Text("tit2", "A")),
                    Text("ID3\u0009\0\0\0\0\0\u0010"),
                    Id3Bytes.Tag(4, Id3Bytes.Text("TIT2", "A title"))[..24],
                    Text("something else"),
                ]
        )
        {
            AudioTagBuilder none = new();
            Id3v2.Read(Source(damaged), damaged.Length, none);
            Assert.True(none.IsDamaged);
        }
    }

    /// <summary>
    /// ffmpeg gives the field of both chunks to whichever comes last; TagLib's applications, and Windows, take ID3 first.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_a_WAV_file_ID3_counts_first_and_then_the_list(bool listFirst)
    {
        byte[] list = Chunk("LIST", Join(Text("INFO"), Chunk("INAM", Text("A long ti\0")), Chunk("IGNR", Text("Jazz\0"))));
        byte[] id3 = Chunk("id3 ", Id3Bytes.Tag(3, Id3Bytes.Text("TIT2", "A long title"), Id3Bytes.Text("TPE1", "Somebody")));
        byte[] format = Format(Pcm, 1, 44100, 16),
            data = Chunk("data", Join(U16(1), U16(2)));
        byte[][] files = listFirst
            ? [WavBytes.File(format, list, data, id3), WavBytes.File(list, id3, format, data)]
            : [WavBytes.File(format, data, id3, list), WavBytes.File(id3, format, data, list)];
        foreach (byte[] file in files)
        {
            string path = _folder["song.wav"];
            System.IO.File.WriteAllBytes(path, file);
            using AudioReader reader = AudioFile.Open(path);
            Assert.Equal(["artist=Somebody", "genre=Jazz", "title=A long title"], reader.Tags.Select(t => $"{t.Key}={t.Value}").Order());
            Assert.Equal("v:0", reader.Picture);
            Assert.Equal([1f / 32768, 2f / 32768], reader.ReadAll());
            Assert.Empty(reader.Warnings);
        }
    }

    [Fact]
    public void Damaged_ID3_of_a_WAV_file_is_a_warning_and_the_list_counts()
    {
        byte[] list = Chunk("LIST", Join(Text("INFO"), Chunk("INAM", Text("A title\0"))));
        string path = _folder["song.wav"];
        System.IO.File.WriteAllBytes(
            path,
            WavBytes.File(Format(Pcm, 1, 44100, 16), Chunk("data", U16(1)), Chunk("ID3 ", Text("no tag at all")), list)
        );
        using AudioReader reader = AudioFile.Open(path);
        Assert.Equal("A title", reader.Tags["title"]);
        Assert.Contains("are damaged", Assert.Single(reader.Warnings), StringComparison.Ordinal);
    }

    private static ByteSource Source(byte[] bytes) => new(new MemoryStream(bytes), "/music/some file");

    private static IReadOnlyDictionary<string, string> Read(byte[] tag)
    {
        AudioTagBuilder tags = new();
        Assert.InRange(Id3v2.Read(Source([.. tag, .. "behind"u8]), tag.Length, tags), 10, tag.Length);
        Assert.False(tags.IsDamaged);
        return tags.Build();
    }
}
