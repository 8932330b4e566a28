using System.Runtime.InteropServices;

namespace DemucsPS.Engine.Tests;

/// <summary>Does something without an administrator's right to read everything, which test runs in containers often have.</summary>
internal static class UnprivilegedThread
{
    private const uint Nobody = 65534;

    /// <summary>Runs it on a thread of its own; skips the test where the right cannot be laid down.</summary>
    public static void Run(Action action)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no permission bits.");
        if (!Environment.IsPrivilegedProcess)
        {
            action();
            return;
        }
        Assert.SkipUnless(OperatingSystem.IsLinux(), "root reads everything.");
        Exception? failure = null;
        Thread thread = new(() =>
        {
            // For this thread only, which ends with it.
            _ = SetUser(Nobody);
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        if (failure is not null)
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
    }

    [DllImport("libc", EntryPoint = "setfsuid")]
    private static extern int SetUser(uint user);
}
