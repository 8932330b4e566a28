using System.Management.Automation;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using DemucsPS.Cmdlets;

namespace DemucsPS.Tests;

/// <summary>The pages in docs/help, what is built from them, and what the builder says of pages that are wrong.</summary>
public sealed partial class HelpTests : IDisposable
{
    private const string Page = "Show-Spectrogram.md";

    private static readonly string s_pages = Path.Combine(RepositoryFiles.Root, "docs", "help");
    private static readonly XNamespace s_maml = "http://schemas.microsoft.com/maml/2004/10";
    private static readonly XNamespace s_dev = "http://schemas.microsoft.com/maml/dev/2004/10";
    private static readonly XNamespace s_command = "http://schemas.microsoft.com/maml/dev/command/2004/10";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_cmdlet_has_a_page_with_its_parameters_and_no_others()
    {
        using Session session = new();
        foreach (CmdletInfo command in session.Run("Get-Command -Module DemucsPS").AssertNoErrors().All<CmdletInfo>())
        {
            IEnumerable<string> parameters = command.Parameters.Keys.Except(Cmdlet.CommonParameters);
            IEnumerable<string> described = ParameterHeading()
                .Matches(Text(Path.Combine(s_pages, $"{command.Name}.md")))
                .Select(m => m.Groups[1].Value);
            Assert.Equal(parameters.Order(), described.Order());
        }
    }

    [Fact]
    public void The_built_help_says_what_the_pages_say_and_nothing_else()
    {
        XElement[] commands = [.. Built().Root!.Elements()];
        Assert.Equal(Pages().Order(), commands.Select(c => $"{Name(c)}.md").Order());
        foreach (XElement command in commands)
        {
            // Read here in another way than the builder does: what stands between headings and blocks, without marks.
            string text = Text(Path.Combine(s_pages, $"{Name(command)}.md"));
            string[] said =
            [
                .. Block()
                    .Replace(text[text.IndexOf("\n# ", StringComparison.Ordinal)..], "\n")
                    .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
                    .Select(p => p.Trim('\n'))
                    .Where(p => p.Length > 0 && !p.StartsWith('#') && !p.StartsWith("- ", StringComparison.Ordinal))
                    .Select(p => Mark().Replace(p.ReplaceLineEndings(" "), "$1$2")),
            ];
            Assert.Equal(
                said.Where(p => !p.StartsWith("The parameters that all cmdlets have", StringComparison.Ordinal)).Order(),
                command.Descendants(s_maml + "para").Select(p => p.Value).Where(p => p.Length > 0).Order()
            );
            Assert.Equal(Code().Matches(text).Select(m => m.Groups[1].Value), command.Descendants(s_dev + "code").Select(c => c.Value));
            Assert.Equal(
                DefaultValue()
                    .Matches(text)
                    .Select(m =>
                        m.Groups[1].Value is ['\'', .. string quoted, '\'']
                            ? quoted.Replace("''", "'", StringComparison.Ordinal)
                            : m.Groups[1].Value
                    ),
                command.Descendants(s_dev + "defaultValue").Select(v => v.Value)
            );
        }
    }

    [Fact]
    public void The_index_has_every_cmdlet_with_its_synopsis()
    {
        IEnumerable<string> rows = Text(Path.Combine(s_pages, "README.md"))
            .Split('\n')
            .Where(line => line.StartsWith("| [", StringComparison.Ordinal));
        Assert.Equal(
            Built()
                .Root!.Elements()
                .Select(c => $"| [{Name(c)}]({Name(c)}.md) | {c.Element(s_command + "details")!.Element(s_maml + "description")!.Value} |"),
            rows
        );
    }

