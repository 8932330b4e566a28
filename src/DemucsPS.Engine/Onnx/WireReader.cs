namespace DemucsPS.Engine.Onnx;

/// <summary>
/// Reads a protobuf message field by field without copying. Every length is checked against the bytes that are there, so no input makes it
/// read outside or allocate.
/// </summary>
/// <remarks>Format: https://protobuf.dev/programming-guides/encoding/. Groups, which ONNX never had, count as malformed.</remarks>
internal struct WireReader
{
    private readonly ReadOnlyMemory<byte> _message;
    private int _position;

    public WireReader(ReadOnlyMemory<byte> message)
    {
        _message = message;
        _position = 0;
        Current = default;
    }

    /// <summary>The field that <see cref="MoveNext"/> has read.</summary>
    public WireField Current { get; private set; }

    /// <summary>Lets <c>foreach</c> walk over the fields.</summary>
    public readonly WireReader GetEnumerator() => this;

    /// <summary>Reads the next field.</summary>
    /// <returns>False at the message's end.</returns>
    /// <exception cref="InvalidDataException">The message is malformed or cut short.</exception>
    public bool MoveNext()
    {
        if (_position == _message.Length)
            return false;
        int start = _position;
        ulong tag = Varint(_message.Span, ref _position);
        if (tag >> 3 is 0 or > 0x1FFFFFFF)
            throw new InvalidDataException($"field number {tag >> 3} at byte {start}");
        ulong value = 0;
        ReadOnlyMemory<byte> payload = default;
        int type = (int)(tag & 7);
        switch (type)
        {
            case WireField.Varint:
                value = Varint(_message.Span, ref _position);
                break;
            case WireField.Fixed64:
                payload = Take(8);
                break;
            case WireField.Fixed32:
                payload = Take(4);
                break;
            case WireField.LengthDelimited:
                payload = Take(Varint(_message.Span, ref _position));
                break;
            default:
                throw new InvalidDataException($"wire type {type} at byte {start}");
        }
        Current = new WireField((int)(tag >> 3), type, value, payload, _message[start.._position]);
        return true;
    }

    /// <summary>Reads a varint and moves past it.</summary>
    /// <exception cref="InvalidDataException">It is cut short or longer than 64 bits.</exception>
    public static ulong Varint(ReadOnlySpan<byte> bytes, ref int position)
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (position >= bytes.Length)
                throw new InvalidDataException("a number is cut short");
            byte next = bytes[position++];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }
        throw new InvalidDataException("a number is longer than 64 bits");
    }

    private ReadOnlyMemory<byte> Take(ulong length)
    {
        if (length > (ulong)(_message.Length - _position))
            throw new InvalidDataException($"a field of {length} bytes, but {_message.Length - _position} are left");
        ReadOnlyMemory<byte> taken = _message.Slice(_position, (int)length);
        _position += (int)length;
        return taken;
    }
}
