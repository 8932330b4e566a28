using System.Buffers.Binary;
using System.Text;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>Reads the tags of a FLAC file, its VORBIS_COMMENT block (RFC 9639, section 8.6).</summary>
internal static class VorbisComment
{
    // Longer than any comment that the limits let through: name, '=' and value.
    private const int MaxCommentBytes = AudioLimits.MaxTagNameChars + 1 + AudioLimits.MaxTagValueBytes;

    /// <summary>
    /// Reads a block. No length in it leads outside of the block; comments that are none are left out, and the tags are marked as
    /// <see cref="AudioTagBuilder.IsDamaged"/>.
    /// </summary>
    /// <param name="bits">The file, at the first byte of the block's content.</param>
    /// <param name="length">The bytes of the content.</param>
    /// <param name="tags">Receives the tags.</param>
    /// <param name="isWhole">False when a length in the block leads out of it, or its number of comments does.</param>
    /// <param name="takeOther">Asked about each comment with its bytes, at its first one; it may read all of it, and then gives their
    /// number, else 0. Null if not needed.</param>
    /// <returns>The bytes that are left of the block. More than the file has, if it ends within the block.</returns>
    public static int Read(FlacBitReader bits, int length, AudioTagBuilder tags, out bool isWhole, Func<uint, long>? takeOther = null)
    {
        isWhole = TryRead(bits, ref length, tags, takeOther);
        return length;
    }

    private static bool TryRead(FlacBitReader bits, ref int length, AudioTagBuilder tags, Func<uint, long>? takeOther)
    {
        // The vendor names the encoder's library, which says nothing about the music.
        if (!TryReadLength(bits, ref length, out uint vendor) || vendor > length || !bits.Skip(vendor))
            return false;
        length -= (int)vendor;
        if (!TryReadLength(bits, ref length, out uint count))
            return false;

        byte[] buffer = [];
        for (uint i = 0; i < count && !tags.IsFull; i++)
        {
            if (!TryReadLength(bits, ref length, out uint size) || size > length)
                return false;
            if (takeOther?.Invoke(size) is > 0 and long taken)
            {
                length -= (int)taken;
                continue;
            }

            if (size > MaxCommentBytes || !tags.HasRoomFor((long)size - 1))
            {
                bits.Skip(size);
                length -= (int)size;
                continue;
            }

            if (buffer.Length < size)
                buffer = new byte[size];
            Span<byte> comment = buffer.AsSpan(0, (int)size);
            int read = bits.Read(comment);
            length -= read;
            if (read < comment.Length)
                return false;
            Take(comment, tags);
        }

        return true;
    }

    private static void Take(ReadOnlySpan<byte> comment, AudioTagBuilder tags)
    {
        int equals = comment.IndexOf((byte)'=');
        if (equals <= 0 || comment[..equals].ContainsAnyExceptInRange((byte)0x20, (byte)0x7E))
            tags.IsDamaged = true;
        else
            tags.Add(Encoding.ASCII.GetString(comment[..equals]), Encoding.UTF8.GetString(comment[(equals + 1)..]));
    }

    /// <summary>Reads a number, which is little endian here, unlike in the rest of FLAC.</summary>
    private static bool TryReadLength(FlacBitReader bits, ref int length, out uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        bytes.Clear();
        bool isThere = length >= 4;
        if (isThere)
        {
            int read = bits.Read(bytes);
            length -= read;
            isThere = read == 4;
        }

        value = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
        return isThere;
    }
}
