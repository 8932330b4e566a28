using System.Runtime.InteropServices;

namespace DemucsPS.Cli;

/// <summary>
/// Notices that the reader of the results is gone (<c>demucsps … | head -1</c>). The runtime ignores such pipes, and hours may pass between
/// two results, so a failed write would come too late.
/// </summary>
internal sealed class ClosedPipe : IDisposable
{
    /// <summary>What shells give for a program that a closed pipe ended: 128 + SIGPIPE.</summary>
    public const int ExitCode = 141;

    private const int StandardOutput = 1;
    private const short Broken = 0x08 | 0x10;
    private static readonly TimeSpan s_interval = TimeSpan.FromMilliseconds(250);

    private readonly Timer? _timer;
    private readonly CancellationTokenSource _closed;

    /// <param name="cancellationToken">Linked into <see cref="Token"/>.</param>
    public ClosedPipe(CancellationToken cancellationToken)
    {
        _closed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // Windows has no such question; there the program runs to its end.
        if (!OperatingSystem.IsWindows() && Console.IsOutputRedirected)
            _timer = new Timer(_ => Look(), null, s_interval, s_interval);
    }

    /// <summary>Canceled with the token that was given, or when the pipe is closed.</summary>
    public CancellationToken Token => _closed.Token;

    /// <summary>Whether the pipe was closed.</summary>
    public bool IsClosed { get; private set; }

    public void Dispose()
    {
        using ManualResetEvent ended = new(false);
        if (_timer?.Dispose(ended) == true)
            ended.WaitOne();
        _closed.Dispose();
    }

    private void Look()
    {
        PollRequest request = new() { File = StandardOutput };
        if (IsClosed || Poll(ref request, 1, 0) <= 0 || (request.Found & Broken) == 0)
            return;
        IsClosed = true;
        _closed.Cancel();
    }

    [DllImport("libc", EntryPoint = "poll")]
    private static extern int Poll(ref PollRequest requests, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollRequest
    {
        public int File;
        public short Wanted;
        public short Found;
    }
}
