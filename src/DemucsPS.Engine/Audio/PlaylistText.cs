using System.Text;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Audio;

/// <summary>
/// Reads the lines of a playlist or CUE sheet: UTF-8 or UTF-16 by its byte order mark, otherwise UTF-8, otherwise Latin-1.
/// </summary>
internal static class PlaylistText
{
    // A playlist of ten thousand songs takes a megabyte, a path on any system less than this in characters.
    private const int MaxBytes = 8 << 20,
        MaxLineChars = 8192;

    /// <summary>Reads all lines.</summary>
    /// <param name="path">Full path.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: it cannot be read.
    /// <see cref="DemucsError.TrackListInvalid"/>: it is no such text.</exception>
    public static IReadOnlyList<string> ReadLines(string path)
    {
        string text;
        try
        {
            using FileStream stream = RegularFile.OpenRead(path);
            if (stream.Length > MaxBytes)
                throw Invalid(path, $"is longer than {MaxBytes >> 20} MiB, so it is not a list of tracks");
            byte[] bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            text = Decode(bytes);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.AudioTrackNotFound,
                $"'{path}' cannot be read: {e.Message} Check the name and the permissions.",
                path,
                e
            );
        }
        string[] lines = text.Split('\n');
        for (int i = 0; i < lines.Length; i++)
        {
            lines[i] = lines[i].Trim();
            if (lines[i].Length > MaxLineChars)
                throw Invalid(path, $"has a line of {lines[i].Length} characters (line {i + 1}); the limit is {MaxLineChars}");
            if (lines[i].AsSpan().ContainsAnyInRange('\0', '\u0008'))
                throw Invalid(path, $"is not a text file: line {i + 1} has control characters");
        }
        return lines;
    }

    /// <summary>The error for a list that cannot be used.</summary>
    /// <param name="path">The list.</param>
    /// <param name="what">What is wrong, after its name.</param>
    public static DemucsException Invalid(string path, string what) =>
        new(DemucsError.TrackListInvalid, $"'{path}' {what}. Correct the list, or name the audio files directly.", path);

    /// <summary>Text by its byte order mark, otherwise UTF-8, otherwise Latin-1.</summary>
    internal static string Decode(ReadOnlySpan<byte> span)
    {
        if (span.StartsWith(Encoding.Unicode.Preamble))
            return Encoding.Unicode.GetString(span[2..]);
        if (span.StartsWith(Encoding.BigEndianUnicode.Preamble))
            return Encoding.BigEndianUnicode.GetString(span[2..]);
        if (span.StartsWith(Encoding.UTF8.Preamble))
            return Encoding.UTF8.GetString(span[3..]);
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(span);
        }
        catch (DecoderFallbackException)
        {
            return Encoding.Latin1.GetString(span);
        }
    }
}
