using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace DemucsPS.Engine.Onnx;

/// <summary>
/// One message in the protobuf wire format, written field by field. Fields appear in the order of the calls, so equal calls give
/// equal bytes; generated protobuf code does not promise that.
/// </summary>
/// <remarks>Format: https://protobuf.dev/programming-guides/encoding/.</remarks>
internal sealed class ProtobufMessage
{
    private const int VarintType = 0;
    private const int LengthDelimitedType = 2;
    private const int Fixed32Type = 5;

    private readonly ArrayBufferWriter<byte> _buffer = new();

    /// <summary>The bytes written so far. The view is valid until the next field is written.</summary>
    public ReadOnlySpan<byte> Bytes => _buffer.WrittenSpan;

    /// <summary>Writes an integer or enumeration field.</summary>
    public ProtobufMessage Integer(int field, long value)
    {
        Tag(field, VarintType);
        Varint((ulong)value);
        return this;
    }

    /// <summary>Writes every value as its own field: onnx.proto is proto2, where repeated integers are not packed.</summary>
    public ProtobufMessage Integers(int field, ReadOnlySpan<long> values)
    {
        foreach (long value in values)
            Integer(field, value);
        return this;
    }

    /// <summary>Writes a 32-bit float field.</summary>
    public ProtobufMessage Float(int field, float value)
    {
        Tag(field, Fixed32Type);
        BinaryPrimitives.WriteSingleLittleEndian(_buffer.GetSpan(sizeof(float)), value);
        _buffer.Advance(sizeof(float));
        return this;
    }

    /// <summary>Writes a text field as UTF-8.</summary>
    public ProtobufMessage Text(int field, string value) => Block(field, Encoding.UTF8.GetBytes(value));

    /// <summary>Writes a nested message.</summary>
    public ProtobufMessage Message(int field, ProtobufMessage value) => Block(field, value.Bytes);

    /// <summary>Writes a field of bytes.</summary>
    public ProtobufMessage Block(int field, ReadOnlySpan<byte> value)
    {
        Tag(field, LengthDelimitedType);
        Varint((ulong)value.Length);
        _buffer.Write(value);
        return this;
    }

    /// <summary>Writes fields that are in wire format already.</summary>
    public ProtobufMessage Raw(ReadOnlySpan<byte> fields)
    {
        _buffer.Write(fields);
        return this;
    }

    /// <summary>What stands before the content of a field of <paramref name="length"/> bytes.</summary>
    public static byte[] BlockHeader(int field, long length)
    {
        ProtobufMessage header = new();
        header.Tag(field, LengthDelimitedType);
        header.Varint((ulong)length);
        return header.Bytes.ToArray();
    }

    private void Tag(int field, int type) => Varint(((ulong)field << 3) | (uint)type);

    private void Varint(ulong value)
    {
        Span<byte> bytes = _buffer.GetSpan(10);
        int count = 0;
        for (; value >= 0x80; value >>= 7)
            bytes[count++] = (byte)(value | 0x80);
        bytes[count++] = (byte)value;
        _buffer.Advance(count);
    }
}
