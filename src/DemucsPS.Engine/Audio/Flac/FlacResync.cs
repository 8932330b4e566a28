namespace DemucsPS.Engine.Audio.Flac;

/// <summary>Finds where a FLAC stream continues after damage.</summary>
/// <param name="bits">The file.</param>
/// <param name="decoder">Decodes frames of it.</param>
internal sealed class FlacResync(FlacBitReader bits, FlacFrameDecoder decoder)
{
    private const int WindowBytes = 4096;

    // A damaged frame whose header is whole costs a try, and one header of some millions that stand in other bytes by chance; a file that
    // is made of them must not take forever.
    private const int FreeTries = 100;

    private int _tries;

    /// <summary>
    /// Finds the next whole frame: a header with the right checksum, after it a frame with the right checksum. The file stands at it
    /// afterwards; where there is none, at the beginning of another FLAC file, at tags that other programs put after one, or at its end.
    /// </summary>
    /// <param name="from">The byte to look from.</param>
    /// <param name="stream">The form of the stream, for what headers leave to it.</param>
    /// <param name="goodFrames">Frames that were decoded; the more there are, the more is tried.</param>
    /// <returns>Its header; null if there is none.</returns>
    public FlacFrameHeader? Next(long from, FlacForm stream, long goodFrames)
    {
        bits.MoveTo(from);
        while (true)
        {
            ReadOnlySpan<byte> window = bits.Peek(WindowBytes);
            if (window.IsEmpty)
                return null;
            int at = window.IndexOfAny((byte)0xFF, (byte)'f', (byte)'A');
            if (at < 0)
            {
                bits.Advance(window.Length);
                continue;
            }

            bits.Advance(at);
            ReadOnlySpan<byte> next = bits.Peek(FlacFrameHeader.MaxBytes);
            if (FlacMetadata.BeginsStream(next) || next.StartsWith("APETAGEX"u8))
                return null;
            if (FlacFrameHeader.TryRead(next, out FlacFrameHeader header, out _))
            {
                long position = bits.BytePosition;
                if (IsWhole(header, stream))
                {
                    bits.MoveTo(position);
                    return header;
                }

                if (++_tries > FreeTries + goodFrames)
                {
                    bits.MoveTo(position);
                    bits.Skip(long.MaxValue);
                    return null;
                }

                bits.MoveTo(position + 1);
                continue;
            }

            bits.Advance(1);
        }
    }

    private bool IsWhole(in FlacFrameHeader header, FlacForm stream)
    {
        try
        {
            return decoder.Decode(header, header.FormIn(stream).BitsPerSample) is null;
        }
        catch (EndOfStreamException)
        {
            return false;
        }
    }
}
