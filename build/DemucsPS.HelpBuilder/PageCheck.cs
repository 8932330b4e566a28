namespace DemucsPS.HelpBuilder;

/// <summary>Pages against what was compiled.</summary>
internal static class PageCheck
{
    private const string Remedy = "'dotnet build src/DemucsPS -p:UpdateHelp=true' writes what pages repeat of the cmdlets.";

    /// <param name="page">The page.</param>
    /// <param name="command">Its cmdlet.</param>
    /// <param name="module">What has it.</param>
    /// <param name="add">Whether parameters that the page lacks are added to it, so that they can be described.</param>
    /// <param name="faults">What is wrong is added to these.</param>
    public static void Check(Page page, Command command, Module module, bool add, List<Fault> faults)
    {
        void Blame(int line, string message) => faults.Add(new(page.File, line, message));

        foreach (PageParameter parameter in page.Parameters.Where(p => !command.Parameters.Any(c => c.Name == p.Name)))
            Blame(parameter.Line, $"{command.Name} has no parameter -{parameter.Name}.");
        foreach (PageParameter twice in page.Parameters.GroupBy(p => p.Name).Where(g => g.Count() > 1).Select(g => g.Last()))
            Blame(twice.Line, $"-{twice.Name} is here twice.");
        foreach (PageParameter parameter in page.Parameters.Where(p => p.DefaultValue is null && !add))
            Blame(parameter.Line, $"-{parameter.Name} has no block of yaml with its DefaultValue. {Remedy}");
        foreach (Parameter missing in command.Parameters.Where(c => !page.Parameters.Any(p => p.Name == c.Name)))
        {
            Blame(
                1,
                add
                    ? $"'### -{missing.Name}' was added; describe it."
                    : $"There is no '### -{missing.Name}', which {command.Name} has. {Remedy}"
            );
            if (add)
            {
                int end = page.Parameters.FindIndex(p => p.Name == "WhatIf");
                page.Parameters.Insert(
                    end < 0 || missing.Name == "Confirm" ? page.Parameters.Count : end,
                    new(missing.Name, 1, new([]), null)
                );
            }
        }
        foreach (string output in command.OutputTypes.Except(page.Outputs.Select(o => o.Name)))
            Blame(1, $"There is no '### {output}' in '## OUTPUTS', and {command.Name} gives such objects.");
        foreach (PageType type in page.Inputs.Concat(page.Outputs))
        {
            if (type.Name.StartsWith("DemucsPS.", StringComparison.Ordinal) && !module.HasType(type.Name))
                Blame(type.Line, $"There is no type {type.Name}.");
        }
        foreach (PageLink link in page.Links.Where(l => l.Target is not null))
        {
            if (!File.Exists(Path.Combine(Path.GetDirectoryName(page.File)!, link.Target!)))
                Blame(link.Line, $"There is no file {link.Target}.");
        }
    }

    /// <summary>Says in which line a file is not as it should be.</summary>
    public static void Compare(string file, string expected, List<Fault> faults)
    {
        string[] has = File.ReadAllText(file).ReplaceLineEndings("\n").Split('\n'),
            wanted = expected.Split('\n');
        int line = has.Zip(wanted).TakeWhile(pair => pair.First == pair.Second).Count();
        if (line < has.Length || line < wanted.Length)
        {
            string fault =
                line == wanted.Length
                    ? "The file should end before this line"
                    : $"'{has.ElementAtOrDefault(line)}' should be '{wanted[line]}'";
            faults.Add(new(file, line + 1, $"{fault}. {Remedy}"));
        }
    }
}
