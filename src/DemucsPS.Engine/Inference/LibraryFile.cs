using System.Buffers.Binary;
using System.Reflection.PortableExecutable;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Inference;

/// <summary>
/// Whether a native library's file is as long as its own headers say. Systems map a library into memory by these, and one that was cut
/// off, by a full disk or a broken copy, can end the process when it is loaded.
/// </summary>
internal static class LibraryFile
{
    private const int ElfHeaderBytes = 64,
        MostHeaders = 4096;

    private static ReadOnlySpan<byte> ElfOf64Bits => [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1];

    /// <summary>The bytes that a library's headers speak of; 0 for a file that is in no format known here, or too short for one.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It must not be read.</exception>
    public static long ExpectedLength(string path)
    {
        using FileStream file = RegularFile.OpenRead(path);
        Span<byte> head = stackalloc byte[ElfHeaderBytes];
        if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length)
            return 0;
        file.Position = 0;
        return head.StartsWith(ElfOf64Bits) ? LengthOfElf(file, head)
            : head.StartsWith("MZ"u8) ? LengthOfPortableExecutable(file)
            : 0;
    }

    /// <summary>The segments and the table of sections: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html</summary>
    private static long LengthOfElf(FileStream file, ReadOnlySpan<byte> head)
    {
        ulong segments = BinaryPrimitives.ReadUInt64LittleEndian(head[32..]),
            sections = BinaryPrimitives.ReadUInt64LittleEndian(head[40..]);
        int segmentBytes = BinaryPrimitives.ReadUInt16LittleEndian(head[54..]),
            segmentCount = BinaryPrimitives.ReadUInt16LittleEndian(head[56..]),
            sectionBytes = BinaryPrimitives.ReadUInt16LittleEndian(head[58..]),
            sectionCount = BinaryPrimitives.ReadUInt16LittleEndian(head[60..]);
        ulong length = Math.Max(segments + (ulong)(segmentBytes * segmentCount), sections + (ulong)(sectionBytes * sectionCount));
        if (length > (ulong)file.Length || segmentBytes < 40 || segmentCount > MostHeaders)
            return (long)Math.Min(length, long.MaxValue);
        byte[] table = new byte[segmentBytes * segmentCount];
        file.Position = (long)segments;
        file.ReadExactly(table);
        for (int i = 0; i < segmentCount; i++)
        {
            ReadOnlySpan<byte> segment = table.AsSpan(i * segmentBytes);
            length = Math.Max(
                length,
                BinaryPrimitives.ReadUInt64LittleEndian(segment[8..]) + BinaryPrimitives.ReadUInt64LittleEndian(segment[32..])
            );
        }
        return (long)Math.Min(length, long.MaxValue);
    }

    private static long LengthOfPortableExecutable(FileStream file)
    {
        try
        {
            using PEReader reader = new(file, PEStreamOptions.LeaveOpen);
            return reader.PEHeaders.SectionHeaders.Max(section => (long?)section.PointerToRawData + section.SizeOfRawData) ?? 0;
        }
        catch (BadImageFormatException)
        {
            // What is no library at all the system says.
            return 0;
        }
    }
}
