using System.Diagnostics;
using System.Reflection;

namespace DemucsPS.Cli.Tests;

/// <summary>The built console program, run as a user would.</summary>
internal static class Demucsps
{
    private static string Assembly
    {
        get
        {
            string configuration = typeof(Demucsps).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "Configuration").Value!;
            return Path.Combine(RepositoryFiles.Root, "src", "DemucsPS.Cli", "bin", configuration, "net10.0", "demucsps.dll");
        }
    }

    /// <summary>Runs the program to its end.</summary>
    public static (int ExitCode, string Output, string Error) Run(string folder, params string[] arguments) => Run(folder, null, arguments);

    /// <summary>Runs the program to its end with further environment variables (null removes one).</summary>
    public static (int ExitCode, string Output, string Error) Run(string folder, Dictionary<string, string?>? environment, params string[] arguments)
    {
        using Process process = Start(folder, environment, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"demucsps {string.Join(' ', arguments)} hung: {error.Result}");
        }
        return (process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts the program.</summary>
    public static Process Start(string folder, Dictionary<string, string?>? environment, params string[] arguments)
    {
        ProcessStartInfo start = new("dotnet", ["exec", Assembly, .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = System.Text.Encoding.UTF8,
            StandardErrorEncoding = System.Text.Encoding.UTF8,
        };
        // What a developer has installed must not matter.
        start.Environment["DEMUCSPS_MODELS"] = Path.Combine(folder, "no-models");
        start.Environment.Remove("DEMUCSPS_MODEL");
        start.Environment.Remove("DEMUCSPS_CATALOGUE");
        foreach ((string name, string? value) in environment ?? [])
        {
            if (value is null)
                start.Environment.Remove(name);
            else
                start.Environment[name] = value;
        }
        return Process.Start(start)!;
    }
}
