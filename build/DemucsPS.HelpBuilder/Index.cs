using System.Text.RegularExpressions;

namespace DemucsPS.HelpBuilder;

/// <summary>The list of cmdlets in docs/help/README.md: the rows of its table.</summary>
internal static partial class Index
{
    public const string FileName = "README.md";

    /// <summary>The text with a row for each page.</summary>
    public static string WithRows(string text, IEnumerable<Page> pages)
    {
        string rows = string.Concat(
            pages.Select(p => $"| [{p.Name}]({p.Name}.md) | {string.Join(' ', p.Synopsis.Paragraphs.Select(s => s.Markdown))} |\n")
        );
        return Table().Replace(text.ReplaceLineEndings("\n"), match => match.Groups[1].Value + rows, 1);
    }

    [GeneratedRegex(@"^(\| -+ \| -+ \|\n)(?:\|.*\n)*", RegexOptions.Multiline)]
    private static partial Regex Table();
}
