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

        Fields fields = Parse(bytes, dialect.IsBigEndian);
        if (fields.IsExtensible && size < 40)
            throw PcmFile.Corrupt(source, $"is damaged: its extensible format ('fmt ' chunk) has {size} bytes instead of at least 40");
        PcmFile.CheckForm(source, fields.Channels, fields.SampleRate);
        if (fields is { Tag: TagPcm or TagFloat, Bits: 0 })
            throw PcmFile.Corrupt(source, "is damaged: it declares 0 bits per sample");
        if (fields.Encoding is not { } encoding)
            // ffmpeg takes all WAV files for little-endian ones.
            return !dialect.IsBigEndian
                ? null
                : throw new DemucsException(
                    DemucsError.AudioFormatUnsupported,
                    $"'{source.Path}' is a big-endian WAV file (RIFX) of format 0x{fields.Tag:X4} with {fields.Bits} bits, which is not supported. Convert it: sox in.wav -e signed -b 16 -L out.wav",
                    source.Path
                );
        string codec = fields.Codec + (dialect.IsBigEndian ? ", big-endian" : "");
        PcmForm form = new(encoding, (int)fields.SampleRate, fields.Channels, codec)
        {
            IsBigEndian = dialect.IsBigEndian,
            ChannelMask = fields.ChannelMask,
        };
        if (fields.BlockAlign != form.FrameBytes)
            warning = AboutBlockAlign(source, form, fields);
        return form;
    }

    private static Fields Parse(ReadOnlySpan<byte> bytes, bool isBig)
    {
        int bits = U16(bytes[14..], isBig);
        Fields fields = new()
        {
            Tag = U16(bytes, isBig),
            Channels = U16(bytes[2..], isBig),
            SampleRate = U32(bytes[4..], isBig),
            ByteRate = U32(bytes[8..], isBig),
            BlockAlign = U16(bytes[12..], isBig),
            Bits = bits,
            ValidBits = bits,
        };
        if (fields.Tag != TagExtensible)
            return fields;
        int validBits = U16(bytes[18..], isBig);
        return fields with
        {
            Tag = Subformat(bytes[24..40], isBig),
            IsExtensible = true,
            ValidBits = validBits == 0 ? bits : Math.Min(validBits, bits),
            ChannelMask = U32(bytes[20..], isBig),
        };
    }

    /// <summary>
    /// The bytes of a frame follow from channels and bits, so a wrong number does not matter. But where it is one of wider samples, and the
    /// bytes per second agree, some program has written samples with bytes to spare under a format that cannot tell where in them the bits
    /// are.
    /// </summary>
    private static string AboutBlockAlign(ByteSource source, PcmForm form, Fields fields)
    {
        int blockAlign = fields.BlockAlign;
        bool isWider =
            blockAlign > form.FrameBytes
            && blockAlign % form.Channels == 0
            && blockAlign / form.Channels <= 8
            && fields.ByteRate == (long)blockAlign * form.SampleRate;
        if (isWider)
            throw PcmFile.Corrupt(
                source,
                $"is damaged or unusable: it declares samples of {fields.Bits} bits in {blockAlign / form.Channels} bytes each, but not which bytes count"
            );
        return $"declares {blockAlign} bytes per frame, but {form.Channels} channels of {fields.Bits} bits take {form.FrameBytes}. {form.FrameBytes} are used.";
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

    private readonly record struct Fields(
        ushort Tag,
        int Channels,
        uint SampleRate,
        uint ByteRate,
        int BlockAlign,
        int Bits,
        int ValidBits,
        uint ChannelMask,
        bool IsExtensible
    )
    {
        /// <summary>Null for what is neither PCM nor float nor G.711.</summary>
        public PcmEncoding? Encoding =>
            (Tag, (Bits + 7) / 8) switch
            {
                (TagPcm, >= 1 and <= 4 and var bytes) => PcmForm.Integer(bytes, isUnsigned: true),
                (TagFloat, 4) => PcmEncoding.Float32,
                (TagFloat, 8) => PcmEncoding.Float64,
                (TagALaw, 1) => PcmEncoding.ALaw,
                (TagMuLaw, 1) => PcmEncoding.MuLaw,
                _ => null,
            };

        public string Codec =>
            Tag switch
            {
                TagPcm => $"PCM {ValidBits} bit",
                TagFloat => $"float {Bits} bit",
                TagALaw => "A-law",
                _ => "µ-law",
            };
    }
}
