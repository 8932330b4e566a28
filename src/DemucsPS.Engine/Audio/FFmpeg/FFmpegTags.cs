using System.Text;

namespace DemucsPS.Engine.Audio.FFmpeg;

/// <summary>
/// Tags in ffmpeg's own form (its manual "ffmpeg-formats", section "Metadata"): those of the container, then those of the audio stream that
/// the container does not have.
/// </summary>
internal static class FFmpegTags
{
    /// <summary>
    /// Takes ffmpeg's form of metadata apart: escapes, comments, and sections, of which streams' are taken and chapters' are not.
    /// </summary>
    /// <param name="text">The text.</param>
    /// <param name="tags">Receives the tags.</param>
    internal static void Parse(string text, AudioTagBuilder tags)
    {
        StringBuilder field = new();
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
