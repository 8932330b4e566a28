namespace DemucsPS.Engine.Files;

/// <summary>
/// Does to a file what Windows refuses while another program has it open. Scanners and indexers look at every new file for a moment, so it
/// is tried again, for two seconds at most.
/// </summary>
/// <param name="onWindows">Whether this is Windows. Other systems rename and delete open files, so what they refuse they refuse for
/// good.</param>
/// <param name="wait">Waits for the given time.</param>
internal sealed class RefusalPatience(bool onWindows, Action<TimeSpan> wait)
{
    private static readonly TimeSpan[] s_pauses =
    [
        .. new[] { 10, 20, 50, 100, 200, 500, 1000 }.Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds)),
    ];

    /// <summary>That of this machine.</summary>
    public static RefusalPatience System { get; } = new(OperatingSystem.IsWindows(), Thread.Sleep);

    /// <summary>Does something that either happens as a whole or fails.</summary>
    /// <exception cref="IOException">As <paramref name="change"/>: at once, or refused to the end.</exception>
    /// <exception cref="UnauthorizedAccessException">As <paramref name="change"/>: refused to the end.</exception>
    public T Do<T>(Func<T> change)
    {
        for (int refused = 0; ; refused++)
        {
            try
            {
                return change();
            }
            catch (Exception e) when (refused < s_pauses.Length && onWindows && (IsOpenElsewhere(e) || IsDenied(e)))
            {
                wait(s_pauses[refused]);
            }
        }
    }

    /// <summary>What the user can do about a file that could not be written, in sentences.</summary>
    public string RemedyFor(Exception cause) =>
        IsOpenElsewhere(cause) ? "Close the program that has it open, and try again."
        : IsDenied(cause) ? "Close programs that have it open. Check its permissions and the folder's, and that it is not read-only."
        : "Check that the disk is connected and has free space, and check the folder's permissions.";

    /// <summary>Whether something failed because a file is open, here or in another program, and not shared.</summary>
    /// <remarks>
    /// On Windows ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_DELETE_PENDING and ERROR_USER_MAPPED_FILE. Elsewhere only programs
    /// made with .NET keep files to themselves: EWOULDBLOCK of Linux and of macOS.
    /// </remarks>
    public bool IsOpenElsewhere(Exception e) =>
        e.GetType() == typeof(IOException) && (onWindows ? (e.HResult & 0xFFFF) is 32 or 33 or 303 or 1224 : e.HResult is 11 or 35);

    // Also what a rename is told whose target is open.
    private bool IsDenied(Exception e) => onWindows && e is UnauthorizedAccessException;
}
