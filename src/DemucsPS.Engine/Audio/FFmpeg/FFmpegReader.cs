using System.Collections.ObjectModel;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using DemucsPS.Engine.Audio.Mpeg;
using DemucsPS.Engine.Audio.Pcm;
using DemucsPS.Engine.Audio.Wav;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>
/// Reads an audio stream of any file that ffmpeg knows: ffmpeg runs as a child process and writes 32-bit float WAV into
/// a pipe, with the source's own rate and channels.
/// </summary>
internal sealed class FFmpegReader : AudioReader
{
    // ffmpeg closes its output right before it ends; a process that is still there after this long hangs.
    private static readonly TimeSpan s_endTimeout = TimeSpan.FromSeconds(30);

    // What decoders give after the music of an MP4 file is less than a block; HE-AAC has blocks of 2,048 frames.
    private const int MaxPadding = 4096;

    // The codec is named before the first byte is written, so this waits for a thread to be scheduled, hardly ever longer.
    private static readonly TimeSpan s_codecTimeout = TimeSpan.FromSeconds(2);

    private readonly Process _process;
    private readonly FFmpegLog _log;
    private readonly PcmReader _wav;
    private readonly string _ffmpeg;
    private readonly int _stream;
    private IReadOnlyDictionary<string, string>? _tags;
    private readonly float[] _dropped = new float[4096];
    private long? _length;
    private readonly int? _delay;
    private long _silence;
    private Task<DemucsException?>? _feed;
    private long _taken;
    private bool _begun;
    private bool _finished;
    private bool _disposed;

    private FFmpegReader(
        string path,
        string ffmpeg,
        int stream,
        LateStart lateStart,
        int? delay,
        Process process,
        FFmpegLog log,
        PcmReader wav,
        DamageHandling onDamage
    )
        : base(path, onDamage)
    {
        _ffmpeg = ffmpeg;
        _stream = stream;
        _process = process;
        _log = log;
        _wav = wav;
        _length = Mp4Length.Read(path, stream, wav.SampleRate);
        _delay = delay;
        // Where it has started to speak of the source, the rest is to come, and what is known of the source must not depend on how busy the
        // machine is.
        string? codec = log.WaitForCodec(s_codecTimeout) ?? (log.Container.Length > 0 ? log.WaitForCodec(s_endTimeout) : null);
        Codec = CodecOf(codec);
        if (UnknownEncoderDelay.WarningOf(path, log.Container, codec ?? "", log.StartTime) is { } untold)
            AddWarning(untold);
        long late = FFmpegStart.Late(path, ffmpeg, stream, wav.SampleRate, log, delay);
        if (late == 0)
            return;
        if (lateStart == LateStart.Silence)
            _silence = late;
        AddWarning(
            FormattableString.Invariant($"The sound of '{path}' begins {(double)late / wav.SampleRate:F3} s after the start of the file. ")
                + (
                    lateStart == LateStart.Silence
                        ? "Stems begin with that much silence, so that they stay in sync with the file."
                        : "Stems begin with the sound, so they are ahead of the file by that much."
                )
        );
    }

    /// <inheritdoc/>
    public override int SampleRate => _wav.SampleRate;

    /// <inheritdoc/>
    public override int Channels => _wav.Channels;

    /// <inheritdoc/>
    internal override IReadOnlyList<string> ChannelNames => _wav.ChannelNames;

    /// <summary>Always null: ffmpeg knows the length for certain only when it has decoded everything.</summary>
    public override long? FrameCount => null;

    /// <inheritdoc/>
    public override string Codec { get; }

    /// <inheritdoc/>
    /// <remarks>
    /// Another run of ffmpeg finds them out, when they are first asked for: separations have them from the track's header.
    /// </remarks>
    public override IReadOnlyDictionary<string, string> Tags => _tags ??= ReadTags();

    /// <inheritdoc/>
    internal override string? Picture => _log.Picture?.ToString(CultureInfo.InvariantCulture);

    /// <summary>The <see cref="AudioReader.Codec"/> of what ffmpeg decodes.</summary>
    /// <param name="name">What ffmpeg calls it; null if it does not declare it.</param>
    public static string CodecOf(string? name) => $"{name ?? "unknown codec"} via ffmpeg";

