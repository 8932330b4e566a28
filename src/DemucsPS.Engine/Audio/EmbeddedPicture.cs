namespace DemucsPS.Engine.Audio;

/// <summary>A picture stored in an audio file. Its content decides its format: the declared type is often wrong or missing.</summary>
/// <param name="Data">The picture.</param>
/// <param name="IsFront">Whether the file calls it the front cover.</param>
internal sealed record EmbeddedPicture(byte[] Data, bool IsFront)
{
    /// <summary>More is not a cover.</summary>
    public const int MaxBytes = 32 << 20;

    /// <summary>The type "front cover" of ID3v2 and FLAC.</summary>
    public const int FrontCover = 3;

    /// <summary>The MIME type of an address that stands in a picture's place.</summary>
    public const string Address = "\u002D\u002D>";

    private const int BlockBytes = 64 << 10;

    /// <summary>Of two pictures of a file the front cover, else the first.</summary>
    public static EmbeddedPicture? Choose(EmbeddedPicture? first, EmbeddedPicture? second) =>
        first is null || (second is { IsFront: true } && !first.IsFront) ? second ?? first : first;

    /// <summary>Reads bytes into memory that grows with what is there, whatever is declared.</summary>
    /// <param name="read">Reads the next bytes, fewer than requested only at the end.</param>
    /// <param name="length">The bytes that are declared.</param>
    /// <param name="most">More are not taken.</param>
    /// <returns>Null if there are fewer, or more than are taken.</returns>
    public static byte[]? ReadBytes(Func<byte[], int, int> read, long length, int most)
    {
        if (length <= 0 || length > most)
            return null;
        MemoryStream bytes = new();
        byte[] block = new byte[Math.Min(BlockBytes, length)];
        while (bytes.Length < length)
        {
            int wanted = (int)Math.Min(block.Length, length - bytes.Length);
            if (read(block, wanted) < wanted)
                return null;
            bytes.Write(block, 0, wanted);
        }

        return bytes.ToArray();
    }
}
