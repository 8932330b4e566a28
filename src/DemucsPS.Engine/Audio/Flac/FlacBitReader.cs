using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>
/// Bits of a FLAC file, most significant first, through a 64-bit cache over a byte buffer. It also forms the CRC-16 of what
/// is read, so that no byte is looked at twice by a caller.
/// </summary>
/// <remarks>
/// The topmost <c>_cached</c> bits of <c>_cache</c> are valid; below them are either zeros or the true next bits. So a refill can or in the
/// next eight bytes whole and then count only the whole bytes that became valid: no loop and no branch.
/// </remarks>
internal sealed class FlacBitReader(ByteSource source) : IDisposable
{
    /// <summary>Bytes that are read at once.</summary>
    public const int BufferBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[BufferBytes];

    // Next byte to go into the cache, end of the bytes in the buffer, and first byte that is not in the checksum yet.
    private int _next;
    private int _end;
    private int _unchecked;
    private bool _ended;
    private ulong _cache;
    private int _cached;
    private ushort _crc;

    /// <summary>The file.</summary>
    public ByteSource Source => source;

    /// <summary>The position in the file of the byte that the next bit is in.</summary>
    public long BytePosition => source.Position - _end + FirstUnread;

    private int FirstUnread => _next - ((_cached + 7) / 8);

    /// <summary>Looks at whole bytes without consuming them. Only where a byte starts.</summary>
    /// <param name="count">How many are wanted, a few dozen at most.</param>
    /// <returns>As many bytes, fewer at the end of the file. The span is valid until anything else is read.</returns>
    public ReadOnlySpan<byte> Peek(int count)
    {
        Uncache();
        if (_end - _next < count)
            Fill();
        return _buffer.AsSpan(_next, Math.Min(count, _end - _next));
    }

    /// <summary>Consumes bytes that <see cref="Peek"/> has shown.</summary>
    public void Advance(int count)
    {
        Uncache();
        _next += count;
    }

    /// <summary>
    /// Goes to a byte that was read or looked at before. Where that is not possible, since the bytes come from a pipe, it goes to the next
    /// whole byte.
    /// </summary>
    public void MoveTo(long position)
    {
        Uncache();
        long start = source.Position - _end;
        if (position >= start && position <= source.Position)
        {
            _next = (int)(position - start);
        }
        else if (source.Seekable is not null)
        {
            source.MoveTo(position);
            _next = _end = 0;
            _ended = false;
        }

        _unchecked = _next;
    }

    /// <summary>Reads any number of bytes; they are in no checksum. Only where a byte starts.</summary>
    /// <returns>The number of bytes read, fewer than requested only at the end of the file.</returns>
    public int Read(Span<byte> bytes)
    {
        Uncache();
        int buffered = Math.Min(bytes.Length, _end - _next);
        _buffer.AsSpan(_next, buffered).CopyTo(bytes);
        _next += buffered;
        _unchecked = _next;
        return buffered + source.Read(bytes[buffered..]);
    }

    /// <summary>Consumes any number of bytes.</summary>
    /// <returns>False when the file ends before that many.</returns>
    public bool Skip(long count)
    {
        Uncache();
        int buffered = (int)Math.Min(count, _end - _next);
        _next += buffered;
        _unchecked = _next;
        return source.Skip(count - buffered);
    }

    /// <summary>Starts the checksum again at the next byte.</summary>
    public void StartChecksum()
    {
        Uncache();
        _unchecked = _next;
        _crc = 0;
    }

    /// <summary>Skips to the end of a started byte and gives the CRC-16 of all bytes since <see cref="StartChecksum"/>.</summary>
    /// <param name="paddingIsZero">Whether the skipped bits were 0, as they must be.</param>
    public ushort EndChecksum(out bool paddingIsZero)
    {
        paddingIsZero = ReadBits(_cached & 7) == 0;
        Uncache();
        AddToChecksum(_next);
        return _crc;
    }

    /// <summary>Reads an unsigned number of 0 to 32 bits.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint ReadBits(int count)
    {
        if (_cached < count)
            Refill(count);

        // Two shifts, because a shift by 64 is none at all.
        uint value = (uint)(_cache >> 1 >> (63 - count));
        _cache <<= count;
        _cached -= count;
        return value;
    }

