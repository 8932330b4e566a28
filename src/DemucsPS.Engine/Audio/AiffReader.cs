using System.Buffers.Binary;
using NAudio.Wave;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Whole AIFF files of 8, 16, 24 and 32 bits, read by NAudio, bit for bit as ffmpeg reads them. Compressed and cut files, and those of more than 2 GiB, are for ffmpeg. What the file
/// says about its music ffmpeg says, too, where the file has anything of the kind.
/// </summary>
internal sealed class AiffReader : SampleProviderReader
{
    private readonly AiffFileReader _file;
    private readonly ByteSource _source;
    private readonly Lazy<FFmpegProbe?> _probe;

    private long _left;

    private AiffReader(ByteSource source, AiffFileReader file, long frames, bool hasText, Func<string?> findFFmpeg)
        : base(source.Path, file.ToSampleProvider())
    {
        _source = source;
        _file = file;
        FrameCount = _left = frames;
        _probe = new Lazy<FFmpegProbe?>(() => hasText ? Probe(findFFmpeg) : null);
    }

    /// <inheritdoc/>
    public override long? FrameCount { get; }

    /// <inheritdoc/>
    public override string Codec => $"AIFF {_file.WaveFormat.BitsPerSample} bit";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags => _probe.Value?.Tags ?? base.Tags;

    /// <inheritdoc/>
    internal override string? Picture => _probe.Value?.Picture;

    /// <summary>Opens a file that begins like AIFF.</summary>
    /// <param name="source">The file at its first byte; closed with the reader, and at its first byte again where there is none.</param>
    /// <param name="findFFmpeg">Finds ffmpeg; asked only where a file has tags.</param>
    /// <returns>Null for what NAudio does not read.</returns>
    public static AiffReader? TryOpen(ByteSource source, Func<string?> findFFmpeg)
    {
        if (source.Seekable is not { Length: <= int.MaxValue } stream)
            return null;
        try
        {
            (long frames, bool hasText) = Declared(source);
            source.Rewind();
            AiffFileReader file = new(stream);
            // NAudio counts the byte that fills up an odd number of bytes as sound.
            long padding = file.Length - (frames * file.WaveFormat.BlockAlign);
            if (file.WaveFormat.BitsPerSample is 8 or 16 or 24 or 32 && frames > 0 && padding is 0 or 1)
                return new AiffReader(source, file, frames, hasText, findFFmpeg);
        }
        catch (Exception exception) when (exception is FormatException or InvalidDataException or IOException or ArgumentException or OverflowException or DivideByZeroException)
        {
            // It says so in several ways when it does not know a file.
        }
        source.Rewind();
        return null;
    }

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        try
        {
            int wanted = (int)Math.Min(FramesIn(interleaved), _left);
            int frames = wanted == 0 ? 0 : base.Read(interleaved[..(wanted * Channels)]);
            _left -= frames;
            return frames;
        }
        catch (IOException exception)
        {
            throw _source.ReadingFailed(exception);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _file.Dispose();
        _source.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>The number of frames that the common chunk of a file has, 0 where there is none, and whether it has chunks about its music.</summary>
    private static (long Frames, bool HasText) Declared(ByteSource source)
    {
        Span<byte> head = stackalloc byte[8], common = stackalloc byte[6];
        long frames = 0;
        bool hasText = false;
        source.Skip(12);
        while (source.Read(head) == head.Length)
        {
            long rest = BinaryPrimitives.ReadUInt32BigEndian(head[4..]);
            rest += rest & 1;
            if (head[..4].SequenceEqual("COMM"u8) && rest >= common.Length && source.Read(common) == common.Length)
            {
                frames = BinaryPrimitives.ReadUInt32BigEndian(common[2..]);
                rest -= common.Length;
            }
            hasText |= IsText(head[..4]);
            if (!source.Skip(rest))
                break;
        }
        return (frames, hasText);
    }

    private static bool IsText(ReadOnlySpan<byte> chunk) =>
        chunk.SequenceEqual("NAME"u8) || chunk.SequenceEqual("AUTH"u8) || chunk.SequenceEqual("(c) "u8) || chunk.SequenceEqual("ANNO"u8) || chunk.SequenceEqual("COMT"u8) || chunk.SequenceEqual("ID3 "u8);

    private FFmpegProbe? Probe(Func<string?> findFFmpeg)
    {
        if (findFFmpeg() is { } ffmpeg)
            return FFmpegProbe.Read(SourcePath, ffmpeg, 0);
        AddWarning($"'{SourcePath}' has tags, and without ffmpeg they are not read: title, artist and others are missing. The audio is not affected. Install ffmpeg to keep them.");
        return null;
    }
}
