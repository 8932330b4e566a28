using System.Runtime.InteropServices;

namespace DemucsPS.Cli;

/// <summary>
/// Ends the program in order: by Ctrl+C, by SIGTERM, which schedulers and systems that shut down send, by SIGHUP, which comes when the
/// terminal or its connection is closed, by SIGUSR1, which Slurm sends some time before its limit where it is told to, and on Windows by
/// Ctrl+Break. The running chunk is stopped, and what is done is kept or removed.
/// </summary>
internal sealed class Interruption : IDisposable
{
    // Long enough to keep finished work, and short enough not to wait forever for a disk that is gone.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _signals = [];

    public Interruption()
    {
        Take(PosixSignal.SIGINT, byUser: true);
        Take(PosixSignal.SIGTERM, byUser: false);
        Take(PosixSignal.SIGHUP, byUser: false);
        // Ctrl+Break comes as this; elsewhere it asks for a dump.
        if (OperatingSystem.IsWindows())
            Take(PosixSignal.SIGQUIT, byUser: false);
        else
            Take((PosixSignal)(OperatingSystem.IsLinux() ? 10 : 30), byUser: false);
    }

    /// <summary>Canceled when the program is asked to end.</summary>
    public CancellationToken Token => _stop.Token;

    /// <summary>The exit code of work that was ended.</summary>
    public int ExitCode { get; private set; } = ExitCodes.Canceled;

    public void Dispose()
    {
        _signals.ForEach(signal => signal.Dispose());
        _stop.Dispose();
    }

    /// <summary>Waits for the work, but not for long once the program was told to end.</summary>
    /// <returns>The work's exit code.</returns>
    public async Task<int> End(Task<int> work)
    {
        TaskCompletionSource late = new();
        using CancellationTokenRegistration told = Token.Register(() =>
            _ = Task.Delay(s_patience).ContinueWith(_ => late.TrySetResult(), TaskScheduler.Default)
        );
        return await Task.WhenAny(work, late.Task).ConfigureAwait(false) == work ? await work.ConfigureAwait(false) : ExitCode;
    }

    private void Take(PosixSignal signal, bool byUser) => _signals.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true;
                if (_stop.IsCancellationRequested)
                    return;
                if (!byUser)
                    ExitCode = ExitCodes.MoreToDo;
                _stop.Cancel();
            }));
}
