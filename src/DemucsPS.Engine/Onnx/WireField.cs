namespace DemucsPS.Engine.Onnx;

/// <summary>One field of a protobuf message, as a view of the message's bytes.</summary>
/// <param name="Number">The field number.</param>
/// <param name="Type">The wire type: 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes.</param>
/// <param name="Value">The value of a varint; 0 for other types.</param>
/// <param name="Payload">The content of a length-delimited field or the bytes of a fixed-size one; empty for a varint.</param>
/// <param name="Raw">The whole field with its tag, to be written back unchanged.</param>
internal readonly record struct WireField(int Number, int Type, ulong Value, ReadOnlyMemory<byte> Payload, ReadOnlyMemory<byte> Raw)
{
    public const int Varint = 0;
    public const int Fixed64 = 1;
    public const int LengthDelimited = 2;
    public const int Fixed32 = 5;

    /// <summary>The content of a text or message field.</summary>
    /// <exception cref="InvalidDataException">The field is of another wire type.</exception>
    public ReadOnlyMemory<byte> Block =>
        Type == LengthDelimited ? Payload : throw new InvalidDataException($"field {Number} has wire type {Type}; a block is expected");

    /// <summary>The value of an integer field.</summary>
    /// <exception cref="InvalidDataException">The field is of another wire type.</exception>
    public long Integer =>
        Type == Varint ? (long)Value : throw new InvalidDataException($"field {Number} has wire type {Type}; an integer is expected");

    /// <summary>
    /// A text field with one character for each byte. Names are only compared and written back, and so any bytes, valid UTF-8 or not,
    /// survive.
    /// </summary>
    /// <exception cref="InvalidDataException">The field is of another wire type.</exception>
    public string Name => System.Text.Encoding.Latin1.GetString(Block.Span);
}
