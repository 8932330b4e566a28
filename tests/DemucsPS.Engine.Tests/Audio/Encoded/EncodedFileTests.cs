using System.Buffers.Binary;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Encoded;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio.Encoded;

/// <summary>What MP3, MP4 and WMA files say of their music, from bytes made here.</summary>
public sealed class EncodedFileTests
{
    // MPEG 1, layer III, 128 kbit/s, 44,100 Hz, stereo; and MPEG 2, 64 kbit/s, 22,050 Hz, mono.
    private static readonly byte[] s_stereo = [0xFF, 0xFB, 0x90, 0x00],
        s_mono = [0xFF, 0xF3, 0x80, 0xC0];

    [Theory]
    [InlineData("LAME3.100", 576, 1000)]
    [InlineData("Lavc59.37", 1105, 0)]
    [InlineData("Lavf59.27", 4095, 4095)]
    public void What_the_encoder_of_an_MP3_file_put_around_the_music_is_known(string encoder, int delay, int padding)
    {
        EncodedFile file = Read([
            .. Frame(s_stereo, 417, Information("Info", 15, encoder, 200, delay, padding)),
            .. Frames(s_stereo, 417, 200),
        ])!;
        Assert.Equal(("mp3", "audio/mpeg", 44100, 417L), (file.Codec, file.ContentType, file.SampleRate, file.FirstByte));
        Assert.Equal(new MusicSpan(delay + 529, (200 * 1152) - delay - padding), file.Music);
        Assert.Equal(200 * 1152, file.Decoded);
        Assert.False(file.HasTags);
    }

    [Fact]
    public void Other_versions_fields_and_tags_move_what_the_encoder_says()
    {
        // 208 bytes a frame; the information is behind a shorter side information, and without a table or quality.
        byte[] music = [.. Frame(s_mono, 208, Information("Xing", 1, "LAME3.100", 30, 576, 300), at: 13), .. Frames(s_mono, 208, 30)];
        EncodedFile file = Read([.. Id3("TSSE", 300, footer: false), .. Id3("TIT2", 50, footer: true), 0, 0, 0xFF, 0xE0, .. music])!;
        Assert.Equal(310 + 70 + 4 + 208, file.FirstByte);
        Assert.Equal((22050, new MusicSpan(1105, (30 * 576) - 876), true), (file.SampleRate, file.Music, file.HasTags));
        Assert.False(Read([.. Id3("TSSE", 300, footer: false), .. music])!.HasTags);
        // The older tag stands at the end.
        Assert.True(Read([.. music, .. "TAG"u8, .. new byte[125]])!.HasTags);
    }

    [Theory]
    [InlineData("Info", 15, "AnyEncoder", 200, true)]
    [InlineData("Info", 0, "LAME3.100", 200, true)]
    [InlineData("VBRI", 0, "", 200, true)]
    [InlineData("none", 15, "LAME3.100", 200, false)]
    public void Where_an_MP3_file_says_nothing_everything_is_music(string tag, int fields, string encoder, int frames, bool isNoMusic)
    {
        EncodedFile file = Read([
            .. Frame(s_stereo, 417, Information(tag, fields, encoder, frames, 0, 0)),
            .. Frames(s_stereo, 417, frames),
        ])!;
        Assert.Equal(isNoMusic ? 417 : 0, file.FirstByte);
        Assert.Null(file.Music.Length);
        Assert.Equal(fields == 0 && encoder.Length > 0 ? 529 : 0, file.Music.Start);
    }

    [Fact]
    public void What_is_neither_is_left_to_others()
    {
        Assert.Null(Read([]));
        Assert.Null(Read([0xFF, 0xFB, 0x90]));
        Assert.Null(Read([.. "OggS"u8, .. new byte[5000]]));
        // One frame's head is chance.
        Assert.Null(Read([.. Frame(s_stereo, 417, []), .. new byte[500]]));
        // Layers I and II, free format, a reserved rate.
        foreach (
            byte[] head in (byte[][])
                [
                    [0xFF, 0xFD, 0x90, 0],
                    [0xFF, 0xFF, 0x90, 0],
                    [0xFF, 0xFB, 0x00, 0],
                    [0xFF, 0xFB, 0x9C, 0],
                    [0xFF, 0xEB, 0x90, 0],
                ]
        )
            Assert.Null(Read(Frames(head, 417, 5)));
        Assert.Null(Read([.. Id3("TIT2", 2000, footer: false)[..500]]));
    }

