using System.Text;

namespace DemucsPS.HelpBuilder;

/// <summary>
/// A page as it should stand: what people wrote, and around it, for readers on the web, what the compiled cmdlet says of itself.
/// </summary>
/// <remarks>The layout is the one of PlatyPS, version 2024-05-01 of its schema, which leaves out what is as usual.</remarks>
internal static class PageText
{
    public const string Default = "DefaultValue: ";

    private const int Columns = 100;

    public static string Of(Page page, Command command)
    {
        StringBuilder text = new();
        text.Append(
            $"""
            ---
            document type: cmdlet
            external help file: {Maml.FileName}
            HelpUri: ''
            Locale: en-US
            Module Name: DemucsPS
            PlatyPS schema version: 2024-05-01
            title: {command.Name}
            ---

            # {command.Name}


            """.ReplaceLineEndings("\n")
        );
        Add(text, "SYNOPSIS", page.Synopsis);
        text.Append("## SYNTAX\n\n");
        foreach ((string set, IEnumerable<(Parameter Parameter, ParameterUse Use)> parameters) in command.Sets([.. page.Parameters.Select(p => p.Name)]))
        {
            if (set != ParameterUse.AllSets)
                text.Append($"### {set}{(set == command.DefaultSet ? " (Default)" : "")}\n\n");
            text.Append(
                $"```\n{Wrapped(parameters.Select(p => Syntax(p.Parameter, p.Use)).Prepend(command.Name).Append("[<CommonParameters>]"))}\n```\n\n"
            );
        }
        Add(text, "DESCRIPTION", page.Description);
        text.Append("## EXAMPLES\n\n");
        for (int i = 0; i < page.Examples.Count; i++)
        {
            text.Append($"### Example {i + 1}: {page.Examples[i].Title}\n\n```powershell\n{page.Examples[i].Code}\n```\n\n");
            Add(text, page.Examples[i].Remarks);
        }
        text.Append("## PARAMETERS\n\n");
        foreach (PageParameter parameter in page.Parameters)
        {
            text.Append($"### -{parameter.Name}\n\n");
            Add(text, parameter.Description);
            if (command.Parameters.FirstOrDefault(p => p.Name == parameter.Name) is { } facts)
                Add(text, facts, parameter.DefaultValue ?? (facts.IsSwitch ? "False" : "None"));
        }
        text.Append(
            "### CommonParameters\n\nThe parameters that all cmdlets have, such as `-Verbose` and `-ErrorAction`: see about_CommonParameters.\n\n"
        );
        Add(text, "INPUTS", page.Inputs);
        Add(text, "OUTPUTS", page.Outputs);
        Add(text, "NOTES", page.Notes);
        text.Append("## RELATED LINKS\n\n");
        foreach (PageLink link in page.Links)
            text.Append(link.Target is null ? $"- {link.Text}\n" : $"- [{link.Text}]({link.Target})\n");
        return text.ToString();
    }

    private static void Add(StringBuilder text, string title, Prose prose)
    {
        text.Append($"## {title}\n\n");
        Add(text, prose);
    }

    private static void Add(StringBuilder text, string title, IReadOnlyList<PageType> types)
    {
        text.Append($"## {title}\n\n");
        foreach (PageType type in types)
        {
            text.Append($"### {type.Name}\n\n");
            Add(text, type.Description);
        }
    }

    private static void Add(StringBuilder text, Prose prose)
    {
        foreach (Paragraph paragraph in prose.Paragraphs)
            text.Append($"{paragraph.Markdown}\n\n");
    }

    private static void Add(StringBuilder text, Parameter parameter, string value)
    {
        text.Append($"```yaml\nType: {parameter.TypeFullName}\n{Default}{Yaml.Quoted(value)}\n");
        if (parameter.SupportsWildcards)
            text.Append("SupportsWildcards: true\n");
        AddList("Aliases", parameter.Aliases);
        text.Append("ParameterSets:\n");
        foreach (ParameterUse use in parameter.Uses)
        {
            text.Append($"- Name: {use.Set}\n  Position: {use.Position?.ToString() ?? "Named"}\n");
            if (use.IsRequired)
                text.Append("  IsRequired: true\n");
            if (use.ByValue)
                text.Append("  ValueFromPipeline: true\n");
            if (use.ByPropertyName)
                text.Append("  ValueFromPipelineByPropertyName: true\n");
        }
        AddList("AcceptedValues", parameter.AcceptedValues);
        text.Append("```\n\n");

        void AddList(string name, IReadOnlyList<string> items)
        {
            if (items.Count > 0)
                text.Append($"{name}:\n{string.Concat(items.Select(item => $"- {Yaml.Quoted(item)}\n"))}");
        }
    }

    private static string Syntax(Parameter parameter, ParameterUse use)
    {
        string name = use.Position is null ? $"-{parameter.Name}" : $"[-{parameter.Name}]";
        string whole = parameter.IsSwitch ? name : $"{name} <{parameter.TypeName}>";
        return use.IsRequired ? whole : $"[{whole}]";
    }

    private static string Wrapped(IEnumerable<string> words)
    {
        StringBuilder text = new();
        int column = 0;
        foreach (string word in words)
        {
            bool fits = column + 1 + word.Length <= Columns;
            text.Append(
                    column == 0 ? ""
                    : fits ? " "
                    : "\n    "
                )
                .Append(word);
            column =
                (
                    column == 0 ? 0
                    : fits ? column + 1
                    : 4
                ) + word.Length;
        }
        return text.ToString();
    }
}
