using System.Buffers.Binary;
using System.Text;

namespace DemucsPS.Engine.Audio.Id3;

/// <summary>The frames of an ID3v2 tag, forward.</summary>
/// <param name="source">The file, after the tag's header.</param>
/// <param name="length">Bytes of the frames, as stored.</param>
/// <param name="version">2, 3 or 4.</param>
/// <param name="isUnsynchronized">Whether a zero was put after every byte of ones.</param>
internal sealed class Id3Frames(ByteSource source, long length, int version, bool isUnsynchronized)
{
    private readonly byte[] _block = new byte[4096];
    private long _left = length;
    private int _at;
    private int _end;
    private bool _afterOnes;

    // Up to version 2.3 the tag is treated so as a whole, and lengths are those of the original.
    private bool IsStreamUnsynchronized => isUnsynchronized && version < 4;

    /// <summary>Whether what was met is neither a frame nor padding.</summary>
    public bool IsDamaged { get; private set; }

    /// <summary>Passes over what may stand before the first frame.</summary>
    public void SkipExtendedHeader()
    {
        Span<byte> size = stackalloc byte[4];
        if (Read(size) < size.Length)
            return;
        Skip(version == 4 ? Math.Max(0, Id3v2.SynchSafe(size) - size.Length) : BinaryPrimitives.ReadUInt32BigEndian(size));
    }

    /// <summary>Goes to the next frame.</summary>
    /// <param name="maxBytes">Longer ones are passed over.</param>
    /// <param name="isWanted">Whether one is to be read, by its name; others are passed over.</param>
    /// <param name="name">Receives its name.</param>
    /// <param name="content">Receives its content; null if it was passed over.</param>
    /// <returns>False when there is none.</returns>
    public bool TryRead(int maxBytes, Func<string, bool> isWanted, out string name, out byte[]? content)
    {
        content = null;
        name = "";
        int nameBytes = version == 2 ? 3 : 4;
        Span<byte> head = stackalloc byte[10];
        head = head[..(version == 2 ? 6 : 10)];
        // After the frames, the tag may be filled up with zeros.
        if (Read(head) < head.Length || head[0] == 0)
            return false;
        if (head[..nameBytes].ContainsAnyExcept(s_nameBytes))
        {
            IsDamaged = true;
            return false;
        }

        name = Encoding.ASCII.GetString(head[..nameBytes]);
        long size = version switch
        {
            2 => head[3] << 16 | head[4] << 8 | head[5],
            // Some programs write plain numbers into version 2.4, too.
            4 when ((head[4] | head[5] | head[6] | head[7]) & 0x80) == 0 => Id3v2.SynchSafe(head[4..]),
            _ => BinaryPrimitives.ReadUInt32BigEndian(head[4..]),
        };
        int flags = version == 2 ? 0 : head[9];
        bool isCoded = version == 4 ? (flags & 0x0C) != 0 : (flags & 0xC0) != 0;
        if (isCoded || size > maxBytes || !isWanted(name))
            return Skip(size);
        content = new byte[Math.Min(size, _left + _end - _at)];
        int read = Read(content);
        IsDamaged |= read < size;
        content = Content(content.AsSpan(0, read), flags);
        return true;
    }

    private static readonly System.Buffers.SearchValues<byte> s_nameBytes = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"u8
    );

    /// <summary>A frame's content without what its flags put before it.</summary>
    private byte[] Content(ReadOnlySpan<byte> bytes, int flags)
    {
        if (version == 3)
            return bytes[Math.Min(bytes.Length, (flags & 0x20) != 0 ? 1 : 0)..].ToArray();
        if (version == 2)
            return bytes.ToArray();
        int before = ((flags & 0x40) != 0 ? 1 : 0) + ((flags & 0x01) != 0 ? 4 : 0);
        bytes = bytes[Math.Min(bytes.Length, before)..];
        if (!isUnsynchronized && (flags & 0x02) == 0)
            return bytes.ToArray();
        byte[] original = new byte[bytes.Length];
        int count = 0;
        bool afterOnes = false;
        foreach (byte value in bytes)
        {
            if (value != 0 || !afterOnes)
                original[count++] = value;
            afterOnes = value == 0xFF;
        }

        return original[..count];
    }

    private bool Skip(long count)
    {
        if (!IsStreamUnsynchronized)
        {
            long step = Math.Min(count, _left);
            _left -= step;
            IsDamaged |= step < count || !source.Skip(step);
            return !IsDamaged;
        }

        Span<byte> scratch = stackalloc byte[512];
        for (; count > 0; count -= scratch.Length)
        {
            int step = (int)Math.Min(count, scratch.Length);
            if (Read(scratch[..step]) < step)
            {
                IsDamaged = true;
                return false;
            }
        }

        return true;
    }

    /// <summary>Reads bytes of the tag as it was before a zero was put after every byte of ones.</summary>
    private int Read(Span<byte> bytes)
    {
        if (!IsStreamUnsynchronized)
        {
            int direct = source.Read(bytes[..(int)Math.Min(bytes.Length, _left)]);
            _left -= direct;
            return direct;
        }

        int done = 0;
        while (done < bytes.Length)
        {
            if (_at == _end)
            {
                _at = 0;
                _end = source.Read(_block.AsSpan(0, (int)Math.Min(_block.Length, _left)));
                _left -= _end;
                if (_end == 0)
                    break;
            }

            byte value = _block[_at++];
            if (value != 0 || !_afterOnes)
                bytes[done++] = value;
            _afterOnes = value == 0xFF;
        }

        return done;
    }
}