    [Fact]
    public void WMA_is_known_by_its_head_and_says_nothing_of_delays()
    {
        byte[] head = [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C];
        EncodedFile file = Read([.. head, .. new byte[100]])!;
        Assert.Equal(
            ("wma", "audio/x-ms-wma", MusicSpan.Everything, null, false),
            (file.Codec, file.ContentType, file.Music, file.Decoded, file.HasTags)
        );
        Assert.True(Read([.. head, .. new byte[10], 0x33, .. head[1..], .. new byte[100]])!.HasTags);
    }

    [Fact]
    public void The_edit_list_of_an_MP4_file_says_what_is_music_and_is_hidden()
    {
        byte[] bytes =
        [
            .. Box("ftyp", Text("M4A ")),
            .. Box("free", B32(1)),
            .. Movie(44100, 265_377, 44100, 267_489, 2112, "mp4a", [(261, 1024), (1, 225)]),
        ];
        EncodedFile file = Read(bytes)!;
        Assert.Equal(
            ("aac", "audio/mp4", 44100, new MusicSpan(2112, 265_377L), 262 * 1024L),
            (file.Codec, file.ContentType, file.SampleRate, file.Music, file.Decoded)
        );
        byte[] seen = View(bytes, file);
        Assert.Equal(bytes.Length, seen.Length);
        Assert.Equal(-1, seen.AsSpan().IndexOf("edts"u8));
        // The clocks of film, track and media last as long as whole blocks.
        Assert.Equal(
            [268_289, 268_289, 268_288],
            new[] { ("mvhd", 16), ("tkhd", 20), ("mdhd", 16) }.Select(at =>
                BinaryPrimitives.ReadInt32BigEndian(seen.AsSpan(seen.AsSpan().IndexOf(Text(at.Item1)) + 4 + at.Item2))
            )
        );
        Assert.Equal(10, bytes.Zip(seen).Count(pair => pair.First != pair.Second));
        Assert.False(file.HasTags);
    }

    [Theory]
    [InlineData(" 00000000 00000840 000001CA 00000000003F31F6 00000000 00000000", 2112, 4141558L)]
    [InlineData(" 00000000 00000840 000001CA 0000000000FF31F6", 0, null)]
    [InlineData(" 00000000 00004000 000001CA 00000000000031F6", 0, null)]
    [InlineData("nothing", 0, null)]
    public void Without_an_edit_list_the_note_of_iTunes_says_it(string text, int start, long? length)
    {
        byte[] note = Box(
            "----",
            Box("mean", B32(0), Text("com.apple.iTunes")),
            Box("name", B32(0), Text("iTunSMPB")),
            Box("data", B32(1), B32(0), Text(text))
        );
        byte[] bytes =
        [
            .. Box("ftyp", Text("M4A ")),
            .. Movie(1000, 93_960, 44100, 4_144_128, null, "mp4a", note, Box("\u00A9too", B32(0))),
        ];
        EncodedFile file = Read(bytes)!;
        Assert.Equal(new MusicSpan(start, length), file.Music);
        Assert.Equal(-1, View(bytes, file).AsSpan().IndexOf("----"u8));
        Assert.False(file.HasTags);
        // An edit list goes before it, and a title is a tag.
        file = Read([.. Box("ftyp", Text("M4A ")), .. Movie(44100, 100, 44100, 200, 50, "alac", note, Box("\u00A9nam", B32(0)))])!;
        Assert.Equal(("alac", true), (file.Codec, file.HasTags));
        Assert.Equal(50, file.Music.Start);
    }

    [Fact]
    public void Any_damage_is_survived()
    {
        byte[] mp3 =
        [
            .. Id3("TIT2", 40, footer: true),
            .. Frame(s_stereo, 417, Information("Info", 15, "LAME3.100", 4, 576, 1000)),
            .. Frames(s_stereo, 417, 4),
        ];
        byte[] mp4 =
        [
            .. Box("ftyp", Text("M4A ")),
            .. Movie(
                1000,
                6017,
                44100,
                266_401,
                1024,
                "mp4a",
                Box("----", Box("name", B32(0), Text("iTunSMPB")), Box("data", B32(1), B32(0), Text(" 0 840 1 99")))
            ),
        ];
        Random random = new(15);
        foreach (byte[] whole in (byte[][])[mp3, mp4])
        {
            for (int i = 0; i < 2_000; i++)
            {
                byte[] damaged = whole[..random.Next(whole.Length)];
                for (int hit = random.Next(0, 4); hit > 0 && damaged.Length > 0; hit--)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                if (Read(damaged) is { } file)
                {
                    Assert.True(file.Music is { Start: >= 0, Length: null or > 0 } && file.Decoded is null or > 0);
                    Assert.InRange(file.FirstByte, 0, 70_000);
                    Assert.True(View(damaged, file).Length <= damaged.Length);
                }
            }
        }
    }

