using System.Buffers.Binary;
using System.Text;
using DemucsPS.Engine.Audio;

namespace DemucsPS.Engine.Encoders;

/// <summary>
/// Several values of one field. ffmpeg writes one text for each field; where a format has several, it is given one with marks between them,
/// and its file is mended where it lies: in FLAC and Ogg each mark is exactly as
/// long as what stands between two fields, so that nothing moves; in MP4 the index is the last thing in the file. ID3v2.3, which is what
/// MP3 files get, has "/" between values of a field; a LIST chunk of WAV has one text.
/// </summary>
internal static class MultiValueField
{
    // The kind of a value in MP4 files that is text.
    private const uint Utf8 = 1;

    // No tag has it: control characters are taken out where tags are read.
    private const char Mark = '\u001F';

    // Under the names that ffmpeg gives them in Vorbis comments.
    private static readonly Dictionary<string, string> s_vorbisNames = new(StringComparer.OrdinalIgnoreCase)
    {
        ["albumartist"] = "ALBUMARTIST",
        ["track"] = "TRACKNUMBER",
        ["disc"] = "DISCNUMBER",
        ["comment"] = "DESCRIPTION",
    };

    /// <summary>A field as ffmpeg gets it.</summary>
    /// <param name="format">What it writes.</param>
    /// <param name="field">The field, under the name of <see cref="AudioReader.Tags"/>.</param>
    /// <param name="values">Its values, at least one.</param>
    public static KeyValuePair<string, string> ForFFmpeg(StemFileFormat format, string field, IReadOnlyList<string> values)
    {
        if (values.Count == 1)
            return new(field, values[0]);
        switch (format)
        {
            case StemFileFormat.Flac or StemFileFormat.Opus:
                string name = s_vorbisNames.GetValueOrDefault(field, field);
                return new(name, string.Join(new string(Mark, sizeof(int) + Encoding.UTF8.GetByteCount(name) + 1), values));
            case StemFileFormat.Mp3:
                return new(field, string.Join('/', values));
            default:
                return new(field, string.Join(Mark, values));
        }
    }

    /// <summary>Makes several values of the texts with marks.</summary>
    /// <param name="file">The file that ffmpeg wrote, readable and writable.</param>
    /// <param name="path">For messages.</param>
    /// <param name="format">What it is.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.StemWriteFailed"/>: it is not built as expected.</exception>
    public static void Split(FileStream file, string path, StemFileFormat format)
    {
        bool isDone = format switch
        {
            StemFileFormat.Flac => SplitFlac(file),
            StemFileFormat.Opus => SplitOgg(file),
            StemFileFormat.Mp3 => true,
            _ => SplitMp4(file, path),
        };
        if (!isDone)
            throw new DemucsException(
                DemucsError.StemWriteFailed,
                $"'{path}' cannot store several values of a tag: ffmpeg wrote an unexpected file structure. Leave tags out, or use another ffmpeg.",
                path
            );
    }

    private static bool SplitFlac(FileStream file)
    {
        Span<byte> head = stackalloc byte[4];
        for (long at = 4; ;)
        {
            file.Position = at;
            if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
                return false;
            int length = BinaryPrimitives.ReadInt32BigEndian(head) & 0xFF_FFFF;
            if ((head[0] & 127) == 4)
            {
                byte[] block = new byte[Math.Min(length, file.Length - at)];
                file.ReadExactly(block);
                if (!SplitComments(block))
                    return false;
                file.Position = at + head.Length;
                file.Write(block);
                return true;
            }

            if (head[0] >= 128)
                return false;
            at += head.Length + length;
        }
    }

    /// <summary>The second packet of the file, page by page; the checksums of the pages are made again.</summary>
    private static bool SplitOgg(FileStream file)
    {
        List<(long Position, byte[] Page, int Body)> pages = [];
        MemoryStream packet = new();
        byte[] head = new byte[27 + 255];
        bool isWhole = false;
        for (long at = 0; !isWhole; at = file.Position)
        {
            if (
                file.ReadAtLeast(head.AsSpan(0, 27), 27, throwOnEndOfStream: false) < 27
                || !head.AsSpan().StartsWith("OggS"u8)
                || file.ReadAtLeast(head.AsSpan(27, head[26]), head[26], throwOnEndOfStream: false) < head[26]
            )
                return false;
            int body = 27 + head[26],
                length = 0;
            for (int i = 27; i < body; i++)
                length += head[i];
            byte[] page = new byte[body + length];
            head.AsSpan(0, body).CopyTo(page);
            file.ReadExactly(page.AsSpan(body));
            // The first page has the head of the stream alone (RFC 7845, section 3).
            if (at == 0)
                continue;
            packet.Write(page, body, length);
            pages.Add((at, page, body));
            isWhole = head[26] > 0 && head[body - 1] < 255;
        }

        byte[] comments = packet.ToArray();
        const int Name = 8;
        if (!comments.AsSpan().StartsWith("OpusTags"u8) || !SplitComments(comments.AsSpan(Name)))
            return false;
        int taken = 0;
        foreach ((long position, byte[] page, int body) in pages)
        {
            comments.AsSpan(taken, page.Length - body).CopyTo(page.AsSpan(body));
            taken += page.Length - body;
            page.AsSpan(22, 4).Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(22), OggCrc(page));
            file.Position = position;
            file.Write(page);
        }

