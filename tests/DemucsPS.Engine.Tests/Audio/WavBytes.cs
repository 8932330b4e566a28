using System.Text;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Builds WAV files byte by byte, so that what is read is not what the writer under test wrote.</summary>
internal static class WavBytes
{
    public const ushort Pcm = 1;
    public const ushort Float = 3;

    public static byte[] Join(params byte[][] parts) => [.. parts.SelectMany(part => part)];

    public static byte[] Text(string text) => Encoding.Latin1.GetBytes(text);

    public static byte[] U16(int value) => [(byte)value, (byte)(value >> 8)];

    public static byte[] U24(int value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16)];

    public static byte[] U32(long value) => [(byte)value, (byte)(value >> 8), (byte)(value >> 16), (byte)(value >> 24)];

    public static byte[] U64(long value) => Join(U32(value), U32(value >> 32));

    public static byte[] F32(float value) => U32(BitConverter.SingleToInt32Bits(value));

    public static byte[] F64(double value) => U64(BitConverter.DoubleToInt64Bits(value));

    public static byte[] Chunk(string name, byte[] content, long? declared = null) =>
        Join(Text(name), U32(declared ?? content.Length), content, new byte[content.Length & 1]);

    public static byte[] Format(int tag, int channels, int rate, int bits, int? blockAlign = null)
    {
        int align = blockAlign ?? channels * ((bits + 7) / 8);
        return Chunk("fmt ", Join(U16(tag), U16(channels), U32(rate), U32(rate * align), U16(align), U16(bits)));
    }

    public static byte[] ExtensibleFormat(int tag, int channels, int rate, int bits, int validBits, bool foreignGuid = false)
    {
        int align = channels * bits / 8;
        return Chunk(
            "fmt ",
            Join(
                U16(0xFFFE),
                U16(channels),
                U32(rate),
                U32(rate * align),
                U16(align),
                U16(bits),
                U16(22),
                U16(validBits),
                U32(0),
                U16(tag),
                foreignGuid ? Convert.FromHexString("0000210711D38644C8C1CA000000") : Convert.FromHexString("000000001000800000AA00389B71")
            )
        );
    }

    public static byte[] File(params byte[][] chunks) => FileNamed("RIFF", chunks);

    public static byte[] FileNamed(string name, params byte[][] chunks)
    {
        byte[] content = Join(chunks);
        return Join(Text(name), U32(name == "RIFF" ? content.Length + 4 : 0xFFFFFFFF), Text("WAVE"), content);
    }

    /// <summary>A 16-bit file with the given samples.</summary>
    public static byte[] Pcm16(int rate, int channels, params int[] samples) =>
        File(Format(Pcm, channels, rate, 16), Chunk("data", Join([.. samples.Select(U16)])));
}
