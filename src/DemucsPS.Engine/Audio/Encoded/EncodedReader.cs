using System.Collections.ObjectModel;

namespace DemucsPS.Engine.Audio.Encoded;

/// <summary>
/// The music of a file that the system's decoders read: what encoders have put around it is left out, as far as the file says it.
/// </summary>
internal sealed class EncodedReader : AudioReader
{
    // Decoders fill the last block, which is of 2,048 frames at most, and one of them may stand before it.
    private const int MaxPadding = 4096;

    private readonly ByteSource _bytes;
    private readonly EncodedFile _file;
    private readonly IFrameSource _frames;
    private readonly MusicSpan _music;
    private readonly long? _decoded;
    private readonly float[] _dropped;
    private long _given;
    private bool _finished;
    private bool _disposed;

    /// <summary>Takes over what a decoder gives of a file.</summary>
    /// <param name="bytes">The file, for messages.</param>
    /// <param name="file">What it is.</param>
    /// <param name="frames">Its frames, from the first one on.</param>
    /// <param name="onDamage">What happens where sound is lost.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioFormatUnsupported"/>: more channels than there can be, or a rate out
    /// of range.</exception>
    internal EncodedReader(ByteSource bytes, EncodedFile file, IFrameSource frames, DamageHandling onDamage = DamageHandling.Warn)
        : base(bytes.Path, onDamage)
    {
        _bytes = bytes;
        _file = file;
        _frames = frames;
        if (frames.SampleRate is < 1 or > AudioLimits.MaxSampleRate || frames.Channels is < 1 or > AudioLimits.MaxChannels)
            throw new DemucsException(
                DemucsError.AudioFormatUnsupported,
                $"'{bytes.Path}' has {frames.Channels} channels at {frames.SampleRate} Hz. Supported are 1 to {AudioLimits.MaxChannels} channels at 1 to {AudioLimits.MaxSampleRate} Hz.",
                bytes.Path
            );
        _dropped = new float[4096 / frames.Channels * frames.Channels];
        // The decoder of HE-AAC gives two frames for each that the file counts.
        long factor = file.SampleRate == 0 ? 1 : frames.SampleRate / file.SampleRate;
        if (file.SampleRate > 0 && (factor == 0 || frames.SampleRate % file.SampleRate != 0))
        {
            AddWarning(
                $"'{bytes.Path}' declares {file.SampleRate} Hz but decodes to {frames.SampleRate} Hz, so the encoder's padding cannot be removed. Install ffmpeg for sample-accurate stems."
            );
        }
        else
        {
            _music = new MusicSpan(file.Music.Start * factor, file.Music.Length * factor);
            _decoded = file.Decoded * factor;
        }
        if (
            UnknownEncoderDelay.WarningOf(
                bytes.Path,
                file.Codec == "wma" ? "asf"
                    : file.Codec == "mp3" ? "mp3"
                    : "mp4",
                file.Codec == "wma" ? "wmav2" : file.Codec,
                file.Music.Start
            ) is
            { } untold
        )
            AddWarning(untold);
        if (file.HasTags)
            AddWarning(
                $"'{bytes.Path}' has tags that cannot be read without ffmpeg: title, artist and others are missing. The audio is not affected. Install ffmpeg to keep the tags."
            );
    }

    /// <inheritdoc/>
    public override int SampleRate => _frames.SampleRate;

    /// <inheritdoc/>
    public override int Channels => _frames.Channels;

    /// <inheritdoc/>
    public override long? FrameCount => Expected;

    /// <inheritdoc/>
    public override string Codec => $"{_file.Codec} via {SystemDecoder.Name}";

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Tags => ReadOnlyDictionary<string, string>.Empty;

    // A decoder that is late gives as much less at the end, where the encoder has not put enough after the music.
    private long? Expected =>
        _music.Length is { } length ? Math.Min(length, Math.Max(0, (_decoded ?? long.MaxValue) - _music.Start)) : null;

    /// <summary>Opens a file.</summary>
    /// <param name="bytes">The file; closed with the reader, but not where there is none.</param>
    /// <param name="onDamage">What happens where sound is lost.</param>
    /// <param name="open">The system's decoders.</param>
    /// <param name="reason">Why not, a clause; null if it is of no kind that is known here.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackCorrupt"/>: reading fails;
    /// <see cref="DemucsError.AudioFormatUnsupported"/>: more channels than there can be.</exception>
    public static EncodedReader? TryOpen(ByteSource bytes, DamageHandling onDamage, SystemDecoder.Opener open, out string? reason)
    {
        reason = null;
        IFrameSource? frames = null;
        try
        {
            if (
                bytes.Seekable is not { } stream
                || EncodedFile.Read(stream) is not { } file
                || (frames = open(bytes.Path, file, new EncodedView(stream, file), out reason)) is null
            )
                return null;
            return new EncodedReader(bytes, file, frames, onDamage);
        }
        catch (IOException e)
        {
            frames?.Dispose();
            throw bytes.ReadingFailed(e);
        }
        catch
        {
            frames?.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_finished)
            return 0;
        int wanted = (int)Math.Min(FramesIn(interleaved), (_music.Length ?? long.MaxValue) - Math.Max(0, _given - _music.Start));
        while (_given < _music.Start && Take(_dropped.AsSpan(0, (int)Math.Min(_dropped.Length, (_music.Start - _given) * Channels))) > 0)
        { }
        int frames = _given < _music.Start ? 0 : Take(interleaved[..(wanted * Channels)]);
        if (frames == 0)
        {
            _finished = true;
            Finish();
        }
        return frames;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        _frames.Dispose();
        _bytes.Dispose();
    }

    /// <summary>Fills a span as far as there are frames.</summary>
    /// <returns>Frames.</returns>
    private int Take(Span<float> samples)
    {
        int done = 0;
        while (done < samples.Length && _frames.Read(samples[done..]) is > 0 and int read)
            done += read;
        _given += done / Channels;
        return done / Channels;
    }

    /// <summary>
    /// Counts what is after the music: where that is another number than the file says, what was left out before it may have been wrong.
    /// </summary>
    private void Finish()
    {
        long music = Math.Max(0, _given - _music.Start);
        while (Take(_dropped) > 0) { }
        if (Expected is { } expected && music < expected)
            LoseEnd(
                music,
                expected - music,
                FormattableString.Invariant(
                    $"'{SourcePath}' is cut off: it declares {expected / (double)SampleRate:F1} s, but has {music / (double)SampleRate:F1} s. Fetch or export the file again."
                )
            );
        else if (_decoded is { } decoded && (_given < decoded || _given > decoded + MaxPadding))
            AddWarning(
                $"'{SourcePath}' has {decoded} frames, but {SystemDecoder.Name} returns {_given}. Stems may be shifted by the difference. Install ffmpeg for sample-accurate stems."
            );
    }
}
