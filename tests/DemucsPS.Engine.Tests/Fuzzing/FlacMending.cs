using DemucsPS.Engine.Audio.Flac;

namespace DemucsPS.Engine.Tests.Fuzzing;

/// <summary>Checksums of damaged FLAC files.</summary>
internal static class FlacMending
{
    private const int LongestHeader = 16;

    /// <summary>Gives every frame the checksums of its damaged bytes. Frames are told by their sync codes.</summary>
    public static byte[] Mend(byte[] file)
    {
        byte[] mended = [.. file];
        int start = NextFrame(mended, 4);
        while (start >= 0)
        {
            int end = NextFrame(mended, start + 2);
            Mend(mended.AsSpan(start, (end < 0 ? mended.Length : end) - start));
            start = end;
        }
        return mended;
    }

    private static int NextFrame(byte[] bytes, int from)
    {
        for (int i = from; i + 1 < bytes.Length; i++)
        {
            if (bytes[i] == 0xFF && (bytes[i + 1] & 0xFE) == 0xF8)
                return i;
        }
        return -1;
    }

    private static void Mend(Span<byte> frame)
    {
        if (frame.Length < LongestHeader)
            return;
        // The coded number's first byte says its length, the block size's and the rate's codes whether they follow.
        int length =
            4
            + Math.Max(1, System.Numerics.BitOperations.LeadingZeroCount((uint)(byte)~frame[4]) - 24)
            + (
                (frame[2] >> 4) switch
                {
                    6 => 1,
                    7 => 2,
                    _ => 0,
                }
            )
            + (
                (frame[2] & 15) switch
                {
                    12 => 1,
                    13 or 14 => 2,
                    _ => 0,
                }
            );
        if (length < frame.Length - 2)
            frame[length] = FlacCrc.Crc8(frame[..length]);
        ushort crc = FlacCrc.Crc16(0, frame[..^2]);
        frame[^2] = (byte)(crc >> 8);
        frame[^1] = (byte)crc;
    }
}