    [Fact]
    public void Help_that_knows_no_address_of_the_project_names_none()
    {
        Assert.All(Built().Descendants(s_maml + "uri"), address => Assert.Empty(address.Value));
        using Session session = new();
        Assert.Contains(
            "Internet address",
            session.Run("Get-Help Show-StemPlayer -Online").Failure!.Exception.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void With_the_projects_address_the_first_link_of_each_cmdlet_is_its_page()
    {
        (int code, string said) = Build("build", s_pages, "https://example.org/blob/v1/docs/help/");
        Assert.Equal((0, ""), (code, said));
        foreach (XElement command in XDocument.Load(_folder["help.xml"]).Root!.Elements())
        {
            XElement[] addresses = [.. command.Descendants(s_maml + "navigationLink").Select(link => link.Element(s_maml + "uri")!)];
            Assert.Equal($"https://example.org/blob/v1/docs/help/{Name(command)}.md", addresses[0].Value);
            Assert.All(addresses[1..], address => Assert.Empty(address.Value));
        }
    }

    [Fact]
    public void Two_builds_give_the_same_bytes_whatever_ends_lines()
    {
        Assert.Equal(0, Build("build", s_pages).Code);
        byte[] first = File.ReadAllBytes(_folder["help.xml"]);
        CopyPages();
        foreach (string page in Pages())
            File.WriteAllText(Copied(page), File.ReadAllText(Copied(page)).ReplaceLineEndings("\r\n"));
        Assert.Equal((0, ""), Build("build", Copied("")));
        Assert.Equal(first, File.ReadAllBytes(_folder["help.xml"]));
        Assert.DoesNotContain((byte)'\r', first);
    }

    /// <param name="old">What of the page goes, where it stands first.</param>
    /// <param name="written">What comes.</param>
    /// <param name="blamed">The line that is blamed is the last one that begins so; null for the first one of the page.</param>
    /// <param name="fault">What is said of it.</param>
    [Theory]
    [InlineData("### -Dpi\n", "### -Dots\n", null, "There is no '### -Dpi', which Show-Spectrogram has.")]
    [InlineData("### -Dpi\n", "### -Dots\n", "### -Dots", "Show-Spectrogram has no parameter -Dots.")]
    [InlineData("### -Dpi\n", "### Dpi\n", "### Dpi", "A parameter begins with a hyphen: '### -Dpi'.")]
    [InlineData("### -Dpi\n", "### -Title\n\nTwice.\n\n### -Dpi\n", "### -Title", "-Title is here twice.")]
    [InlineData("DefaultValue: 96\n", "", "### -Dpi", "-Dpi has no block of yaml with its DefaultValue.")]
    [InlineData("DefaultValue: 96\n", "DefaultValue:  96\n", "DefaultValue:  96", "'DefaultValue:  96' should be 'DefaultValue: 96'.")]
    [InlineData("Type: System.Int32\n", "Type: System.Byte\n", "Type: System.Byte", "'Type: System.Byte' should be 'Type: System.Int32'.")]
    [InlineData("  Position: 0\n", "  Position: 1\n", "  Position: 1", "'  Position: 1' should be '  Position: 0'.")]
    [InlineData("[-Dpi <Int32>] ", "", "    [-Start", "'    [-Start <Double>] [-Duration")]
    [InlineData("# Show-Spectrogram\n", "# Show-Picture\n", "# Show-Picture", "'# Show-Picture' should be '# Show-Spectrogram'.")]
    [InlineData("## NOTES\n", "## REMARKS\n", "## REMARKS", "There is no section 'REMARKS' in help")]
    [InlineData("## NOTES\n", "## REMARKS\n", null, "There is no '## NOTES'.")]
    [InlineData("## NOTES\n", "## NOTES\n\nMore.\n\n## NOTES\n", "## NOTES", "'## NOTES' is here twice.")]
    [InlineData("## NOTES\n", "## NOTES\n\n### -Part\n\n", "### -Part", "'## NOTES' has no parts.")]
    [InlineData("## SYNOPSIS\n", "Before.\n\n## SYNOPSIS\n", "Before.", "This stands before '## SYNOPSIS'.")]
    [InlineData("## PARAMETERS\n", "## PARAMETERS\n\nMany.\n", "Many.", "This stands in '## PARAMETERS' before its first part.")]
    [InlineData(
        "## DESCRIPTION\n",
        "## DESCRIPTION\n\n- one\n- two\n",
        "- one",
        "Get-Help has paragraphs only, and no ListBlock as in 'DESCRIPTION'."
    )]
    [InlineData("## DESCRIPTION\n", "## DESCRIPTION\n\nA <b>bold</b> word.\n", "A <b>", "Get-Help cannot show '<b>'.")]
    [InlineData("Nothing: the picture goes to the host.\n", "", "### System.Void", "'System.Void' has no text.")]
    [InlineData("### Example 1: ", "### Example: ", "### Example: ", "should be 'Example NUMBER: TITLE'.")]
    [InlineData("### Example 2: ", "### Example 3: ", "### Example 3: ", "should be '### Example 2: ")]
    [InlineData("```powershell\n", "First:\n\n```powershell\n", "### Example 1", "An example begins with its code")]
    [InlineData("### System.Void\n", "### System.Int32\n", null, "There is no '### System.Void' in '## OUTPUTS'")]
    [InlineData(
        "### System.Object\n",
        "### DemucsPS.Engine.Nothing\n",
        "### DemucsPS.Engine.Nothing",
        "There is no type DemucsPS.Engine.Nothing."
    )]
    [InlineData("- [Export", "See also:\n\n- [Export", "See also:", "Links are a list")]
    [InlineData("- [Export", "- one\n\n  two\n- [Export", "- one", "A link is one line.")]
    [InlineData("about_DemucsPS.help.txt)\n", "about_DemucsPS.help.txt)\n\n", "", "The file should end before this line.")]
    [InlineData("(Export-Spectrogram.md)", "(Export-Picture.md)", "- [Export-Spectrogram]", "There is no file Export-Picture.md.")]
    public void A_fault_in_a_page_is_told_with_its_file_and_line(string old, string written, string? blamed, string fault)
    {
        CopyPages();
        string text = Text(Copied(Page));
        int at = text.IndexOf(old, StringComparison.Ordinal);
        Assert.True(at > 0, $"The page has no '{old}'.");
        text = text[..at] + written + text[(at + old.Length)..];
        File.WriteAllText(Copied(Page), text);
        (int code, string said) = Build("build", Copied(""));
        Assert.Equal(1, code);
        int line = blamed is null ? 1 : Array.FindLastIndex(text.Split('\n'), l => l.StartsWith(blamed, StringComparison.Ordinal)) + 1;
        Assert.Contains(said.Split('\n'), l =>
            l.StartsWith($"{Copied(Page)}({line}): error HELP: ", StringComparison.Ordinal) && l.Contains(fault, StringComparison.Ordinal)
        );
        Assert.False(File.Exists(_folder["help.xml"]));
    }

    [Fact]
    public void A_page_too_few_and_one_too_many_are_faults()
    {
        CopyPages();
        File.Move(Copied(Page), Copied("Show-Picture.md"));
        (int code, string said) = Build("build", Copied(""));
        Assert.Equal(1, code);
        Assert.Contains($"{Copied(Page)}(1): error HELP: There is no page for Show-Spectrogram.", said, StringComparison.Ordinal);
        Assert.Contains($"{Copied("Show-Picture.md")}(1): error HELP: There is no such cmdlet.", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_synopsis_that_the_index_has_otherwise_is_a_fault_of_the_index()
    {
        CopyPages();
        string[] lines = Text(Copied("README.md")).Split('\n');
        int row = Array.FindIndex(lines, l => l.StartsWith("| [Split-AudioChunk]", StringComparison.Ordinal));
        lines[row] = "| [Split-AudioChunk](Split-AudioChunk.md) | Something else. |";
        File.WriteAllLines(Copied("README.md"), lines[..^1]);
        (int code, string said) = Build("build", Copied(""));
        Assert.Equal(1, code);
        Assert.StartsWith(
            $"{Copied("README.md")}({row + 1}): error HELP: '{lines[row]}' should be '| [Split-AudioChunk](Split-AudioChunk.md) | ",
            said,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void What_pages_repeat_of_the_cmdlets_is_written_on_request()
    {
        CopyPages();
        foreach (string page in Pages())
        {
            string text = Text(Copied(page));
            text = text[text.IndexOf("\n# ", StringComparison.Ordinal)..];
            text = Regex.Replace(text, @"(?s)## SYNTAX\n.*?\n(?=## )", "");
            File.WriteAllText(Copied(page), Regex.Replace(text, @"(?s)```yaml\n.*?(DefaultValue: [^\n]*\n).*?```", "```yaml\n$1```"));
        }
        Assert.Equal((0, ""), Build("update", Copied("")));
        Assert.All(Pages(), page => Assert.Equal(Text(Path.Combine(s_pages, page)), Text(Copied(page))));
    }

    [Fact]
    public void A_parameter_without_a_description_is_added_and_the_description_asked_for()
    {
        CopyPages();
        string text = Text(Copied(Page));
        int at = text.IndexOf("### -Dpi\n", StringComparison.Ordinal);
        File.WriteAllText(Copied(Page), text[..at] + text[text.IndexOf("### ", at + 1, StringComparison.Ordinal)..]);
        Assert.Contains("'### -Dpi' was added; describe it.", Build("update", Copied("")).Said, StringComparison.Ordinal);
        Assert.Contains("### -Dpi\n\n```yaml\nType: System.Int32\nDefaultValue: None\n", Text(Copied(Page)), StringComparison.Ordinal);
        (int code, string said) = Build("build", Copied(""));
        Assert.Equal(1, code);
        Assert.EndsWith("error HELP: '-Dpi' has no text.\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public void A_call_that_is_not_understood_says_how_it_is_called()
    {
        StringWriter said = new() { NewLine = "\n" };
        Assert.Equal(2, HelpBuilder.Program.Run(["make", "one"], said));
        Assert.StartsWith("DemucsPS.HelpBuilder build|update ", said.ToString(), StringComparison.Ordinal);
    }

    /// <summary>Runs the builder on pages, with the module that is tested, into help.xml of the test's folder.</summary>
    private (int Code, string Said) Build(string task, string pages, string address = "")
    {
        string module = typeof(ImportAudioTrackCommand).Assembly.Location;
        // All that this process may load, PowerShell among it.
        string references = _folder["references.txt"];
        File.WriteAllLines(references, ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator));
        StringWriter said = new() { NewLine = "\n" };
        int code = HelpBuilder.Program.Run([task, pages, module, references, _folder["help.xml"], address], said);
        return (code, said.ToString());
    }

    /// <summary>Into the test's folder, to be changed there, with the topics that they link to.</summary>
    private void CopyPages()
    {
        Directory.CreateDirectory(Copied(""));
        foreach (string page in Pages().Append("README.md"))
            File.Copy(Path.Combine(s_pages, page), Copied(page));
        Directory.CreateDirectory(_folder["en-US"]);
        foreach (string topic in Directory.EnumerateFiles(Path.Combine(RepositoryFiles.Root, "en-US")))
            File.Copy(topic, _folder["en-US", Path.GetFileName(topic)]);
    }

    private string Copied(string page) => _folder["docs", "help", page];

    private static string Name(XElement command) => command.Element(s_command + "details")!.Element(s_command + "name")!.Value;

    private static IEnumerable<string> Pages() => Directory.EnumerateFiles(s_pages, "*-*.md").Select(file => Path.GetFileName(file)!);

    private static string Text(string file) => File.ReadAllText(file).ReplaceLineEndings("\n");

    /// <summary>The help as it was built beside the tests.</summary>
    private static XDocument Built() => XDocument.Load(Path.Combine(AppContext.BaseDirectory, "en-US", "DemucsPS.dll-Help.xml"));

    [GeneratedRegex(@"^### -(\w+)$", RegexOptions.Multiline)]
    private static partial Regex ParameterHeading();

    /// <summary>Blocks of code and of facts.</summary>
    [GeneratedRegex(@"^```.*?^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"`([^`]+)`|\[([^]]+)\]\([^)]+\)")]
    private static partial Regex Mark();

    [GeneratedRegex(@"^```powershell\n(.*?)\n```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex("^DefaultValue: (.*)$", RegexOptions.Multiline)]
    private static partial Regex DefaultValue();
}
