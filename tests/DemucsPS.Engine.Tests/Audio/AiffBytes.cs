using System.Buffers.Binary;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>AIFF files made in the test.</summary>
internal static class AiffBytes
{
    public static byte[] Make(int rate, int channels, int bits, int[] samples, int offset = 0, (string Name, byte[] Content)? text = null, string type = "AIFF", string? compression = null)
    {
        int bytes = (bits + 7) / 8;
        byte[] common = new byte[18], sound = new byte[8 + offset + (bytes * samples.Length)];
        BinaryPrimitives.WriteInt16BigEndian(common, (short)channels);
        BinaryPrimitives.WriteInt32BigEndian(common.AsSpan(2), samples.Length / channels);
        BinaryPrimitives.WriteInt16BigEndian(common.AsSpan(6), (short)bits);
        // The rate in 80 bits: exponent, then a mantissa whose first bit is written.
        int exponent = (int)Math.Log2(rate);
        BinaryPrimitives.WriteInt16BigEndian(common.AsSpan(8), (short)(16383 + exponent));
        BinaryPrimitives.WriteUInt64BigEndian(common.AsSpan(10), (ulong)rate << (63 - exponent));
        if (compression is not null)
            common = [.. common, .. System.Text.Encoding.ASCII.GetBytes(compression), 0, 0];
        BinaryPrimitives.WriteInt32BigEndian(sound, offset);
        for (int i = 0; i < samples.Length; i++)
        {
            uint word = (uint)samples[i] << (32 - (8 * bytes));
            for (int b = 0; b < bytes; b++)
                sound[8 + offset + (i * bytes) + b] = (byte)(word >> (24 - (8 * b)));
        }
        byte[] content = [.. System.Text.Encoding.ASCII.GetBytes(type), .. Chunk("COMM", common), .. text is { } t ? Chunk(t.Name, t.Content) : [], .. Chunk("SSND", sound)];
        return Chunk("FORM", content);

        static byte[] Chunk(string name, byte[] content)
        {
            byte[] size = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(size, content.Length);
            return [.. System.Text.Encoding.ASCII.GetBytes(name), .. size, .. content, .. content.Length % 2 == 1 ? new byte[1] : []];
        }
    }
}
