using System.Buffers.Binary;

namespace DemucsPS.Engine.Audio.Flac;

/// <summary>What comes before the frames of a FLAC file.</summary>
internal sealed class FlacMetadata
{
    private const int StreamInfoBlock = 0;
    private const int VorbisCommentBlock = 4;
    private const int PictureType = 6;
    private const int InvalidBlock = 127;
    private const int Id3V1Bytes = 128;

    // Nobody has more, and a file can have millions that are empty.
    private const int MaxPictures = 100;
    private const int ApeTagHeaderBytes = 32;

    private FlacMetadata(FlacBitReader bits, FlacStreamInfo info, AudioTagBuilder tags)
    {
        Bits = bits;
        Info = info;
        Tags = tags;
    }

    /// <summary>What is wrong with it, in sentences for the user.</summary>
    public IReadOnlyList<string> Faults { get; private init; } = [];

    /// <summary>The first pictures: where their bytes begin in the file, and what is said of them.</summary>
    public IReadOnlyList<(long Position, PictureBlock Block)> Pictures { get; private init; } = [];

    /// <summary>Whether the stream lacks its beginning, so that it must begin with a whole frame.</summary>
    public bool IsFragment { get; private init; }

    /// <summary>The file, at its first frame.</summary>
    public FlacBitReader Bits { get; }

    /// <summary>What the frames are.</summary>
    public FlacStreamInfo Info { get; }

    /// <summary>The tags.</summary>
    public AudioTagBuilder Tags { get; }

    /// <summary>That of a stream which has none.</summary>
    /// <param name="bits">The file, at a frame.</param>
    /// <param name="form">The form of that frame.</param>
    public static FlacMetadata None(FlacBitReader bits, FlacForm form) =>
        new(bits, new FlacStreamInfo(form), new AudioTagBuilder()) { IsFragment = true };

    /// <summary>Whether a file is FLAC with metadata, possibly after ID3v2 tags. The source is rewound.</summary>
    public static bool Begins(ByteSource source)
    {
        // Not disposed, because that would close the file.
        FlacBitReader bits = new(source);
        SkipId3Tags(bits);
        bool begins = HasMarker(bits);
        source.Rewind();
        return begins;
    }

    /// <summary>Reads it.</summary>
    /// <param name="source">The file from its first byte; ID3v2 tags may come before the stream.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: the metadata is damaged.
    /// <see cref="DemucsError.AudioFormatUnsupported"/>: the stream is valid FLAC but not supported, for example without a sample rate.
    /// </exception>
    public static FlacMetadata Read(ByteSource source)
    {
        FlacBitReader bits = new(source);
        SkipId3Tags(bits);
        bool hasId3 = bits.BytePosition > 0;
        if (!HasMarker(bits))
            throw FlacDamage.Lasting(source.Path, "is not a FLAC file: it does not begin with fLaC");
        return ReadStream(bits, hasId3);
    }

    /// <summary>Whether bytes are the beginning of a stream: its mark, and the head of the description that must come first.</summary>
    /// <param name="bytes">Eight of them or more; fewer are none.</param>
    public static bool BeginsStream(ReadOnlySpan<byte> bytes) =>
        bytes is [(byte)'f', (byte)'L', (byte)'a', (byte)'C', StreamInfoBlock or 128 | StreamInfoBlock, 0, 0, FlacStreamInfo.Bytes, ..];

