namespace DemucsPS.HelpBuilder;

/// <summary>
/// The values that pages have: one line each, in quotation marks where they would mean something else to readers of YAML.
/// </summary>
internal static class Yaml
{
    public static string Quoted(string value)
    {
        bool plain =
            value.Length > 0
            && (
                char.IsAsciiLetterOrDigit(value[0])
                || value[0] == '('
                || (value[0] == '-' && value.Length > 1 && char.IsAsciiLetterOrDigit(value[1]))
            )
            && !value.Contains(": ", StringComparison.Ordinal)
            && !value.Contains(" #", StringComparison.Ordinal)
            && value[^1] is not (':' or ' ');
        return plain ? value : $"'{value.Replace("'", "''", StringComparison.Ordinal)}'";
    }

    public static string Value(string written)
    {
        written = written.Trim();
        return written is ['\'', .. string inner, '\''] ? inner.Replace("''", "'", StringComparison.Ordinal) : written;
    }
}
