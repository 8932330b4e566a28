using System.Text;

namespace DemucsPS.HelpBuilder;

/// <summary>Makes the help that Get-Help reads, from the pages in docs/help and from what the compiled cmdlets say of themselves.</summary>
internal static class Program
{
    private const string Usage = "DemucsPS.HelpBuilder build|update PAGES ASSEMBLY REFERENCES OUTPUT [ADDRESS]";

    private static int Main(string[] args) => Run(args, Console.Out);

    /// <param name="args">
    /// Whether pages are only read or what they repeat of the cmdlets is written anew; the folder of pages; the module's assembly; a file
    /// that
    /// lists the assemblies that it needs; the file to write; where pages are on the web, for Get-Help -Online.
    /// </param>
    /// <param name="messages">Where faults of pages go, as builds show them with file and line.</param>
    internal static int Run(string[] args, TextWriter messages)
    {
        if (
            args
                is not [
                    ("build" or "update")
                    and string task,
                    string folder,
                    string assembly,
                    string references,
                    string output,
                    .. string[] rest,
                ]
            || rest.Length > 1
        )
        {
            messages.WriteLine(Usage);
            return 2;
        }
        string? address = rest is [{ Length: > 0 } given] ? given.TrimEnd('/') : null;
        using Module module = new(assembly, File.ReadAllLines(references));
        List<Fault> faults = [];
        List<(Page Page, Command Command)> commands = [];
        List<string> strangers =
        [
            .. Directory.EnumerateFiles(folder, "*.md").Select(file => Path.GetFileName(file)!).Where(file => file != Index.FileName),
        ];
        foreach (Command command in module.Commands)
        {
            string file = Path.Combine(folder, $"{command.Name}.md");
            if (!strangers.Remove(Path.GetFileName(file)))
            {
                faults.Add(new(file, 1, $"There is no page for {command.Name}."));
                continue;
            }
            List<Fault> pageFaults = [];
            Page page = Page.Read(file, pageFaults);
            PageCheck.Check(page, command, module, task == "update", pageFaults);
            if (task == "update")
                Replace(file, PageText.Of(page, command));
            else if (pageFaults.Count == 0)
                PageCheck.Compare(file, PageText.Of(page, command), pageFaults);
            faults.AddRange(pageFaults);
            commands.Add((page, command));
        }
        faults.AddRange(strangers.Select(file => new Fault(Path.Combine(folder, file), 1, "There is no such cmdlet.")));
        string index = Path.Combine(folder, Index.FileName);
        string expected = Index.WithRows(File.ReadAllText(index), commands.Select(c => c.Page));
        if (task == "update")
            Replace(index, expected);
        else
            PageCheck.Compare(index, expected, faults);

        foreach (Fault fault in faults)
            messages.WriteLine(fault);
        if (faults.Count > 0)
            return 1;
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(output))!);
        Maml.Write(commands, address, output);
        return 0;
    }

    /// <summary>Writes a file if it says something else.</summary>
    private static void Replace(string file, string text)
    {
        if (File.ReadAllText(file) != text)
            File.WriteAllText(file, text, new UTF8Encoding(false));
    }
}
