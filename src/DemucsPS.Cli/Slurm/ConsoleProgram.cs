namespace DemucsPS.Cli.Slurm;

/// <summary>This program, as others start it.</summary>
internal static class ConsoleProgram
{
    /// <summary>Full path, and arguments before its own.</summary>
    public static string[] Here()
    {
        string assembly = Path.Combine(AppContext.BaseDirectory, "demucsps.dll"),
            program = Environment.ProcessPath!;
        return Path.GetFileNameWithoutExtension(program) == "dotnet" ? [program, "exec", assembly] : [program];
    }
}
