using System.Text;

namespace DemucsPS.Engine.Audio.Id3;

/// <summary>Reads the picture of an ID3v2 tag, its frames APIC or, in version 2.2, PIC.</summary>
internal static class Id3Picture
{
    private const int HeaderBytes = 10,
        MaxHeadBytes = 64 << 10;

    /// <summary>Reads the front cover, else the first picture.</summary>
    /// <param name="source">The file, at the tag's first byte.</param>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: reading failed.</exception>
    public static EmbeddedPicture? Read(ByteSource source)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (source.Read(header) < HeaderBytes || !header.StartsWith("ID3"u8) || header[3] is < 2 or > 4)
            return null;
        int version = header[3],
            flags = header[5];
        // A tag of version 2.2 can be compressed as a whole.
        if (version == 2 && (flags & 0x40) != 0)
            return null;
        // No frame can be longer than the file, whatever is declared.
        long there = source.Remaining ?? 0;
        Id3Frames frames = new(source, Math.Min(Id3v2.SynchSafe(header[6..]), there), version, isUnsynchronized: (flags & 0x80) != 0);
        if (version > 2 && (flags & 0x40) != 0)
            frames.SkipExtendedHeader();
        EmbeddedPicture? found = null;
        int most = (int)Math.Min(EmbeddedPicture.MaxBytes + MaxHeadBytes, there);
        while (found is not { IsFront: true } && frames.TryRead(most, static name => name is "APIC" or "PIC", out _, out byte[]? content))
        {
            if (content is { Length: > 4 })
                found = EmbeddedPicture.Choose(found, PictureIn(content, version));
        }

        return found;
    }

    private static EmbeddedPicture? PictureIn(ReadOnlySpan<byte> content, int version)
    {
        byte encoding = content[0];
        ReadOnlySpan<byte> rest = content[1..];
        // Three letters in version 2.2, a MIME type since.
        int type = version == 2 ? 3 : rest.IndexOf((byte)0) + 1;
        if (type == 0 || type >= rest.Length || rest.StartsWith(Encoding.ASCII.GetBytes(EmbeddedPicture.Address)))
            return null;
        bool isFront = rest[type] == EmbeddedPicture.FrontCover;
        rest = rest[(type + 1)..];
        // A description comes before the picture.
        int end = EndOfText(encoding, rest);
        return end < 0 || end >= rest.Length || rest.Length - end > EmbeddedPicture.MaxBytes
            ? null
            : new EmbeddedPicture(rest[end..].ToArray(), isFront);
    }

    /// <summary>Where what is after a text begins; -1 where the text has no end.</summary>
    private static int EndOfText(byte encoding, ReadOnlySpan<byte> bytes)
    {
        if (encoding is not (1 or 2))
            return bytes.IndexOf((byte)0) is >= 0 and int zero ? zero + 1 : -1;
        for (int i = 0; i + 1 < bytes.Length; i += 2)
        {
            if (bytes[i] == 0 && bytes[i + 1] == 0)
                return i + 2;
        }

        return -1;
    }
}
