using System.Diagnostics;
using System.Reflection;

namespace DemucsPS.Cli.Tests;

/// <summary>The built console program, run as a user would.</summary>
internal static class Demucsps
{
    /// <summary>Names another program to run, by its full path: one that was published for a system without the SDK.</summary>
    private const string ProgramVariable = "DEMUCSPS_TEST_PROGRAM";

    /// <summary>Full path of the program.</summary>
    public static string Assembly
    {
        get
        {
            string configuration = typeof(Demucsps)
                .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
                .Single(a => a.Key == "Configuration")
                .Value!;
            return Path.Combine(RepositoryFiles.Root, "src", "DemucsPS.Cli", "bin", configuration, "net10.0", "demucsps.dll");
        }
    }

    /// <summary>How it is called.</summary>
    public static string[] Command =>
        Environment.GetEnvironmentVariable(ProgramVariable) is { Length: > 0 } published ? [published] : ["dotnet", "exec", Assembly];

    /// <summary>Runs the program to its end.</summary>
    public static (int ExitCode, string Output, string Error) Run(string folder, params string[] arguments) => Run(folder, null, arguments);

    /// <summary>Runs the program to its end with further environment variables (null removes one).</summary>
    public static (int ExitCode, string Output, string Error) Run(
        string folder,
        Dictionary<string, string?>? environment,
        params string[] arguments
    )
    {
        using Process process = Start(folder, environment, arguments);
        return End(process, arguments);
    }

    /// <summary>As above, without an administrator's right to read everything; the test is skipped where that cannot be had.</summary>
    public static (int ExitCode, string Output, string Error) RunUnprivileged(
        string folder,
        Dictionary<string, string?>? environment,
        params string[] arguments
    )
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no permission bits.");
        string[] before = [];
        if (Environment.IsPrivilegedProcess)
        {
            Assert.SkipUnless(
                File.Exists("/usr/bin/setpriv"),
                "root reads everything, and setpriv, which lays that right down, is not installed."
            );
            before = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
            using Process probe = Start(folder, environment, ["--version"], before);
            Assert.SkipUnless(End(probe, ["--version"]).ExitCode == 0, "root reads everything, and nobody else can read the program here.");
        }
        using Process process = Start(folder, environment, arguments, before);
        return End(process, arguments);
    }

    private static (int ExitCode, string Output, string Error) End(Process process, string[] arguments)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(),
            error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"demucsps {string.Join(' ', arguments)} hung: {error.Result}");
        }
        return (process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts the program.</summary>
    public static Process Start(string folder, Dictionary<string, string?>? environment, params string[] arguments) =>
        Start(folder, environment, arguments, []);

    private static Process Start(string folder, Dictionary<string, string?>? environment, string[] arguments, string[] before)
    {
        string[] command = [.. before, .. Command, .. arguments];
        ProcessStartInfo start = new(command[0], command[1..])
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
        start.Environment.Remove("DEMUCSPS_CATALOG");
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
