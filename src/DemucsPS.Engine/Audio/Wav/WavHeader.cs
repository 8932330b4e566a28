using System.Buffers.Binary;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>
/// The part of a WAV file before its samples: format and extent of the data chunk. Reads RIFF ("Multimedia Programming
/// Interface and Data Specifications 1.0"), WAVE_FORMAT_EXTENSIBLE (mmreg.h), RF64 (EBU Tech 3306) and BW64 (ITU-R BS.2088).
/// </summary>
internal sealed class WavHeader
{
    private const ushort FormatPcm = 1;
    private const ushort FormatFloat = 3;
    private const ushort FormatExtensible = 0xFFFE;
    private const uint UnknownSize = uint.MaxValue;

    // A writer has a handful of chunks; a file that claims more table entries than this is not one.
    private const uint MaxTableEntries = 4096;

    // The last fourteen bytes that all subformats share which are a plain format tag in GUID clothing.
    private static ReadOnlySpan<byte> SubformatTail =>
        [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

    private WavHeader(WavEncoding encoding, string codec, int sampleRate, int channels, int blockAlign, AudioTagBuilder tags)
    {
        Encoding = encoding;
        Codec = codec;
        SampleRate = sampleRate;
        Channels = channels;
        BlockAlign = blockAlign;
        Tags = tags;
    }

    /// <summary>How a sample is stored; <see cref="WavEncoding.Other"/> leaves everything below it unset.</summary>
    public WavEncoding Encoding { get; }

    /// <summary>The encoding for people.</summary>
    public string Codec { get; }

    /// <summary>Frames per second.</summary>
    public int SampleRate { get; }

    /// <summary>Channels in a frame.</summary>
    public int Channels { get; }

    /// <summary>The speakers that the channels are for, a bit each; 0 where the file does not say.</summary>
    public uint ChannelMask { get; private init; }

    /// <summary>Bytes in a frame.</summary>
    public int BlockAlign { get; }

    /// <summary>Bytes in the data chunk as declared; null when the samples go on until the stream ends.</summary>
    public long? DataBytes { get; private set; }

    /// <summary>The tags, also those behind the samples where the source is a file.</summary>
    public AudioTagBuilder Tags { get; }

    /// <summary>True when the first twelve bytes of a file are those of a WAV file.</summary>
    public static bool IsWav(ReadOnlySpan<byte> start) =>
        start.Length >= 12
        && (start.StartsWith("RIFF"u8) || start.StartsWith("RF64"u8) || start.StartsWith("BW64"u8))
        && start[8..12].SequenceEqual("WAVE"u8);

    /// <summary>
    /// Reads the header. Afterwards the source stands at the first sample, unless the encoding is
    /// <see cref="WavEncoding.Other"/>: then reading stopped at the format.
    /// </summary>
    /// <param name="source">The file from its first byte.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>.</exception>
    public static WavHeader Read(ByteSource source)
    {
        Span<byte> start = stackalloc byte[12];
        if (source.Read(start) < 12 || !IsWav(start))
            throw Corrupt(source, "is no WAV file: its first bytes are not RIFF … WAVE");
        bool is64 = !start.StartsWith("RIFF"u8);

        WavHeader? header = null;
        Extents? extents = null;
        var tags = new AudioTagBuilder();
        Span<byte> chunk = stackalloc byte[8];
        while (source.Read(chunk) == 8)
        {
            uint declared = BinaryPrimitives.ReadUInt32LittleEndian(chunk[4..]);
            if (chunk.StartsWith("data"u8))
            {
                if (header is null)
                    throw Corrupt(source, "is damaged: its samples come before their format ('data' chunk before 'fmt ')");
                header.DataBytes = DataExtent(source, declared, extents);
                if (header.DataBytes is long dataBytes && source.Remaining > dataBytes && !source.IsPipe)
                    WavInfo.ReadAfterData(source, dataBytes, header.Tags);
                return header;
            }

            long size = declared;
            long used = 0;
            if (chunk.StartsWith("fmt "u8) && header is null)
            {
                header = ReadFormat(source, declared, tags, out used);
                if (header.Encoding == WavEncoding.Other)
                    return header;
            }
            else if (is64 && chunk.StartsWith("ds64"u8) && extents is null)
            {
                extents = Extents.Read(source, declared, out used);
            }
            else if (is64 && declared == UnknownSize)
            {
                size = extents?.Find(chunk[..4])
                    ?? throw Corrupt(source, $"is damaged: the length of its '{Name(chunk)}' chunk is missing from 'ds64'");
            }

            if (chunk.StartsWith("LIST"u8))
                used = WavInfo.Read(source, size, tags);
            tags.MayHavePicture |= WavInfo.IsId3(chunk);

            // Chunks start at even positions; the padding byte is not part of the declared size.
            if (!source.Skip(size - used + (size & 1)))
                break;
        }

        throw Corrupt(source, header is null
            ? "is damaged or cut short: it has no format ('fmt ' chunk)"
            : "is damaged or cut short: it has no samples ('data' chunk)");
    }

    private static long? DataExtent(ByteSource source, uint declared, Extents? extents)
    {
        if (declared == UnknownSize)
        {
            if (extents is not null)
                return extents.DataBytes;

            // Left by programs that wrote to a pipe and could not go back: the samples go on until the end.
            return source.Remaining;
        }

        return declared == 0 && source.IsPipe ? null : declared;
    }

    private static WavHeader ReadFormat(ByteSource source, uint size, AudioTagBuilder tags, out long used)
    {
        Span<byte> bytes = stackalloc byte[40];
        bytes.Clear();
        if (size < 16)
            throw Corrupt(source, $"is damaged: its format ('fmt ' chunk) has {size} bytes instead of at least 16");
        int wanted = (int)Math.Min(size, (uint)bytes.Length);
        used = wanted;
        if (source.Read(bytes[..wanted]) < wanted)
            throw Corrupt(source, "is cut short within its format ('fmt ' chunk)");

        ushort tag = BinaryPrimitives.ReadUInt16LittleEndian(bytes);
        int channels = BinaryPrimitives.ReadUInt16LittleEndian(bytes[2..]);
        uint sampleRate = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        int blockAlign = BinaryPrimitives.ReadUInt16LittleEndian(bytes[12..]);
        int bits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[14..]);
        int validBits = bits;
        uint channelMask = 0;
        if (tag == FormatExtensible)
        {
            if (size < 40)
                throw Corrupt(source, $"is damaged: its extensible format ('fmt ' chunk) has {size} bytes instead of at least 40");
            validBits = BinaryPrimitives.ReadUInt16LittleEndian(bytes[18..]);
            channelMask = BinaryPrimitives.ReadUInt32LittleEndian(bytes[20..]);
            if (validBits == 0 || validBits > bits)
                validBits = bits;
            tag = bytes[26..40].SequenceEqual(SubformatTail) ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[24..]) : (ushort)0;
        }

