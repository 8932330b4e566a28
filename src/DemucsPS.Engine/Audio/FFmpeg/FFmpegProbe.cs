using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using DemucsPS.Engine.Audio.Tags;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>
/// What ffmpeg says of a file in one short run that decodes nothing: its tags in ffmpeg's own form, in which no text can be taken for
/// anything else, and the rest in its messages. ffprobe would say no more, need not be there, and need not be of the version that decodes.
/// </summary>
internal sealed partial class FFmpegProbe
{
    // With escapes and technical fields, longer than any text that the limits let through.
    private const int MaxOutputBytes = 4 * AudioLimits.MaxTagBytes;

    // Only the file's heads are read, so this is for slow drives.
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(10);

    private readonly FFmpegOutput _output;

    private FFmpegProbe(FFmpegOutput output, string path, int stream)
    {
        _output = output;
        FFmpegLog log = output.Log;
        Duration = log.Duration;
        Picture = log.Picture?.ToString(CultureInfo.InvariantCulture);
        string words = stream >= 0 && stream < log.Streams.Count ? log.Streams[stream] : "";
        if (
            Form().Match(words) is { Success: true } form
            && int.TryParse(form.Groups[1].Value, CultureInfo.InvariantCulture, out int rate)
            && rate is > 0 and <= AudioLimits.MaxSampleRate
        )
        {
            SampleRate = rate;
            IsMono = form.Groups[2].Value is "mono" or "1 channels";
        }
        Codec = CodecName().Match(words) is { Success: true } name ? name.Groups[1].Value : null;

        AudioTagBuilder tags = new();
        if (output.Bytes is { } text)
            FFmpegTags.Parse(Encoding.UTF8.GetString(text), tags);
        // ffmpeg tells the first of several values, or one text of all, depending on the format.
        if (FileTags.ReadTexts(path) is { } others)
            tags.TakeSeveral(others);
        Tags = tags.Build();
    }

    /// <summary>
    /// Frames per second of the stream; null if ffmpeg does not declare it. Decoding can give another rate, in principle.
    /// </summary>
    public int? SampleRate { get; }

    /// <summary>What ffmpeg calls the stream's codec; null if it does not declare it.</summary>
    public string? Codec { get; }

    /// <summary>Whether the stream has one channel.</summary>
    public bool IsMono { get; }

    /// <summary>
    /// Length of the file, in hundredths of a second: what its head says, or a guess by its bit rate. Null if ffmpeg does not declare it.
    /// </summary>
    public TimeSpan? Duration { get; }

    /// <summary>ffmpeg's name of the stream that is the file's first picture; null if there is none.</summary>
    public string? Picture { get; }

    /// <summary>Tags of the container, and those of the stream that the container does not have. None where the program fails.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; }

    /// <summary>Asks ffmpeg.</summary>
    /// <param name="path">The full path of an existing file.</param>
    /// <param name="ffmpeg">The full path of the executable.</param>
    /// <param name="stream">The audio stream, counted from 0.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.FFmpegNotFound"/>: it cannot be started.</exception>
    public static FFmpegProbe Read(string path, string ffmpeg, int stream) => Read(path, ffmpeg, stream, s_timeLimit);

    /// <summary>The same with another time limit.</summary>
    internal static FFmpegProbe Read(string path, string ffmpeg, int stream, TimeSpan timeLimit)
    {
        // "-t 0" ends the copying before it begins; "-bitexact" keeps ffmpeg from naming itself as the encoder.
        using Process process = FFmpegReader.Start(
            path,
            ffmpeg,
            [
                "-v",
                "level+info",
                "-protocol_whitelist",
                "file,pipe",
                "-i",
                "file:" + path,
                "-map",
                FormattableString.Invariant($"0:a:{stream}"),
                "-map_chapters",
                "-1",
                "-c",
                "copy",
                "-t",
                "0",
                "-bitexact",
                "-f",
                "ffmetadata",
                "pipe:1",
            ]
        );
        return new FFmpegProbe(FFmpegOutput.Collect(process, MaxOutputBytes, timeLimit), path, stream);
    }

    /// <summary>
    /// Refuses a file in which ffmpeg has found nothing to decode, or no such stream. Whether the rest can be decoded, decoding must say.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="ffmpeg">The full path of the executable.</param>
    /// <param name="stream">The audio stream, counted from 0.</param>
    /// <exception cref="DemucsException">As <see cref="FFmpegReader.Open"/>.</exception>
    public void Check(string path, string ffmpeg, int stream)
    {
        if (_output.ExitCode is { } exitCode and not 0 && (stream < 0 || stream >= _output.Log.Streams.Count))
            throw FFmpegReader.Refusal(path, ffmpeg, stream, exitCode, _output.Log, null);
    }

    /// <summary>
    /// How many frames after its file the stream begins: <see cref="FFmpegStart.Late(string, string, int, int, FFmpegLog, int?)"/>.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="ffmpeg">The full path of the executable.</param>
    /// <param name="stream">The audio stream, counted from 0.</param>
    public long Late(string path, string ffmpeg, int stream) =>
        SampleRate is { } rate ? FFmpegStart.Late(path, ffmpeg, stream, rate, _output.Log, AsfHeader.DelayOf(path, stream)) : 0;

    // "(eng) aac (LC) (mp4a / 0x6134706D), 44100 Hz, stereo, fltp, 128 kb/s (default)"
    [GeneratedRegex(@", (\d{1,7}) Hz, ([^,]+)")]
    private static partial Regex Form();

    // After the language, where there is one.
    [GeneratedRegex(@"^(?:\([^)]*\) )?(\w+)")]
    private static partial Regex CodecName();
}