    private static EncodedFile? Read(byte[] bytes) => EncodedFile.Read(new MemoryStream(bytes));

    // In pieces, whose borders are within what is replaced, too.
    private static byte[] View(byte[] bytes, EncodedFile file)
    {
        using EncodedView view = new(new MemoryStream(bytes), file);
        using MemoryStream seen = new();
        view.CopyTo(seen, 7);
        view.Position = view.Length / 2;
        byte[] rest = new byte[seen.Length];
        Assert.Equal(seen.ToArray()[(int)(view.Length / 2)..], rest[..view.ReadAtLeast(rest, rest.Length, throwOnEndOfStream: false)]);
        return seen.ToArray();
    }

    // One frame, of ten bytes, and zeros behind it.
    private static byte[] Id3(string name, int size, bool footer) =>
        [
            .. "ID3"u8,
            4,
            0,
            (byte)(footer ? 16 : 0),
            0,
            0,
            (byte)(size >> 7),
            (byte)(size & 127),
            .. Text(name),
            .. B32(10),
            0,
            0,
            .. new byte[size - 10 + (footer ? 10 : 0)],
        ];

    private static byte[] Frames(byte[] head, int size, int count) =>
        [.. Enumerable.Repeat(Frame(head, size, []), count).SelectMany(f => f)];

    private static byte[] Frame(byte[] head, int size, byte[] content, int at = 36)
    {
        byte[] frame = new byte[size];
        head.CopyTo(frame, 0);
        content.CopyTo(frame, at);
        return frame;
    }

    private static byte[] Information(string tag, int fields, string encoder, int frames, int delay, int padding) =>
        [
            .. Text(tag),
            .. B32(fields),
            .. (fields & 1) != 0 ? B32(frames) : [],
            .. (fields & 2) != 0 ? B32(1) : [],
            .. (fields & 4) != 0 ? new byte[100] : [],
            .. (fields & 8) != 0 ? B32(1) : [],
            .. Text(encoder.PadRight(9)[..9]),
            .. new byte[12],
            (byte)(delay >> 4),
            (byte)(delay << 4 | padding >> 8),
            (byte)padding,
        ];

    private static byte[] Movie(int movieRate, int movieLength, int rate, int length, int? start, string codec, params byte[][] notes) =>
        Movie(movieRate, movieLength, rate, length, start, codec, [], notes);

    private static byte[] Movie(
        int movieRate,
        int movieLength,
        int rate,
        int length,
        int? start,
        string codec,
        (int Count, int Length)[] blocks,
        params byte[][] notes
    ) =>
        Box(
            "moov",
            [
                Box("mvhd", B32(0), B32(0), B32(0), B32(movieRate), B32(movieLength), B32(1)),
                Box("trak", B32(8), Text("skip"), Box("mdia", Box("hdlr", B32(0), B32(0), Text("vide"), B32(0)))),
                Box(
                    "trak",
                    [
                        Box("tkhd", B32(0), B32(0), B32(0), B32(1), B32(0), B32(movieLength), B32(0)),
                        .. start is { } first
                            ? [Box("edts", Box("elst", B32(0), B32(1), B32(movieLength), B32(first), B32(0x10000)))]
                            : Array.Empty<byte[]>(),
                        Box(
                            "mdia",
                            Box("mdhd", B32(0), B32(0), B32(0), B32(rate), B32(length), B32(0)),
                            Box("hdlr", B32(0), B32(0), Text("soun"), B32(0)),
                            Box(
                                "minf",
                                Box(
                                    "stbl",
                                    Box("stsd", B32(0), B32(1), B32(16), Text(codec), B32(0), B32(0)),
                                    Box("stts", [B32(0), B32(blocks.Length), .. blocks.Select(b => Join(B32(b.Count), B32(b.Length)))])
                                )
                            )
                        ),
                    ]
                ),
                .. notes.Length > 0 ? [Box("udta", Box("meta", [B32(0), Box("ilst", notes)]))] : Array.Empty<byte[]>(),
            ]
        );

    private static byte[] Box(string name, params byte[][] content)
    {
        byte[] joined = Join(content);
        return Join(B32(joined.Length + 8), Text(name), joined);
    }

    private static byte[] B32(int value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteInt32BigEndian(bytes, value);
        return bytes;
    }
}
