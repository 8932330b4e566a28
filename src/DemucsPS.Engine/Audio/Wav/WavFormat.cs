using System.Buffers.Binary;
using DemucsPS.Engine.Audio.Pcm;

namespace DemucsPS.Engine.Audio.Wav;

/// <summary>Reads what the samples of a WAV file are: its 'fmt ' chunk, also as WAVE_FORMAT_EXTENSIBLE (mmreg.h).</summary>
internal static class WavFormat
{
    private const ushort TagPcm = 1,
        TagFloat = 3,
        TagALaw = 6,
        TagMuLaw = 7,
        TagExtensible = 0xFFFE;

    // The last fourteen bytes that all subformats share which are a plain format tag in GUID clothing.
    private static ReadOnlySpan<byte> SubformatTail => [0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

    // The GUID's second and third numbers are turned, too; the rest of it are bytes.
    private static ReadOnlySpan<byte> BigEndianSubformatTail => [0x00, 0x00, 0x00, 0x10, 0x80, 0x00, 0x00, 0xAA, 0x00, 0x38, 0x9B, 0x71];

    /// <summary>Reads the content of the chunk.</summary>
    /// <param name="source">The file, at its first byte.</param>
    /// <param name="dialect">What the file is written in.</param>
    /// <param name="size">Bytes of it as declared.</param>
    /// <param name="used">The bytes that were read.</param>
    /// <param name="warning">What is odd with it, after the name of the file; null for nothing.</param>
    /// <returns>Null for what is neither PCM nor float nor G.711.</returns>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>, or <see cref="DemucsError.AudioFormatUnsupported"/>
    /// for formats that no known program reads correctly.</exception>
    public static PcmForm? Read(ByteSource source, RiffDialect dialect, long size, out long used, out string? warning)
    {
        warning = null;
        Span<byte> bytes = stackalloc byte[40];
        bytes.Clear();
        if (size < 16)
            throw PcmFile.Corrupt(source, $"is damaged: its format ('fmt ' chunk) has {size} bytes instead of at least 16");
        int wanted = (int)Math.Min(size, bytes.Length);
        used = wanted;
        if (source.Read(bytes[..wanted]) < wanted)
            throw PcmFile.Corrupt(source, "is cut short in its format ('fmt ' chunk)");

        bool isBig = dialect.IsBigEndian;
        ushort tag = U16(bytes, isBig);
        int channels = U16(bytes[2..], isBig);
        uint sampleRate = U32(bytes[4..], isBig),
            byteRate = U32(bytes[8..], isBig);
        int blockAlign = U16(bytes[12..], isBig);
        int bits = U16(bytes[14..], isBig);
        int validBits = bits;
        uint channelMask = 0;
        if (tag == TagExtensible)
        {
            if (size < 40)
                throw PcmFile.Corrupt(source, $"is damaged: its extensible format ('fmt ' chunk) has {size} bytes instead of at least 40");
            validBits = U16(bytes[18..], isBig);
            channelMask = U32(bytes[20..], isBig);
            if (validBits == 0 || validBits > bits)
                validBits = bits;
            tag = Subformat(bytes[24..40], isBig);
        }

        PcmFile.CheckForm(source, channels, sampleRate);
        if (tag is TagPcm or TagFloat && bits == 0)
            throw PcmFile.Corrupt(source, "is damaged: it declares 0 bits per sample");

        int sampleBytes = (bits + 7) / 8;
        PcmEncoding? encoding = (tag, sampleBytes) switch
        {
            (TagPcm, >= 1 and <= 4) => PcmForm.Integer(sampleBytes, isUnsigned: true),
            (TagFloat, 4) => PcmEncoding.Float32,
            (TagFloat, 8) => PcmEncoding.Float64,
            (TagALaw, 1) => PcmEncoding.ALaw,
            (TagMuLaw, 1) => PcmEncoding.MuLaw,
            _ => null,
        };
        if (encoding is null)
        {
            // ffmpeg takes all WAV files for little-endian ones.
            if (isBig)
                throw new DemucsException(
                    DemucsError.AudioFormatUnsupported,
                    $"'{source.Path}' is a big-endian WAV file (RIFX) of format 0x{tag:X4} with {bits} bits, which is not supported. Convert it: sox in.wav -e signed -b 16 -L out.wav",
                    source.Path
                );
            return null;
        }

        string codec = tag switch
        {
            TagPcm => $"PCM {validBits} bit",
            TagFloat => $"float {bits} bit",
            TagALaw => "A-law",
            _ => "µ-law",
        };
        PcmForm form = new(encoding.Value, (int)sampleRate, channels, isBig ? codec + ", big-endian" : codec)
        {
            IsBigEndian = isBig,
            ChannelMask = channelMask,
        };
        if (blockAlign != form.FrameBytes)
            warning = AboutBlockAlign(source, form, bits, blockAlign, byteRate);
        return form;
    }

    /// <summary>
    /// The bytes of a frame follow from channels and bits, so a wrong number does not matter. But where it is one of wider samples, and the
    /// bytes per second agree, some program has written samples with bytes
    /// to spare under a format that cannot tell where in them the bits are.
    /// </summary>
    private static string AboutBlockAlign(ByteSource source, PcmForm form, int bits, int blockAlign, uint byteRate)
    {
        bool isWider =
            blockAlign > form.FrameBytes
            && blockAlign % form.Channels == 0
            && blockAlign / form.Channels <= 8
            && byteRate == (long)blockAlign * form.SampleRate;
        if (isWider)
            throw PcmFile.Corrupt(
                source,
                $"is damaged or unusable: it declares samples of {bits} bits in {blockAlign / form.Channels} bytes each, but not which bytes count"
            );
        return $"declares {blockAlign} bytes per frame, but {form.Channels} channels of {bits} bits take {form.FrameBytes}. {form.FrameBytes} are used.";
    }

    private static ushort Subformat(ReadOnlySpan<byte> guid, bool isBig)
    {
        // libsndfile turns the numbers of the GUID in a RIFX file, SoX the tag alone.
        if (isBig && guid.StartsWith((ReadOnlySpan<byte>)[0, 0]) && guid[4..].SequenceEqual(BigEndianSubformatTail))
            return BinaryPrimitives.ReadUInt16BigEndian(guid[2..]);
        return guid[2..].SequenceEqual(SubformatTail) ? U16(guid, isBig) : (ushort)0;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, bool isBig) =>
        isBig ? BinaryPrimitives.ReadUInt16BigEndian(bytes) : BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static uint U32(ReadOnlySpan<byte> bytes, bool isBig) =>
        isBig ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
