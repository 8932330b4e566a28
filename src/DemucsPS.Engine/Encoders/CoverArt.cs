using System.Diagnostics;
using System.Text;
using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Encoders;

/// <summary>A picture that belongs to a track, as its file has it.</summary>
/// <param name="data">The picture, JPEG or PNG; not copied.</param>
internal sealed class CoverArt(byte[] data)
{
    /// <summary>More is no cover.</summary>
    private const int MaxBytes = 32 << 20;

    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);

    /// <summary>The picture.</summary>
    public ReadOnlyMemory<byte> Data => data;

    /// <summary>True for PNG, false for JPEG.</summary>
    public bool IsPng => data is [0x89, (byte)'P', ..];

    /// <summary>The picture as Ogg files have it: a FLAC picture block (RFC 9639, section 8.8) in base 64, of the type front cover, without what only repeats the picture's own header.</summary>
    public string ToPictureBlock()
    {
        byte[] type = Encoding.ASCII.GetBytes(IsPng ? "image/png" : "image/jpeg");
        return Convert.ToBase64String([0, 0, 0, 3, 0, 0, 0, (byte)type.Length, .. type, .. new byte[4 + 16], .. BigEndian(data.Length), .. data]);

        static byte[] BigEndian(int value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];
    }

    /// <summary>Takes a picture out of an audio file.</summary>
    /// <param name="path">The full path of a file that ffmpeg can read.</param>
    /// <param name="stream">Where it is: <see cref="AudioReader.Picture"/>.</param>
    /// <param name="ffmpeg">The full path of the executable.</param>
    /// <returns>Null where there is none, or none that is JPEG or PNG of at most 32 MB.</returns>
    public static CoverArt? Read(string path, string stream, string ffmpeg)
    {
        using Process process = FFmpegReader.Start(path, ffmpeg,
            ["-v", "quiet", "-protocol_whitelist", "file,pipe", "-i", "file:" + path, "-map", "0:" + stream, "-c", "copy", "-frames:v", "1", "-f", "image2pipe", "pipe:1"]);
        return FFmpegOutput.Collect(process, MaxBytes, TimeLimit).Bytes is { } data and ([0xFF, 0xD8, 0xFF, ..] or [0x89, (byte)'P', (byte)'N', (byte)'G', ..]) ? new CoverArt(data) : null;
    }
}
