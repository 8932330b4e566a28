namespace DemucsPS.Engine.Audio.Flac;

/// <summary>The header of a FLAC frame (RFC 9639, section 9.1).</summary>
internal readonly struct FlacFrameHeader
{
    /// <summary>The longest header: 4 bytes, a coded number of 7, block size and rate of 2 each, and the checksum.</summary>
    public const int MaxBytes = 16;

    /// <summary>The fewest samples that a frame may have, save the last one (RFC 9639, section 9.1.1).</summary>
    public const int MinBlockSize = 16;

    /// <summary>The maximum number of samples that a frame may have. A header can say one more.</summary>
    public const int MaxBlockSize = 65_535;

    /// <summary>The length of the header with its checksum.</summary>
    public int Bytes { get; private init; }

    /// <summary>
    /// Samples of each channel in the frame as the header says, 1 to 65,536; see <see cref="MinBlockSize"/> and <see cref="MaxBlockSize"/>.
    /// </summary>
    public int BlockSize { get; private init; }

    /// <summary>Frames per second; null when it is that of the stream.</summary>
    public int? SampleRate { get; private init; }

    /// <summary>1 to 8.</summary>
    public int Channels { get; private init; }

    /// <summary>What the two channels of a stereo frame hold.</summary>
    public FlacStereo Stereo { get; private init; }

    /// <summary>8, 12, 16, 20, 24 or 32; null when it is that of the stream.</summary>
    public int? BitsPerSample { get; private init; }

    /// <summary>
    /// The number of the frame's first sample in streams with blocks of any size, else that of the frame; from 0. Nothing needs it but to
    /// find out what is missing.
    /// </summary>
    public long Number { get; private init; }

    /// <summary>Whether <see cref="Number"/> counts samples.</summary>
    public bool IsVariable { get; private init; }

    /// <summary>The form of the frame.</summary>
    /// <param name="stream">That of the stream, for what the header leaves to it.</param>
    public FlacForm FormIn(FlacForm stream) => new(SampleRate ?? stream.SampleRate, Channels, BitsPerSample ?? stream.BitsPerSample);

    /// <summary>True when bytes begin like a frame: fourteen ones and a reserved zero.</summary>
    public static bool HasSync(ReadOnlySpan<byte> bytes) => bytes.Length >= 2 && bytes[0] == 0xFF && (bytes[1] & 0xFE) == 0xF8;

    /// <summary>Reads a header.</summary>
    /// <param name="bytes"><see cref="MaxBytes"/>, or as many as are left in the file.</param>
    /// <param name="header">The header.</param>
    /// <param name="defect">What is wrong if there is no valid header; null when it merely goes on beyond the given bytes.</param>
    /// <returns>Whether there is a valid header.</returns>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out FlacFrameHeader header, out string? defect)
    {
        header = default;
        defect = null;
        if (bytes.Length < 6)
            return false;
        if (!HasSync(bytes))
        {
            defect = "no frame begins here";
            return false;
        }

        int blockCode = bytes[2] >> 4,
            rateCode = bytes[2] & 15,
            channelCode = bytes[3] >> 4,
            bitsCode = bytes[3] >> 1 & 7;
        if (blockCode == 0 || rateCode == 15 || channelCode > 10 || bitsCode == 3 || (bytes[3] & 1) != 0)
        {
            defect = "the frame header has a reserved value";
            return false;
        }

        // The number of the frame or sample is coded like UTF-8, in up to seven bytes.
        int numberBytes = CodedNumberBytes(bytes[4..]);
        if (numberBytes == 0)
        {
            defect = "the frame header has an impossible frame number";
            return false;
        }

        int at = 4 + numberBytes,
            afterBlock = at + (blockCode is 6 or 7 ? blockCode - 5 : 0),
            checksumAt = afterBlock + (rateCode < 12 ? 0 : Math.Min(rateCode - 11, 2));
        if (bytes.Length <= checksumAt)
            return false;
        if (FlacCrc.Crc8(bytes[..checksumAt]) != bytes[checksumAt])
        {
            defect = "the checksum of the frame header is wrong";
            return false;
        }
        header = new FlacFrameHeader
        {
            Bytes = checksumAt + 1,
            BlockSize = BlockSizeOf(blockCode, bytes[at..]),
            SampleRate = SampleRateOf(rateCode, bytes[afterBlock..]),
            Channels = channelCode < 8 ? channelCode + 1 : 2,
            Stereo = StereoOf(channelCode),
            BitsPerSample = BitsOf(bitsCode),
            Number = CodedNumber(bytes.Slice(4, numberBytes)),
            IsVariable = (bytes[1] & 1) != 0,
        };
        return true;
    }

    private static FlacStereo StereoOf(int channelCode) =>
        channelCode switch
        {
            8 => FlacStereo.LeftSide,
            9 => FlacStereo.SideRight,
            10 => FlacStereo.MidSide,
            _ => FlacStereo.Independent,
        };

    private static int? BitsOf(int code) =>
        code switch
        {
            0 => null,
            1 => 8,
            2 => 12,
            4 => 16,
            5 => 20,
            6 => 24,
            _ => 32,
        };

    // Codes 6 and 7 say that the size follows the number of the frame, in one byte or two.
    private static int BlockSizeOf(int code, ReadOnlySpan<byte> rest) =>
        code switch
        {
            1 => 192,
            <= 5 => 144 << code,
            6 => rest[0] + 1,
            7 => (rest[0] << 8 | rest[1]) + 1,
            _ => 1 << code,
        };

    // Codes 12 to 14 say that the rate follows that, in kHz, Hz or tens of Hz; 0 that it is the stream's.
    private static int? SampleRateOf(int code, ReadOnlySpan<byte> rest) =>
        code switch
        {
            0 => null,
            1 => 88_200,
            2 => 176_400,
            3 => 192_000,
            4 => 8_000,
            5 => 16_000,
            6 => 22_050,
            7 => 24_000,
            8 => 32_000,
            9 => 44_100,
            10 => 48_000,
            11 => 96_000,
            12 => rest[0] * 1_000,
            13 => rest[0] << 8 | rest[1],
            _ => (rest[0] << 8 | rest[1]) * 10,
        };

    private static long CodedNumber(ReadOnlySpan<byte> bytes)
    {
        // The first byte has as many ones as there are bytes, then a zero; where there is one byte, only the zero.
        long number = bytes.Length == 1 ? bytes[0] : bytes[0] & (0x7F >> bytes.Length);
        foreach (byte value in bytes[1..])
            number = number << 6 | (long)(value & 0x3F);
        return number;
    }

    private static int CodedNumberBytes(ReadOnlySpan<byte> bytes)
    {
        int ones = System.Numerics.BitOperations.LeadingZeroCount(~((uint)bytes[0] << 24));
        if (ones == 0)
            return 1;
        if (ones is 1 or 8)
            return 0;
        for (int i = 1; i < ones && i < bytes.Length; i++)
        {
            if ((bytes[i] & 0xC0) != 0x80)
                return 0;
        }

        return ones;
    }
}
