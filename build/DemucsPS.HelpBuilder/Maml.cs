using System.Text;
using System.Xml;
using System.Xml.Linq;

namespace DemucsPS.HelpBuilder;

/// <summary>The file that Get-Help reads.</summary>
internal static class Maml
{
    public const string FileName = "DemucsPS.dll-Help.xml";

    private static readonly XNamespace s_command = "http://schemas.microsoft.com/maml/dev/command/2004/10";
    private static readonly XNamespace s_maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace s_dev = "http://schemas.microsoft.com/maml/dev/2004/10";

    /// <param name="commands">Pages and what they are of.</param>
    /// <param name="address">Where pages are on the web; null if that is not known.</param>
    /// <param name="output">The file to write.</param>
    public static void Write(IEnumerable<(Page Page, Command Command)> commands, string? address, string output)
    {
        XElement root = new(
            XName.Get("helpItems", "http://msh"),
            new XAttribute("schema", "maml"),
            commands.Select(c => Element(c.Page, c.Command, address))
        );
        // The same bytes on every system.
        using XmlWriter writer = XmlWriter.Create(
            output,
            new()
            {
                Indent = true,
                NewLineChars = "\n",
                Encoding = new UTF8Encoding(false),
            }
        );
        root.Save(writer);
    }

    private static XElement Element(Page page, Command command, string? address)
    {
        string[] words = command.Name.Split('-');
        string[] order = [.. page.Parameters.Select(p => p.Name)];
        return new(
            s_command + "command",
            new XAttribute(XNamespace.Xmlns + "maml", s_maml),
            new XAttribute(XNamespace.Xmlns + "command", s_command),
            new XAttribute(XNamespace.Xmlns + "dev", s_dev),
            new XElement(
                s_command + "details",
                new XElement(s_command + "name", command.Name),
                new XElement(s_command + "verb", words[0]),
                new XElement(s_command + "noun", words[1]),
                Description(page.Synopsis)
            ),
            Description(page.Description),
            new XElement(
                s_command + "syntax",
                command
                    .Sets(order)
                    .Select(set => new XElement(
                        s_command + "syntaxItem",
                        new XElement(s_maml + "name", command.Name),
                        set.Parameters.Select(p => Element(p.Parameter, p.Use))
                    ))
            ),
            new XElement(
                s_command + "parameters",
                page.Parameters.Select(p => Element(command.Parameters.First(c => c.Name == p.Name), p))
            ),
            new XElement(s_command + "inputTypes", page.Inputs.Select(t => Element("inputType", t))),
            new XElement(s_command + "returnValues", page.Outputs.Select(t => Element("returnValue", t))),
            new XElement(s_maml + "alertSet", new XElement(s_maml + "alert", Paragraphs(page.Notes))),
            new XElement(
                s_command + "examples",
                page.Examples.Select(
                    (e, i) =>
                        new XElement(
                            s_command + "example",
                            new XElement(s_maml + "title", $"--- Example {i + 1}: {e.Title} ---"),
                            new XElement(s_dev + "code", e.Code),
                            // An empty line before the next one.
                            new XElement(s_dev + "remarks", Paragraphs(e.Remarks), new XElement(s_maml + "para"))
                        )
                )
            ),
            // Get-Help -Online opens the first link that has an address.
            new XElement(
                s_command + "relatedLinks",
                address is null ? null : Link("Online version", $"{address}/{command.Name}.md"),
                page.Links.Select(l => Link(l.Text, ""))
            )
        );
    }

    /// <summary>A parameter in a line of syntax.</summary>
    private static XElement Element(Parameter parameter, ParameterUse use, XElement? description = null) =>
        new(
            s_command + "parameter",
            new XAttribute("required", use.IsRequired),
            new XAttribute("variableLength", parameter.TypeName.EndsWith("[]", StringComparison.Ordinal)),
            new XAttribute("globbing", parameter.SupportsWildcards),
            new XAttribute("pipelineInput", use.Pipeline),
            new XAttribute("position", use.Position?.ToString() ?? "named"),
            new XAttribute("aliases", parameter.Aliases.Count == 0 ? "none" : string.Join(", ", parameter.Aliases)),
            new XElement(s_maml + "name", parameter.Name),
            description,
            parameter.IsSwitch ? null : new XElement(s_command + "parameterValue", new XAttribute("required", true), parameter.TypeName)
        );

    /// <summary>A parameter with its description.</summary>
    private static XElement Element(Parameter parameter, PageParameter page)
    {
        XElement element = Element(parameter, parameter.Uses[0], Description(page.Description));
        element.Add(Type(parameter.TypeName), new XElement(s_dev + "defaultValue", page.DefaultValue));
        return element;
    }

    private static XElement Element(string name, PageType type) => new(s_command + name, Type(type.Name), Description(type.Description));

    private static XElement Type(string name) => new(s_dev + "type", new XElement(s_maml + "name", name), new XElement(s_maml + "uri"));

    private static XElement Link(string text, string address) =>
        new(s_maml + "navigationLink", new XElement(s_maml + "linkText", text), new XElement(s_maml + "uri", address));

    private static XElement Description(Prose prose) => new(s_maml + "description", Paragraphs(prose));

    private static IEnumerable<XElement> Paragraphs(Prose prose) => prose.Paragraphs.Select(p => new XElement(s_maml + "para", p.Text));
}
