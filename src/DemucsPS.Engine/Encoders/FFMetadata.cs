using System.Text;

namespace DemucsPS.Engine.Encoders;

/// <summary>
/// Writes tags in ffmpeg's own form (its manual "ffmpeg-formats", section "Metadata"), in which no text can mean anything else.
/// </summary>
internal static class FFMetadata
{
    /// <summary>The text of a file with these tags.</summary>
    /// <param name="tags">Fields under the names of <see cref="Audio.AudioReader.Tags"/>.</param>
    public static string Of(IEnumerable<KeyValuePair<string, string>> tags)
    {
        StringBuilder text = new(";FFMETADATA1\n");
        foreach ((string name, string value) in tags)
        {
            Append(name == "albumartist" ? "album_artist" : name);
            text.Append('=');
            Append(value);
            text.Append('\n');
        }
        return text.ToString();

        void Append(string part)
        {
            foreach (char c in part)
            {
                // A zero would end the text; nothing else is lost.
                if (c == '\0')
                    continue;
                if (c is '=' or ';' or '#' or '\\' or '\n')
                    text.Append('\\');
                text.Append(c);
            }
        }
    }
}
