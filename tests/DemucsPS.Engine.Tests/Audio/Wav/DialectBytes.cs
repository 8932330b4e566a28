using static DemucsPS.Engine.Tests.Audio.WavBytes;

namespace DemucsPS.Engine.Tests.Audio.Wav;

/// <summary>WAV files in other dialects than RIFF, made in the test.</summary>
internal static class DialectBytes
{
    private static readonly byte[] s_riffTail = Convert.FromHexString("2E91CF11A5D628DB04C10000"),
        s_chunkTail = Convert.FromHexString("F3ACD3118CD100C04F8EDB8A");

    public static byte[] Big(byte[] little) => [.. little.Reverse()];

    public static byte[] BigChunk(string name, byte[] content) =>
        Join(Text(name), Big(U32(content.Length)), content, new byte[content.Length & 1]);

    public static byte[] BigFile(params byte[][] chunks)
    {
        byte[] content = Join(chunks);
        return Join(Text("RIFX"), Big(U32(content.Length + 4)), Text("WAVE"), content);
    }

    public static byte[] BigFormat(int tag, int channels, int rate, int bits, int? blockAlign = null)
    {
        int align = blockAlign ?? channels * ((bits + 7) / 8);
        return BigChunk(
            "fmt ",
            Join(Big(U16(tag)), Big(U16(channels)), Big(U32(rate)), Big(U32(rate * align)), Big(U16(align)), Big(U16(bits)))
        );
    }

    /// <summary>As SoX writes the GUID of the subformat, or as libsndfile does.</summary>
    public static byte[] BigExtensibleFormat(int tag, int channels, int rate, int bits, int validBits, bool asSoxDoes)
    {
        int align = channels * bits / 8;
        byte[] guid = asSoxDoes
            ? Join(Big(U16(tag)), Convert.FromHexString("000000001000800000AA00389B71"))
            : Join(Big(U32(tag)), Convert.FromHexString("00000010800000AA00389B71"));
        return BigChunk(
            "fmt ",
            Join(
                Big(U16(0xFFFE)),
                Big(U16(channels)),
                Big(U32(rate)),
                Big(U32(rate * align)),
                Big(U16(align)),
                Big(U16(bits)),
                Big(U16(22)),
                Big(U16(validBits)),
                U32(0),
                guid
            )
        );
    }

    public static byte[] Wave64Chunk(string name, byte[] content, long? size = null) =>
        Join(Text(name), s_chunkTail, U64(size ?? content.Length + 24), content, new byte[-content.Length & 7]);

    public static byte[] Wave64File(params byte[][] chunks)
    {
        byte[] content = Join(chunks);
        return Join(Text("riff"), s_riffTail, U64(40 + content.Length), Text("wave"), s_chunkTail, content);
    }
}
