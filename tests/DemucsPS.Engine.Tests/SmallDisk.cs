using System.Diagnostics;

namespace DemucsPS.Engine.Tests;

/// <summary>A file system in memory of a few megabytes, or a file in place of another that cannot be replaced.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly string _path;

    private SmallDisk(string path) => _path = path;

    public static SmallDisk? TryMount(string path, int bytes, bool readOnly)
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return null;
        Directory.CreateDirectory(path);
        return Run("mount", "-t", "tmpfs", "-o", $"size={bytes}{(readOnly ? ",ro" : "")}", "tmpfs", path) ? new SmallDisk(path) : null;
    }

    /// <summary>A file of one path at another, where it can be read and neither deleted nor replaced.</summary>
    public static SmallDisk? TryMountFile(string from, string at) =>
        OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess && Run("mount", "--bind", from, at) ? new SmallDisk(at) : null;

    public void Grow(int bytes) => Assert.True(Run("mount", "-o", $"remount,size={bytes}", _path));

    // By name at once, even where a program that was just started still holds what it inherited.
    public void Dispose() => Assert.True(Run("umount", "-l", _path));

    private static bool Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
