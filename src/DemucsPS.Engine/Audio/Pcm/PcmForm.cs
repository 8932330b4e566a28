using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>What a run of uncompressed samples is.</summary>
/// <param name="Encoding">How a sample is stored. Samples that do not fill their bytes are left-justified in them, so full scale is that of
/// the bytes in every case.</param>
/// <param name="SampleRate">Frames per second.</param>
/// <param name="Channels">Channels in a frame.</param>
/// <param name="Codec">The encoding for people.</param>
internal sealed record PcmForm(PcmEncoding Encoding, int SampleRate, int Channels, string Codec)
{
    private static readonly float[] s_aLaw = [.. Enumerable.Range(0, 256).Select(ALaw)],
        s_muLaw = [.. Enumerable.Range(0, 256).Select(MuLaw)];

    /// <summary>Whether the first byte of a sample is its highest.</summary>
    public bool IsBigEndian { get; init; }

    /// <summary>The speakers of the channels, a bit each; 0 if the file does not declare them.</summary>
    public uint ChannelMask { get; init; }

    /// <summary>Bytes of a sample.</summary>
    public int SampleBytes =>
        Encoding switch
        {
            PcmEncoding.Int16 => 2,
            PcmEncoding.Int24 => 3,
            PcmEncoding.Int32 or PcmEncoding.Float32 => 4,
            PcmEncoding.Float64 => 8,
            _ => 1,
        };

    /// <summary>Bytes of a frame.</summary>
    public int FrameBytes => Channels * SampleBytes;

    /// <summary>Integers of a number of bytes, 1 to 4.</summary>
    public static PcmEncoding Integer(int bytes, bool isUnsigned = false) =>
        bytes switch
        {
            1 => isUnsigned ? PcmEncoding.UInt8 : PcmEncoding.Int8,
            2 => PcmEncoding.Int16,
            3 => PcmEncoding.Int24,
            4 => PcmEncoding.Int32,
            _ => throw new ArgumentOutOfRangeException(nameof(bytes), bytes, null),
        };

    /// <summary>Makes samples of bytes. Integers of b bits are scaled by 2^-(b-1), so that 16 bits are divided by 32,768.</summary>
    /// <param name="bytes">Whole samples; their order is changed where it is not that of this machine.</param>
    /// <param name="samples">Receives them.</param>
    public void Decode(Span<byte> bytes, Span<float> samples)
    {
        if (IsBigEndian)
            Reverse(bytes);
        switch (Encoding)
        {
            case PcmEncoding.UInt8:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (bytes[i] - 128) * (1f / 128);
                break;
            case PcmEncoding.Int8:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (sbyte)bytes[i] * (1f / 128);
                break;
            case PcmEncoding.Int16:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * i)..]) * (1f / 32_768);
                break;
            case PcmEncoding.Int24:
                for (int i = 0; i < samples.Length; i++)
                {
                    int at = 3 * i;
                    samples[i] = ((bytes[at + 2] << 24 | bytes[at + 1] << 16 | bytes[at] << 8) >> 8) * (1f / 8_388_608);
                }

                break;
            case PcmEncoding.Int32:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadInt32LittleEndian(bytes[(4 * i)..]) * (1f / 2_147_483_648);
                break;
            case PcmEncoding.Float32 when BitConverter.IsLittleEndian:
                MemoryMarshal.Cast<byte, float>(bytes).CopyTo(samples);
                break;
            case PcmEncoding.Float32:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * i)..]);
                break;
            case PcmEncoding.Float64:
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(8 * i)..]);
                break;
            case PcmEncoding.ALaw or PcmEncoding.MuLaw:
                float[] table = Encoding == PcmEncoding.ALaw ? s_aLaw : s_muLaw;
                for (int i = 0; i < samples.Length; i++)
                    samples[i] = table[bytes[i]];
                break;
            default:
                throw new InvalidOperationException($"No decoder for {Encoding}.");
        }
    }

    private void Reverse(Span<byte> bytes)
    {
        switch (SampleBytes)
        {
            case 2:
                Span<short> twos = MemoryMarshal.Cast<byte, short>(bytes);
                BinaryPrimitives.ReverseEndianness(twos, twos);
                break;
            case 3:
                for (int at = 0; at + 2 < bytes.Length; at += 3)
                    (bytes[at], bytes[at + 2]) = (bytes[at + 2], bytes[at]);
                break;
            case 4:
                Span<int> fours = MemoryMarshal.Cast<byte, int>(bytes);
                BinaryPrimitives.ReverseEndianness(fours, fours);
                break;
            case 8:
                Span<long> eights = MemoryMarshal.Cast<byte, long>(bytes);
                BinaryPrimitives.ReverseEndianness(eights, eights);
                break;
            default:
                break;
        }
    }

    /// <summary>ITU-T G.711, table 1: even bits are stored inverted; 13 bits with a sign, here in the upper bits of 16.</summary>
    private static float ALaw(int stored)
    {
        int code = stored ^ 0x55,
            segment = (code & 0x70) >> 4,
            steps = ((code & 0x0F) << 4) + 8;
        int magnitude = segment == 0 ? steps : (steps + 0x100) << (segment - 1);
        return ((code & 0x80) != 0 ? magnitude : -magnitude) / 32_768f;
    }

    /// <summary>ITU-T G.711, table 2: all bits are stored inverted; 14 bits with a sign, here in the upper bits of 16.</summary>
    private static float MuLaw(int stored)
    {
        int code = ~stored,
            magnitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84;
        return ((code & 0x80) != 0 ? -magnitude : magnitude) / 32_768f;
    }
}
