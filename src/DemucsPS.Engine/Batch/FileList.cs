using System.Globalization;
using System.Text;

namespace DemucsPS.Engine.Batch;

/// <summary>Names of files that another program wrote, one after the other. They are names and nothing else: no comments, no quotes, no wildcards, no spaces to trim.</summary>
public static class FileList
{
    // A hundred thousand names have ten megabytes.
    private const int MaxBytes = 1 << 30;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a list from a file.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="nullSeparated">As in <see cref="Read(Stream, string, bool)"/>.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: it cannot be read; <see cref="DemucsError.TrackListInvalid"/>: it is no list.</exception>
    public static IReadOnlyList<string> Read(string path, bool nullSeparated)
    {
        try
        {
            using FileStream stream = RegularFile.OpenRead(path, bufferSize: 0);
            return Read(stream, path, nullSeparated);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DemucsException(DemucsError.AudioTrackNotFound, $"The list '{path}' cannot be read: {e.Message} Check the name and the permissions.", path, e);
        }
    }

    /// <summary>Reads a list to its end.</summary>
    /// <param name="stream">UTF-8, or UTF-16 with a byte order mark.</param>
    /// <param name="name">What it is called in messages.</param>
    /// <param name="nullSeparated">Whether a zero byte ends a name, so that names can have line breaks in them; else a line break, with or without a carriage return before it.</param>
    /// <returns>The names as they stand there, without empty ones. Relative ones are not resolved.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.TrackListInvalid"/>: it is no list of names.</exception>
    public static IReadOnlyList<string> Read(Stream stream, string name, bool nullSeparated)
    {
        using MemoryStream copy = new();
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            if (copy.Length + count > MaxBytes)
                throw Invalid(name, $"is longer than {MaxBytes >> 20} MiB, so it is no list of files");
            copy.Write(buffer, 0, count);
        }
        string text = Decode(copy.GetBuffer().AsSpan(0, (int)copy.Length), name, nullSeparated);
        if (!nullSeparated && text.Contains('\0', StringComparison.Ordinal))
            throw Invalid(name, "has zero bytes, so its names seem to be separated by them, which has to be said");
        return [.. text.Split(nullSeparated ? '\0' : '\n').Select(line => nullSeparated ? line : line.EndsWith('\r') ? line[..^1] : line).Where(line => line.Length > 0)];
    }

    private static string Decode(ReadOnlySpan<byte> bytes, string name, bool nullSeparated)
    {
        if (bytes.StartsWith(Encoding.Unicode.Preamble))
            return Encoding.Unicode.GetString(bytes[2..]);
        if (bytes.StartsWith(Encoding.BigEndianUnicode.Preamble))
            return Encoding.BigEndianUnicode.GetString(bytes[2..]);
        if (bytes.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[3..];
        try
        {
            return s_strict.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            byte end = nullSeparated ? (byte)0 : (byte)'\n';
            int at = Math.Clamp(e.Index, 0, bytes.Length), first = bytes[..at].LastIndexOf(end) + 1, number = 1 + bytes[..at].Count(end);
            ReadOnlySpan<byte> entry = bytes[first..];
            if (entry.IndexOf(end) is >= 0 and var length)
                entry = entry[..length];
            throw Invalid(name, FormattableString.Invariant($"is not UTF-8 (entry {number}, '{Escaped(entry)}')"), e);
        }
    }

    /// <summary>Bytes as text, where those that are not printable ASCII are as in <c>\xFF</c>.</summary>
    private static string Escaped(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        foreach (byte b in bytes)
            _ = b is >= 0x20 and < 0x7F ? text.Append((char)b) : text.Append(CultureInfo.InvariantCulture, $"\\x{b:X2}");
        return text.ToString();
    }

    private static DemucsException Invalid(string name, string what, Exception? cause = null) =>
        new(DemucsError.TrackListInvalid, $"The list '{name}' {what}. Write one name a line in UTF-8, or a zero byte behind each.", name, cause);
}
