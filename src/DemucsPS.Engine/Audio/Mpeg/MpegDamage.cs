using System.Buffers.Binary;
using DemucsPS.Engine.Audio.Flac;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio.Mpeg;

/// <summary>
/// What is damaged in an MP3 file between its frames. Decoders continue after it as if nothing had been there, so that everything after
/// comes too early; with silent frames in its place, it keeps its time. Bits that are
/// wrong within frames nothing tells of, but for the noise.
/// </summary>
internal sealed class MpegDamage
{
    // So many headers, one after another, are not a coincidence.
    private const int Run = 3;

    private const int WindowBytes = 64 << 10,
        Id3V1Bytes = 128,
        ApeTagBytes = 32;

    // Delay of decoders: 528 samples, and one.
    private const int DecoderDelay = 529;

    private readonly List<MpegGap> _gaps = [];
    private readonly MpegFrame _frame;
    private readonly int _skipped;

    private MpegDamage(MpegFrame frame, int skipped, long? length)
    {
        _frame = frame;
        _skipped = skipped;
        Length = length;
    }

    /// <summary>
    /// Frames of samples of the whole file by the encoder's account; null if it gives none. Of what comes through a pipe ffmpeg does not
    /// take off what encoders put after the end.
    /// </summary>
    public long? Length { get; }

    /// <summary>The gaps, in their order; never none.</summary>
    public IReadOnlyList<MpegGap> Gaps => _gaps;

    /// <summary>Frames of samples per second of the file.</summary>
    public int SampleRate => _frame.SampleRate;

    /// <summary>Looks for damage.</summary>
    /// <param name="path">Full path of any file.</param>
    /// <returns>Null if there is none, the file is not MP3, or it cannot be read.</returns>
    public static MpegDamage? Find(string path)
    {
        try
        {
            using ByteSource source = new(RegularFile.OpenRead(path, bufferSize: 0, options: FileOptions.SequentialScan), path);
            return Find(source);
        }
        catch (Exception e) when (e is DemucsException || e.IsFileError())
        {
            // ffmpeg reads the same file and will say so.
            return null;
        }
    }

    /// <summary>The same of a file's bytes.</summary>
    internal static MpegDamage? Find(ByteSource source)
    {
        // Not disposed, because that would close the file.
        FlacBitReader bytes = new(source);
        SkipTags(bytes);
        // Other files have frames of MP3 in them, too, with something of their own between.
        if (MpegFrame.Read(bytes.Peek(WindowBytes / 4)) is not { IsValid: true } first || !IsRun(bytes.Peek(WindowBytes / 4), first))
            return null;
        (long declared, int skipped, long? length) = ReadEncoderTag(bytes.Peek(200), first);
        MpegDamage damage = new(first, skipped, length);
        long good = damage.Walk(bytes, first, out bool isWhole);
        // Bytes that are missing entirely show only in the encoder's count. That is unavailable if the end is cut off as well, and is
        // believed within limits.
        if (damage._gaps is [{ } only] && isWhole && declared > good && declared <= (2 * (good + only.Frames)) + 1000)
            damage._gaps[0] = only with { Frames = declared - good };
        return damage._gaps.Count > 0 ? damage : null;
    }

    /// <summary>A gap as the samples that are decoded have it.</summary>
    /// <param name="number">Which.</param>
    /// <returns>The first frame of samples, and how many there are.</returns>
    public (long Start, long Frames) SamplesOf(int number)
    {
        long frames = _gaps[number].FramesBefore + _gaps.Take(number).Sum(gap => gap.Frames);
        long start = (frames * _frame.Samples) - _skipped,
            end = start + (_gaps[number].Frames * _frame.Samples);
        return (Math.Max(0, start), Math.Max(0, end) - Math.Max(0, start));
    }

    /// <summary>Writes the file with silent frames in place of what is damaged.</summary>
    /// <param name="source">The file, at its first byte.</param>
    /// <param name="target">Takes it.</param>
    /// <exception cref="DemucsException">Reading failed.</exception>
    /// <exception cref="IOException">Writing failed.</exception>
    public void WriteMended(ByteSource source, Stream target)
    {
        byte[] block = new byte[WindowBytes],
            silence = _frame.Silence();
        foreach (MpegGap gap in _gaps)
        {
            CopyUntil(gap.Position);
            for (long i = 0; i < gap.Frames; i++)
                target.Write(silence);
            source.MoveTo(gap.Next);
        }

        CopyUntil(long.MaxValue);

        void CopyUntil(long end)
        {
            while (
                source.Position < end
                && source.Read(block.AsSpan(0, (int)Math.Min(block.Length, end - source.Position))) is > 0 and int read
            )
                target.Write(block, 0, read);
        }
    }

