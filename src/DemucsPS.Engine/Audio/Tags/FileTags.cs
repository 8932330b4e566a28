using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using DemucsPS.Engine.Audio.Flac;
using DemucsPS.Engine.Audio.Id3;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio.Tags;

/// <summary>
/// What files say about their music in ways of which ffmpeg takes a part: several values of one field, and pictures that are not called
/// what they are. FLAC, Ogg, MP4, and ID3v2 tags at the beginning of a file
/// or in a chunk of WAV or AIFF. A tag is never a reason not to read a track: what cannot be read is left out.
/// </summary>
internal static class FileTags
{
    // A cover in base 64.
    private const int MaxEncodedBytes = EmbeddedPicture.MaxBytes / 3 * 4;

    // Programs put a handful of chunks around the samples.
    private const int MaxChunks = 1000;

    private static ReadOnlySpan<byte> PictureField => "METADATA_BLOCK_PICTURE="u8;

    /// <summary>The texts of a file.</summary>
    /// <param name="path">Full path of any file.</param>
    /// <returns>Null if there are none that are read here.</returns>
    public static AudioTagBuilder? ReadTexts(string path) => Open(path, wantsPicture: false)?.Tags;

    /// <summary>The front cover of a file, else its first picture.</summary>
    /// <param name="path">Full path of any file.</param>
    /// <returns>Null if there is none that is read here.</returns>
    public static EmbeddedPicture? ReadPicture(string path) => Open(path, wantsPicture: true)?.Picture;

    /// <summary>Both, of a file's bytes.</summary>
    /// <param name="source">The file at its first byte.</param>
    /// <param name="wantsPicture">Whether pictures are looked for, too.</param>
    /// <exception cref="DemucsException">Reading failed, or the file is damaged.</exception>
    internal static (AudioTagBuilder Tags, EmbeddedPicture? Picture)? Read(ByteSource source, bool wantsPicture)
    {
        Span<byte> start = stackalloc byte[12];
        int length = source.Read(start);
        source.Rewind();
        AudioTagBuilder tags = new();
        if (start[..length].StartsWith("OggS"u8))
            return (tags, ReadOgg(source, tags, wantsPicture));
        if (length == start.Length && start[4..].StartsWith("ftyp"u8))
            return Mp4Length.ReadMovie(source.Path) is { } movie ? (tags, Mp4Tags.Read(movie, tags)) : null;
        if (FlacMetadata.Begins(source))
            return (tags, wantsPicture ? ReadFlac(source) : null);
        source.Rewind();
        bool isForm = start.StartsWith("FORM"u8);
        if (isForm || start.StartsWith("RIFF"u8))
        {
            if (!MoveToId3(source, isForm))
                return null;
        }
        else if (!start.StartsWith("ID3"u8))
        {
            return null;
        }

        if (wantsPicture)
            return (tags, Id3Picture.Read(source));
        Id3v2.Read(source, long.MaxValue, tags);
        return (tags, null);
    }

    private static (AudioTagBuilder Tags, EmbeddedPicture? Picture)? Open(string path, bool wantsPicture)
    {
        try
        {
            using ByteSource source = new(RegularFile.OpenRead(path, bufferSize: 0), path);
            return Read(source, wantsPicture);
        }
        catch (Exception e) when (e is DemucsException || e.IsFileError())
        {
            // Whoever reads the sound will say so.
            return null;
        }
    }

    private static EmbeddedPicture? ReadFlac(ByteSource source)
    {
        FlacMetadata metadata = FlacMetadata.Read(source);
        EmbeddedPicture? found = null;
        foreach ((long position, PictureBlock block) in metadata.Pictures)
        {
            if (block.IsAddress || found is { IsFront: true })
                continue;
            source.MoveTo(position);
            if (
                EmbeddedPicture.ReadBytes(
                    (bytes, count) => source.Read(bytes.AsSpan(0, count)),
                    block.DataBytes,
                    EmbeddedPicture.MaxBytes
                ) is
                { } data
            )
                found = EmbeddedPicture.Choose(found, new EmbeddedPicture(data, block.IsFront));
        }

        // ID3v2 tags do not belong before a FLAC stream, but some programs put them there.
        source.Rewind();
        return found ?? Id3Picture.Read(source);
    }

    private static EmbeddedPicture? ReadOgg(ByteSource source, AudioTagBuilder tags, bool wantsPicture)
    {
        if (OggPacketStream.OpenTags(source) is not { } packet)
            return null;
        EmbeddedPicture? found = null;
        FlacBitReader bits = new(new ByteSource(packet, source.Path));
        VorbisComment.Read(bits, int.MaxValue, tags, out _, wantsPicture ? TakePicture : null);
        return found;

        long TakePicture(uint size)
        {
            if (
                size > MaxEncodedBytes
                || size <= PictureField.Length
                || found is { IsFront: true }
                || !Ascii.EqualsIgnoreCase(bits.Peek(PictureField.Length), PictureField)
            )
                return 0;
            bits.Skip(PictureField.Length);
            byte[]? block = EmbeddedPicture.ReadBytes(
                (bytes, count) => bits.Read(bytes.AsSpan(0, count)),
                size - PictureField.Length,
                MaxEncodedBytes
            );
            if (block is not null && Base64.DecodeFromUtf8InPlace(block, out int length) == OperationStatus.Done)
                found = EmbeddedPicture.Choose(found, PictureBlock.PictureIn(block.AsSpan(0, length)));
            return size;
        }
    }

    /// <summary>Goes to the ID3v2 tag in a chunk of a RIFF or AIFF file; false if there is none.</summary>
    private static bool MoveToId3(ByteSource source, bool isForm)
    {
        Span<byte> head = stackalloc byte[8];
        source.Skip(12);
        for (int count = 0; count < MaxChunks && source.Read(head) == head.Length; count++)
        {
            if (head.StartsWith("ID3 "u8) || head.StartsWith("id3 "u8))
                return true;
            long size = isForm ? BinaryPrimitives.ReadUInt32BigEndian(head[4..]) : BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (!source.Skip(size + (size & 1)))
                return false;
        }

        return false;
    }
}
