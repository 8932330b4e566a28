using System.Text.RegularExpressions;
using Markdig;
using Markdig.Extensions.Yaml;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace DemucsPS.HelpBuilder;

/// <summary>
/// A page of docs/help: what people write of a cmdlet. What it repeats of the compiled cmdlet, for readers on the web, is not read.
/// </summary>
internal sealed partial class Page
{
    private static readonly MarkdownPipeline s_markdown = new MarkdownPipelineBuilder()
        .UseYamlFrontMatter()
        .UsePreciseSourceLocation()
        .Build();
    private static readonly string[] s_sections =
    [
        "SYNOPSIS",
        "SYNTAX",
        "DESCRIPTION",
        "EXAMPLES",
        "PARAMETERS",
        "INPUTS",
        "OUTPUTS",
        "NOTES",
        "RELATED LINKS",
    ];

    private readonly string _source;
    private readonly List<Fault> _faults;

    private Page(string file, List<Fault> faults)
    {
        File = file;
        _faults = faults;
        _source = System.IO.File.ReadAllText(file).ReplaceLineEndings("\n");
        // A heading and what follows it, up to the next one of its rank or a higher one.
        List<Section> sections = [];
        foreach (Block block in Markdown.Parse(_source, s_markdown))
        {
            if (block is HeadingBlock { Level: 2 } section)
                sections.Add(new(Text(section.Inline!), section.Line + 1, [], []));
            else if (block is HeadingBlock { Level: 3 } part && sections.Count > 0)
                sections[^1].Parts.Add(new(Text(part.Inline!), part.Line + 1, [], []));
            else if (sections.Count > 0)
                (sections[^1].Parts is [.., Section last] ? last : sections[^1]).Blocks.Add(block);
            else if (block is not (YamlFrontMatterBlock or HeadingBlock { Level: 1 }))
                Blame(block.Line + 1, $"This stands before '## {s_sections[0]}'.");
        }
        foreach (Section section in sections.Where(s => !s_sections.Contains(s.Title)))
            Blame(section.Line, $"There is no section '{section.Title}' in help: it has {string.Join(", ", s_sections)}.");
        foreach (Section twice in sections.GroupBy(s => s.Title).Where(g => g.Count() > 1).Select(g => g.Last()))
            Blame(twice.Line, $"'## {twice.Title}' is here twice.");
        Section Find(string title)
        {
            if (sections.Find(s => s.Title == title) is { } section)
                return section;
            Blame(1, $"There is no '## {title}'.");
            return new(title, 1, [], []);
        }
        Prose Whole(string title)
        {
            Section section = Find(title);
            foreach (Section part in section.Parts)
                Blame(part.Line, $"'## {title}' has no parts.");
            return ReadProse(section, section.Blocks);
        }

        Synopsis = Whole("SYNOPSIS");
        Description = Whole("DESCRIPTION");
        Examples = [.. Parts(Find("EXAMPLES")).Select(ReadExample)];
        Parameters = [.. Parts(Find("PARAMETERS")).Where(p => p.Title != "CommonParameters").Select(ReadParameter)];
        Inputs = [.. Parts(Find("INPUTS")).Select(p => new PageType(p.Title, p.Line, ReadProse(p, p.Blocks)))];
        Outputs = [.. Parts(Find("OUTPUTS")).Select(p => new PageType(p.Title, p.Line, ReadProse(p, p.Blocks)))];
        Notes = Whole("NOTES");
        Links = [.. Find("RELATED LINKS").Blocks.SelectMany(ReadLinks)];
    }

    public string File { get; }
    public string Name => Path.GetFileNameWithoutExtension(File);
    public Prose Synopsis { get; }
    public Prose Description { get; }
    public IReadOnlyList<PageExample> Examples { get; }
    public List<PageParameter> Parameters { get; }
    public IReadOnlyList<PageType> Inputs { get; }
    public IReadOnlyList<PageType> Outputs { get; }
    public Prose Notes { get; }
    public IReadOnlyList<PageLink> Links { get; }

    /// <summary>Reads a page as far as it can be read, and says what is wrong with it.</summary>
    public static Page Read(string file, List<Fault> faults) => new(file, faults);

    private void Blame(int line, string message) => _faults.Add(new(File, line, message));

    private List<Section> Parts(Section section)
    {
        foreach (Block block in section.Blocks)
            Blame(block.Line + 1, $"This stands in '## {section.Title}' before its first part.");
        return section.Parts;
    }

