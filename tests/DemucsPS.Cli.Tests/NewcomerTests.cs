using System.Diagnostics;

namespace DemucsPS.Cli.Tests;

/// <summary>docs/FIRST-FIVE-MINUTES.md tells what is seen, but for times.</summary>
public sealed class NewcomerTests
{
    [Fact]
    public void The_first_five_minutes_are_as_they_are_told()
    {
        Assert.SkipUnless(TestSet.IsLong, TestSet.OnlyLong);
        Assert.SkipUnless(OperatingSystem.IsLinux(), "This needs Linux.");
        using Process process = Process.Start(
            new ProcessStartInfo(Path.Combine(RepositoryFiles.Root, "tests", "newcomer", "run"), "--check")
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.SkipWhen(process.ExitCode == 3, output.Trim().Split('\n')[^1]);
        Assert.True(process.ExitCode == 0, output + error.Result);
    }
}
