using System.ComponentModel;
using System.Diagnostics;

namespace DemucsPS.Engine.Player;

/// <summary>Opens pages in the browser that the user has chosen.</summary>
public static class DesktopBrowser
{
    /// <summary>Opens a page.</summary>
    /// <param name="address">A full path, or an address.</param>
    /// <returns>Null if it was passed to the system; otherwise the reason, as a sentence.</returns>
    public static string? Open(string address) => Open(address, Environment.GetEnvironmentVariable);

    /// <summary>The same with given environment variables.</summary>
    internal static string? Open(string address, Func<string, string?> variable)
    {
        ProcessStartInfo start;
        if (OperatingSystem.IsWindows())
        {
            start = new ProcessStartInfo(address) { UseShellExecute = true };
        }
        else
        {
            // Without a display the program that opens pages would start a browser of a terminal, or wait for one.
            if (
                !OperatingSystem.IsMacOS()
                && string.IsNullOrEmpty(variable("DISPLAY"))
                && string.IsNullOrEmpty(variable("WAYLAND_DISPLAY"))
            )
                return $"'{address}' was not opened: there is no desktop (neither DISPLAY nor WAYLAND_DISPLAY is set). Open it in a browser.";
            start = new ProcessStartInfo(OperatingSystem.IsMacOS() ? "open" : "xdg-open") { UseShellExecute = false };
            start.ArgumentList.Add(address);
        }
        try
        {
            Process.Start(start)?.Dispose();
            return null;
        }
        catch (Exception e) when (e is Win32Exception or InvalidOperationException or FileNotFoundException)
        {
            return $"'{address}' was not opened: {e.Message.TrimEnd('.')}. Open it in a browser.";
        }
    }
}
