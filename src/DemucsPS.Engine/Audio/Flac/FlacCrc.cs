namespace DemucsPS.Engine.Audio.Flac;

/// <summary>
/// The two checksums of a FLAC frame (RFC 9639, sections 9.1.8 and 9.3): CRC-8 with polynomial x^8+x^2+x+1 over its header,
/// CRC-16 with x^16+x^15+x^2+1 over everything before it. Both start at 0, most significant bit first.
/// </summary>
internal static class FlacCrc
{
    private const int Slices = 8;
    private static readonly byte[] s_crc8 = MakeCrc8();
    private static readonly ushort[] s_crc16 = MakeCrc16();

    /// <summary>The CRC-8 of a frame header.</summary>
    public static byte Crc8(ReadOnlySpan<byte> bytes)
    {
        byte crc = 0;
        foreach (byte value in bytes)
            crc = s_crc8[crc ^ value];
        return crc;
    }

    /// <summary>Continues a CRC-16, eight bytes a step: entry 256·k + b is the checksum of b followed by k zero bytes.</summary>
    public static ushort Crc16(ushort crc, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ushort> table = s_crc16;
        while (bytes.Length >= Slices)
        {
            crc = (ushort)(
                table[(7 * 256) + (bytes[0] ^ (crc >> 8))]
                ^ table[(6 * 256) + (bytes[1] ^ (crc & 0xFF))]
                ^ table[(5 * 256) + bytes[2]]
                ^ table[(4 * 256) + bytes[3]]
                ^ table[(3 * 256) + bytes[4]]
                ^ table[(2 * 256) + bytes[5]]
                ^ table[256 + bytes[6]]
                ^ table[bytes[7]]
            );
            bytes = bytes[Slices..];
        }

        foreach (byte value in bytes)
            crc = (ushort)((crc << 8) ^ table[(crc >> 8) ^ value]);
        return crc;
    }

    private static byte[] MakeCrc8()
    {
        byte[] table = new byte[256];
        for (int value = 0; value < 256; value++)
        {
            int crc = value;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc << 1) ^ ((crc & 0x80) != 0 ? 0x107 : 0);
            table[value] = (byte)crc;
        }

        return table;
    }

    private static ushort[] MakeCrc16()
    {
        ushort[] table = new ushort[Slices * 256];
        for (int value = 0; value < 256; value++)
        {
            int crc = value << 8;
            for (int bit = 0; bit < 8; bit++)
                crc = (crc << 1) ^ ((crc & 0x8000) != 0 ? 0x18005 : 0);
            table[value] = (ushort)crc;
        }

        for (int at = 256; at < table.Length; at++)
            table[at] = (ushort)((table[at - 256] << 8) ^ table[table[at - 256] >> 8]);
        return table;
    }
}
