using System.Buffers.Binary;
using System.Text;

namespace DemucsPS.Engine.Tests.Models;

/// <summary>
/// A protobuf message taken apart into its fields, written from the format's specification and sharing nothing with the
/// writer under test. It throws on anything malformed.
/// </summary>
internal sealed class WireMessage
{
    private readonly List<(int Field, ulong Number, ReadOnlyMemory<byte> Bytes)> _fields = [];

    public WireMessage(ReadOnlyMemory<byte> message)
    {
        while (!message.IsEmpty)
        {
            ulong tag = Varint(ref message);
            switch (tag & 7)
            {
                case 0:
                    _fields.Add(((int)(tag >> 3), Varint(ref message), default));
                    break;
                case 2:
                    int length = checked((int)Varint(ref message));
                    _fields.Add(((int)(tag >> 3), 0, message[..length]));
                    message = message[length..];
                    break;
                case 5:
                    _fields.Add(((int)(tag >> 3), BinaryPrimitives.ReadUInt32LittleEndian(message.Span), default));
                    message = message[4..];
                    break;
                default:
                    throw new InvalidDataException($"Wire type {tag & 7}.");
            }
        }
    }

    public long Integer(int field) => (long)_fields.Single(f => f.Field == field).Number;

    public long[] Integers(int field) => [.. _fields.Where(f => f.Field == field).Select(f => (long)f.Number)];

    public float Float(int field) => BitConverter.UInt32BitsToSingle((uint)_fields.Single(f => f.Field == field).Number);

    public ReadOnlyMemory<byte> Block(int field) => _fields.Single(f => f.Field == field).Bytes;

    public string Text(int field) => Encoding.UTF8.GetString(Block(field).Span);

    public string[] Texts(int field) => [.. _fields.Where(f => f.Field == field).Select(f => Encoding.UTF8.GetString(f.Bytes.Span))];

    public WireMessage Message(int field) => new(Block(field));

    public WireMessage[] Messages(int field) => [.. _fields.Where(f => f.Field == field).Select(f => new WireMessage(f.Bytes))];

    private static ulong Varint(ref ReadOnlyMemory<byte> rest)
    {
        ulong value = 0;
        for (int i = 0; ; i++)
        {
            byte next = rest.Span[i];
            value |= (ulong)(next & 0x7F) << (7 * i);
            if (next < 0x80)
            {
                rest = rest[(i + 1)..];
                return value;
            }
        }
    }
}
