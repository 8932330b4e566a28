using System.Buffers.Binary;

namespace DemucsPS.Engine.Encoders;

/// <summary>
/// Puts pictures into files that ffmpeg has written, in place of padding that it was told to leave: it knows JPEG and PNG well, other kinds
/// only in some versions, and wants to look into them.
/// </summary>
internal static class PictureWriter
{
    /// <summary>
    /// The maximum number of bytes of a picture in a FLAC file: the length of a block has 24 bits, and the picture's head is in it.
    /// </summary>
    public const int MaxFlacBytes = 0xFF_FFFF - 64;

    private const int FlacPadding = 1,
        FlacPicture = 6;

    /// <summary>The bytes that go into the place of padding.</summary>
    /// <param name="cover">The picture.</param>
    /// <param name="format">FLAC or MP3.</param>
    public static byte[] Bytes(CoverArt cover, StemFileFormat format) =>
        format == StemFileFormat.Flac ? cover.ToPictureBlock() : cover.ToId3Frame();

    /// <summary>Puts the picture into its place.</summary>
    /// <param name="file">The file, readable and writable.</param>
    /// <param name="path">For messages.</param>
    /// <param name="format">FLAC or MP3.</param>
    /// <param name="picture">As <see cref="Bytes"/> makes it; the padding has as many.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: there is no such padding.</exception>
    public static void Fill(FileStream file, string path, StemFileFormat format, byte[] picture)
    {
        if (format == StemFileFormat.Flac ? !FillFlac(file, picture) : !FillId3(file, picture))
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"'{path}' cannot store its cover: ffmpeg left no space for it. Leave tags and cover out, or use another ffmpeg.",
                path
            );
    }

    private static bool FillFlac(FileStream file, byte[] picture)
    {
        Span<byte> head = stackalloc byte[4];
        for (long at = 4; Read(file, at, head); at += 4 + (BinaryPrimitives.ReadInt32BigEndian(head) & 0xFF_FFFF))
        {
            if ((head[0] & 127) == FlacPadding && (BinaryPrimitives.ReadInt32BigEndian(head) & 0xFF_FFFF) == picture.Length)
            {
                head[0] = (byte)((head[0] & 128) | FlacPicture);
                file.Position = at;
                file.Write(head);
                file.Write(picture);
                return true;
            }

            if (head[0] >= 128)
                return false;
        }

        return false;
    }

    private static bool FillId3(FileStream file, byte[] frame)
    {
        Span<byte> head = stackalloc byte[10];
        if (!Read(file, 0, head) || !head.StartsWith("ID3"u8) || head[3] != 3)
            return false;
        long end = 10 + (head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]);
        long at = 10;
        while (at + 10 <= end && Read(file, at, head) && head[0] != 0)
            at += 10 + BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
        if (at + frame.Length > end)
            return false;
        file.Position = at;
        file.Write(frame);
        return true;
    }

    private static bool Read(FileStream file, long at, Span<byte> bytes)
    {
        file.Position = at;
        return file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length;
    }
}
