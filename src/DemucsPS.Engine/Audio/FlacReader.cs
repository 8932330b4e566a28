namespace DemucsPS.Engine.Audio;

/// <summary>
/// Decodes FLAC by RFC 9639: every number of channels, 4 to 32 bits, fixed and variable block sizes. The checksums of every
/// frame are verified, and the digest of the whole stream while it is read. Integers of b bits are scaled by 2^-(b-1).
/// </summary>
internal sealed class FlacReader : AudioReader
{
    private const int StreamInfoBlock = 0;
    private const int VorbisCommentBlock = 4;
    private const int InvalidBlock = 127;
    private const int Margin = FlacSubframeDecoder.Margin;

    private readonly FlacBitReader _bits;
    private readonly FlacStreamInfo _info;
    private readonly FlacSubframeDecoder _decoder;
    private readonly FlacSignature? _signature;
    private readonly int[][] _samples;
    private readonly float _scale;

    // The 33-bit side channel of a 32-bit stream; no other stream needs it.
    private long[] _side = [];

    // The decoded frame: how many samples it has and how many of them were handed out.
    private int _blockSize;
    private int _blockTaken;
    private long _decoded;
    private bool _ended;
    private bool _disposed;

    /// <summary>Opens a file.</summary>
    /// <param name="source">The file from its first byte; ID3v2 tags may come before the stream. It is closed with this reader.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: the file is damaged, or has no audio frames.
    /// <see cref="DemucsError.AudioFormatUnsupported"/>: the stream is one that FLAC allows and nobody can use, say without a rate.
    /// </exception>
    public FlacReader(ByteSource source)
        : base(source.Path)
    {
        _bits = new FlacBitReader(source);
        SkipId3Tags(_bits);
        var tags = new AudioTagBuilder();
        _info = ReadMetadata(tags);
        Tags = tags.Build();
        WarnAbout(tags);
        _decoder = new FlacSubframeDecoder(_bits);
        _samples = new int[_info.Channels][];
        Array.Fill(_samples, []);
        _scale = 1f / (1L << (_info.BitsPerSample - 1));
        _signature = FlacSignature.Create(_info.Md5);
        try
        {
            if (!DecodeFrame())
                throw Corrupt("contains no audio frames");
        }
        catch
        {
            _signature?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override int SampleRate => _info.SampleRate;

    /// <inheritdoc/>
    public override int Channels => _info.Channels;

    /// <inheritdoc/>
    public override long? FrameCount => _info.FrameCount;

    /// <inheritdoc/>
    public override string Codec => $"FLAC {_info.BitsPerSample} bit";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags { get; }

    /// <summary>Whether a file is FLAC, possibly behind ID3v2 tags. The source is rewound.</summary>
    public static bool IsFlac(ByteSource source)
    {
        // Not disposed, because that would close the file.
        var bits = new FlacBitReader(source);
        SkipId3Tags(bits);
        bool isFlac = bits.Peek(4).SequenceEqual("fLaC"u8);
        source.Rewind();
        return isFlac;
    }

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int wanted = FramesIn(interleaved);
        int done = 0;
        while (done < wanted)
        {
            if (_blockTaken == _blockSize && !DecodeFrame())
                break;
            int frames = Math.Min(wanted - done, _blockSize - _blockTaken);
            Interleave(interleaved.Slice(done * Channels, frames * Channels));
            _blockTaken += frames;
            done += frames;
        }

        return done;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _disposed = true;
        _signature?.Dispose();
        _bits.Dispose();
    }

    private static void SkipId3Tags(FlacBitReader bits)
    {
        // Ten bytes, then as many as four times seven bits say, and ten more if there is a footer (ID3v2.4, section 3.1).
        while (bits.Peek(10) is { Length: 10 } tag && tag.StartsWith("ID3"u8) && ((tag[6] | tag[7] | tag[8] | tag[9]) & 0x80) == 0)
        {
            int size = tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9];
            if (!bits.Skip(10 + size + ((tag[5] & 0x10) != 0 ? 10 : 0)))
                return;
        }
    }

    private FlacStreamInfo ReadMetadata(AudioTagBuilder tags)
    {
        if (!_bits.Peek(4).SequenceEqual("fLaC"u8))
            throw Corrupt("is no FLAC file: it does not begin with fLaC");
        _bits.Advance(4);
        FlacStreamInfo? info = null;
        bool hasTags = false;
        bool last = false;
        while (!last)
        {
            ReadOnlySpan<byte> header = _bits.Peek(4);
            if (header.Length < 4)
                throw Corrupt("is cut short within its metadata");
            last = header[0] >= 128;
            int type = header[0] & 127;
            int length = header[1] << 16 | header[2] << 8 | header[3];
            if (type == InvalidBlock)
                throw Corrupt($"is damaged: byte {_bits.BytePosition} begins no metadata");
            _bits.Advance(4);
            if (type == StreamInfoBlock)
            {
                ReadOnlySpan<byte> block = _bits.Peek(FlacStreamInfo.Bytes);
                if (info is not null || length != FlacStreamInfo.Bytes || block.Length < length)
                    throw Corrupt("is damaged: its description (STREAMINFO) is doubled or of a wrong length");
                info = new FlacStreamInfo(block[..length]);
            }
            else if (type == VorbisCommentBlock && !hasTags)
            {
                // There is no more than one (RFC 9639, section 8.6).
                hasTags = true;
                length = VorbisComment.Read(_bits, length, tags);
            }

            // Nothing else in the metadata changes the samples, so its lengths only ever skip.
            if (!_bits.Skip(length))
                throw Corrupt("is cut short within its metadata");
        }

        if (info is null)
            throw Corrupt("is damaged: its description (STREAMINFO) is missing");
        if (info.SampleRate is 0 or > AudioLimits.MaxSampleRate)
            throw Unsupported($"declares {info.SampleRate} frames per second; 1 to {AudioLimits.MaxSampleRate} can be read");
        if (info.BitsPerSample < 4)
            throw Corrupt($"is damaged: it declares {info.BitsPerSample} bits per sample; FLAC has 4 to 32");
        return info;
    }

