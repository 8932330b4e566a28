using NAudio.Wave;

namespace DemucsPS.Engine.Audio.Aiff;

/// <summary>
/// Whole AIFF files of 8, 16, 24 and 32 bits, read by NAudio, bit for bit as ffmpeg reads them. Other forms, cut files, and those of more
/// than 2 GiB it does not read.
/// </summary>
internal sealed class AiffReader : SampleProviderReader
{
    private readonly AiffFileReader _file;
    private readonly ByteSource _source;

    private long _left;

    private AiffReader(ByteSource source, AiffFileReader file, AiffHeader header)
        : base(source.Path, file.ToSampleProvider())
    {
        _source = source;
        _file = file;
        FrameCount = _left = header.Frames;
        Tags = header.Tags.Build();
        Picture = PictureOf(header.Tags);
        WarnAbout(header.Tags);
    }

    /// <inheritdoc/>
    public override long? FrameCount { get; }

    /// <inheritdoc/>
    public override string Codec => $"AIFF {_file.WaveFormat.BitsPerSample} bit via NAudio";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags { get; }

    /// <inheritdoc/>
    internal override string? Picture { get; }

    /// <summary>Opens a file that begins like AIFF.</summary>
    /// <param name="source">The file; closed with the reader.</param>
    /// <param name="header">Its chunks.</param>
    /// <returns>Null for what NAudio does not read.</returns>
    public static AiffReader? TryOpen(ByteSource source, AiffHeader header)
    {
        if (source.Seekable is not { Length: <= int.MaxValue } stream)
            return null;
        try
        {
            source.Rewind();
            AiffFileReader file = new(stream);
            // NAudio counts the byte that fills up an odd number of bytes as sound.
            long padding = file.Length - (header.Frames * file.WaveFormat.BlockAlign);
            if (file.WaveFormat.BitsPerSample is 8 or 16 or 24 or 32 && header.Frames > 0 && padding is 0 or 1)
                return new AiffReader(source, file, header);
        }
        catch (Exception exception)
            when (exception
                    is FormatException
                        or InvalidDataException
                        or IOException
                        or ArgumentException
                        or OverflowException
                        or DivideByZeroException
            )
        {
            // It says so in several ways when it does not know a file.
        }

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
}
