using System.Management.Automation;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cmdlets;

/// <summary><c>Stop-DemucsJob</c>: cancels a job's tasks in Slurm; running tasks keep their finished work.</summary>
[Cmdlet(VerbsLifecycle.Stop, "DemucsJob", SupportsShouldProcess = true)]
[OutputType(typeof(ClusterStatus))]
public sealed class StopDemucsJobCommand : JobCommand
{
    private protected override void ProcessJob(ClusterJob job, string target)
    {
        ClusterArray[] arrays = [.. job.Submissions().SelectMany(submission => submission.Arrays)];
        if (
            !ShouldProcess(
                job.Folder,
                arrays.Length == 0 ? "Cancel nothing" : $"Cancel the tasks of {string.Join(", ", arrays.Select(array => array.Id))}"
            )
        )
            return;
        if (arrays.Length > 0)
            new SlurmCluster().Cancel(arrays);
        WriteObject(StatusOf(job));
    }
}