    /// <summary>Starts ffmpeg on a file.</summary>
    /// <param name="path">The full path of an existing file.</param>
    /// <param name="ffmpeg">The full path of the executable.</param>
    /// <param name="stream">The audio stream, counted from 0.</param>
    /// <param name="lateStart">What happens to the time before sound that begins later than the file.</param>
    /// <param name="onDamage">What happens where sound is lost.</param>
    /// <exception cref="DemucsException">
    /// <see cref="DemucsError.FFmpegNotFound"/>: ffmpeg cannot be started, or is too old. <see cref="DemucsError.AudioFormatUnsupported"/>:
    /// ffmpeg cannot decode the file; the message has its words. <see cref="DemucsError.AudioTrackCorrupt"/>: the file has an audio stream
    /// without frames. <see cref="DemucsError.ParameterInvalid"/>: there is no such stream; the message lists those there are.
    /// </exception>
    public static FFmpegReader Open(
        string path,
        string ffmpeg,
        int stream = 0,
        LateStart lateStart = LateStart.Silence,
        DamageHandling onDamage = DamageHandling.Warn
    )
    {
        int? delay = AsfHeader.DelayOf(path, stream);
        // Of MP3 files ffmpeg would leave out what is damaged, so that all after it came too early.
        MpegDamage? damage = MpegDamage.Find(path);
        Process process = Start(
            path,
            ffmpeg,
            Arguments(damage is null ? ["-i", "file:" + path] : ["-f", "mp3", "-i", "pipe:0"], stream, skipsDelay: delay is null),
            keepInput: damage is not null
        );
        FFmpegLog log = new(process.StandardError.BaseStream);
        try
        {
            Task<DemucsException?>? feed = damage is null ? null : Feed(process, damage, path);
            ByteSource source = new(process.StandardOutput.BaseStream, path, isPipe: true);
            FFmpegReader reader;
            try
            {
                PcmReader wav = new(source, WavHeader.Read(source)!);
                reader = new FFmpegReader(path, ffmpeg, stream, lateStart, delay, process, log, wav, onDamage) { _feed = feed };
            }
            catch (DemucsException exception)
            {
                // No header or no frame in it: ffmpeg's exit code and words say more than what is missing in the pipe.
                throw Refusal(path, ffmpeg, stream, WaitForExit(process, log), log, exception);
            }

            // Integers with room to spare in AVI and others come out as numbers of an old editor's, which is noise.
            if (reader.Codec is "pcm_f16le via ffmpeg" or "pcm_f24le via ffmpeg")
                throw new DemucsException(
                    DemucsError.AudioFormatUnsupported,
                    $"'{path}' stores its samples in more bytes than their bits need. ffmpeg reads such files wrongly ({reader.Codec}). Export the sound as WAV or FLAC.",
                    path
                );
            reader.TakeDamage(damage);
            return reader;
        }
        catch
        {
            Kill(process, log);
            process.Dispose();
            throw;
        }
    }

    // "file:" keeps colons, dashes and percent signs in a name from being taken for a protocol, an option or a pattern;
    // the whitelist keeps playlists from fetching anything from a network.
    private static string[] Arguments(string[] input, int stream, bool skipsDelay) =>
        [
            "-v",
            "level+info",
            "-protocol_whitelist",
            "file,pipe",
            .. skipsDelay ? [] : (ReadOnlySpan<string>)["-flags2", "+skip_manual"],
            .. input,
            "-map",
            FormattableString.Invariant($"0:a:{stream}"),
            "-map_metadata",
            "-1",
            "-c:a",
            "pcm_f32le",
            "-f",
            "wav",
            "-bitexact",
            "pipe:1",
        ];

