using System.Buffers.Binary;

namespace DemucsPS.Engine.Audio.Encoded;

/// <summary>
/// Finds the music in an MP3 file: where its first frame is, and what the encoder (LAME and those that do as it does) wrote into a frame
/// before that one of the samples it had to put around it.
/// Decoders differ in whether they give that frame, too, and in whether they heed it.
/// </summary>
internal static class Mp3Outline
{
    // Decoders give the first sample that late (528 frames and one), which encoders do not count.
    private const int DecoderDelay = 529;

    // Frames are looked for among what no one knows, which is rarely more than a few bytes.
    private const int MaxUnknownBytes = 1 << 16;

    // Several may stand one after another.
    private const int MaxTags = 16;

    private static ReadOnlySpan<short> Kilobits1 => [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];

    private static ReadOnlySpan<short> Kilobits2 => [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

    private static ReadOnlySpan<int> Rates => [44100, 48000, 32000];

    /// <summary>Reads a file.</summary>
    /// <param name="file">Its bytes, seekable.</param>
    /// <returns>Null if there is no MP3 in it.</returns>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static EncodedFile? Read(Stream file)
    {
        bool hasTags = false;
        long position = 0;
        Span<byte> head = stackalloc byte[10];
        for (int tags = 0; tags < MaxTags; tags++)
        {
            file.Position = position;
            if (file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) < head.Length || !head.StartsWith("ID3"u8))
                break;
            int size = Number(head[6..], 7);
            hasTags |= HasFrames(file, head[3], size);
            // A footer repeats the head.
            position += head.Length + size + ((head[5] & 16) != 0 ? head.Length : 0);
            if (position >= file.Length)
                return null;
        }
        if (file.Length > 128)
        {
            file.Position = file.Length - 128;
            hasTags |= file.ReadAtLeast(head[..3], 3, throwOnEndOfStream: false) == 3 && head.StartsWith("TAG"u8);
        }

        byte[] bytes = new byte[MaxUnknownBytes];
        file.Position = position;
        ReadOnlySpan<byte> start = bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
        for (int at = 0; at + 4 <= start.Length; at++)
        {
            if (!TryReadFrame(start[at..], out Frame frame))
                continue;
            // Four bytes may be like a frame's head by chance; those of another frame where it ends are not, nor is a file that ends with
            // it.
            bool isFollowed =
                at + frame.Bytes + 4 <= start.Length
                    ? TryReadFrame(start[(at + frame.Bytes)..], out Frame next)
                        && next.SampleRate == frame.SampleRate
                        && next.IsVersion1 == frame.IsVersion1
                    : at == 0;
            if (!isFollowed)
                continue;
            EncodedFile found = new("mp3", "audio/mpeg", "music.mp3")
            {
                FirstByte = position + at,
                SampleRate = frame.SampleRate,
                HasTags = hasTags,
            };
            ReadOnlySpan<byte> whole = start.Slice(at, Math.Min(frame.Bytes, start.Length - at));
            if (!TryReadInformation(whole, frame, out long frames, out MusicSpan music))
                return found;
            return found with
            {
                FirstByte = found.FirstByte + frame.Bytes,
                Music = music,
                Decoded = frames > 0 ? frames * frame.Samples : null,
            };
        }
        return null;
    }

