using System.Diagnostics;
using System.Text;
using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Audio.Tags;

namespace DemucsPS.Engine.Encoders;

/// <summary>A picture that belongs to a track, as its file has it.</summary>
/// <param name="data">The picture; not copied. What it is, its content says.</param>
internal sealed class CoverArt(byte[] data)
{
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(10);

    /// <summary>The picture.</summary>
    public ReadOnlyMemory<byte> Data => data;

    /// <summary>What it is.</summary>
    public PictureKind Kind { get; } = KindOf(data);

    /// <summary>Its MIME type.</summary>
    public string MimeType =>
        Kind switch
        {
            PictureKind.Jpeg => "image/jpeg",
            PictureKind.Png => "image/png",
            PictureKind.Gif => "image/gif",
            PictureKind.WebP => "image/webp",
            PictureKind.Bmp => "image/bmp",
            _ => "",
        };

    /// <summary>
    /// The picture as FLAC files have it (RFC 9639, section 8.8), of the type front cover, without what only repeats the picture's own
    /// header.
    /// </summary>
    public byte[] ToPictureBlock()
    {
        byte[] type = Encoding.ASCII.GetBytes(MimeType);
        return
        [
            0,
            0,
            0,
            EmbeddedPicture.FrontCover,
            0,
            0,
            0,
            (byte)type.Length,
            .. type,
            .. new byte[4 + 16],
            .. BigEndian(data.Length),
            .. data,
        ];
    }

    /// <summary>The picture as a frame of an ID3v2.3 tag, of the type front cover.</summary>
    public byte[] ToId3Frame()
    {
        byte[] head = [0, .. Encoding.ASCII.GetBytes(MimeType), 0, EmbeddedPicture.FrontCover, 0];
        return [.. "APIC"u8, .. BigEndian(head.Length + data.Length), 0, 0, .. head, .. data];
    }

    /// <summary>Takes the front cover out of an audio file, or its first picture.</summary>
    /// <param name="path">The full path of a file that ffmpeg can read.</param>
    /// <param name="stream">Where ffmpeg finds a picture: <see cref="AudioReader.Picture"/>; null for nowhere.</param>
    /// <param name="ffmpeg">The full path of the executable; asked only for files whose pictures are not read here.</param>
    /// <returns>Null if there is none of at most 32 MB.</returns>
    public static CoverArt? Read(string path, string? stream, string ffmpeg)
    {
        if (FileTags.ReadPicture(path) is { } picture)
            return new CoverArt(picture.Data);
        if (stream is null)
            return null;
        using Process process = FFmpegReader.Start(
            path,
            ffmpeg,
            [
                "-v",
                "quiet",
                "-protocol_whitelist",
                "file,pipe",
                "-i",
                "file:" + path,
                "-map",
                "0:" + stream,
                "-c",
                "copy",
                "-frames:v",
                "1",
                "-f",
                "image2pipe",
                "pipe:1",
            ]
        );
        return FFmpegOutput.Collect(process, EmbeddedPicture.MaxBytes, s_timeLimit).Bytes is { Length: > 0 } data
            ? new CoverArt(data)
            : null;
    }

    /// <summary>Why files of a format cannot have the picture, as the rest of a sentence; null if they can.</summary>
    /// <param name="format">The format.</param>
    public string? Obstacle(StemFileFormat format) =>
        Kind == PictureKind.Unknown ? "is not a supported picture (JPEG, PNG, GIF, WebP, BMP)"
        : format is StemFileFormat.Aac or StemFileFormat.Alac or StemFileFormat.StemMp4 && Kind is PictureKind.Gif or PictureKind.WebP
            ? $"is {Kind}, which MP4 files do not support"
        : format == StemFileFormat.Flac && data.Length > PictureWriter.MaxFlacBytes
            ? $"has {data.Length} bytes, but FLAC allows at most 16 MiB"
        : null;

    private static PictureKind KindOf(ReadOnlySpan<byte> data) =>
        data switch
        {
            [0xFF, 0xD8, 0xFF, ..] => PictureKind.Jpeg,
            [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10, ..] => PictureKind.Png,
            [(byte)'G', (byte)'I', (byte)'F', (byte)'8', (byte)'7' or (byte)'9', (byte)'a', ..] => PictureKind.Gif,
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => PictureKind.WebP,
            [(byte)'B', (byte)'M', _, _, _, _, 0, 0, 0, 0, ..] => PictureKind.Bmp,
            _ => PictureKind.Unknown,
        };

    private static byte[] BigEndian(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
}
