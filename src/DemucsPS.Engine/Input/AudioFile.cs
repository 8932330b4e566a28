using DemucsPS.Engine.Audio;
using DemucsPS.Engine.Audio.Aiff;
using DemucsPS.Engine.Audio.Encoded;
using DemucsPS.Engine.Audio.FFmpeg;
using DemucsPS.Engine.Audio.Flac;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Input;

/// <summary>Opens audio files of any format. The content decides the format, not the name.</summary>
internal static class AudioFile
{
    /// <summary>
    /// Opens a file: uncompressed WAV (also RIFX, RF64, BW64 and Wave64), AIFF-C and little-endian AU, and FLAC with the decoders of this
    /// library, AIFF with NAudio's, everything else with ffmpeg; where there is none, MP3, M4A and WMA on Windows with Media Foundation.
    /// </summary>
    /// <param name="path">The full path of the file.</param>
    /// <returns>A reader at the first frame; the caller disposes it.</returns>
    /// <exception cref="ArgumentException">The path is empty or not absolute.</exception>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.AudioTrackNotFound"/>: no such file, a folder, a pipe, a device, or no permission.
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: the file is empty or damaged. <see cref="DemucsError.AudioFormatUnsupported"/>: the
    /// file is not audio that can be decoded. <see cref="DemucsError.FFmpegNotFound"/>: the file needs ffmpeg, and there is none.
    /// </exception>
    public static AudioReader Open(string path) => Open(new TrackSource(path));

    /// <summary>As <see cref="Open(string)"/>, for the stream and the part of the file that a track is. All channels are read.</summary>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.ParameterInvalid"/>: there is no such stream.
    /// <see cref="DemucsError.AudioTrackCorrupt"/>: the file ends before the part begins.
    /// </exception>
    internal static AudioReader Open(TrackSource source) => Open(source, FFmpegLocator.Find);

    /// <summary>The same with another way to find ffmpeg. It is asked only for files that need it.</summary>
    internal static AudioReader Open(TrackSource source, Func<string?> findFFmpeg) => Open(source, findFFmpeg, SystemDecoder.Here);

    /// <summary>
    /// The same with other decoders of the system. They are asked only where there is no ffmpeg: its samples are the same everywhere.
    /// </summary>
    internal static AudioReader Open(TrackSource source, Func<string?> findFFmpeg, SystemDecoder.Opener? system)
    {
        // Damage elsewhere in the file does not affect a part.
        AudioReader reader = Open(source, source.Range is null ? source.OnDamage : DamageHandling.Warn, findFFmpeg, system);
        try
        {
            return source.Range is { } range ? new RangeReader(reader, range, source.OnDamage) : reader;
        }
        catch
        {
            reader.Dispose();
            throw;
        }
    }

    /// <summary>What a track's file says before it is decoded.</summary>
    /// <exception cref="DemucsException">As <see cref="Open(TrackSource)"/>, as far as known without decoding.</exception>
    internal static TrackHeader ReadHeader(TrackSource source, Func<string?> findFFmpeg) =>
        ReadHeader(source, findFFmpeg, SystemDecoder.Here);

    /// <summary>The same with other decoders of the system.</summary>
    internal static TrackHeader ReadHeader(TrackSource source, Func<string?> findFFmpeg, SystemDecoder.Opener? system)
    {
        string? ffmpeg = null;
        using AudioReader? reader = TryOpenBuiltIn(
            source.Path,
            source.StreamIndex,
            source.Range is null ? source.OnDamage : DamageHandling.Warn
        ) ?? ((ffmpeg = findFFmpeg()) is null ? OpenBySystem(source.Path, source.StreamIndex, DamageHandling.Warn, system) : null);
        if (reader is not null || ffmpeg is null)
            return TrackHeader.Create(source, reader!);
        FFmpegProbe probe = FFmpegProbe.Read(source.Path, ffmpeg, source.StreamIndex);
        probe.Check(source.Path, ffmpeg, source.StreamIndex);
        return TrackHeader.Create(source, probe, probe.Late(source.Path, ffmpeg, source.StreamIndex));
    }

    private static AudioReader Open(TrackSource source, DamageHandling onDamage, Func<string?> findFFmpeg, SystemDecoder.Opener? system) =>
        TryOpenBuiltIn(source.Path, source.StreamIndex, onDamage)
        ?? (
            findFFmpeg() is { } ffmpeg
                ? FFmpegReader.Open(source.Path, ffmpeg, source.StreamIndex, source.LateStart, onDamage)
                : OpenBySystem(source.Path, source.StreamIndex, onDamage, system)
        );