    /// <summary>Decodes the next frame; false at the end of the track.</summary>
    private bool DecodeFrame()
    {
        if (_ended)
            return false;
        long position = 0;
        try
        {
            ReadOnlySpan<byte> bytes = _bits.Peek(FlacFrameHeader.MaxBytes);
            position = _bits.BytePosition;
            if (bytes.IsEmpty)
                return End(cutShort: false);
            if (!FlacFrameHeader.TryRead(bytes, out FlacFrameHeader header, out string? defect))
            {
                // Behind the last frame other programs put tags of their own.
                if (_decoded >= _info.FrameCount || bytes.StartsWith("TAG"u8) || bytes.StartsWith("APETAGEX"u8))
                    return End(cutShort: false);
                return defect is null ? End(cutShort: true) : throw FrameCorrupt(position, defect);
            }

            CheckUnchanged(header);
            _bits.StartChecksum();
            _bits.Advance(header.Bytes);
            defect = DecodeChannels(header);
            if (defect is not null)
                throw FrameCorrupt(position, defect);
            ushort checksum = _bits.EndChecksum(out bool paddingIsZero);
            if (_bits.ReadBits(16) != checksum || !paddingIsZero)
                throw FrameCorrupt(position, "the checksum of the frame is wrong");

            _blockSize = header.BlockSize;
            _blockTaken = 0;
            _decoded += _blockSize;
            _signature?.Add(_samples, Margin, _blockSize, _info.BitsPerSample);
            return true;
        }
        catch (EndOfStreamException)
        {
            return End(cutShort: true);
        }
    }

    private bool End(bool cutShort)
    {
        _ended = true;
        _blockSize = 0;
        _blockTaken = 0;
        if (_decoded == 0)
            return false;
        if (FrameCount is long declared && _decoded < declared)
            AddWarning($"'{SourcePath}': declared {declared} frames, found {_decoded}: the file is cut short, {declared - _decoded} frames are missing.");
        else if (cutShort)
            AddWarning($"'{SourcePath}' is cut short within a frame after {_decoded} frames; what was in it is missing.");
        else if (_signature is not null && !_signature.Matches())
            AddWarning($"'{SourcePath}' is damaged: its samples are not those that the encoder saw (MD5 mismatch).");
        else if (_decoded > FrameCount)
            AddWarning($"'{SourcePath}': declared {FrameCount} frames, found {_decoded}; all of them are used.");
        return false;
    }

    private void CheckUnchanged(in FlacFrameHeader header)
    {
        if (header.SampleRate is int rate && rate != _info.SampleRate)
            throw Unsupported($"changes from {_info.SampleRate} to {rate} frames per second after {_decoded} frames. Convert it to one rate first");
        if (header.BitsPerSample is int bits && bits != _info.BitsPerSample)
            throw Unsupported($"changes from {_info.BitsPerSample} to {bits} bits per sample after {_decoded} frames. Convert it to one depth first");
        if (header.Channels != _info.Channels)
            throw Unsupported($"changes from {_info.Channels} to {header.Channels} channels after {_decoded} frames. Convert it to one layout first");
    }

    private string? DecodeChannels(in FlacFrameHeader header)
    {
        int count = header.BlockSize;
        int width = _info.BitsPerSample;
        if (_samples[0].Length < Margin + count)
        {
            for (int channel = 0; channel < _samples.Length; channel++)
                _samples[channel] = new int[Margin + count];
        }

        int side = header.Stereo switch { FlacStereo.Independent => -1, FlacStereo.SideRight => 0, _ => 1 };
        for (int channel = 0; channel < _samples.Length; channel++)
        {
            string? defect;
            if (channel != side)
            {
                defect = _decoder.Decode(_samples[channel], count, width);
            }
            else if (width < 32)
            {
                defect = _decoder.Decode(_samples[channel], count, width + 1);
            }
            else
            {
                if (_side.Length < count)
                    _side = new long[count];
                defect = _decoder.DecodeWide(_side.AsSpan(0, count), width + 1);
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

    private void Interleave(Span<float> interleaved)
    {
        int channels = _samples.Length;
        int frames = interleaved.Length / channels;
        float scale = _scale;
        for (int channel = 0; channel < channels; channel++)
        {
            ReadOnlySpan<int> samples = _samples[channel].AsSpan(Margin + _blockTaken, frames);
            int at = channel;
            for (int i = 0; i < samples.Length; i++, at += channels)
                interleaved[at] = samples[i] * scale;
        }
    }

    private DemucsException Corrupt(string what) =>
        new(DemucsError.AudioTrackCorrupt, $"'{SourcePath}' {what}. Fetch or export the file again.", SourcePath);

    private DemucsException Unsupported(string what) =>
        new(DemucsError.AudioFormatUnsupported, $"'{SourcePath}' {what}.", SourcePath);

    private DemucsException FrameCorrupt(long position, string defect) =>
        Corrupt($"is damaged in the FLAC frame at byte {position}, after {_decoded} good frames of audio: {defect}");
}
