using System.Buffers.Binary;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>
/// Finds a second file after the first of formats of which ffmpeg reads the first and says nothing: MP4 and ASF (WMA). MP3, AAC, AC-3, Ogg
/// and Matroska files that were put one after another it reads to their end.
/// </summary>
internal static class ConcatenatedFile
{
    private const int MaxBoxes = 1_000_000;

    // The header object of ASF: 75B22630-668E-11CF-A6D9-00AA0062CE6C.
    private static readonly byte[] s_asf = [0x30, 0x26, 0xB2, 0x75, 0x8E, 0x66, 0xCF, 0x11, 0xA6, 0xD9, 0x00, 0xAA, 0x00, 0x62, 0xCE, 0x6C];

    /// <summary>Looks for it.</summary>
    /// <param name="path">Full path of any file.</param>
    /// <returns>The warning; null if there is none.</returns>
    public static string? Warning(string path)
    {
        try
        {
            using ByteSource source = new(RegularFile.OpenRead(path, bufferSize: 0), path);
            long length = source.Remaining ?? 0;
            return Find(source) is { } at
                ? FormattableString.Invariant(
                    $"'{path}' is two files joined: the second begins at byte {at}, and its {length - at} of {length} bytes ({100.0 * (length - at) / length:F0} %) are ignored. Split the file, or join the two with a program that knows the format."
                )
                : null;
        }
        catch (Exception e) when (e is DemucsException || e.IsFileError())
        {
            // ffmpeg reads the same file and will say so.
            return null;
        }
    }

    /// <summary>The byte at which it begins; null if there is none.</summary>
    /// <param name="source">The file at its first byte.</param>
    internal static long? Find(ByteSource source)
    {
        Span<byte> head = stackalloc byte[24];
        int read = source.Read(head);
        source.Rewind();
        return read < head.Length ? null
            : head[4..].StartsWith("ftyp"u8) ? FindMp4(source)
            : head.StartsWith(s_asf) ? FindAsf(source)
            : null;
    }

    private static long? FindMp4(ByteSource source)
    {
        Span<byte> head = stackalloc byte[16];
        bool hasMovie = false;
        for (int count = 0; count < MaxBoxes && source.Read(head[..8]) == 8; count++)
        {
            long start = source.Position - 8,
                size = BinaryPrimitives.ReadUInt32BigEndian(head),
                used = 8;
            // A file can have such a box again only where another file begins.
            if (hasMovie && head[4..].StartsWith("ftyp"u8))
                return start;
            hasMovie |= head[4..].StartsWith("moov"u8);
            if (size == 1)
            {
                if (source.Read(head[8..]) < 8)
                    return null;
                (size, used) = (BinaryPrimitives.ReadInt64BigEndian(head[8..]), 16);
            }

            if (size < used || !source.Skip(size - used))
                return null;
        }

        return null;
    }

    private static long? FindAsf(ByteSource source)
    {
        Span<byte> head = stackalloc byte[24];
        for (int count = 0; count < MaxBoxes && source.Read(head) == head.Length; count++)
        {
            long start = source.Position - head.Length,
                size = BinaryPrimitives.ReadInt64LittleEndian(head[16..]);
            if (start > 0 && head.StartsWith(s_asf))
                return start;
            if (size < head.Length || !source.Skip(size - head.Length))
                return null;
        }

        return null;
    }
}
