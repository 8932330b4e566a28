using System.Buffers.Binary;

namespace DemucsPS.Engine.Audio.Pcm;

/// <summary>
/// Refuses CAF files (Apple, "Core Audio Format") whose samples take more bytes than their bits need: 24 bits in four bytes. The format
/// cannot say where in them the bits are; ffmpeg, which reads all other CAF
/// files, takes the bytes for packed ones and gives noise of another length, libsndfile and SoX refuse them.
/// </summary>
internal static class CafCheck
{
    /// <summary>Bytes at the beginning of a file that are checked: its header, and the 'desc' chunk, which has to come first.</summary>
    public const int StartBytes = 52;

    /// <summary>Checks one.</summary>
    /// <param name="path">The file, for the message.</param>
    /// <param name="start">Its first bytes.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioFormatUnsupported"/>.</exception>
    public static void Refuse(string path, ReadOnlySpan<byte> start)
    {
        if (
            start.Length < StartBytes
            || !start.StartsWith("caff"u8)
            || !start[8..12].SequenceEqual("desc"u8)
            || !start[28..32].SequenceEqual("lpcm"u8)
        )
            return;
        uint packet = BinaryPrimitives.ReadUInt32BigEndian(start[36..]),
            frames = BinaryPrimitives.ReadUInt32BigEndian(start[40..]),
            channels = BinaryPrimitives.ReadUInt32BigEndian(start[44..]),
            bits = BinaryPrimitives.ReadUInt32BigEndian(start[48..]);
        if (bits <= 64 && packet > (ulong)channels * frames * ((bits + 7) / 8))
            throw new DemucsException(
                DemucsError.AudioFormatUnsupported,
                $"'{path}' stores its samples of {bits} bits in more bytes than they need, and does not declare which bytes count. Export it with packed samples, or as WAV.",
                path
            );
    }
}
