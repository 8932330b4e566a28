using System.Management.Automation;
using DemucsPS.Engine.Clusters;

namespace DemucsPS.Cmdlets;

/// <summary><c>Get-DemucsJob</c>: folders of jobs in, and how far each is out.</summary>
[Cmdlet(VerbsCommon.Get, "DemucsJob")]
[OutputType(typeof(ClusterStatus))]
public sealed class GetDemucsJobCommand : JobCommand
{
    private protected override void ProcessJob(ClusterJob job, string target) => WriteObject(StatusOf(job));
}
