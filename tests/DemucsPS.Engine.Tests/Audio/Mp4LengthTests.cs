using System.Buffers.Binary;
using DemucsPS.Engine.Audio;
using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio;

public sealed class Mp4LengthTests
{
    [Theory]
    // Milliseconds in the film's clock: the media's end is meant, down to the frame.
    [InlineData(1000, 6017, 1024, 266_401, 265_377L)]
    [InlineData(1000, 6018, 1024, 266_401, 265_377L)]
    // A clock of frames, and an edit that ends within the last block.
    [InlineData(44100, 265_377, 2112, 268_288, 265_377L)]
    [InlineData(88200, 530_754, 2112, 268_288, 265_377L)]
    // A coarse clock and an edit that ends much earlier: not known to the frame.
    [InlineData(600, 3000, 2112, 268_288, null)]
    // An edit longer than the media.
    [InlineData(44100, 300_000, 1024, 266_401, null)]
    // The media begins later (an empty edit), or there is none.
    [InlineData(44100, 1000, -1, 266_401, null)]
    [InlineData(44100, 1000, 266_401, 266_401, null)]
    public void The_length_is_that_of_the_edit_in_frames(int movieRate, int duration, int start, int media, long? expected)
    {
        byte[] movie = Movie(
            movieRate,
            Track("vide", 90_000, 5, 1, 0),
            Track("soun", 44100, media, duration, start),
            Track("soun", 48000, 10_000, 10, 5)
        );
        Assert.Equal(expected, Mp4Length.LengthOf(movie, 0, 44100));
        Assert.Null(Mp4Length.LengthOf(movie, 0, 48000));
        Assert.Null(Mp4Length.LengthOf(movie, 2, 44100));
    }

    /// <summary>An empty edit, which puts off when the media begins, changes nothing in its length.</summary>
    [Theory]
    [InlineData(1, -1, 265_377L)]
    [InlineData(1, 0, null)]
    [InlineData(2, -1, null)]
    public void The_length_behind_an_empty_edit_is_that_of_the_other(int others, int first, long? expected)
    {
        byte[] empty = Join(B32(476), B32(first), B32(0x10000)),
            edits = Join([B32(0), B32(1 + others), empty, .. Enumerable.Repeat(Join(B32(6017), B32(1024), B32(0x10000)), others)]);
        byte[] track = Box(
            "trak",
            Box("edts", Box("elst", edits)),
            Box(
                "mdia",
                Box("mdhd", B32(0), B32(0), B32(0), B32(44100), B32(266_401), B32(0)),
                Box("hdlr", B32(0), B32(0), Text("soun"), B32(0))
            )
        );
        Assert.Equal(expected, Mp4Length.LengthOf(Movie(1000, track), 0, 44100));
    }

    [Fact]
    public void The_second_track_is_found()
    {
        byte[] movie = Movie(48000, Track("soun", 44100, 100, 10, 0), Track("soun", 48000, 10_000, 9_000, 500));
        Assert.Equal(9_000, Mp4Length.LengthOf(movie, 1, 48000));
    }

    [Fact]
    public void Any_damage_is_survived()
    {
        byte[] movie = Movie(1000, Track("soun", 44100, 266_401, 6017, 1024));
        Assert.Equal(265_377, Mp4Length.LengthOf(movie, 0, 44100));
        for (int length = 0; length < movie.Length; length++)
            Assert.Null(Mp4Length.LengthOf(movie.AsSpan(0, length), 0, 44100));
        Random random = new(6);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] damaged = [.. movie];
            for (int hit = random.Next(1, 4); hit > 0; hit--)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            Assert.True(Mp4Length.LengthOf(damaged, 0, 44100) is null or > 0);
        }
    }

    private static byte[] Movie(int rate, params byte[][] tracks) =>
        Join([Box("mvhd", B32(0), B32(0), B32(0), B32(rate), B32(1)), .. tracks]);

    private static byte[] Track(string kind, int rate, int length, int duration, int start) =>
        Box(
            "trak",
            Box("edts", Box("elst", B32(0), B32(1), B32(duration), B32(start), B32(0x10000))),
            Box(
                "mdia",
                Box("mdhd", B32(0), B32(0), B32(0), B32(rate), B32(length), B32(0)),
                Box("hdlr", B32(0), B32(0), Text(kind), B32(0))
            )
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
