using System.Buffers.Binary;

namespace DemucsPS.Engine.Audio.Mpeg;

/// <summary>The header of a frame of MPEG audio, layer III (ISO/IEC 11172-3 and 13818-3, and the half rates that are called 2.5).</summary>
/// <param name="Header">Its 32 bits.</param>
internal readonly record struct MpegFrame(uint Header)
{
    /// <summary>Bytes of a header.</summary>
    public const int HeaderBytes = 4;

    // What all frames of a stream have in common: the sync code, version, layer, rate, and whether there is one channel.
    private const uint Common = 0xFFFE_0C00;
    private const uint Padding = 0x200,
        NoChecksum = 0x1_0000;

    private static readonly int[] s_bitRates1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
    private static readonly int[] s_bitRates2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];
    private static readonly int[] s_sampleRates = [44_100, 48_000, 32_000, 0];

    /// <summary>Whether it is a header whose length is known. Bit rates that are free are not.</summary>
    public bool IsValid => Header >> 21 == 0x7FF && Version != 1 && (Header >> 17 & 3) == 1 && BitRate > 0 && SampleRate > 0;

    /// <summary>Samples of each channel.</summary>
    public int Samples => Version == 3 ? 1152 : 576;

    /// <summary>Frames of samples per second.</summary>
    public int SampleRate =>
        s_sampleRates[Header >> 10 & 3]
        >> (
            Version switch
            {
                3 => 0,
                2 => 1,
                _ => 2,
            }
        );

    /// <summary>All its bytes.</summary>
    public int Bytes => (int)Length + ((Header & Padding) != 0 ? 1 : 0);

    /// <summary>Bytes of such frames in the mean.</summary>
    public double Length => Samples / 8 * 1000.0 * BitRate / SampleRate;

    /// <summary>Where its own data begins: after the side information, which a tag of the encoder leaves empty.</summary>
    public int SideEnd =>
        HeaderBytes
        + ((Header & NoChecksum) == 0 ? 2 : 0)
        + (Version, IsMono) switch
        {
            (3, false) => 32,
            (3, true) or (_, false) => 17,
            _ => 9,
        };

    private int Version => (int)(Header >> 19 & 3);

    private int BitRate => (Version == 3 ? s_bitRates1 : s_bitRates2)[Header >> 12 & 15];

    private bool IsMono => (Header >> 6 & 3) == 3;

    /// <summary>Reads a header.</summary>
    /// <param name="bytes">Its bytes; fewer are none.</param>
    public static MpegFrame Read(ReadOnlySpan<byte> bytes) =>
        bytes.Length < HeaderBytes ? default : new MpegFrame(BinaryPrimitives.ReadUInt32BigEndian(bytes));

    /// <summary>Whether another frame can be of the same stream.</summary>
    public bool IsLike(MpegFrame other) => other.IsValid && (Header & Common) == (other.Header & Common) && IsMono == other.IsMono;

    /// <summary>Whether a frame of the stream can have so many bytes, with whatever bit rate.</summary>
    public bool CanHave(long bytes)
    {
        for (uint rate = 1; rate < 15; rate++)
        {
            int length = new MpegFrame((Header & ~(0xF000 | Padding)) | (rate << 12)).Bytes;
            if (bytes == length || bytes == length + 1)
                return true;
        }

        return false;
    }

    /// <summary>A frame of the same kind that is silent: no bits of sound, and none that are taken from those before.</summary>
    public byte[] Silence()
    {
        MpegFrame silent = new((Header | NoChecksum) & ~Padding);
        byte[] bytes = new byte[silent.Bytes];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, silent.Header);
        return bytes;
    }
}