    /// <summary>The error for a file that ffmpeg does not decode.</summary>
    /// <param name="path">The file.</param>
    /// <param name="ffmpeg">The full path of the executable; if it is too old, that is the error.</param>
    /// <param name="stream">The audio stream that was requested.</param>
    /// <param name="exitCode">How ffmpeg ended.</param>
    /// <param name="log">What it said.</param>
    /// <param name="cause">What was seen of it.</param>
    internal static DemucsException Refusal(string path, string ffmpeg, int stream, int exitCode, FFmpegLog log, Exception? cause)
    {
        if (exitCode == 0)
            return new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{path}' contains no audio frames that ffmpeg can decode.{Quote(log)} Fetch or export the file again.",
                path,
                cause
            );
        if (log.Streams is { Count: > 0 } streams && (stream < 0 || stream >= streams.Count))
            return TrackSource.NoSuchStream(path, stream, streams);
        if (log is { HasStreams: true, Streams.Count: 0 })
            return new DemucsException(
                DemucsError.AudioFormatUnsupported,
                $"'{path}' has no audio, only pictures or other data. Check that the file is a recording.",
                path,
                cause
            );
        FFmpegProgram.At(ffmpeg).Require(FFmpegProgram.LeastToRead, $"'{path}' needs");
        return new DemucsException(
            DemucsError.AudioFormatUnsupported,
            $"'{path}' cannot be decoded: no built-in decoder knows it, and ffmpeg failed with exit code {exitCode}.{Quote(log)} Check that the file is a recording.",
            path,
            cause
        );
    }

    /// <inheritdoc/>
    public override int Read(Span<float> interleaved)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        int silent = (int)Math.Min(FramesIn(interleaved), _silence);
        interleaved[..(silent * Channels)].Clear();
        _silence -= silent;
        interleaved = interleaved[(silent * Channels)..];
        if (silent > 0 && interleaved.Length < Channels)
            return silent;
        if (!_begun)
            _wav.Skip(_delay ?? 0);
        _begun = true;
        int wanted = (int)Math.Min(FramesIn(interleaved), (_length ?? long.MaxValue) - _taken);
        int frames = wanted > 0 ? _wav.Read(interleaved[..(wanted * Channels)]) : 0;
        _taken += frames;
        if (frames == 0 && !_finished)
        {
            _finished = true;
            DropPadding();
            Finish();
        }

        return silent + frames;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (_disposed)
            return;
        _disposed = true;
        Kill(_process, _log);
        _wav.Dispose();
        _process.Dispose();
    }

    /// <summary>Starts ffmpeg with all its streams redirected.</summary>
    /// <param name="path">The file it is for, for messages.</param>
    /// <param name="ffmpeg">The full path of the executable.</param>
    /// <param name="arguments">What comes after the options that every call has.</param>
    /// <param name="keepInput">Whether its input stays open, for the caller to write to; otherwise there is nothing to read from
    /// it.</param>
    /// <param name="hideBanner">Whether it keeps its version to itself.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.FFmpegNotFound"/>: it cannot be started.</exception>
    internal static Process Start(string path, string ffmpeg, string[] arguments, bool keepInput = false, bool hideBanner = true)
    {
        ProcessStartInfo info = new(ffmpeg)
        {
            UseShellExecute = false,
            CreateNoWindow = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        foreach (
            string argument in (ReadOnlySpan<string>)
                ["-nostdin", "-nostats", .. hideBanner ? (ReadOnlySpan<string>)["-hide_banner"] : [], .. arguments]
        )
            info.ArgumentList.Add(argument);

        try
        {
            Process process = Process.Start(info) ?? throw new InvalidOperationException("No process was started.");
            if (!keepInput)
                process.StandardInput.Close();
            return process;
        }
        catch (Exception exception) when (exception is Win32Exception or InvalidOperationException or IOException)
        {
            throw new DemucsException(
                DemucsError.FFmpegNotFound,
                $"'{path}' needs ffmpeg, but '{ffmpeg}' cannot be started: {exception.Message.TrimEnd('.')}. Reinstall ffmpeg, or set {FFmpegLocator.EnvironmentVariable} to the path of another ffmpeg.",
                path,
                exception
            );
        }
    }

    /// <summary>Passes a repaired file to the process, on its own thread, because the process writes while it reads.</summary>
    /// <returns>Ends with the error of a file that can no longer be read, else with null.</returns>
    private static Task<DemucsException?> Feed(Process process, MpegDamage damage, string path)
    {
        Stream input = process.StandardInput.BaseStream;
        ByteSource file = new(RegularFile.OpenRead(path, bufferSize: 0, options: FileOptions.SequentialScan), path);
        return Task.Factory.StartNew(
            () =>
            {
                try
                {
                    using (file)
                    using (input)
                        damage.WriteMended(file, input);
                }
                catch (DemucsException exception)
                {
                    return exception;
                }
                catch (Exception exception) when (exception is IOException or ObjectDisposedException)
                {
                    // The process has ended by itself, and reports why, or was ended here.
                }

                return null;
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
    }

    /// <summary>Notes what is damaged or left out of a file.</summary>
    private void TakeDamage(MpegDamage? damage)
    {
        _length ??= damage?.Length;
        for (int i = 0; i < damage?.Gaps.Count; i++)
        {
            if (damage.SamplesOf(i) is { Frames: > 0 } gap)
                FillGap(
                    gap.Start,
                    gap.Frames,
                    $"{damage.Gaps[i].Next - damage.Gaps[i].Position} bytes from byte {damage.Gaps[i].Position} on are not MP3 frames"
                );
        }

        // One is enough to know of.
        if (damage?.Gaps.FirstOrDefault(gap => gap.Frames == 0) is { } junk)
            AddWarning(
                $"'{SourcePath}' is faulty: {junk.Next - junk.Position} bytes from byte {junk.Position} on belong to no MP3 frame. No sound is missing there."
            );
        if (ConcatenatedFile.Warning(SourcePath) is { } second)
            AddWarning(second);
    }

    /// <summary>Reads what comes after the exact length to its end, so that ffmpeg ends, too.</summary>
    private void DropPadding()
    {
        long dropped = 0;
        for (int frames; (frames = _wav.Read(_dropped)) > 0;)
            dropped += frames;
        if (dropped > MaxPadding)
            AddWarning($"'{SourcePath}' declares {_taken} frames; the {dropped} frames after them are ignored.");
    }

    /// <summary>The pipe has ended: tells the end of the track from the end of a failed process.</summary>
    private void Finish()
    {
        foreach (string warning in _wav.Warnings)
            AddWarning(warning);
        int exitCode = WaitForExit(_process, _log);
        if (_feed is { IsCompleted: true, Result: { } unreadable })
            throw unreadable;
        if (exitCode != 0)
        {
            throw new DemucsException(
                DemucsError.AudioTrackCorrupt,
                $"'{SourcePath}' was only partly decoded: ffmpeg failed with exit code {exitCode}.{Quote(_log)} Fetch or export the file again.",
                SourcePath
            );
        }

        if (_log.Errors.Length > 0)
            LoseSomething($"'{SourcePath}' seems to be damaged.{Quote(_log)}");
        // Encoders fill the last block, so a second less is more than they can be off.
        TimeSpan found = TimeSpan.FromSeconds((double)_taken / SampleRate);
        if (_log is { IsLengthOfMp3: true, Duration: { } declared } && found + TimeSpan.FromSeconds(1) < declared)
            LoseEnd(
                _taken,
                (long)((declared - found).TotalSeconds * SampleRate),
                FormattableString.Invariant(
                    $"'{SourcePath}' is cut off: it declares {declared.TotalSeconds:F1} s, but has {found.TotalSeconds:F1} s. Fetch or export the file again."
                )
            );
    }

    private IReadOnlyDictionary<string, string> ReadTags()
    {
        try
        {
            return FFmpegProbe.Read(SourcePath, _ffmpeg, _stream).Tags;
        }
        catch (DemucsException)
        {
            // It was started once for the samples, so this is a matter of the moment, and tags are not worth an error.
            return ReadOnlyDictionary<string, string>.Empty;
        }
    }

    private static int WaitForExit(Process process, FFmpegLog log)
    {
        if (!process.WaitForExit(s_endTimeout))
            Kill(process, log);
        log.WaitForEnd(TimeSpan.FromSeconds(2));
        return process.HasExited ? process.ExitCode : -1;
    }

    /// <summary>Ends a process and what it has started, if it has not ended by itself.</summary>
    internal static void Kill(Process process, FFmpegLog log)
    {
        try
        {
            // The tree, because the executable may be a wrapper script.
            process.Kill(entireProcessTree: true);
            process.WaitForExit(TimeSpan.FromSeconds(5));
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception or AggregateException)
        {
            // It has ended by itself, which is what was wanted.
        }

        log.WaitForEnd(TimeSpan.FromSeconds(2));
    }

    private static string Quote(FFmpegLog log) => log.Errors is { Length: > 0 } words ? $" ffmpeg reports: {words}" : "";
}
