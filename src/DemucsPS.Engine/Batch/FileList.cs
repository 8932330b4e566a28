using System.Globalization;
using System.Text;
using DemucsPS.Engine.Files;

namespace DemucsPS.Engine.Batch;

/// <summary>
/// A list of file names written by another program. Names are literal: no comments, no quotes, no wildcards, no spaces to trim.
/// </summary>
public static class FileList
{
    // A hundred thousand names have ten megabytes.
    private const int MaxBytes = 1 << 30;

    private static readonly UTF8Encoding s_strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a list from a file.</summary>
    /// <param name="path">Full path.</param>
    /// <param name="nullSeparated">As in <see cref="Read(Stream, string, bool, Action{string, DemucsException})"/>.</param>
    /// <param name="refused">Likewise.</param>
    /// <exception cref="DemucsException"><see cref="DemucsError.AudioTrackNotFound"/>: it cannot be read;
    /// <see cref="DemucsError.TrackListInvalid"/>: it is not a list.</exception>
    public static IReadOnlyList<string> Read(string path, bool nullSeparated, Action<string, DemucsException> refused)
    {
        try
        {
            using FileStream stream = RegularFile.OpenRead(path, bufferSize: 0);
            return Read(stream, path, nullSeparated, refused);
        }
        catch (Exception e) when (e.IsFileError())
        {
            throw new DemucsException(
                DemucsError.AudioTrackNotFound,
                $"The list '{path}' cannot be read: {e.Message} Check the name and the permissions.",
                path,
                e
            );
        }
    }

    /// <summary>Reads a list to its end.</summary>
    /// <param name="stream">UTF-8, or UTF-16 with a byte order mark.</param>
    /// <param name="name">Its name in messages.</param>
    /// <param name="nullSeparated">Whether a zero byte ends a name, so that names can have line breaks in them; else a line break, with or
    /// without a carriage return before it.</param>
    /// <param name="refused">Receives each entry that is not text, and so no name that a file could be opened by: the entry, where its
    /// bytes are as in <c>\xFF</c>, and an error that says which it is. The others are names anyway.</param>
    /// <returns>The names as they stand there, without empty ones. Relative ones are not resolved.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="DemucsException"><see cref="DemucsError.TrackListInvalid"/>: it is not a list of names.</exception>
    public static IReadOnlyList<string> Read(Stream stream, string name, bool nullSeparated, Action<string, DemucsException> refused)
    {
        using MemoryStream copy = new();
        byte[] buffer = new byte[1 << 16];
        for (int count; (count = stream.Read(buffer)) > 0;)
        {
            if (copy.Length + count > MaxBytes)
                throw Invalid(name, $"is longer than {MaxBytes >> 20} MiB, so it is not a list of files");
            copy.Write(buffer, 0, count);
        }
        ReadOnlySpan<byte> bytes = copy.GetBuffer().AsSpan(0, (int)copy.Length);
        bool isLittle = bytes.StartsWith(Encoding.Unicode.Preamble);
        if (isLittle || bytes.StartsWith(Encoding.BigEndianUnicode.Preamble))
            bytes = Encoding.UTF8.GetBytes((isLittle ? Encoding.Unicode : Encoding.BigEndianUnicode).GetString(bytes[2..]));
        else if (bytes.StartsWith(Encoding.UTF8.Preamble))
            bytes = bytes[3..];
        if (!nullSeparated && bytes.Contains((byte)0))
            throw Invalid(name, "contains zero bytes: its names seem to end with them, but one name per line was expected");
        byte end = nullSeparated ? (byte)0 : (byte)'\n';
        List<string> names = [];
        for (int number = 1; bytes.Length > 0; number++)
        {
            int length = bytes.IndexOf(end);
            ReadOnlySpan<byte> entry = length < 0 ? bytes : bytes[..length];
            bytes = length < 0 ? [] : bytes[(length + 1)..];
            if (!nullSeparated && entry is [.., (byte)'\r'])
                entry = entry[..^1];
            if (entry.Length == 0)
                continue;
            try
            {
                names.Add(s_strict.GetString(entry));
            }
            catch (DecoderFallbackException e)
            {
                string shown = Escaped(entry);
                refused(
                    shown,
                    new DemucsException(
                        DemucsError.TrackListInvalid,
                        FormattableString.Invariant(
                            $"Entry {number} of the list '{name}', '{shown}', is not UTF-8, so the file cannot be opened. Write the list in UTF-8. Rename files whose names are not UTF-8."
                        ),
                        name,
                        e
                    )
                );
            }
        }
        return names;
    }

    /// <summary>Bytes as text, where those that are not printable ASCII are as in <c>\xFF</c>.</summary>
    private static string Escaped(ReadOnlySpan<byte> bytes)
    {
        StringBuilder text = new();
        foreach (byte b in bytes)
            _ = b is >= 0x20 and < 0x7F ? text.Append((char)b) : text.Append(CultureInfo.InvariantCulture, $"\\x{b:X2}");
        return text.ToString();
    }

    private static DemucsException Invalid(string name, string what) =>
        new(
            DemucsError.TrackListInvalid,
            $"The list '{name}' {what}. Write it in UTF-8, with one name per line or a zero byte after each name.",
            name
        );
}
