using System.Diagnostics;

namespace DemucsPS.Engine.Tests;

/// <summary>A file system in memory of a few megabytes.</summary>
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

    public void Grow(int bytes) => Assert.True(Run("mount", "-o", $"remount,size={bytes}", _path));

    public void Dispose() => Run("umount", _path);

    private static bool Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }
}
