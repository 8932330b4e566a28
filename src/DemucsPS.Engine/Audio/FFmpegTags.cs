using System.Diagnostics;
using System.Text;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Asks ffmpeg for the tags of a file: those of the container, then those of the audio stream that the container does not have. ffmpeg writes them in
/// its own form (its manual "ffmpeg-formats", section "Metadata").
/// </summary>
internal static class FFmpegTags
{
    // With escapes and technical fields, longer than any text that the limits let through.
    private const int MaxOutputBytes = 4 * AudioLimits.MaxTagBytes;

    // Only the file's heads are read, so this is for slow drives.
    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);

    /// <summary>Reads the tags. Whatever goes wrong, the answer is no tags.</summary>
    /// <param name="path">The full path of a file that ffmpeg can decode.</param>
    /// <param name="ffmpeg">The full path of the executable.</param>
    /// <param name="stream">The audio stream, counted from 0.</param>
    public static IReadOnlyDictionary<string, string> Read(string path, string ffmpeg, int stream = 0) => Read(path, ffmpeg, stream, TimeLimit);

    /// <summary>The same with another time limit.</summary>
    internal static IReadOnlyDictionary<string, string> Read(string path, string ffmpeg, int stream, TimeSpan timeLimit)
    {
        var tags = new AudioTagBuilder();
        try
        {
            // "-t 0" ends the copying before it begins; "-bitexact" keeps ffmpeg from naming itself as the encoder.
            using Process process = FFmpegReader.Start(path, ffmpeg,
                ["-v", "quiet", "-protocol_whitelist", "file,pipe", "-i", "file:" + path,
                "-map", FormattableString.Invariant($"0:a:{stream}"), "-map_chapters", "-1", "-c", "copy", "-t", "0", "-bitexact", "-f", "ffmetadata", "pipe:1"]);
            if (FFmpegOutput.Collect(process, MaxOutputBytes, timeLimit) is byte[] text)
                Parse(Encoding.UTF8.GetString(text), tags);
        }
        catch (Exception exception) when (exception is DemucsException or IOException or InvalidOperationException)
        {
            // It was started once for the samples, so this is a matter of the moment, and tags are not worth an error.
        }

        return tags.Build();
    }

    /// <summary>Takes ffmpeg's form of metadata apart: escapes, comments, and sections, of which streams' are taken and chapters' are not.</summary>
    /// <param name="text">The text.</param>
    /// <param name="tags">Receives the tags.</param>
    internal static void Parse(string text, AudioTagBuilder tags)
    {
        var field = new StringBuilder();
        bool isWanted = true;
        int at = 0;
        while (at < text.Length && !tags.IsFull)
        {
            int start = at;
            int nameLength = -1;
            field.Clear();
            for (; at < text.Length && text[at] != '\n'; at++)
            {
                // A backslash takes any meaning from the next character, also from a line feed.
                if (text[at] == '\\' && at + 1 < text.Length)
                    at++;
                else if (text[at] == '=' && nameLength < 0)
                    nameLength = field.Length;
                field.Append(text[at]);
            }

            ReadOnlySpan<char> line = text.AsSpan(start, at - start);
            at++;
            if (line.StartsWith(';') || line.StartsWith('#'))
                continue;
            if (line.StartsWith("[STREAM]") || line.StartsWith("[CHAPTER]"))
            {
                isWanted = line[1] == 'S';
                tags.Seal();
                continue;
            }

            if (!isWanted || nameLength <= 0)
                continue;
            string name = field.ToString(0, nameLength);
            string value = field.ToString(nameLength + 1, field.Length - nameLength - 1);

            // MP4 has a language for every stream, "undetermined" in most.
            if (name != "language" || value != "und")
                tags.Add(name, value);
        }
    }
}
