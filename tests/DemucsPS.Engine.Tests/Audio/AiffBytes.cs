using System.Buffers.Binary;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>AIFF files made in the test.</summary>
internal static class AiffBytes
{
    public static byte[] Make(
        int rate,
        int channels,
        int bits,
        int[] samples,
        int offset = 0,
        (string Name, byte[] Content)? text = null,
        string type = "AIFF",
        string? compression = null,
        bool isLittle = false
    )
    {
        int bytes = (bits + 7) / 8;
        byte[] content = new byte[offset + (bytes * samples.Length)];
        for (int i = 0; i < samples.Length; i++)
        {
            uint word = (uint)samples[i] << (32 - (8 * bytes));
            for (int b = 0; b < bytes; b++)
                content[offset + (i * bytes) + (isLittle ? bytes - 1 - b : b)] = (byte)(word >> (24 - (8 * b)));
        }

        return Make(rate, channels, bits, content, samples.Length / channels, compression, type, offset, text);
    }

    /// <summary>The same of samples as they are to be stored.</summary>
    public static byte[] Make(
        int rate,
        int channels,
        int bits,
        byte[] content,
        int frames,
        string? compression,
        string type = "AIFC",
        int offset = 0,
        (string Name, byte[] Content)? text = null
    )
    {
        byte[] common = new byte[18],
            sound = [0, 0, 0, 0, 0, 0, 0, 0, .. content];
        BinaryPrimitives.WriteInt16BigEndian(common, (short)channels);
        BinaryPrimitives.WriteInt32BigEndian(common.AsSpan(2), frames);
        BinaryPrimitives.WriteInt16BigEndian(common.AsSpan(6), (short)bits);
        // The rate in 80 bits: exponent, then a mantissa whose first bit is written.
        int exponent = (int)Math.Log2(rate);
        BinaryPrimitives.WriteInt16BigEndian(common.AsSpan(8), (short)(16383 + exponent));
        BinaryPrimitives.WriteUInt64BigEndian(common.AsSpan(10), (ulong)rate << (63 - exponent));
        if (compression is not null)
            common = [.. common, .. System.Text.Encoding.ASCII.GetBytes(compression), 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(sound, offset);
        byte[] chunks =
        [
            .. System.Text.Encoding.ASCII.GetBytes(type),
            .. Chunk("COMM", common),
            .. text is { } t ? Chunk(t.Name, t.Content) : [],
            .. Chunk("SSND", sound),
        ];
        return Chunk("FORM", chunks);

        static byte[] Chunk(string name, byte[] content)
        {
            byte[] size = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(size, content.Length);
            return [.. System.Text.Encoding.ASCII.GetBytes(name), .. size, .. content, .. content.Length % 2 == 1 ? new byte[1] : []];
        }
    }
}
