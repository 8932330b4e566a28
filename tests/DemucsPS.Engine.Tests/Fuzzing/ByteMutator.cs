using System.Buffers.Binary;

namespace DemucsPS.Engine.Tests.Fuzzing;

/// <summary>
/// Damages files the way that finds faults in parsers: flipped bits, numbers at the ends of their ranges, parts that are cut, doubled,
/// moved or taken from another
/// file. Deterministic: a seed and a corpus always give the same inputs.
/// </summary>
internal sealed class ByteMutator(int seed)
{
    private const int MostBytes = 1 << 17;

    private static readonly long[] s_edges =
    [
        0,
        1,
        2,
        3,
        4,
        7,
        8,
        15,
        16,
        31,
        32,
        63,
        64,
        127,
        128,
        255,
        256,
        1023,
        4095,
        32767,
        32768,
        65535,
        65536,
        0xFFFFFF,
        int.MaxValue - 1L,
        int.MaxValue,
        1L + int.MaxValue,
        uint.MaxValue - 1L,
        uint.MaxValue,
        long.MaxValue,
        long.MinValue,
        -1,
        -2,
        -8,
        -256,
    ];

    private static readonly byte[][] s_texts =
    [
        .. (
            (string[])
                [
                    "0",
                    "-1",
                    "1e308",
                    "1e-400",
                    "99999999999999999999",
                    "NaN",
                    "null",
                    "true",
                    "{}",
                    "[",
                    "]",
                    "{",
                    "}",
                    "\"",
                    "\\",
                    "\\u0000",
                    "\\ud800",
                    "..",
                    "../",
                    "/",
                    "C:\\",
                    "\r\n",
                    "\0",
                    ":",
                    ",",
                    "\u202e",
                    "CON",
                    "file://",
                    "http://",
                    "%00",
                    "%2e%2e%2f",
                ]
        ).Select(System.Text.Encoding.UTF8.GetBytes),
    ];

    // The generator of a seeded System.Random is fixed across .NET versions, so a failing input can be made again from its number.
    private readonly Random _random = new(seed);

    /// <summary>One damaged file, at most 128 KiB.</summary>
    /// <param name="corpus">Whole files, at least one.</param>
    public byte[] Next(IReadOnlyList<byte[]> corpus)
    {
        List<byte> bytes = [.. Pick(corpus)];
        for (int count = 1 + _random.Next(4); count > 0; count--)
            Damage(bytes, corpus);
        if (bytes.Count > MostBytes)
            bytes.RemoveRange(MostBytes, bytes.Count - MostBytes);
        return [.. bytes];
    }

    private T Pick<T>(IReadOnlyList<T> from) => from[_random.Next(from.Count)];

    // Headers matter most, and they stand at the start.
    private int Position(int count) => _random.Next(2) == 0 ? _random.Next(count) : _random.Next(Math.Min(count, 128));

    private void Damage(List<byte> bytes, IReadOnlyList<byte[]> corpus)
    {
        if (bytes.Count == 0)
        {
            bytes.AddRange(Pick(s_texts));
            return;
        }
        int at = Position(bytes.Count);
        int length = Math.Min(bytes.Count - at, 1 << _random.Next(12));
        switch (_random.Next(10))
        {
            case 0:
                bytes[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1:
                bytes[at] = (byte)_random.Next(256);
                break;
            case 2 or 3:
                PutNumber(bytes, at);
                break;
            case 4:
                bytes.RemoveRange(at, length);
                break;
            case 5:
                bytes.InsertRange(Position(bytes.Count), bytes.GetRange(at, length));
                break;
            case 6:
                bytes.RemoveRange(at, bytes.Count - at);
                break;
            case 7:
                byte[] other = Pick(corpus);
                int from = _random.Next(other.Length);
                bytes.InsertRange(at, other.AsSpan(from, Math.Min(length, other.Length - from)).ToArray());
                break;
            case 8:
                bytes.InsertRange(at, Pick(s_texts));
                break;
            default:
                for (int i = at; i < at + Math.Min(length, 64); i++)
                    bytes[i] = (byte)_random.Next(256);
                break;
        }
    }

    private void PutNumber(List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[8];
        long value = Pick(s_edges);
        int width = 1 << _random.Next(4);
        if (_random.Next(2) == 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(number, value);
        }
        else
        {
            BinaryPrimitives.WriteInt64BigEndian(number, value);
            number = number[^width..];
        }
        for (int i = 0; i < width && at + i < bytes.Count; i++)
            bytes[at + i] = number[i];
    }
}
