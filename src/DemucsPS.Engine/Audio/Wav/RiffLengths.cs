using System.Buffers.Binary;
using DemucsPS.Engine.Audio.Pcm;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>The 64-bit lengths of an RF64 or BW64 file: its 'ds64' chunk.</summary>
internal sealed class RiffLengths
{
    // A writer has a handful of chunks; a file that claims more table entries than this is not one.
    private const uint MaxEntries = 4096;

    private readonly byte[] _table;

    private RiffLengths(long formBytes, long dataBytes, byte[] table)
    {
        FormBytes = formBytes;
        DataBytes = dataBytes;
        _table = table;
    }

    /// <summary>Bytes of the file without its first eight; 0 if it does not declare it.</summary>
    public long FormBytes { get; }

    /// <summary>Bytes of the samples.</summary>
    public long DataBytes { get; }

    /// <summary>Reads the content of the chunk.</summary>
    /// <param name="source">The file, at its first byte.</param>
    /// <param name="size">Bytes of it as declared.</param>
    /// <param name="used">The bytes that were read.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>.</exception>
    public static RiffLengths Read(ByteSource source, long size, out long used)
    {
        Span<byte> bytes = stackalloc byte[28];
        if (size < 28 || source.Read(bytes) < 28)
            throw PcmFile.Corrupt(source, "is damaged: its 64-bit lengths ('ds64' chunk) are cut short");
        ulong formBytes = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
        ulong dataBytes = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
        uint entries = BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]);
        if (dataBytes > long.MaxValue / 2)
            throw PcmFile.Corrupt(source, $"is damaged: it declares {dataBytes} bytes of samples");
        if (entries > MaxEntries || 28 + (entries * 12) > size)
            throw PcmFile.Corrupt(
                source,
                $"is damaged: its table of 64-bit lengths ('ds64' chunk) declares {entries} entries in {size} bytes"
            );

        byte[] table = new byte[entries * 12];
        if (source.Read(table) < table.Length)
            throw PcmFile.Corrupt(source, "is cut short in its 64-bit lengths ('ds64' chunk)");
        used = 28 + table.Length;
        return new RiffLengths(formBytes <= long.MaxValue / 2 ? (long)formBytes : 0, (long)dataBytes, table);
    }

    /// <summary>The length of a chunk; null if the table has none.</summary>
    public long? Find(ReadOnlySpan<byte> name)
    {
        for (int at = 0; at < _table.Length; at += 12)
        {
            if (!_table.AsSpan(at, 4).SequenceEqual(name))
                continue;
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(_table.AsSpan(at + 4));
            return size <= long.MaxValue / 2 ? (long)size : null;
        }

        return null;
    }
}
