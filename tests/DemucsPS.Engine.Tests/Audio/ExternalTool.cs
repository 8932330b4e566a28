using System.Diagnostics;

namespace DemucsPS.Engine.Tests.Audio;

/// <summary>Programs that tests compare with. A test that needs one is skipped, by name, where it is not installed.</summary>
internal static class ExternalTool
{
    public static string FindOrSkip(string name)
    {
        string file = OperatingSystem.IsWindows() ? name + ".exe" : name;
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            if (Path.IsPathFullyQualified(folder) && File.Exists(Path.Combine(folder, file)))
                return Path.Combine(folder, file);
        }

        Assert.Skip($"{name} is not installed: install it to run this test.");
        return "";
    }

    public static void Run(string executable, params string[] arguments)
    {
        (int exitCode, string words) = RunAnyway(executable, arguments);
        Assert.True(exitCode == 0, $"{executable} failed: {words}");
    }

    /// <summary>Runs a program that may say that something is wrong.</summary>
    public static (int ExitCode, string Words) RunAnyway(string executable, params string[] arguments)
    {
        ProcessStartInfo info = new(executable) { RedirectStandardError = true, RedirectStandardOutput = true };
        foreach (string argument in arguments)
            info.ArgumentList.Add(argument);
        using Process process = Process.Start(info)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, $"{errors} {output.Result}");
    }

    /// <summary>Runs a program between two pipes.</summary>
    /// <returns>What it writes into its standard output.</returns>
    public static byte[] Filter(string executable, byte[] input, params string[] arguments)
    {
        ProcessStartInfo info = new(executable)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        foreach (string argument in arguments)
            info.ArgumentList.Add(argument);
        using Process process = Process.Start(info)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        using MemoryStream output = new();
        Task reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        process.StandardInput.BaseStream.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        reading.Wait();
        Assert.True(process.ExitCode == 0, $"{executable} failed: {errors.Result}");
        return output.ToArray();
    }
}
