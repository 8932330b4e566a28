namespace DemucsPS.Engine.Audio.Flac;

/// <summary>Decodes frames of a FLAC file (RFC 9639, section 9), whose checksums are verified.</summary>
/// <param name="bits">The file.</param>
internal sealed class FlacFrameDecoder(FlacBitReader bits)
{
    private const int Margin = FlacSubframeDecoder.Margin;
    private const int MaxChannels = 8;

    private readonly FlacSubframeDecoder _subframes = new(bits);
    private readonly int[][] _samples = [.. Enumerable.Repeat<int[]>([], MaxChannels)];

    // The 33-bit side channel of a 32-bit stream; no other stream needs it.
    private long[] _side = [];

    /// <summary>The samples of each channel, from index <see cref="FlacSubframeDecoder.Margin"/> on.</summary>
    public ReadOnlySpan<int[]> Samples => _samples;

    /// <summary>Decodes a frame.</summary>
    /// <param name="header">Its header, at which the file stands.</param>
    /// <param name="bitsPerSample">Those of its samples.</param>
    /// <returns>What is wrong with it; null when nothing is.</returns>
    /// <exception cref="EndOfStreamException">The file ends before.</exception>
    public string? Decode(in FlacFrameHeader header, int bitsPerSample)
    {
        bits.StartChecksum();
        bits.Advance(header.Bytes);
        if (DecodeChannels(header, bitsPerSample) is { } defect)
            return defect;
        ushort checksum = bits.EndChecksum(out bool paddingIsZero);
        return bits.ReadBits(16) == checksum && paddingIsZero ? null : "the checksum of the frame is wrong";
    }

    /// <summary>Makes silence.</summary>
    /// <param name="channels">Of so many channels.</param>
    /// <param name="count">Samples of each.</param>
    public void Silence(int channels, int count)
    {
        for (int channel = 0; channel < channels; channel++)
        {
            Reserve(channel, count);
            _samples[channel].AsSpan(Margin, count).Clear();
        }
    }

    private void Reserve(int channel, int count)
    {
        if (_samples[channel].Length < Margin + count)
            _samples[channel] = new int[Margin + count];
    }

    private string? DecodeChannels(in FlacFrameHeader header, int width)
    {
        int count = header.BlockSize;
        int side = header.Stereo switch
        {
            FlacStereo.Independent => -1,
            FlacStereo.SideRight => 0,
            _ => 1,
        };
        for (int channel = 0; channel < header.Channels; channel++)
        {
            Reserve(channel, count);
            string? defect;
            if (channel != side)
            {
                defect = _subframes.Decode(_samples[channel], count, width);
            }
            else if (width < 32)
            {
                defect = _subframes.Decode(_samples[channel], count, width + 1);
            }
            else
            {
                if (_side.Length < count)
                    _side = new long[count];
                defect = _subframes.DecodeWide(_side.AsSpan(0, count), width + 1);
            }

            if (defect is not null)
                return defect;
        }

        if (side >= 0 && width < 32)
            JoinStereo(header.Stereo, _samples[0].AsSpan(Margin, count), _samples[1].AsSpan(Margin, count));
        else if (side >= 0)
            JoinWideStereo(header.Stereo, _samples[0].AsSpan(Margin, count), _samples[1].AsSpan(Margin, count), _side);
        return null;
    }

    private static void JoinStereo(FlacStereo stereo, Span<int> first, Span<int> second)
    {
        second = second[..first.Length];
        switch (stereo)
        {
            case FlacStereo.LeftSide:
                for (int i = 0; i < first.Length; i++)
                    second[i] = first[i] - second[i];
                break;
            case FlacStereo.SideRight:
                for (int i = 0; i < first.Length; i++)
                    first[i] += second[i];
                break;
            case FlacStereo.MidSide:
                for (int i = 0; i < first.Length; i++)
                {
                    // mid is (left + right) >> 1; the bit it lost is that of side, which is left - right.
                    int side = second[i];
                    int left = first[i] + (side >> 1) + (side & 1);
                    first[i] = left;
                    second[i] = left - side;
                }

                break;
        }
    }

    private static void JoinWideStereo(FlacStereo stereo, Span<int> first, Span<int> second, ReadOnlySpan<long> sides)
    {
        for (int i = 0; i < first.Length; i++)
        {
            long side = sides[i];
            switch (stereo)
            {
                case FlacStereo.LeftSide:
                    second[i] = (int)(first[i] - side);
                    break;
                case FlacStereo.SideRight:
                    first[i] = (int)(second[i] + side);
                    break;
                case FlacStereo.MidSide:
                    long left = first[i] + (side >> 1) + (side & 1);
                    first[i] = (int)left;
                    second[i] = (int)(left - side);
                    break;
            }
        }
    }
}