        return true;
    }

    /// <summary>Makes several comments of those with marks, in the same number of bytes.</summary>
    private static bool SplitComments(Span<byte> block)
    {
        if (!TryLength(block, 0, out int vendor) || !TryLength(block, 4 + vendor, out int count))
            return false;
        int countAt = 4 + vendor,
            at = countAt + 4,
            more = 0;
        for (int i = 0; i < count; i++)
        {
            if (!TryLength(block, at, out int length))
                return false;
            Span<byte> comment = block.Slice(at + 4, length);
            int name = comment.IndexOf((byte)'=') + 1,
                start = at,
                mark;
            byte[] prefix = comment[..name].ToArray();
            while ((mark = block[(start + 4)..(at + 4 + length)].IndexOf((byte)Mark)) >= 0)
            {
                int next = start + 4 + mark;
                if (next + 4 + name > at + 4 + length)
                    return false;
                BinaryPrimitives.WriteInt32LittleEndian(block[start..], mark);
                prefix.CopyTo(block[(next + 4)..]);
                BinaryPrimitives.WriteInt32LittleEndian(block[next..], at + length - next);
                start = next;
                more++;
            }

            at += 4 + length;
        }

        BinaryPrimitives.WriteInt32LittleEndian(block[countAt..], count + more);
        return true;

        static bool TryLength(ReadOnlySpan<byte> block, int at, out int length)
        {
            length = at <= block.Length - 4 ? BinaryPrimitives.ReadInt32LittleEndian(block[at..]) : -1;
            return length >= 0 && length <= block.Length - at - 4;
        }
    }

    private static bool SplitMp4(FileStream file, string path)
    {
        (long start, long length) = StemAtom.LastBox(file, path);
        byte[] index = new byte[length];
        file.Position = start;
        file.ReadExactly(index);
        if (!index.AsSpan(4).StartsWith("moov"u8))
            return false;
        byte[] patched = Rebuilt(index, ["moov", "udta", "meta", "ilst"]);
        file.Position = start;
        file.Write(patched);
        return true;
    }

    /// <summary>A box in which the values of items are told apart.</summary>
    /// <param name="box">All of it.</param>
    /// <param name="path">The boxes that lead to the items, this one first; empty for an item.</param>
    private static byte[] Rebuilt(ReadOnlySpan<byte> box, ReadOnlySpan<string> path)
    {
        // 'meta' has a version before the boxes in it.
        int head = path is ["meta", ..] ? 12 : 8;
        MemoryStream content = new();
        for (int at = head; at + 8 <= box.Length;)
        {
            int length = (int)Math.Min(BinaryPrimitives.ReadUInt32BigEndian(box[at..]), (uint)(box.Length - at));
            ReadOnlySpan<byte> inner = box.Slice(at, Math.Max(length, 8));
            if (path is [_, { } next, ..] && inner[4..].StartsWith(Encoding.ASCII.GetBytes(next)))
                content.Write(Rebuilt(inner, path[1..]));
            else if (path is ["ilst"])
                content.Write(Rebuilt(inner, []));
            else if (
                path.IsEmpty
                && inner.Length > 16
                && inner[4..].StartsWith("data"u8)
                && BinaryPrimitives.ReadUInt32BigEndian(inner[8..]) == Utf8
            )
                content.Write(SplitData(inner));
            else
                content.Write(inner);
            at += inner.Length;
        }

        return Box(box[4..head], content.ToArray());
    }

    private static byte[] SplitData(ReadOnlySpan<byte> data)
    {
        MemoryStream all = new();
        ReadOnlySpan<byte> rest = data[16..];
        for (int mark; (mark = rest.IndexOf((byte)Mark)) >= 0; rest = rest[(mark + 1)..])
            all.Write(Box(data[4..16], rest[..mark]));
        all.Write(Box(data[4..16], rest));
        return all.ToArray();
    }

    private static byte[] Box(ReadOnlySpan<byte> head, ReadOnlySpan<byte> content)
    {
        byte[] box = [0, 0, 0, 0, .. head, .. content];
        BinaryPrimitives.WriteInt32BigEndian(box, box.Length);
        return box;
    }

    /// <summary>
    /// The checksum of an Ogg page (RFC 3533, section 6): x^32+x^26+x^23+x^22+x^16+x^12+x^11+x^10+x^8+x^7+x^5+x^4+x^2+x+1, most significant
    /// bit first, from 0.
    /// </summary>
    private static uint OggCrc(ReadOnlySpan<byte> page)
    {
        uint crc = 0;
        foreach (byte value in page)
        {
            crc ^= (uint)value << 24;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc << 1) ^ ((crc & 0x8000_0000) != 0 ? 0x04C1_1DB7u : 0);
        }

        return crc;
    }
}
