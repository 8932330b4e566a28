using System.Buffers.Binary;
using System.Text;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>The head of a picture as FLAC and, in base 64, Ogg files have it (RFC 9639, section 8.8).</summary>
/// <param name="HeadBytes">Bytes before the picture's own.</param>
/// <param name="DataBytes">Bytes of the picture as declared.</param>
/// <param name="IsFront">Whether it is the front cover.</param>
/// <param name="IsAddress">Whether it is only the address of one.</param>
internal readonly record struct PictureBlock(int HeadBytes, long DataBytes, bool IsFront, bool IsAddress)
{
    /// <summary>A head that is longer is none: a MIME type and a description are a few words.</summary>
    public const int MaxHeadBytes = 16 << 10;

    // Type, two lengths, width, height, depth, colors, and the length of the picture.
    private const int FixedBytes = 32;

    /// <summary>Reads a head.</summary>
    /// <param name="bytes">The first bytes of the block, up to <see cref="MaxHeadBytes"/>.</param>
    /// <returns>Null if it is none.</returns>
    public static PictureBlock? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < FixedBytes)
            return null;
        uint mime = BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]);
        if (mime > bytes.Length - FixedBytes)
            return null;
        uint description = BinaryPrimitives.ReadUInt32BigEndian(bytes[(8 + (int)mime)..]);
        if (description > bytes.Length - FixedBytes - mime)
            return null;
        int head = FixedBytes + (int)mime + (int)description;
        return new PictureBlock(
            head,
            BinaryPrimitives.ReadUInt32BigEndian(bytes[(head - 4)..]),
            BinaryPrimitives.ReadUInt32BigEndian(bytes) == EmbeddedPicture.FrontCover,
            bytes.Slice(8, (int)mime).SequenceEqual(Encoding.ASCII.GetBytes(EmbeddedPicture.Address))
        );
    }

    /// <summary>The picture in a whole block; null if there is none.</summary>
    public static EmbeddedPicture? PictureIn(ReadOnlySpan<byte> block)
    {
        if (
            Read(block[..Math.Min(block.Length, MaxHeadBytes)]) is not { IsAddress: false } head
            || head.DataBytes is 0 or > EmbeddedPicture.MaxBytes
            || head.DataBytes > block.Length - head.HeadBytes
        )
            return null;
        return new EmbeddedPicture(block.Slice(head.HeadBytes, (int)head.DataBytes).ToArray(), head.IsFront);
    }
}