    /// <summary>Goes through the frames and notes the gaps; gives the number of whole frames.</summary>
    private long Walk(FlacBitReader bytes, MpegFrame first, out bool isWhole)
    {
        isWhole = false;
        long good = 0,
            before = bytes.BytePosition;
        double mean = first.Length;
        while (true)
        {
            long position = bytes.BytePosition;
            ReadOnlySpan<byte> head = bytes.Peek(MpegFrame.HeaderBytes);
            MpegFrame frame = MpegFrame.Read(head);
            if (first.IsLike(frame))
            {
                if (!bytes.Skip(frame.Bytes))
                    return good + 1;
                good++;
                before = position;
                mean = ((mean * (good - 1)) + frame.Length) / good;
                continue;
            }

            if (SkipTags(bytes))
            {
                isWhole = bytes.Peek(1).IsEmpty;
                continue;
            }

            isWhole |= head.IsEmpty;
            if (head.Length < MpegFrame.HeaderBytes || _gaps.Count == TrackGaps.Max)
                return good;
            if (FindRun(bytes, before + 1, first) is null)
                return good;
            long next = bytes.BytePosition;
            // A frame that says a wrong length leads into the midst of itself or of another: then it is the damaged one.
            bool isFrame = first.CanHave(next - before),
                isWrong = isFrame || next < position;
            good -= isWrong ? 1 : 0;
            long start = isWrong ? before : position;
            _gaps.Add(new MpegGap(start, next, good, isFrame ? 1 : (long)Math.Round((next - start) / mean)));
        }
    }

    /// <summary>Goes to the first of several frames one after another.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="from">Where to look from.</param>
    /// <param name="like">What they are like.</param>
    /// <returns>Its header; null if there are none.</returns>
    private static MpegFrame? FindRun(FlacBitReader bytes, long from, MpegFrame like)
    {
        bytes.MoveTo(from);
        while (true)
        {
            ReadOnlySpan<byte> window = bytes.Peek(WindowBytes / 4);
            if (window.IsEmpty)
                return null;
            int at = window.IndexOf((byte)0xFF);
            if (at < 0)
            {
                bytes.Advance(window.Length);
                continue;
            }

            bytes.Advance(at);
            window = bytes.Peek(WindowBytes / 4);
            MpegFrame first = MpegFrame.Read(window);
            if (like.IsLike(first) && IsRun(window, first))
                return first;
            bytes.Advance(1);
        }
    }

    private static bool IsRun(ReadOnlySpan<byte> window, MpegFrame first)
    {
        MpegFrame frame = first;
        int at = 0;
        for (int count = 1; count < Run; count++)
        {
            at += frame.Bytes;
            // The last frames of a file have fewer after them.
            if (at == window.Length)
                return count > 1;
            if (at > window.Length)
                return false;
            frame = MpegFrame.Read(window[at..]);
            if (!first.IsLike(frame))
                return false;
        }

        return true;
    }

    /// <summary>
    /// What the first frame says that encoders put there in place of sound: how many frames there are, and what decoders take off the
    /// beginning.
    /// </summary>
    private static (long Frames, int Skipped, long? Length) ReadEncoderTag(ReadOnlySpan<byte> bytes, MpegFrame frame)
    {
        if (
            bytes.Length < frame.SideEnd + 8
            || !(bytes[frame.SideEnd..].StartsWith("Xing"u8) || bytes[frame.SideEnd..].StartsWith("Info"u8))
        )
            return (0, 0, null);
        ReadOnlySpan<byte> tag = bytes[frame.SideEnd..];
        uint fields = BinaryPrimitives.ReadUInt32BigEndian(tag[4..]);
        long frames = (fields & 1) != 0 && tag.Length >= 12 ? BinaryPrimitives.ReadUInt32BigEndian(tag[8..]) + 1L : 0;
        int encoder =
            8 + ((fields & 1) != 0 ? 4 : 0) + ((fields & 2) != 0 ? 4 : 0) + ((fields & 4) != 0 ? 100 : 0) + ((fields & 8) != 0 ? 4 : 0);
        // The encoder's name in nine bytes; its delay is 21 bytes after their beginning, in twelve bits.
        ReadOnlySpan<byte> words = encoder + 24 <= tag.Length ? tag[encoder..] : [];
        bool tellsDelay = words.StartsWith("LAME"u8) || words.StartsWith("Lavf"u8) || words.StartsWith("Lavc"u8);
        if (!tellsDelay)
            return (frames, frame.Samples, null);
        int delay = words[21] << 4 | words[22] >> 4,
            padding = (words[22] & 15) << 8 | words[23];
        long length = ((frames - 1) * frame.Samples) - delay - padding;
        return (frames, frame.Samples + delay + DecoderDelay, frames > 0 && length > 0 ? length : null);
    }

    /// <summary>Passes over tags; false if there is none.</summary>
    private static bool SkipTags(FlacBitReader bytes)
    {
        long start = bytes.BytePosition,
            before;
        do
        {
            before = bytes.BytePosition;
            ReadOnlySpan<byte> tag = bytes.Peek(ApeTagBytes);
            long length =
                tag.StartsWith("TAG"u8) ? Id3V1Bytes
                : tag.Length == ApeTagBytes && tag.StartsWith("APETAGEX"u8)
                    ? ApeTagBytes + ((tag[23] & 0x20) != 0 ? (long)BinaryPrimitives.ReadUInt32LittleEndian(tag[12..]) : 0)
                : tag.Length > 10 && tag.StartsWith("ID3"u8) && ((tag[6] | tag[7] | tag[8] | tag[9]) & 0x80) == 0
                    ? 10 + (tag[6] << 21 | tag[7] << 14 | tag[8] << 7 | tag[9]) + ((tag[5] & 0x10) != 0 ? 10 : 0)
                : 0;
            bytes.Skip(length);
        } while (bytes.BytePosition > before);
        return bytes.BytePosition > start;
    }
}
