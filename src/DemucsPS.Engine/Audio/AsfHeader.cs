using System.Buffers.Binary;
using System.Text;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Reads of WMA and WMV files who encoded them. ffmpeg's decoder of Windows Media Audio takes off two blocks that other encoders put in
/// front; its own encoder puts one there, so of its files
/// the music begins a block early, and without its first block, unless the decoder is kept from it.
/// </summary>
/// <remarks>Objects of the header: Advanced Systems Format (ASF) Specification, revision 01.20.05, sections 2, 3 and 10.</remarks>
internal static class AsfHeader
{
    private const int MaxHeaderBytes = 1 << 20,
        MaxObjects = 10_000;

    /// <summary>The codecs of the first two versions; those that came later are decoded by another decoder.</summary>
    private const int WmaV1 = 0x160,
        WmaV2 = 0x161;

    private static readonly byte[] s_header = Id("75B22630-668E-11CF-A6D9-00AA0062CE6C"),
        s_streamProperties = Id("B7DC0791-A9B7-11CF-8EE6-00C00C205365"),
        s_audioMedia = Id("F8699E40-5B4D-11CF-A8FD-00805F5C442B"),
        s_extendedContent = Id("D2D0A440-E307-11D2-97F0-00A0C95EA850");

    /// <summary>The frames that ffmpeg's encoder has put in front of a stream of Windows Media Audio.</summary>
    /// <param name="path">Full path of any file.</param>
    /// <param name="stream">The audio stream, counted from 0.</param>
    /// <returns>Frames; null if the file is none, or of another encoder.</returns>
    public static int? DelayOf(string path, int stream)
    {
        try
        {
            using FileStream file = RegularFile.OpenRead(path);
            Span<byte> start = stackalloc byte[30];
            if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !start[..16].SequenceEqual(s_header))
                return null;
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(start[16..]);
            if (size > MaxHeaderBytes || size < (ulong)start.Length || size > (ulong)file.Length)
                return null;
            byte[] objects = new byte[(int)size - start.Length];
            file.ReadExactly(objects);
            return DelayOf(objects, stream);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // ffmpeg reads the same file and will say so.
            return null;
        }
    }

    /// <summary>The same of the objects in a header.</summary>
    internal static int? DelayOf(ReadOnlySpan<byte> objects, int stream)
    {
        // Streams are numbered by the file, and counted by ffmpeg in the order of their objects.
        int number = 0;
        int? delay = null;
        bool isOurs = false;
        for (int count = 0; count < MaxObjects && objects.Length >= 24; count++)
        {
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(objects[16..]);
            if (size < 24 || size > (ulong)objects.Length)
                break;
            ReadOnlySpan<byte> content = objects[24..(int)size];
            if (
                objects[..16].SequenceEqual(s_streamProperties)
                && content.Length >= 54 + 8
                && content[..16].SequenceEqual(s_audioMedia)
                && number++ == stream
            )
                delay = BlockOf(
                    BinaryPrimitives.ReadUInt16LittleEndian(content[54..]),
                    BinaryPrimitives.ReadInt32LittleEndian(content[58..])
                );
            else if (objects[..16].SequenceEqual(s_extendedContent))
                isOurs |= IsByFFmpeg(content);
            objects = objects[(int)size..];
        }
        return isOurs ? delay : null;
    }

    /// <summary>Frames in a block; null for other codecs.</summary>
    private static int? BlockOf(int codec, int sampleRate) =>
        codec is not (WmaV1 or WmaV2) || sampleRate <= 0 ? null
        : sampleRate <= 16_000 ? 512
        : sampleRate <= 22_050 || (sampleRate <= 32_000 && codec == WmaV1) ? 1024
        : 2048;

    /// <summary>Whether the encoder's name, a text among others, is that of ffmpeg's libraries.</summary>
    private static bool IsByFFmpeg(ReadOnlySpan<byte> content)
    {
        int texts = content.Length >= 2 ? BinaryPrimitives.ReadUInt16LittleEndian(content) : 0;
        content = content.Length >= 2 ? content[2..] : content;
        for (; texts > 0 && TryTake(ref content, out ReadOnlySpan<byte> name) && content.Length >= 2; texts--)
        {
            content = content[2..];
            if (!TryTake(ref content, out ReadOnlySpan<byte> value))
                break;
            if (
                Encoding.Unicode.GetString(name).TrimEnd('\0') == "WM/EncodingSettings"
                && Encoding.Unicode.GetString(value).StartsWith("Lav", StringComparison.Ordinal)
            )
                return true;
        }
        return false;

        static bool TryTake(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> taken)
        {
            taken = default;
            if (rest.Length < 2 || BinaryPrimitives.ReadUInt16LittleEndian(rest) is var length && length > rest.Length - 2)
                return false;
            taken = rest.Slice(2, length);
            rest = rest[(2 + length)..];
            return true;
        }
    }

    private static byte[] Id(string text) => new Guid(text).ToByteArray();
}
