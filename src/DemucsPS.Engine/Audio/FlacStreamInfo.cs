using System.Buffers.Binary;

namespace DemucsPS.Engine.Audio;

/// <summary>The STREAMINFO block of a FLAC file: what all its frames have in common (RFC 9639, section 8.2).</summary>
internal sealed class FlacStreamInfo
{
    /// <summary>The length of the block in bytes.</summary>
    public const int Bytes = 34;

    /// <param name="block">The block's content, <see cref="Bytes"/> long.</param>
    public FlacStreamInfo(ReadOnlySpan<byte> block)
    {
        // 16 + 16 bits of block sizes and 24 + 24 bits of frame sizes come before; they are hints a decoder need not trust.
        ulong packed = BinaryPrimitives.ReadUInt64BigEndian(block[10..]);
        SampleRate = (int)(packed >> 44);
        Channels = (int)(packed >> 41 & 7) + 1;
        BitsPerSample = (int)(packed >> 36 & 31) + 1;
        long total = (long)(packed & 0xF_FFFF_FFFF);
        FrameCount = total == 0 ? null : total;
        Md5 = block.Slice(18, 16).ToArray();
    }

    /// <summary>Frames per second, 0 to 1,048,575.</summary>
    public int SampleRate { get; }

    /// <summary>1 to 8.</summary>
    public int Channels { get; }

    /// <summary>1 to 32; FLAC has 4 and more.</summary>
    public int BitsPerSample { get; }

    /// <summary>Samples of each channel; null when the encoder did not know.</summary>
    public long? FrameCount { get; }

    /// <summary>The MD5 digest of all samples as interleaved little-endian integers; all zeros when the encoder left it out.</summary>
    public byte[] Md5 { get; }
}
