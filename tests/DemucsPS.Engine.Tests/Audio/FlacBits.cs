namespace DemucsPS.Engine.Tests.Audio;

/// <summary>
/// Writes FLAC streams bit by bit by RFC 9639, for forms that the flac program does not produce. Checksums are formed one
/// bit at a time, unlike those of the reader under test.
/// </summary>
internal sealed class FlacBits
{
    public const int MidSide = 10;
    public const int LeftSide = 8;
    public const int SideRight = 9;

    private readonly List<byte> _bytes = [];
    private int _free;

    public static byte[] Stream(byte[] streamInfo, params byte[][] frames) =>
        WavBytes.Join(WavBytes.Text("fLaC"), [0x80, 0, 0, 34], streamInfo, WavBytes.Join(frames));

    public static byte[] StreamInfo(
        int channels,
        int bits,
        long total,
        int rate = 44100,
        byte[]? md5 = null,
        int maxBlockSize = 65535,
        int maxFrameBytes = 0
    )
    {
        FlacBits info = new FlacBits()
            .Put(Math.Min(16, maxBlockSize), 16)
            .Put(maxBlockSize, 16)
            .Put(0, 24)
            .Put(maxFrameBytes, 24)
            .Put(rate, 20)
            .Put(channels - 1, 3)
            .Put(bits - 1, 5)
            .Put(total, 36);
        return WavBytes.Join([.. info._bytes], md5 ?? new byte[16]);
    }

    /// <summary>A stream with these blocks of metadata, each with its type.</summary>
    public static byte[] StreamOf((int Type, byte[] Content)[] blocks, params byte[][] frames) =>
        WavBytes.Join([
            WavBytes.Text("fLaC"),
            .. blocks.Select((block, i) => Block(block.Type, block.Content, i == blocks.Length - 1)),
            .. frames,
        ]);

    /// <summary>
    /// A frame with a 16-bit block size and the given codes of channels, depth and rate; 0 is the stream's. Codes of rates from 12 on have
    /// bytes of their own.
    /// </summary>
    public static byte[] Frame(
        int blockSize,
        int channelCode,
        Action<FlacBits> subframes,
        int bitsCode = 0,
        int rateCode = 0,
        byte[]? number = null,
        bool variable = false,
        params byte[] rateBytes
    )
    {
        FlacBits frame = new();
        frame.Put(variable ? 0xFFF9 : 0xFFF8, 16).Put(7, 4).Put(rateCode, 4).Put(channelCode, 4).Put(bitsCode, 3).Put(0, 1);
        foreach (byte value in number ?? [0])
            frame.Put(value, 8);
        frame.Put(blockSize - 1, 16);
        foreach (byte value in rateBytes)
            frame.Put(value, 8);
        frame.Put(Crc(frame._bytes, 8, 0x07), 8);
        subframes(frame);
        frame._free = 0;
        frame.Put(Crc(frame._bytes, 16, 0x8005), 16);
        return [.. frame._bytes];
    }

    /// <summary>Appends the low bits of a value, most significant first.</summary>
    public FlacBits Put(long value, int count)
    {
        for (int bit = count - 1; bit >= 0; bit--)
        {
            if (_free == 0)
            {
                _bytes.Add(0);
                _free = 8;
            }

            _free--;
            _bytes[^1] |= (byte)((value >> bit & 1) << _free);
        }

        return this;
    }

    public FlacBits Unary(long zeros)
    {
        for (long i = 0; i < zeros; i++)
            Put(0, 1);
        return Put(1, 1);
    }

    public FlacBits Rice(int value, int parameter)
    {
        long folded = value >= 0 ? 2L * value : (-2L * value) - 1;
        return Unary(folded >> parameter).Put(folded, parameter);
    }

    public FlacBits Constant(long value, int width) => Put(0, 8).Put(value, width);

    public FlacBits Verbatim(IEnumerable<long> values, int width)
    {
        Put(1 << 1, 8);
        foreach (long value in values)
            Put(value, width);
        return this;
    }

    private static byte[] Block(int type, byte[] content, bool last) =>
        WavBytes.Join(
            [(byte)((last ? 128 : 0) | type), (byte)(content.Length >> 16), (byte)(content.Length >> 8), (byte)content.Length],
            content
        );

    private static int Crc(List<byte> bytes, int width, int polynomial)
    {
        int crc = 0;
        foreach (byte value in bytes)
        {
            for (int bit = 7; bit >= 0; bit--)
            {
                int carry = (crc >> (width - 1) & 1) ^ (value >> bit & 1);
                crc = (crc << 1 & ((1 << width) - 1)) ^ (carry * polynomial);
            }
        }

        return crc;
    }
}
