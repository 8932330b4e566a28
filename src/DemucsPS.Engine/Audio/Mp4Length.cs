using System.Buffers.Binary;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Finds the exact length of the music in an MP4 file (ISO/IEC 14496-12): AAC comes in whole blocks, so decoders give up to a block more
/// than was encoded. The track's own clock counts frames (mdhd), and its edit list says how many of the first ones are not music (elst).
/// </summary>
internal static class Mp4Length
{
    // Ten hours of AAC have some seven megabytes of tables.
    private const int MaxMovieBytes = 32 << 20,
        MaxBoxes = 10_000;

    /// <summary>Reads the length.</summary>
    /// <param name="path">Full path of any file.</param>
    /// <param name="stream">The audio track, counted from 0.</param>
    /// <param name="sampleRate">Frames per second that it is decoded to.</param>
    /// <returns>Frames; null if the file is not MP4 or does not say it.</returns>
    public static long? Read(string path, int stream, int sampleRate)
    {
        return ReadMovie(path) is { } movie ? LengthOf(movie, stream, sampleRate) : null;
    }

    /// <summary>
    /// The content of a file's 'moov' box, which says what is in the file; null if the file is not MP4, or cannot be read.
    /// </summary>
    /// <param name="path">Full path of any file.</param>
    internal static byte[]? ReadMovie(string path)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return FindMovie(file);
        }
        catch (Exception e) when (e.IsFileError())
        {
            // ffmpeg reads the same file and will say so.
            return null;
        }
    }

    /// <summary>The same of the content of a 'moov' box.</summary>
    internal static long? LengthOf(ReadOnlySpan<byte> movie, int stream, int sampleRate)
    {
        ReadOnlySpan<byte> header = Box(movie, "mvhd"u8);
        if (!TryReadClock(header, out long movieRate, out _))
            return null;
        int boxes = 0,
            number = 0;
        while (TryTakeBox(ref movie, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> track) && boxes++ < MaxBoxes)
        {
            if (!name.SequenceEqual("trak"u8))
                continue;
            ReadOnlySpan<byte> media = Box(track, "mdia"u8);
            ReadOnlySpan<byte> handler = Box(media, "hdlr"u8);
            if (handler.Length < 12 || !handler[8..12].SequenceEqual("soun"u8) || number++ != stream)
                continue;
            return TryReadClock(Box(media, "mdhd"u8), out long mediaRate, out long length) && mediaRate == sampleRate
                ? Edited(Box(Box(track, "edts"u8), "elst"u8), length, sampleRate, movieRate)?.Length
                : null;
        }

        return null;
    }

    /// <summary>What an edit list takes of a track.</summary>
    /// <param name="edits">The content of the list's box.</param>
    /// <param name="mediaLength">Length of the track's media, in frames.</param>
    /// <param name="sampleRate">Frames per second.</param>
    /// <param name="movieRate">Ticks per second of the clock by which the list counts.</param>
    /// <returns>Null if it does not take one part of it.</returns>
    internal static MusicSpan? Edited(ReadOnlySpan<byte> edits, long mediaLength, long sampleRate, long movieRate)
    {
        // Version, flags and the number of edits; one that plays the media once from some frame on is understood, also behind an empty one,
        // which puts off when it begins.
        if (edits.Length < 8)
            return null;
        bool isLong = edits[0] == 1;
        int size = isLong ? 20 : 12;
        uint count = BinaryPrimitives.ReadUInt32BigEndian(edits[4..]);
        ReadOnlySpan<byte> edit = edits[8..];
        if (count == 2 && edit.Length >= size && StartOf(edit, isLong) == -1)
        {
            count = 1;
            edit = edit[size..];
        }
        if (count != 1 || edit.Length < size)
            return null;
        long duration = isLong ? BinaryPrimitives.ReadInt64BigEndian(edit) : BinaryPrimitives.ReadUInt32BigEndian(edit);
        long start = StartOf(edit, isLong);
        long media = mediaLength - start;
        if (start < 0 || media <= 0 || duration <= 0)
            return null;

        // The edit is counted by the clock of the whole film, often in milliseconds: where it ends with the media but for that, the media's
        // end is the exact one.
        double edited = (double)duration * sampleRate / movieRate;
        if (Math.Abs(edited - media) <= (double)sampleRate / movieRate)
            return new MusicSpan(start, media);
        return edited < media && movieRate % sampleRate == 0 ? new MusicSpan(start, (long)Math.Round(edited)) : null;
    }

    /// <summary>The first frame of the media that an edit plays; -1 for an empty one.</summary>
    private static long StartOf(ReadOnlySpan<byte> edit, bool isLong) =>
        isLong ? BinaryPrimitives.ReadInt64BigEndian(edit[8..]) : BinaryPrimitives.ReadInt32BigEndian(edit[4..]);

    /// <summary>
    /// The content of the 'moov' box, right after which the file then stands; null if there is none, or the file is not an MP4.
    /// </summary>
    internal static byte[]? FindMovie(Stream file)
    {
        Span<byte> header = stackalloc byte[16];
        for (int boxes = 0; boxes < MaxBoxes && file.ReadAtLeast(header[..8], 8, throwOnEndOfStream: false) == 8; boxes++)
        {
            if (boxes == 0 && !header[4..8].SequenceEqual("ftyp"u8))
                return null;
            long size = BinaryPrimitives.ReadUInt32BigEndian(header),
                used = 8;
            if (size == 1)
            {
                if (file.ReadAtLeast(header[8..], 8, throwOnEndOfStream: false) < 8)
                    return null;
                (size, used) = (BinaryPrimitives.ReadInt64BigEndian(header[8..]), 16);
            }

            long content = size - used;
            if (content < 0 || content > file.Length - file.Position)
                return null;
            if (header[4..8].SequenceEqual("moov"u8))
            {
                if (content > MaxMovieBytes)
                    return null;
                byte[] movie = new byte[content];
                return file.ReadAtLeast(movie, movie.Length, throwOnEndOfStream: false) == movie.Length ? movie : null;
            }

            file.Position += content;
        }

        return null;
    }

    /// <summary>The content of the first box of a name; empty if there is none.</summary>
    internal static ReadOnlySpan<byte> Box(ReadOnlySpan<byte> boxes, ReadOnlySpan<byte> wanted)
    {
        for (int count = 0; count < MaxBoxes && TryTakeBox(ref boxes, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> content); count++)
        {
            if (name.SequenceEqual(wanted))
                return content;
        }

        return [];
    }

    /// <summary>Takes the first box from others.</summary>
    internal static bool TryTakeBox(scoped ref ReadOnlySpan<byte> boxes, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> content)
    {
        name = content = [];
        if (boxes.Length < 8)
            return false;
        uint size = BinaryPrimitives.ReadUInt32BigEndian(boxes);
        if (size < 8 || size > boxes.Length)
            return false;
        name = boxes[4..8];
        content = boxes[8..(int)size];
        boxes = boxes[(int)size..];
        return true;
    }

    /// <summary>Ticks per second and length of a header ('mvhd' or 'mdhd').</summary>
    internal static bool TryReadClock(ReadOnlySpan<byte> header, out long rate, out long length)
    {
        rate = length = 0;
        bool isLong = header.Length > 0 && header[0] == 1;
        if (header.Length < (isLong ? 32 : 20))
            return false;
        rate = BinaryPrimitives.ReadUInt32BigEndian(header[(isLong ? 20 : 12)..]);
        length = isLong ? BinaryPrimitives.ReadInt64BigEndian(header[24..]) : BinaryPrimitives.ReadUInt32BigEndian(header[16..]);
        return rate > 0 && length > 0;
    }
}