    /// <summary>Reads that of the stream at which a file stands.</summary>
    /// <param name="bits">The file, at the mark of the stream.</param>
    /// <param name="hasId3">Whether ID3v2 tags were before it.</param>
    /// <exception cref="DemucsException">As <see cref="Read"/>.</exception>
    public static FlacMetadata ReadStream(FlacBitReader bits, bool hasId3 = false)
    {
        ByteSource source = bits.Source;
        bits.Skip(4);
        AudioTagBuilder tags = new() { MayHavePicture = hasId3 };
        FlacStreamInfo? info = null;
        List<string> faults = [];
        List<(long Position, PictureBlock Block)> pictures = [];
        bool hasTags = false;
        bool last = false;
        for (bool first = true; !last; first = false)
        {
            ReadOnlySpan<byte> header = bits.Peek(4);
            if (header.Length < 4)
                throw CutShort(source);
            last = header[0] >= 128;
            int type = header[0] & 127;
            int length = header[1] << 16 | header[2] << 8 | header[3];
            if (type == InvalidBlock)
                throw FlacDamage.WrongBlockLength(source.Path, bits.BytePosition);
            bits.Advance(4);
            long left = length;
            if (type == StreamInfoBlock)
            {
                ReadOnlySpan<byte> block = bits.Peek(FlacStreamInfo.Bytes);
                if (info is not null || length != FlacStreamInfo.Bytes || block.Length < length)
                    throw FlacDamage.Lasting(source.Path, "is damaged: its description (STREAMINFO) occurs twice or has a wrong length");
                if (!first)
                    faults.Add(FlacFault.LateStreamInfo(source.Path));
                info = new FlacStreamInfo(block[..length]);
            }
            else if (type == VorbisCommentBlock && !hasTags)
            {
                // There is no more than one (RFC 9639, section 8.6).
                hasTags = true;
                left = ReadComments(bits, length, tags, faults);
            }
            else if (type == PictureType)
            {
                tags.MayHavePicture = true;
                left = LengthOfPicture(bits, length, pictures);
                if (left > length)
                    faults.Add(FlacFault.LongPicture(source.Path, left));
            }

            // Nothing else in the metadata changes the samples, so its lengths only ever skip.
            if (!bits.Skip(left))
                throw CutShort(source);
        }
        if (info is null)
            throw FlacDamage.NoStreamInfo(source.Path);
        Check(info.Form, source.Path);
        return new FlacMetadata(bits, info, tags) { Faults = faults, Pictures = pictures };
    }

    /// <returns>The bytes of the block that are left.</returns>
    private static long ReadComments(FlacBitReader bits, int length, AudioTagBuilder tags, List<string> faults)
    {
        int left = VorbisComment.Read(bits, length, tags, out bool areWhole);
        if (!areWhole)
        {
            // The fault says more.
            tags.IsDamaged = false;
            faults.Add(FlacFault.BrokenComments(bits.Source.Path));
        }
        return left;
    }

    private static void Check(FlacForm form, string path)
    {
        if (form.SampleRate is 0 or > AudioLimits.MaxSampleRate)
            throw FlacDamage.Unsupported(
                path,
                $"declares a sample rate of {form.SampleRate} Hz; 1 to {AudioLimits.MaxSampleRate} Hz are supported"
            );
        if (form.BitsPerSample < 4)
            throw FlacDamage.Lasting(path, $"is damaged: it declares {form.BitsPerSample} bits per sample; FLAC has 4 to 32");
    }

    /// <summary>Finds another FLAC file after the frames of one, possibly after tags that belong to either.</summary>
    /// <param name="bits">The file, after its last frame; moved.</param>
    /// <returns>The byte at which it begins; null if there is none.</returns>
    public static long? FindAnother(FlacBitReader bits)
    {
        long before;
        do
        {
            before = bits.BytePosition;
            SkipId3Tags(bits);
            if (HasMarker(bits))
                return bits.BytePosition;
            ReadOnlySpan<byte> tag = bits.Peek(ApeTagHeaderBytes);
            // ID3v1 has a fixed length; APEv2 says how long it is without its header, which need not be there: then what stands here is not
            // a header.
            long length =
                tag.StartsWith("TAG"u8) ? Id3V1Bytes
                : tag.Length == ApeTagHeaderBytes && tag.StartsWith("APETAGEX"u8)
                    ? ApeTagHeaderBytes + (long)BinaryPrimitives.ReadUInt32LittleEndian(tag[12..])
                : 0;
            if (!bits.Skip(length))
                return null;
        } while (bits.BytePosition > before);
        return null;
    }

    /// <summary>
    /// The length of a picture's block, which is at hand. Its 24 bits do not hold that of pictures of more than 16 MiB, and programs write
    /// what is left of it: then the picture's own length tells. ffmpeg reads it so, too.
    /// </summary>
    private static long LengthOfPicture(FlacBitReader bits, int declared, List<(long Position, PictureBlock Block)> pictures)
    {
        if (PictureBlock.Read(bits.Peek(PictureBlock.MaxHeadBytes)) is not { } block)
            return declared;
        long whole = block.HeadBytes + block.DataBytes;
        bool isCut =
            whole > declared
            && (whole & 0xFF_FFFF) == declared
            && whole <= (bits.Source.Remaining ?? 0) + PictureBlock.MaxHeadBytes + FlacBitReader.BufferBytes;
        if ((isCut || whole <= declared) && pictures.Count < MaxPictures)
            pictures.Add((bits.BytePosition + block.HeadBytes, block));
        return isCut ? whole : declared;
    }

    private static bool HasMarker(FlacBitReader bits) => bits.Peek(4).SequenceEqual("fLaC"u8);

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

    private static DemucsException CutShort(ByteSource source) => FlacDamage.Lasting(source.Path, "is cut short in its metadata");
}
