namespace DemucsPS.Engine.Onnx;

/// <summary>
/// Reads protobuf messages from a file, of which most may be passed over: the weights of a model are not read for what stands between them.
/// </summary>
/// <remarks>
/// Wire format: https://protobuf.dev/programming-guides/encoding/. All members throw <see cref="InvalidDataException"/> where the message
/// is malformed.
/// </remarks>
internal sealed class WireStream(Stream stream)
{
    /// <summary>The largest htdemucs models have some ten thousand.</summary>
    private const int MostFields = 10_000_000;

    private int _fields;

    /// <summary>Bytes of the file.</summary>
    public long Length => stream.Length;

    /// <summary>Where it is read next.</summary>
    public long Position => stream.Position;

    /// <summary>The number and the wire type of the next field of a message.</summary>
    /// <param name="end">Where the message ends.</param>
    public (int Number, int Type) Tag(long end)
    {
        if (++_fields > MostFields)
            throw new InvalidDataException($"it has more than {MostFields} parts");
        ulong tag = Number(end);
        return tag >> 3 is 0 or > 0x1FFFFFFF
            ? throw new InvalidDataException($"field number {tag >> 3} at byte {stream.Position}")
            : ((int)(tag >> 3), (int)(tag & 7));
    }

    /// <summary>A number, or the length of a block.</summary>
    /// <param name="end">Where the message ends.</param>
    public ulong Number(long end)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            int next = stream.Position < end ? stream.ReadByte() : -1;
            if (next < 0)
                throw new InvalidDataException("a number is cut short");
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw new InvalidDataException("a number is longer than 64 bits");
    }

    /// <summary>Where a block ends whose length was just read.</summary>
    /// <param name="length">The block's length.</param>
    /// <param name="end">Where the message ends.</param>
    public long EndOf(ulong length, long end) => stream.Position + Checked(length, end);

    /// <summary>A block's bytes.</summary>
    /// <param name="length">The block's length.</param>
    /// <param name="end">Where the message ends.</param>
    /// <param name="most">The greatest length.</param>
    /// <param name="what">What it is, for messages: <c>a name</c>.</param>
    public byte[] Bytes(ulong length, long end, int most, string what)
    {
        if (length > (ulong)most)
            throw new InvalidDataException($"{what} has {length} bytes");
        byte[] bytes = new byte[Checked(length, end)];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>Continues after a field whose tag was just read.</summary>
    /// <param name="tag">The tag.</param>
    /// <param name="end">Where the message ends.</param>
    public void PassOver((int Number, int Type) tag, long end)
    {
        switch (tag.Type)
        {
            case 0:
                Number(end);
                break;
            case 1:
                stream.Position += Checked(8, end);
                break;
            case 2:
                ulong length = Number(end);
                stream.Position += Checked(length, end);
                break;
            case 5:
                stream.Position += Checked(4, end);
                break;
            default:
                throw Unexpected(tag);
        }
    }

    /// <summary>The error for a field of a wire type that cannot be.</summary>
    public InvalidDataException Unexpected((int Number, int Type) tag) =>
        new($"field {tag.Number} has wire type {tag.Type} at byte {stream.Position}");

    private long Checked(ulong length, long end) =>
        length <= (ulong)(end - stream.Position)
            ? (long)length
            : throw new InvalidDataException($"a field of {length} bytes, but {end - stream.Position} are left");
}
