using System.Buffers.Binary;

namespace DemucsPS.Engine.Pictures;

/// <summary>
/// Says in a PNG file how large its pixels are (chunk pHYs of its specification), which the encoder does not; printers and word processors
/// go by it.
/// </summary>
internal static class PngResolution
{
    // Signature and header: 8 bytes, and a chunk of 13 with length, name and checksum.
    private const int HeaderEnd = 8 + 12 + 13;

    /// <summary>The file with the chunk after its header.</summary>
    public static byte[] Add(byte[] png, int dotsPerInch)
    {
        byte[] chunk = new byte[12 + 9];
        uint pixelsPerMeter = (uint)Math.Round(dotsPerInch / 0.0254);
        BinaryPrimitives.WriteInt32BigEndian(chunk, 9);
        "pHYs"u8.CopyTo(chunk.AsSpan(4));
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(8), pixelsPerMeter);
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(12), pixelsPerMeter);
        chunk[16] = 1;
        BinaryPrimitives.WriteUInt32BigEndian(chunk.AsSpan(17), Checksum(chunk.AsSpan(4, 13)));
        return [.. png.AsSpan(0, HeaderEnd), .. chunk, .. png.AsSpan(HeaderEnd)];
    }

    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
                crc = crc % 2 == 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
        }
        return ~crc;
    }
}
