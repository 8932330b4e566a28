using System.Buffers.Binary;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>The STREAMINFO block of a FLAC file: what all its frames have in common (RFC 9639, section 8.2).</summary>
internal sealed class FlacStreamInfo
{
    /// <summary>The length of the block in bytes.</summary>
    public const int Bytes = 34;

    /// <param name="block">The block's content, <see cref="Bytes"/> long.</param>
    public FlacStreamInfo(ReadOnlySpan<byte> block)
    {
        MinBlockSize = KnownOrNull(BinaryPrimitives.ReadUInt16BigEndian(block));
        MaxBlockSize = KnownOrNull(BinaryPrimitives.ReadUInt16BigEndian(block[2..]));
        // The smallest frame comes before the largest one; nothing needs it.
        MaxFrameBytes = KnownOrNull(BinaryPrimitives.ReadInt32BigEndian(block[6..]) & 0xFF_FFFF);
        ulong packed = BinaryPrimitives.ReadUInt64BigEndian(block[10..]);
        Form = new FlacForm((int)(packed >> 44), (int)(packed >> 41 & 7) + 1, (int)(packed >> 36 & 31) + 1);
        long total = (long)(packed & 0xF_FFFF_FFFF);
        FrameCount = total == 0 ? null : total;
        Md5 = block.Slice(18, 16).ToArray();
    }

    /// <summary>What is known of a stream without the block.</summary>
    /// <param name="form">The form of its first frame.</param>
    public FlacStreamInfo(FlacForm form)
    {
        Form = form;
        Md5 = new byte[16];
    }

    /// <summary>
    /// The form of the frames: 0 to 1,048,575 of them per second, 1 to 8 channels, 1 to 32 bits per sample, though FLAC has 4 and more.
    /// </summary>
    public FlacForm Form { get; }

    /// <summary>
    /// The fewest samples of each channel in a frame, but for the last; null when the encoder did not know. As <see cref="MaxBlockSize"/>,
    /// where all are the same.
    /// </summary>
    public int? MinBlockSize { get; }

    /// <summary>The maximum number of samples of each channel in a frame; null when the encoder did not know.</summary>
    public int? MaxBlockSize { get; }

    /// <summary>The maximum number of bytes of a frame; null when the encoder did not know, as when it wrote into a pipe.</summary>
    public int? MaxFrameBytes { get; }

    /// <summary>Samples of each channel; null when the encoder did not know.</summary>
    public long? FrameCount { get; }

    /// <summary>The MD5 digest of all samples as interleaved little-endian integers; all zeros when the encoder left it out.</summary>
    public byte[] Md5 { get; }

    private static int? KnownOrNull(int value) => value == 0 ? null : value;
}
