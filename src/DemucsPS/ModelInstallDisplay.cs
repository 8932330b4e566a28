using System.Collections.Concurrent;
using System.Management.Automation;
using DemucsPS.Engine.Models.Installation;
using DemucsPS.Engine.Separation;

namespace DemucsPS;

/// <summary>
/// Shows an installation that runs on other threads: they leave word here, and the pipeline's thread comes by to show it.
/// </summary>
internal sealed class ModelInstallDisplay(Cmdlet cmdlet) : IProgress<ModelInstallProgress>
{
    private const int Activity = 1;

    private readonly ConcurrentQueue<string> _warnings = new();
    private volatile ModelInstallProgress? _latest;
    private bool _shown;

    /// <inheritdoc/>
    public void Report(ModelInstallProgress value) => _latest = value;

    /// <summary>Something the user should know.</summary>
    public void Warn(string sentence) => _warnings.Enqueue(sentence);

    /// <summary>Waits for the work and shows how far it is meanwhile.</summary>
    /// <param name="work">The work.</param>
    /// <param name="stop">Ends the work, should the pipeline end first.</param>
    public T Watch<T>(Task<T> work, CancellationTokenSource stop)
    {
        try
        {
            while (!((IAsyncResult)work).AsyncWaitHandle.WaitOne(ProgressInterval.Length))
                Show();
        }
        finally
        {
            if (!work.IsCompleted)
            {
                stop.Cancel();
                ((IAsyncResult)work).AsyncWaitHandle.WaitOne();
            }
        }
        while (_warnings.TryDequeue(out string? warning))
            cmdlet.WriteWarning(warning);
        if (_shown)
            cmdlet.WriteProgress(new ProgressRecord(Activity, "Installing models", "done") { RecordType = ProgressRecordType.Completed });
        return work.GetAwaiter().GetResult();
    }

    private void Show()
    {
        if (_latest is not { } at)
            return;
        _shown = true;
        cmdlet.WriteProgress(
            new ProgressRecord(Activity, "Installing models", $"{at.Model}: {at.Status}")
            {
                PercentComplete = at.Total > 0 ? (int)Math.Min(100, 100 * at.Done / at.Total) : -1,
            }
        );
    }
}
