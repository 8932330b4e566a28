namespace DemucsPS.Engine.Input;

/// <summary>
/// Takes a line of a CUE sheet apart. There is no way to write a quotation mark within quotation marks that all programs know, so they
/// write it as it is, doubled, or after a backslash: what a line ends with is taken as a whole, from its first mark to its last.
/// </summary>
internal static class CueLine
{
    /// <summary>Splits a line at spaces; what is in quotation marks is one word. Never empty.</summary>
    public static string[] Words(string line)
    {
        List<string> words = [];
        for (int at = 0; at < line.Length;)
        {
            if (char.IsWhiteSpace(line[at]))
            {
                at++;
                continue;
            }
            bool isQuoted = line[at] == '"';
            int start = isQuoted ? at + 1 : at;
            int end = isQuoted ? line.IndexOf('"', start) : EndOfWord(line, start);
            end = end < 0 ? line.Length : end;
            words.Add(line[start..end]);
            at = isQuoted ? end + 1 : end;
        }
        return words.Count > 0 ? [.. words] : [""];
    }

    /// <summary>The text that is the rest of a line.</summary>
    /// <param name="line">A line without spaces around it.</param>
    /// <param name="words">How many words are before it, none of them in quotation marks.</param>
    public static string Text(string line, int words) =>
        Unquote(Rest(line, words)).Replace("\\\"", "\"", StringComparison.Ordinal).Replace("\"\"", "\"", StringComparison.Ordinal);

    /// <summary>The name of a FILE line, and what kind of file it says it is; empty if it does not.</summary>
    /// <param name="line">A line without spaces around it.</param>
    public static (string Name, string Kind) File(string line)
    {
        string rest = Rest(line, 1);
        int quote = rest.LastIndexOf('"'),
            space = rest.LastIndexOfAny([' ', '\t']);
        // Without marks, the kind is the last of several words, unless that is the end of a name.
        int end =
            rest.StartsWith('"') && quote > 0 ? quote + 1
            : space > 0 && !rest.StartsWith('"') && !rest[space..].Contains('.', StringComparison.Ordinal) ? space
            : rest.Length;
        return (Unquote(rest[..end].TrimEnd()), rest[end..].Trim());
    }

    private static string Unquote(string text) =>
        text.StartsWith('"') ? text[1..(text.LastIndexOf('"') is > 0 and int last ? last : text.Length)] : text;

    private static string Rest(string line, int words)
    {
        int at = 0;
        for (; words > 0; words--)
        {
            at = EndOfWord(line, at);
            while (at < line.Length && char.IsWhiteSpace(line[at]))
                at++;
        }
        return line[at..];
    }

    private static int EndOfWord(string line, int start)
    {
        while (start < line.Length && !char.IsWhiteSpace(line[start]))
            start++;
        return start;
    }
}
