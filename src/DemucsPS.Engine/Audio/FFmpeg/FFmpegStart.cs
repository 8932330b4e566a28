using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>
/// When the sound of a file begins, by the file's own clock. ffmpeg is asked for the times of the first frame of sound and of the first
/// picture; and only where the file has a clock that sound can be late by.
/// </summary>
internal static class FFmpegStart
{
    /// <summary>
    /// A file all of which begins later than this was cut out of a longer one, with its clock: hours of silence would be useless.
    /// </summary>
    private const double LongestLead = 60;

    /// <summary>What encoders put before the sound of another stream is less than this, in seconds.</summary>
    private const double MostDelay = 0.1;

    /// <summary>Many clocks count milliseconds: less than two of them, in seconds, is nothing that they can tell.</summary>
    private const double LeastLate = 0.002;

    private const int MaxOutputBytes = 1 << 16;

    // A day at the greatest rate: times that no file can mean.
    private const double MostFrames = 86_400.0 * AudioLimits.MaxSampleRate;

    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(30);

    /// <summary>How many frames after its file a stream of sound begins; 0 if it does not, or if unknown.</summary>
    /// <param name="path">The full path of an existing file.</param>
    /// <param name="ffmpeg">The full path of the executable.</param>
    /// <param name="stream">The audio stream, counted from 0.</param>
    /// <param name="sampleRate">Frames per second that it is decoded to.</param>
    /// <param name="log">What ffmpeg has said of the file: complete as far as its streams.</param>
    /// <param name="delay">Frames of the encoder's that the decoder is kept from taking off:
    /// <see cref="AsfHeader.DelayOf(string, int)"/>.</param>
    public static long Late(string path, string ffmpeg, int stream, int sampleRate, FFmpegLog log, int? delay)
    {
        bool hasOwnZero = HasOwnZero(log.Container);
        if (!log.HasFilm && log.Streams.Count < 2 && !(hasOwnZero && log.StartTime > 0))
            return 0;
        try
        {
            // What is decoded has the times of what is left when an encoder's delay is taken off.
            using Process process = FFmpegReader.Start(
                path,
                ffmpeg,
                [
                    "-v",
                    "level+info",
                    "-protocol_whitelist",
                    "file,pipe",
                    "-copyts",
                    .. delay is null ? [] : (ReadOnlySpan<string>)["-flags2", "+skip_manual"],
                    "-i",
                    "file:" + path,
                    "-map",
                    FormattableString.Invariant($"0:a:{stream}"),
                    "-map",
                    "0:V:0?",
                    "-c:a",
                    "pcm_f32le",
                    "-c:v",
                    "copy",
                    "-frames:a",
                    "1",
                    "-frames:v",
                    "1",
                    "-f",
                    "framecrc",
                    "pipe:1",
                ]
            );
            return FFmpegOutput.Collect(process, MaxOutputBytes, s_timeLimit).Bytes is { } times
                ? Late(Encoding.UTF8.GetString(times), sampleRate, hasOwnZero, log.StartTime ?? 0, delay ?? 0)
                : 0;
        }
        catch (DemucsException)
        {
            // It was started before, so this is a matter of the moment.
            return 0;
        }
    }

    /// <summary>
    /// The same of what ffmpeg's framecrc says: lines like <c>#tb 0: 1/44100</c> and <c>0, 22050, 22050, 1024, 8192, 0x…</c> (stream,
    /// decoding time, presentation time, duration).
    /// </summary>
    internal static long Late(string times, int sampleRate, bool hasOwnZero, double start, int delay)
    {
        Dictionary<long, double> ticks = [],
            first = [];
        foreach (string line in times.Split('\n'))
        {
            string[] parts = line.Split([',', ':', '/'], StringSplitOptions.TrimEntries);
            if (
                line.StartsWith("#tb ", StringComparison.Ordinal)
                && parts.Length == 3
                && Number(parts[0]["#tb".Length..].Trim()) is { } of
                && Number(parts[1]) is > 0 and { } numerator
                && Number(parts[2]) is > 0 and { } denominator
            )
                ticks[of] = (double)numerator / denominator;
            else if (
                parts.Length >= 4
                && Number(parts[0]) is { } number
                && Number(parts[2]) is { } time
                && ticks.TryGetValue(number, out double tick)
            )
                first.TryAdd(number, time * tick);
        }
        if (!first.TryGetValue(0, out double sound))
            return 0;
        sound += (double)delay / sampleRate;
        double zero =
            hasOwnZero && start <= LongestLead ? 0
            : first.TryGetValue(1, out double picture) ? picture
            : sound - start < MostDelay ? sound
            : start;
        double late = Math.Round((sound - zero) * sampleRate);
        return late >= LeastLate * sampleRate && late <= MostFrames ? (long)late : 0;
    }

    /// <summary>Whether the clock of a kind of file begins at zero with it, by convention; that of others begins anywhere.</summary>
    private static bool HasOwnZero(string container) =>
        container.Split(',').Any(name => name is "mov" or "mp4" or "matroska" or "webm" or "avi" or "flv");

    private static long? Number(string text) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : null;
}