    private PageExample ReadExample(Section part)
    {
        if (ExampleTitle().Match(part.Title) is not { Success: true } title)
            Blame(part.Line, $"'{part.Title}' should be 'Example NUMBER: TITLE'.");
        else if (part.Blocks is [FencedCodeBlock code, .. List<Block> remarks])
            return new(title.Groups[1].Value, Lines(code), ReadProse(part, remarks));
        else
            Blame(part.Line, "An example begins with its code, between lines of ```.");
        return new(part.Title, "", new([]));
    }

    private PageParameter ReadParameter(Section part)
    {
        if (!part.Title.StartsWith('-'))
            Blame(part.Line, $"A parameter begins with a hyphen: '### -{part.Title}'.");
        string? value = null;
        List<Block> blocks = part.Blocks;
        if (blocks is [.. List<Block> text, FencedCodeBlock { Info: "yaml" } facts])
        {
            blocks = text;
            value = Lines(facts)
                .Split('\n')
                .Where(line => line.StartsWith(PageText.Default, StringComparison.Ordinal))
                .Select(line => Yaml.Value(line[PageText.Default.Length..]))
                .FirstOrDefault();
        }
        return new(part.Title.TrimStart('-'), part.Line, ReadProse(part, blocks), value);
    }

    private IEnumerable<PageLink> ReadLinks(Block block)
    {
        if (block is not ListBlock list)
        {
            Blame(block.Line + 1, "Links are a list, one a line after a hyphen.");
            yield break;
        }
        foreach (ListItemBlock item in list.Cast<ListItemBlock>())
        {
            if (item is [ParagraphBlock { Inline: { } words }])
                yield return new(Text(words), (words.FirstChild as LinkInline)?.Url, item.Line + 1);
            else
                Blame(item.Line + 1, "A link is one line.");
        }
    }

    private Prose ReadProse(Section section, IEnumerable<Block> blocks)
    {
        List<Paragraph> paragraphs = [];
        foreach (Block block in blocks)
        {
            if (block is ParagraphBlock paragraph)
                paragraphs.Add(new(_source.Substring(paragraph.Span.Start, paragraph.Span.Length), Text(paragraph.Inline!)));
            else
                Blame(block.Line + 1, $"Get-Help has paragraphs only, and no {block.GetType().Name} as in '{section.Title}'.");
        }
        if (paragraphs.Count == 0)
            Blame(section.Line, $"'{section.Title}' has no text.");
        return new(paragraphs);
    }

    /// <summary>Text as a terminal shows it.</summary>
    private string Text(ContainerInline inlines) =>
        string.Concat(
            inlines.Select(inline =>
                inline switch
                {
                    LiteralInline literal => literal.Content.ToString(),
                    CodeInline code => code.Content,
                    LineBreakInline => " ",
                    HtmlEntityInline entity => entity.Transcoded.ToString(),
                    AutolinkInline link => link.Url,
                    ContainerInline container => Text(container),
                    _ => Blamed(inline),
                }
            )
        );

    private string Blamed(Inline inline)
    {
        Blame(inline.Line + 1, $"Get-Help cannot show '{_source.Substring(inline.Span.Start, inline.Span.Length)}'.");
        return "";
    }

    private static string Lines(FencedCodeBlock code) => code.Lines.ToString().ReplaceLineEndings("\n");

    [GeneratedRegex(@"^Example \d+: (.+)$")]
    private static partial Regex ExampleTitle();

    private sealed record Section(string Title, int Line, List<Block> Blocks, List<Section> Parts);
}

/// <param name="Markdown">As it stands in the page.</param>
/// <param name="Text">As Get-Help shows it.</param>
internal sealed record Paragraph(string Markdown, string Text);

internal sealed record Prose(IReadOnlyList<Paragraph> Paragraphs);

internal sealed record PageExample(string Title, string Code, Prose Remarks);

/// <param name="Name">Without its hyphen.</param>
/// <param name="Line">Of the heading.</param>
/// <param name="Description">What it does.</param>
/// <param name="DefaultValue">What it is where it is not given, which no compiled cmdlet tells without being run.</param>
internal sealed record PageParameter(string Name, int Line, Prose Description, string? DefaultValue);

/// <summary>A type that a cmdlet takes from the pipeline or gives.</summary>
internal sealed record PageType(string Name, int Line, Prose Description);

/// <param name="Text">The name of a cmdlet or a topic.</param>
/// <param name="Target">A file, relative to the page; null for what is elsewhere.</param>
/// <param name="Line">Where it is.</param>
internal sealed record PageLink(string Text, string? Target, int Line);