    /// <summary>All of a file with the system's decoders, where there is no ffmpeg.</summary>
    private static EncodedReader OpenBySystem(string path, int stream, DamageHandling onDamage, SystemDecoder.Opener? system)
    {
        string? reason = null;
        if (system is not null)
        {
            ByteSource bytes = OpenSource(path);
            EncodedReader? reader = null;
            try
            {
                if (stream == 0)
                    reader = EncodedReader.TryOpen(bytes, onDamage, system, out reason);
                else
                    reason = "it reads only the first audio stream";
                if (reader is not null)
                    return reader;
            }
            finally
            {
                if (reader is null)
                    bytes.Dispose();
            }
        }
        string built = system is null
            ? "only uncompressed WAV, AIFF and FLAC are built in"
            : $"uncompressed WAV, AIFF and FLAC are built in, and {SystemDecoder.Name} decodes MP3, M4A and WMA";
        throw new DemucsException(
            DemucsError.FFmpegNotFound,
            $"'{path}' needs ffmpeg, but ffmpeg was not found: {built}{(reason is null ? "" : $", but cannot decode this file: {reason}")}. Install ffmpeg with your package manager "
                + $"(winget install ffmpeg, brew install ffmpeg, apt install ffmpeg), or set the environment variable {FFmpegLocator.EnvironmentVariable} to its full path.",
            path
        );
    }

    /// <summary>All of a file with the built-in decoder of what its bytes are; null if there is none.</summary>
    private static AudioReader? TryOpenBuiltIn(string path, int stream, DamageHandling onDamage)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!Path.IsPathFullyQualified(path))
            throw new ArgumentException($"'{path}' is not a full path.", nameof(path));

        ByteSource source = OpenSource(path);
        try
        {
            if (OpenBuiltIn(source, onDamage) is AudioReader reader)
                return stream == 0
                    ? reader
                    : throw TrackSource.NoSuchStream(path, stream, [$"{reader.Codec}, {reader.SampleRate} Hz, {reader.Channels} channels"]);
        }
        catch
        {
            source.Dispose();
            throw;
        }

        source.Dispose();
        return null;
    }

    /// <summary>The built-in decoder of what the bytes are; null if there is none.</summary>
    internal static AudioReader? OpenBuiltIn(ByteSource source, DamageHandling onDamage = DamageHandling.Warn)
    {
        Span<byte> start = stackalloc byte[CafCheck.StartBytes];
        int length = source.Read(start);
        if (length == 0)
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{source.Path}' is empty: it has 0 bytes. Fetch or export the file again.",
                source.Path
            );

        source.Rewind();
        start = start[..length];
        if (WavHeader.IsWav(start))
            return WavHeader.Read(source) is { } wav ? new PcmReader(source, wav, onDamage) : null;
        if (AiffHeader.IsAiff(start))
            return OpenAiff(source, onDamage);
        if (AuHeader.IsLittleEndian(start))
            return new PcmReader(source, AuHeader.Read(source), onDamage);
        CafCheck.Refuse(source.Path, start);
        return FlacMetadata.Begins(source) ? new FlacReader(source, onDamage) : FlacFrameSearch.Open(source, onDamage);
    }

    private static AudioReader? OpenAiff(ByteSource source, DamageHandling onDamage)
    {
        if (source.Seekable is null)
            return null;
        AiffHeader header = AiffHeader.Read(source);
        if (header is { IsPlain: true, Warnings.Count: 0 })
        {
            try
            {
                if (AiffReader.TryOpen(source, header) is { } reader)
                    return reader;
            }
            catch (Exception exception)
                when (exception is FileLoadException or TypeLoadException or MissingMethodException or FileNotFoundException)
            {
                // The process has loaded another version of NAudio before.
            }
        }

        return header.Samples() is { } samples ? new PcmReader(source, samples, onDamage) : null;
    }

    private static ByteSource OpenSource(string path)
    {
        if (RegularFile.InsteadOf(path) is { } other)
            throw NotFound(
                path,
                $"is {other}, not an audio file. {(Directory.Exists(path) ? "Name a file in it." : "Save the audio to a file first.")}"
            );
        try
        {
            // Decoders read large blocks themselves, so a buffer of the stream's own would only copy.
            // Whoever else has it open, such as the editor that wrote it, may keep it; a change while it is read is found.
            return new ByteSource(RegularFile.OpenRead(path, bufferSize: 0, options: FileOptions.SequentialScan), path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw NotFound(path, "does not exist. Check the name.", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw NotFound(path, "cannot be read: permission is denied. Check the file's permissions.", exception);
        }
        catch (IOException exception)
        {
            throw NotFound(
                path,
                $"cannot be opened: {exception.Message}{(RefusalPatience.System.IsOpenElsewhere(exception) ? " Close the program that has it open, and try again." : "")}",
                exception
            );
        }
    }

    private static DemucsException NotFound(string path, string what, Exception? cause = null) =>
        new(DemucsError.AudioTrackNotFound, $"'{path}' {what}", path, cause);
}