        if (channels is 0 or > AudioLimits.MaxChannels)
            throw Corrupt(source, $"is damaged or unusable: it declares {channels} channels; 1 to {AudioLimits.MaxChannels} can be read");
        if (sampleRate is 0 or > AudioLimits.MaxSampleRate)
            throw Corrupt(source, $"is damaged or unusable: it declares {sampleRate} frames per second; 1 to {AudioLimits.MaxSampleRate} can be read");

        // Samples that do not fill their bytes are left-justified in them, so full scale is the container's in every case.
        int sampleBytes = (bits + 7) / 8;
        WavEncoding encoding = (tag, sampleBytes) switch
        {
            (FormatPcm, 1) => WavEncoding.UInt8,
            (FormatPcm, 2) => WavEncoding.Int16,
            (FormatPcm, 3) => WavEncoding.Int24,
            (FormatPcm, 4) => WavEncoding.Int32,
            (FormatFloat, 4) => WavEncoding.Float32,
            (FormatFloat, 8) => WavEncoding.Float64,
            _ => WavEncoding.Other,
        };
        if (tag is FormatPcm or FormatFloat && bits == 0)
            throw Corrupt(source, "is damaged: it declares 0 bits per sample");
        if (encoding != WavEncoding.Other && blockAlign != channels * sampleBytes)
            throw Corrupt(source, $"is damaged: it declares {blockAlign} bytes per frame, but {channels} channels of {bits} bits take {channels * sampleBytes}");

        string codec = tag switch
        {
            FormatPcm => $"PCM {validBits} bit",
            FormatFloat => $"float {bits} bit",
            _ => $"WAV format 0x{tag:X4}",
        };
        return new WavHeader(encoding, codec, (int)sampleRate, channels, blockAlign, tags) { ChannelMask = channelMask };
    }

    private static string Name(ReadOnlySpan<byte> chunk)
    {
        Span<char> name = stackalloc char[4];
        for (int i = 0; i < 4; i++)
            name[i] = chunk[i] is >= 0x20 and < 0x7F ? (char)chunk[i] : '?';
        return new string(name);
    }

    private static DemucsException Corrupt(ByteSource source, string what) =>
        new(DemucsError.AudioTrackCorrupt, $"'{source.Path}' {what}. Fetch or export the file again.", source.Path);

    /// <summary>The 64-bit lengths of an RF64 or BW64 file (its ds64 chunk).</summary>
    private sealed class Extents
    {
        private readonly byte[] _table;

        private Extents(long dataBytes, byte[] table)
        {
            DataBytes = dataBytes;
            _table = table;
        }

        public long DataBytes { get; }

        public static Extents Read(ByteSource source, uint size, out long used)
        {
            Span<byte> bytes = stackalloc byte[28];
            if (size < 28 || source.Read(bytes) < 28)
                throw Corrupt(source, "is damaged: its 64-bit lengths ('ds64' chunk) are cut short");
            ulong dataBytes = BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
            uint entries = BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]);
            if (dataBytes > long.MaxValue / 2)
                throw Corrupt(source, $"is damaged: it declares {dataBytes} bytes of samples");
            if (entries > MaxTableEntries || 28 + (entries * 12) > size)
                throw Corrupt(source, $"is damaged: its table of 64-bit lengths ('ds64' chunk) declares {entries} entries in {size} bytes");

            var table = new byte[entries * 12];
            if (source.Read(table) < table.Length)
                throw Corrupt(source, "is cut short within its 64-bit lengths ('ds64' chunk)");
            used = 28 + table.Length;
            return new Extents((long)dataBytes, table);
        }

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
}
