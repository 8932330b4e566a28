using System.Buffers.Binary;
using System.Text;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Tags and pictures of several formats, made byte by byte.</summary>
internal static class FileTagBytes
{
    public static readonly byte[] Png = Convert.FromBase64String(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
    );
    public static readonly byte[] Gif = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");
    public static readonly byte[] WebP = Convert.FromBase64String("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA");

    public static byte[] Big(uint value) => [(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value];

    public static byte[] PictureBlock(string mime, byte[] picture, int type = 3, string description = "") =>
        [
            .. Big((uint)type),
            .. Big((uint)mime.Length),
            .. Encoding.ASCII.GetBytes(mime),
            .. Big((uint)description.Length),
            .. Encoding.ASCII.GetBytes(description),
            .. new byte[16],
            .. Big((uint)picture.Length),
            .. picture,
        ];

    public static byte[] Comments(params string[] comments) =>
        WavBytes.Join([
            WavBytes.U32(0),
            WavBytes.U32(comments.Length),
            .. comments.Select(Encoding.UTF8.GetBytes).Select(c => WavBytes.Join(WavBytes.U32(c.Length), c)),
        ]);

    /// <summary>A FLAC file with these blocks of metadata behind its description.</summary>
    public static byte[] Flac(params (int Type, byte[] Content)[] blocks) =>
        FlacBits.StreamOf(
            [(0, FlacBits.StreamInfo(1, 16, 16)), .. blocks],
            FlacBits.Frame(16, 0, bits => bits.Constant(5, 16), bitsCode: 4, rateCode: 9)
        );

    public static byte[] Id3(int version, params byte[][] frames) => Id3(version, 0, frames);

    public static byte[] Id3(int version, byte flags, params byte[][] frames)
    {
        byte[] body = WavBytes.Join([.. frames, new byte[20]]);
        return [.. "ID3"u8, (byte)version, 0, flags, .. Synchsafe(body.Length), .. body];
    }

    public static byte[] Frame(int version, string name, byte[] content, byte flags = 0) =>
        version switch
        {
            2 => [.. Encoding.ASCII.GetBytes(name), .. Big((uint)content.Length)[1..], .. content],
            3 => [.. Encoding.ASCII.GetBytes(name), .. Big((uint)content.Length), 0, flags, .. content],
            _ => [.. Encoding.ASCII.GetBytes(name), .. Synchsafe(content.Length), 0, flags, .. content],
        };

    public static byte[] TextFrame(int version, string name, byte encoding, params string[] values) =>
        Frame(version, name, Text(encoding, values));

    public static byte[] Text(byte encoding, params string[] values) =>
        [
            encoding,
            .. encoding switch
            {
                1 => WavBytes.Join([
                    .. values.SelectMany((v, i) => new[] { i == 0 ? [] : new byte[2], [0xFF, 0xFE], Encoding.Unicode.GetBytes(v) }),
                ]),
                2 => Encoding.BigEndianUnicode.GetBytes(string.Join('\0', values)),
                3 => Encoding.UTF8.GetBytes(string.Join('\0', values)),
                _ => Encoding.Latin1.GetBytes(string.Join('\0', values)),
            },
        ];

    public static byte[] PictureFrame(int version, string mime, byte[] picture, byte type = 3) =>
        version == 2
            ? Frame(2, "PIC", [0, .. Encoding.ASCII.GetBytes(mime.PadRight(3)[..3]), type, 0, .. picture])
            : Frame(version, "APIC", [0, .. Encoding.ASCII.GetBytes(mime), 0, type, .. "front"u8, 0, .. picture]);

    /// <summary>
    /// An Ogg file of a stream of something else, and one of Opus or Vorbis with these comments, in pages of as many bytes.
    /// </summary>
    public static byte[] Ogg(bool isOpus, byte[] comments, int pageBytes = 4000)
    {
        byte[] head = isOpus ? [.. "OpusHead"u8, .. new byte[11]] : [1, .. "vorbis"u8, .. new byte[23]];
        byte[] packet = isOpus ? [.. "OpusTags"u8, .. comments] : [3, .. "vorbis"u8, .. comments, 1];
        List<byte> file = [.. Page(7, 0, "fishead\0"u8.ToArray(), isLast: true), .. Page(9, 0, head, isLast: true)];
        int number = 1;
        for (int at = 0; ; number++)
        {
            int rest = packet.Length - at,
                count = Math.Min(pageBytes / 255 * 255, rest);
            file.AddRange(Page(9, number, packet[at..(at + count)], isLast: count == rest && count < pageBytes / 255 * 255));
            file.AddRange(Page(7, number, "something else"u8.ToArray(), isLast: true));
            at += count;
            if (count == rest && count < pageBytes / 255 * 255)
                return [.. file];
        }

        static byte[] Page(int serial, int number, byte[] content, bool isLast)
        {
            List<byte> segments = [.. Enumerable.Repeat((byte)255, content.Length / 255)];
            if (isLast)
                segments.Add((byte)(content.Length % 255));
            byte[] page =
            [
                .. "OggS"u8,
                0,
                (byte)(number == 0 ? 2 : 0),
                .. new byte[8],
                .. WavBytes.U32(serial),
                .. WavBytes.U32(number),
                0,
                0,
                0,
                0,
                (byte)segments.Count,
                .. segments,
                .. content,
            ];
            return page;
        }
    }

    /// <summary>The content of a 'moov' box with these items.</summary>
    public static byte[] Movie(params (string Name, uint Kind, byte[][] Values)[] items)
    {
        byte[] list = Box(
            "ilst",
            WavBytes.Join([
                .. items.Select(item =>
                    Box(item.Name, WavBytes.Join([.. item.Values.Select(value => Box("data", [.. Big(item.Kind), 0, 0, 0, 0, .. value]))]))
                ),
            ])
        );
        return Box("udta", Box("meta", [0, 0, 0, 0, .. Box("hdlr", new byte[25]), .. list]));
    }

    public static byte[] Box(string name, byte[] content)
    {
        byte[] box = [0, 0, 0, 0, .. Encoding.Latin1.GetBytes(name), .. content];
        BinaryPrimitives.WriteInt32BigEndian(box, box.Length);
        return box;
    }

    private static byte[] Synchsafe(int size) =>
        [(byte)(size >> 21 & 127), (byte)(size >> 14 & 127), (byte)(size >> 7 & 127), (byte)(size & 127)];
}
