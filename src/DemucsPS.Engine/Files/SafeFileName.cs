using System.Buffers;
using System.Text;

namespace DemucsPS.Engine.Files;

/// <summary>
/// Makes text that comes from tags and file names fit for one component of a path, the same on all systems, so that a folder of stems can
/// be moved between them.
/// </summary>
internal static class SafeFileName
{
    /// <summary>
    /// Bytes of a component in UTF-8. File systems take 255; the rest is for the extension and for what a file is called while it is
    /// written (<c>.stem.mp4</c> and 41 more).
    /// </summary>
    public const int MaxBytes = 200;

    /// <summary>What no file name may have on Windows, and <c>/</c> nowhere.</summary>
    private static readonly SearchValues<char> s_forbidden = SearchValues.Create("<>:\"/\\|?*");

    /// <summary>Whether a character other than a separator cannot be in a name.</summary>
    public static bool IsForbidden(char c) => s_forbidden.Contains(c) || char.IsControl(c);

    /// <summary>
    /// Whether a file name is valid on every system: letters, digits, '.', '-' and '_', starting with a letter or digit, not ending with a
    /// dot, and not a Windows device.
    /// </summary>
    public static bool IsPortable(string name)
    {
        if (
            name.Length is 0 or > 100
            || !char.IsAsciiLetterOrDigit(name[0])
            || name[^1] == '.'
            || name.Any(c => !(char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        )
            return false;
        string stem = name.Split('.')[0].ToUpperInvariant();
        return stem is not ("CON" or "PRN" or "AUX" or "NUL")
            && !(stem.Length == 4 && stem[..3] is "COM" or "LPT" && char.IsAsciiDigit(stem[3]));
    }

    /// <summary>
    /// Replaces what a name cannot have: line breaks, tabs and line separators by a space, other control characters and <c>&lt; &gt; : " /
    /// \ | ? *</c> by <c>_</c>. Marks that turn the
    /// direction of writing are taken out, because they make a name look like another; letters of any script stay.
    /// </summary>
    public static string Clean(string text)
    {
        StringBuilder clean = new(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            int value = rune.Value;
            if (value is '\n' or '\r' or '\t' or 0x2028 or 0x2029)
                clean.Append(' ');
            else if (value is 0x061C or 0x200B or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069) or 0xFEFF)
                continue;
            else if (rune.IsBmp && IsForbidden((char)value))
                clean.Append('_');
            else
                clean.Append(rune.ToString());
        }
        return clean.ToString().Trim();
    }

    /// <summary>
    /// What is left of a component: without trailing dots and spaces, which Windows drops; never empty, <c>.</c> or <c>..</c>; and no name
    /// of a Windows device.
    /// </summary>
    public static string Finish(string component)
    {
        component = component.Trim().TrimEnd('.', ' ');
        if (component.Length == 0)
            return "_";
        return IsDevice(component.Split('.')[0].TrimEnd()) ? "_" + component : component;
    }

    /// <summary>The longest start of a text with that many bytes in UTF-8, not cut inside a character.</summary>
    public static string Cut(string text, int bytes)
    {
        int length = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            bytes -= rune.Utf8SequenceLength;
            if (bytes < 0)
                break;
            length += rune.Utf16SequenceLength;
        }
        return text[..length].TrimEnd();
    }

    // "Naming Files, Paths, and Namespaces" of the Windows documentation; superscript digits count as digits there.
    private static bool IsDevice(string name) =>
        name.ToUpperInvariant()
            is "CON"
                or "PRN"
                or "AUX"
                or "NUL"
                or "CONIN$"
                or "CONOUT$"
                or ['C', 'O', 'M', (>= '0' and <= '9') or '\u00B9' or '\u00B2' or '\u00B3']
                or ['L', 'P', 'T', (>= '0' and <= '9') or '\u00B9' or '\u00B2' or '\u00B3'];
}