    /// <summary>Reads the frame that is not music but tells of it.</summary>
    /// <param name="whole">The first frame.</param>
    /// <param name="frame">Its head.</param>
    /// <param name="frames">Frames of MP3 after it; 0 if it does not declare it.</param>
    /// <param name="music">What of them is music.</param>
    /// <returns>False if the first frame is one like others.</returns>
    private static bool TryReadInformation(ReadOnlySpan<byte> whole, Frame frame, out long frames, out MusicSpan music)
    {
        frames = 0;
        music = MusicSpan.Everything;
        // After the side information, which is empty.
        int at =
            4
            + (
                frame.IsVersion1 ? (frame.IsMono ? 17 : 32)
                : frame.IsMono ? 9
                : 17
            );
        if (whole.Length < at + 8)
            return false;
        // The tag of another encoder, which says nothing of delays.
        if (whole.Length > 40 && whole[36..40].SequenceEqual("VBRI"u8))
            return true;
        if (!whole[at..].StartsWith("Xing"u8) && !whole[at..].StartsWith("Info"u8))
            return false;
        uint flags = BinaryPrimitives.ReadUInt32BigEndian(whole[(at + 4)..]);
        at += 8;
        if ((flags & 1) != 0 && whole.Length >= at + 4)
            frames = BinaryPrimitives.ReadUInt32BigEndian(whole[at..]);
        at += ((flags & 1) != 0 ? 4 : 0) + ((flags & 2) != 0 ? 4 : 0) + ((flags & 4) != 0 ? 100 : 0) + ((flags & 8) != 0 ? 4 : 0);
        // Name of the encoder and twelve bytes of settings.
        if (
            whole.Length < at + 24
            || !(whole[at..].StartsWith("LAME"u8) || whole[at..].StartsWith("Lavf"u8) || whole[at..].StartsWith("Lavc"u8))
        )
            return true;
        int delay = whole[at + 21] << 4 | whole[at + 22] >> 4,
            padding = (whole[at + 22] & 15) << 8 | whole[at + 23];
        long length = (frames * frame.Samples) - delay - padding;
        music = new MusicSpan(delay + DecoderDelay, length > 0 ? length : null);
        return true;
    }

    /// <summary>Whether an ID3v2 tag holds more than what the encoder says of itself.</summary>
    /// <param name="file">The file, right after the tag's head.</param>
    /// <param name="version">2 to 4; frames of version 2 have names of three letters.</param>
    /// <param name="size">Bytes of the tag.</param>
    private static bool HasFrames(Stream file, int version, int size)
    {
        Span<byte> head = stackalloc byte[10];
        head = head[..(version == 2 ? 6 : 10)];
        for (
            long end = file.Position + size;
            file.Position + head.Length <= end
                && file.ReadAtLeast(head, head.Length, throwOnEndOfStream: false) == head.Length
                && head[0] != 0;

        )
        {
            if (!head.StartsWith("TSS"u8) && !head.StartsWith("TEN"u8) && !head.StartsWith("TLE"u8))
                return true;
            int content = version == 2 ? head[3] << 16 | head[4] << 8 | head[5] : Number(head[4..], version == 3 ? 8 : 7);
            if (content > end - file.Position)
                break;
            file.Position += content;
        }
        return false;
    }

    /// <summary>Four bytes of so many bits each.</summary>
    private static int Number(ReadOnlySpan<byte> bytes, int bits)
    {
        int mask = (1 << bits) - 1;
        return ((bytes[0] & 127) << (3 * bits)) | ((bytes[1] & mask) << (2 * bits)) | ((bytes[2] & mask) << bits) | (bytes[3] & mask);
    }

    private static bool TryReadFrame(ReadOnlySpan<byte> bytes, out Frame frame)
    {
        frame = default;
        // Eleven bits of ones, the version (0 is 2.5, 2 is 2, 3 is 1), layer III, and whether a sum is left out.
        int version = bytes[1] >> 3 & 3,
            kilobits = bytes[2] >> 4,
            rate = bytes[2] >> 2 & 3;
        if (bytes[0] != 0xFF || (bytes[1] & 0xE6) != 0xE2 || version == 1 || kilobits is 0 or 15 || rate == 3)
            return false;
        bool isVersion1 = version == 3;
        int sampleRate =
                Rates[rate]
                / (
                    isVersion1 ? 1
                    : version == 2 ? 2
                    : 4
                ),
            samples = isVersion1 ? 1152 : 576;
        int size = (samples / 8 * 1000 * (isVersion1 ? Kilobits1 : Kilobits2)[kilobits - 1] / sampleRate) + (bytes[2] >> 1 & 1);
        frame = new Frame(size, samples, sampleRate, isVersion1, bytes[3] >> 6 == 3);
        return true;
    }

    /// <summary>The head of a frame.</summary>
    private readonly record struct Frame(int Bytes, int Samples, int SampleRate, bool IsVersion1, bool IsMono);
}
