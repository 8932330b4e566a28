using System.Management.Automation;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cmdlets;

/// <summary><c>Wait-DemucsJob</c>: waits until no task of a job waits or runs, and shows meanwhile how far it is.</summary>
[Cmdlet(VerbsLifecycle.Wait, "DemucsJob")]
[OutputType(typeof(ClusterStatus))]
public sealed class WaitDemucsJobCommand : JobCommand, IDisposable
{
    private const int JobActivity = 1;

    private readonly CancellationTokenSource _stop = new();

    /// <summary>Seconds between two looks.</summary>
    [Parameter]
    [ValidateRange(1, 86400)]
    public int Interval { get; set; } = 30;

    /// <inheritdoc/>
    protected override void StopProcessing() => _stop.Cancel();

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private protected override void ProcessJob(ClusterJob job, string target)
    {
        ClusterStatus status;
        try
        {
            status = ClusterWatch.Wait(job, new SlurmCluster(), TimeSpan.FromSeconds(Interval), Show, _stop.Token);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        WriteProgress(new ProgressRecord(JobActivity, "Waiting for a job", "done") { RecordType = ProgressRecordType.Completed });
        WriteObject(status);
    }

    private void Show(ClusterStatus status) =>
        WriteProgress(
            new ProgressRecord(JobActivity, "Waiting for a job", $"{status}")
            {
                PercentComplete = status.Audio > TimeSpan.Zero ? (int)Math.Min(100, 100 * (status.AudioDone / status.Audio)) : -1,
                SecondsRemaining = status.Remaining is { } left ? (int)Math.Min(int.MaxValue, left.TotalSeconds) : -1,
            }
        );
}
