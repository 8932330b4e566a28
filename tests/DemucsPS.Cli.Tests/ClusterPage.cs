using System.Diagnostics;

namespace DemucsPS.Cli.Tests;

/// <summary>What docs/CLUSTER.md shows to be run, taken out of it and run with the built program.</summary>
internal static class ClusterPage
{
    /// <summary>A block of the page, by something that only it has.</summary>
    public static string Block(string has)
    {
        string page = File.ReadAllText(Path.Combine(RepositoryFiles.Root, "docs", "CLUSTER.md"));
        int at = page.IndexOf(has, StringComparison.Ordinal);
        Assert.True(at > 0, $"There is no {has} in docs/CLUSTER.md.");
        int first = page.IndexOf('\n', page.LastIndexOf("```", at, StringComparison.Ordinal)) + 1;
        return page[first..page.IndexOf("```", at, StringComparison.Ordinal)];
    }

    /// <summary>Puts the built program on a folder's own path, under its name.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="before">Lines of shell that come before the program.</param>
    public static void Install(TemporaryFolder folder, string before = "")
    {
        Directory.CreateDirectory(folder["bin"]);
        File.WriteAllText(
            folder["bin", "demucsps"],
            $"#!/bin/sh\n{before}\nexec {string.Join(' ', Demucsps.Command.Select(word => $"'{word}'"))} \"$@\"\n"
        );
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder["bin", "demucsps"], UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    /// <summary>Runs a command with the program on its path.</summary>
    public static (int ExitCode, string Error) Run(
        TemporaryFolder folder,
        IReadOnlyDictionary<string, string> variables,
        string program,
        params string[] arguments
    )
    {
        ProcessStartInfo start = new(program, arguments)
        {
            WorkingDirectory = folder.Path,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            RedirectStandardInput = true,
        };
        start.Environment["PATH"] = folder["bin"] + ":" + start.Environment["PATH"];
        start.Environment["HOME"] = folder.Path;
        start.Environment["DEMUCSPS_MODELS"] = folder["no-models"];
        foreach ((string name, string value) in variables)
            start.Environment[name] = value;
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, error + output.GetAwaiter().GetResult());
    }
}