    /// <summary>Reads a number in two's complement of 1 to 33 bits.</summary>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public long ReadSigned(int count)
    {
        if (_cached < count)
            Refill(count);
        long value = (long)_cache >> (64 - count);
        _cache <<= count;
        _cached -= count;
        return value;
    }

    /// <summary>Counts zeros up to the next one, which is consumed, too.</summary>
    /// <param name="limit">The most that makes sense.</param>
    /// <returns>The count; more than the limit if there are more, not necessarily how many.</returns>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public long ReadUnary(long limit)
    {
        long zeros = 0;
        while (zeros <= limit)
        {
            if (_cached == 0)
                Refill(1);
            int run = BitOperations.LeadingZeroCount(_cache);
            if (run < _cached)
            {
                // At most 63 bits are valid, so the shift is at most 63.
                _cache <<= run + 1;
                _cached -= run + 1;
                return zeros + run;
            }

            zeros += _cached;
            _cache <<= _cached;
            _cached = 0;
        }

        return zeros;
    }

    /// <summary>Reads Rice-coded residuals (RFC 9639, section 9.2.7.2), folded so that 0, 1, 2, 3 … stand for 0, -1, 1, -2 …</summary>
    /// <param name="residuals">Receives them.</param>
    /// <param name="parameter">The number of low bits that are stored plainly, 0 to 30.</param>
    /// <returns>False when a code is too long to be a residual.</returns>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public bool ReadRice(Span<int> residuals, int parameter)
    {
        ref byte buffer = ref MemoryMarshal.GetArrayDataReference(_buffer);
        int last = _end - sizeof(ulong);
        int next = _next;
        ulong cache = _cache;
        int cached = _cached;
        int remainder = 63 - parameter;
        for (int i = 0; i < residuals.Length; i++)
        {
            if (next <= last)
            {
                ulong bytes = Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref buffer, next));
                if (BitConverter.IsLittleEndian)
                    bytes = BinaryPrimitives.ReverseEndianness(bytes);
                cache |= bytes >> cached;
                next += (63 - cached) >> 3;
                cached |= 56;
            }

            int zeros = BitOperations.LeadingZeroCount(cache);
            int length = zeros + 1 + parameter;
            uint folded;
            if (length <= cached)
            {
                cache <<= zeros;
                folded = ((uint)zeros << parameter) | (uint)((cache << 1) >> 1 >> remainder);
                cache <<= parameter + 1;
                cached -= length;
            }
            else
            {
                // A long code, or the end of the buffer is near: the general way, and the fast one continues after it.
                (_next, _cache, _cached) = (next, cache, cached);
                long limit = uint.MaxValue >> parameter;
                long quotient = ReadUnary(limit);
                if (quotient > limit)
                    return false;
                folded = ((uint)quotient << parameter) | ReadBits(parameter);
                (next, cache, cached) = (_next, _cache, _cached);
                last = _end - sizeof(ulong);
            }

            residuals[i] = (int)(folded >> 1) ^ -(int)(folded & 1);
        }

        (_next, _cache, _cached) = (next, cache, cached);
        return true;
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => source.Dispose();

    /// <summary>Gives the cached bytes back to the buffer; the cache must hold whole bytes.</summary>
    private void Uncache()
    {
        _next -= _cached / 8;
        _cached = 0;
        _cache = 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Refill(int needed)
    {
        if (_end - _next < sizeof(ulong))
            Fill();
        while (_cached < 56 && _next < _end)
        {
            _cache |= (ulong)_buffer[_next++] << (56 - _cached);
            _cached += 8;
        }

        if (_cached < needed)
            throw new EndOfStreamException();
    }

    /// <summary>Moves the unread bytes to the front and fills the buffer.</summary>
    private void Fill()
    {
        if (_ended)
            return;
        int keep = FirstUnread;
        if (keep > _unchecked)
            AddToChecksum(keep);
        _buffer.AsSpan(keep, _end - keep).CopyTo(_buffer);
        _next -= keep;
        _end -= keep;
        _unchecked -= keep;
        int wanted = BufferBytes - _end;
        int read = source.Read(_buffer.AsSpan(_end, wanted));
        _end += read;
        _ended = read < wanted;
    }

    private void AddToChecksum(int end)
    {
        _crc = FlacCrc.Crc16(_crc, _buffer.AsSpan(_unchecked, end - _unchecked));
        _unchecked = end;
    }
}
