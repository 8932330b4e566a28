using System.Management.Automation;
using DemucsPS.Engine;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cmdlets;

/// <summary>What cmdlets for jobs on a cluster have in common: the jobs' folders.</summary>
public abstract class JobCommand : PSCmdlet
{
    /// <summary>Folders of jobs.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ValueFromPipelineByPropertyName = true)]
    [ValidateNotNullOrEmpty]
    public string[] JobPath { get; set; } = [];

    /// <inheritdoc/>
    protected sealed override void ProcessRecord()
    {
        foreach (string path in JobPath)
        {
            try
            {
                ProcessJob(ClusterJob.Open(this.ResolveLiteral(path, DemucsError.ClusterJobInvalid)), path);
            }
            catch (DemucsException e)
            {
                WriteError(e.ToRecord(path));
            }
        }
    }

    /// <summary>Works on one job.</summary>
    /// <param name="job">The job.</param>
    /// <param name="target">What errors should name.</param>
    private protected abstract void ProcessJob(ClusterJob job, string target);

    /// <summary>How a job stands; where Slurm's commands are not here, a warning says that only the results were asked.</summary>
    private protected ClusterStatus StatusOf(ClusterJob job)
    {
        ClusterStatus status = ClusterWatch.Status(job, new SlurmCluster());
        if (status.State == ClusterJobState.Unknown)
            WriteWarning(
                $"Slurm's commands were not found, so the running tasks of '{job.Folder}' are unknown. Finished tracks are read from the results."
            );
        return status;
    }
}
