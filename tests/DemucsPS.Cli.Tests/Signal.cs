using System.Runtime.InteropServices;

namespace DemucsPS.Cli.Tests;

/// <summary>Signals to one process. Windows has none: there nothing is done.</summary>
internal static class Signal
{
    /// <summary>Asks it to end, as Ctrl+C does.</summary>
    public static void Terminate(int process) => Send(process, 15);

    /// <summary>Ends it at once.</summary>
    public static void Kill(int process) => Send(process, 9);

    /// <summary>Stops it until it is continued.</summary>
    public static void Stop(int process) => Send(process, OperatingSystem.IsMacOS() ? 17 : 19);

    /// <summary>Lets it go on.</summary>
    public static void Continue(int process) => Send(process, OperatingSystem.IsMacOS() ? 19 : 18);

    /// <summary>Sends a signal by its number.</summary>
    public static void Send(int process, int signal)
    {
        if (!OperatingSystem.IsWindows())
            Assert.Equal(0, Kill(process, signal));
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Kill(int process, int signal);
}
